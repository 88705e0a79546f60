//! Follows committed changes: first their events into the journal, then, below the watermark, their
//! effects into the keyring.
//!
//! Invariant: state events enter the journal in commit order, each once (the journal knows its
//! place); the keyring applies a change only when it is both journaled and vaulted, so that
//! whatever a caller relied on survives the loss of this machine.

use std::sync::Arc;

use keystead_domain::{AccessKey, Key, KeyVersion, Kind, VersionId};
use keystead_store::{CommittedChange, Put, StoreFailed, Stored};
use thiserror::Error;

use crate::{
    keyring::{AccessEntry, KeyEntry, Keyring, Snapshot},
    ports::Ports,
    progress::Progress,
    tenants::Tenants,
    vaults::VaultSet,
};

const BATCH: usize = 1000;
const RETRY_MS: u64 = 1_000;
/// How often the database is asked although nobody announced a change.
const LOOK_MS: u64 = 5_000;

/// Why following stopped for a moment.
#[derive(Debug, Error)]
pub(crate) enum FollowFailed {
    #[error(transparent)]
    Store(#[from] StoreFailed),
    #[error(transparent)]
    Journal(#[from] keystead_journal::JournalFailed),
    #[error("{kind} of change {commit_seq} does not open or read")]
    Corrupt { kind: Kind, commit_seq: u64 },
}

/// The follower of one node.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) ports: Ports,
    pub(crate) set: Arc<VaultSet>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) keyring: Arc<Keyring>,
}

impl Follower {
    /// Starts both halves.
    pub(crate) fn start(self: &Arc<Self>) {
        let (journal, keyring) = (self.clone(), self.clone());
        self.ports.tasks.spawn("journal-changes", Box::pin(journal.follow_journal()));
        self.ports.tasks.spawn("apply-changes", Box::pin(keyring.follow_keyring()));
    }

    async fn follow_journal(self: Arc<Self>) {
        let mut committed = self.progress.committed.watch();
        loop {
            match self.journal_next().await {
                Ok(true) => {}
                Ok(false) => {
                    // A commit whose outcome nobody heard is announced by nobody.
                    let changed = std::pin::pin!(committed.changed());
                    futures_util::future::select(changed, self.ports.clock.sleep_ms(LOOK_MS)).await;
                }
                Err(failed) => {
                    tracing::error!(%failed, "changes are committed and not yet in the ledger");
                    self.ports.clock.sleep_ms(RETRY_MS).await;
                }
            }
        }
    }

    async fn journal_next(&self) -> Result<bool, FollowFailed> {
        let Some(last) = feed_journal(&self.ports).await? else { return Ok(false) };
        self.progress.committed.reach(last);
        self.progress.journaled.reach(last);
        Ok(true)
    }

    async fn follow_keyring(self: Arc<Self>) {
        let mut journaled = self.progress.journaled.watch();
        let mut vaulted = self.set.vaulted();
        loop {
            let upto = (*journaled.borrow_and_update()).min(*vaulted.borrow_and_update());
            if self.progress.applied.at() < upto {
                if let Err(failed) = self.apply_up_to(upto).await {
                    tracing::error!(%failed, "vaulted changes are not yet in force");
                    self.ports.clock.sleep_ms(RETRY_MS).await;
                }
                continue;
            }
            let (one, other) =
                (std::pin::pin!(journaled.changed()), std::pin::pin!(vaulted.changed()));
            futures_util::future::select(one, other).await;
        }
    }

    async fn apply_up_to(&self, upto: u64) -> Result<(), FollowFailed> {
        let mut next = (*self.keyring.snapshot()).clone();
        let changes = self.ports.store.changes_after(next.revision, BATCH).await?;
        for change in changes.iter().take_while(|change| change.commit_seq <= upto) {
            self.apply(&mut next, change).await?;
            next.revision = change.commit_seq;
        }
        let reached = next.revision;
        self.keyring.publish(next);
        self.progress.applied.reach(reached);
        Ok(())
    }

    async fn apply(&self, to: &mut Snapshot, change: &CommittedChange) -> Result<(), FollowFailed> {
        for put in &change.set.puts {
            let stored = stored(put, change.commit_seq);
            apply_row(&self.ports, &self.tenants, to, &stored).await?;
        }
        for delete in &change.set.deletes {
            if delete.aggregate.kind == Kind::AccessKey {
                let gone = to
                    .access_keys
                    .iter()
                    .find(|(_, entry)| entry.id == delete.aggregate.id)
                    .map(|(name, _)| name.clone());
                gone.and_then(|name| to.access_keys.remove(&name));
            }
        }
        Ok(())
    }
}

/// Records the events of the next committed changes; the last of them, once it is durable, or
/// nothing where there are none.
pub(crate) async fn feed_journal(ports: &Ports) -> Result<Option<u64>, FollowFailed> {
    let after = ports.journal.next_commit_seq() - 1;
    let changes = ports.store.changes_after(after, BATCH).await?;
    let record = |change: &CommittedChange| {
        ports.journal.record_state(change.commit_seq, &change.set.events)
    };
    let tickets: Vec<_> = changes.iter().map(record).collect();
    for ticket in tickets {
        ticket.await?;
    }
    Ok(changes.last().map(|change| change.commit_seq))
}

fn stored(put: &Put, commit_seq: u64) -> Stored {
    Stored {
        aggregate: put.aggregate,
        tenant: put.tenant,
        revision: put.expected.next(),
        commit_seq,
        body: put.body.clone(),
    }
}

/// Brings one row into a snapshot: keys and access keys; other kinds are none of its business.
pub(crate) async fn apply_row(
    ports: &Ports,
    tenants: &Tenants,
    to: &mut Snapshot,
    row: &Stored,
) -> Result<(), FollowFailed> {
    let kind = row.aggregate.kind;
    if !matches!(kind, Kind::Key | Kind::AccessKey) {
        return Ok(());
    }
    let corrupt = || FollowFailed::Corrupt { kind, commit_seq: row.commit_seq };
    let keys = tenants.get(&row.tenant).ok_or_else(corrupt)?;
    let body = keys.open_body(row).map_err(|_| corrupt())?;
    if kind == Kind::Key {
        let key = Key::from_body(&body).map_err(|_| corrupt())?;
        let materials = materials(ports, &key.versions).await?;
        to.keys.insert(key.id, Arc::new(KeyEntry { key, materials }));
    } else {
        let key = AccessKey::from_body(&body).map_err(|_| corrupt())?;
        let secret = ports.store.material(key.secret).await?.ok_or_else(corrupt)?;
        let name = key.access_key_id.clone();
        let entry = AccessEntry { id: row.aggregate.id, key, secret };
        to.access_keys.insert(name, Arc::new(entry));
    }
    Ok(())
}

async fn materials(
    ports: &Ports,
    versions: &[KeyVersion],
) -> Result<Vec<(VersionId, keystead_crypto::Sealed<keystead_crypto::Material>)>, FollowFailed> {
    let mut found = Vec::with_capacity(versions.len());
    for version in versions {
        if let Some(row) = ports.store.material(version.id).await? {
            found.push((version.id, row));
        }
    }
    Ok(found)
}
