//! Brings a vault the key copies that it lacks, a page of keys at a time.
//!
//! Invariant: which copies a vault must hold is read from the database's rows, a page at a time: an
//! instance may have a million, and no list of them is ever held. So an orphan, whose key was never
//! committed, is in no other vault than those that it was made for, and a copy of a destroyed key
//! is brought back to none.

use std::collections::BTreeMap;

use keystead_archive::names;
use keystead_domain::{KeyId, KeyState, KeyVersion, Kind, Tenant, VersionId};
use keystead_store::Stored;
use keystead_targets::ObjectName;

use super::{
    Feeder, Member,
    catch_up::{Copied, NotUsable, copy, listed, object_name},
    feeder::{PROBE_MS, caught_up},
};
use crate::{init::root_key_id, pages::Pages, replay::read_key};

/// The copies that a vault must hold, and of what.
type Due = BTreeMap<ObjectName, (KeyId, VersionId)>;

/// How many times longer than a comparison the pause is before it is repeated.
const PAUSE: u64 = 10;

impl Feeder {
    /// Gives `member` each copy that it lacks; what nobody gives is looked for again later.
    pub(super) async fn copy_keys(&self, member: &Member) -> Result<(), NotUsable> {
        let began_ms = self.ports.clock.monotonic_ms();
        self.keep_up(member).await?;
        let mut copied = self.copy_root(member).await?;
        for keys in self.tenants.values() {
            copied.add(self.copy_tenant(member, &keys.tenant).await?);
        }
        let mut pages = Pages::of(Kind::Key);
        let mut page = pages.next(&*self.ports.store).await?;
        while !page.is_empty() && self.set.fence.reason().is_none() {
            copied.add(self.copy_page(member, &page).await?);
            self.keep_up(member).await?;
            page = pages.next(&*self.ports.store).await?;
        }
        caught_up(member, copied.objects);
        let now_ms = self.ports.clock.monotonic_ms();
        let pause_ms = PROBE_MS.max((now_ms - began_ms).saturating_mul(PAUSE));
        member.set_copies_due(if copied.complete { u64::MAX } else { now_ms + pause_ms });
        Ok(())
    }

    /// A vault that counts goes on getting segments meanwhile: a million keys take their time. One
    /// that is behind gets the copies first, so that what it confirms can be restored from it.
    async fn keep_up(&self, member: &Member) -> Result<(), NotUsable> {
        if member.confirmed() < self.set.confirmed_sequence() {
            return Ok(());
        }
        self.go_on(member, self.ports.clock.monotonic_ms()).await
    }

    async fn copy_page(&self, member: &Member, page: &[Stored]) -> Result<Copied, NotUsable> {
        let mut due = Due::default();
        for row in page {
            let key = read_key(&self.tenants, row)?;
            if !matches!(key.state, KeyState::Destroyed { .. }) {
                self.add(&mut due, key.id, &key.versions);
            }
        }
        self.copy_due(member, due).await
    }

    async fn copy_tenant(&self, member: &Member, tenant: &Tenant) -> Result<Copied, NotUsable> {
        let mut due = Due::default();
        for own in [&tenant.master, &tenant.signing, &tenant.backup, &tenant.audit] {
            self.add(&mut due, own.id, &own.versions);
        }
        self.copy_due(member, due).await
    }

    /// The root signing key has no row that names its copies: every vault is asked for them.
    async fn copy_root(&self, member: &Member) -> Result<Copied, NotUsable> {
        let folder = self.folder(root_key_id(self.set.lineage.instance));
        let own = listed(&*member.vault, &folder, &[]).await?;
        let mut copied = Copied::NOTHING;
        for peer in self.set.peers(member) {
            match listed(&*peer.vault, &folder, &[]).await {
                Ok(theirs) => copied.add(copy(peer, member, theirs.difference(&own)).await?),
                Err(_) => copied.complete = false,
            }
        }
        Ok(copied)
    }

    fn add(&self, due: &mut Due, key: KeyId, versions: &[KeyVersion]) {
        for KeyVersion { id, epoch, .. } in versions {
            let name = names::key_copy(self.set.lineage.instance, key, *id, *epoch);
            due.insert(object_name(&name), (key, *id));
        }
    }

    async fn copy_due(&self, member: &Member, due: Due) -> Result<Copied, NotUsable> {
        let names: Vec<ObjectName> = due.keys().cloned().collect();
        let mut copied = Copied::NOTHING;
        for name in member.vault.lacking(&names).await? {
            copied.add(self.bring(member, &name, due[&name]).await?);
        }
        Ok(copied)
    }

    /// Brings one copy from whoever has it.
    async fn bring(
        &self,
        member: &Member,
        name: &ObjectName,
        (key, version): (KeyId, VersionId),
    ) -> Result<Copied, NotUsable> {
        let mut complete = true;
        for peer in self.set.peers(member) {
            let copied = copy(peer, member, [name].into_iter()).await?;
            if copied.complete {
                return Ok(copied);
            }
            complete = false;
        }
        tracing::warn!(vault = %member.vault.url(), %key, %version, "no vault gives a key copy");
        Ok(Copied { complete, ..Copied::NOTHING })
    }

    fn folder(&self, key: KeyId) -> String {
        format!("{}/{}/{key}/", self.set.lineage.instance, names::KEY_FOLDER)
    }
}
