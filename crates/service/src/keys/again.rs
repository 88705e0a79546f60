//! CreateKey under an idempotency key: sent again, it finds what it made.
//!
//! Invariant: the memory of a key is in the very change that it speaks of, so no crash can part
//! them; another command under the same key is refused, for as long as the key is remembered.

use keystead_domain::{
    ChangeId, IdempotencyId, IdempotencyKey, Key, KeyId, Kind, PrincipalId, TenantId, Timestamp,
};
use keystead_store::{
    AggregateRef, ChangeSet, Delete, Expected, Index, IndexEntry, Put, Scan, Stored,
};

use crate::{
    CreateKey, Cx, Error, Fault, Service,
    audit::job_event,
    commit::{Made, commit_known},
    pages::Pages,
};

/// How often remembered keys are looked through, in milliseconds.
const LOOK_MS: u64 = 60 * 60 * 1000;
/// How many are forgotten in one change.
const FORGET_MAX: usize = 500;

/// What an idempotency key stands for.
#[derive(Debug)]
pub(super) enum Known {
    /// Nothing yet.
    New,
    /// Something that is too old to count, and gives its place up.
    Over(Stored),
    /// This very command, and what it made.
    Same(Key, Made),
}

impl Service {
    /// What the command's idempotency key stands for.
    pub(super) async fn known(&self, cx: &Cx, command: &CreateKey) -> Result<Known, Error> {
        let Some(key) = &command.idempotency_key else { return Ok(Known::New) };
        let prefix = entry(cx.principal.tenant, cx.principal.id, key);
        let scan = Scan::Index { index: Index::IdempotencyKey, prefix, after: None, limit: 1 };
        let rows = self.ports.store.scan(scan).await.map_err(Fault::from)?;
        let Some(row) = rows.into_iter().next() else { return Ok(Known::New) };
        let kept = self.read_kept(&row)?;
        if !kept.is_kept(self.ports.clock.now()) {
            return Ok(Known::Over(row));
        }
        if kept.command != command.digest() {
            return Err(Fault::IdempotencyReused.into());
        }
        self.made_before(cx, &kept).await
    }

    async fn made_before(&self, cx: &Cx, kept: &IdempotencyKey) -> Result<Known, Error> {
        let gone = || Fault::Corrupt { what: format!("change `{}`", kept.change) };
        let id = KeyId::from_bytes(kept.resource);
        let key = self.creating(cx, id).await?.ok_or_else(gone)?;
        let at = self.ports.store.outcome(kept.change).await.map_err(Fault::from)?;
        Ok(Known::Same(key, Made { at: at.ok_or_else(gone)?, change: kept.change }))
    }

    /// Adds to a change that makes a key what its idempotency key must remember.
    pub(super) fn remember(
        &self,
        cx: &Cx,
        command: &CreateKey,
        made: &Key,
        over: Option<&Stored>,
        set: &mut ChangeSet,
    ) -> Result<(), Error> {
        let Some(key) = &command.idempotency_key else { return Ok(()) };
        let (tenant, principal) = (cx.principal.tenant, cx.principal.id);
        let kept = IdempotencyKey {
            tenant,
            principal,
            key: key.clone(),
            command: command.digest(),
            change: set.id,
            resource: *made.id.as_bytes(),
            at: set.at,
        };
        let id = IdempotencyId::random(&self.ports.entropy);
        let aggregate = AggregateRef { kind: Kind::IdempotencyKey, id: *id.as_bytes() };
        let put = self.tenant_put(tenant, aggregate, Expected::Absent, &kept.to_body())?;
        let value = entry(tenant, principal, key);
        let index = vec![IndexEntry { index: Index::IdempotencyKey, value }];
        set.puts.push(Put { index, ..put });
        set.deletes.extend(over.map(delete));
        Ok(())
    }

    /// Forgets keys that are over, hour by hour.
    pub(crate) async fn keep_forgetting(self: std::sync::Arc<Self>) {
        loop {
            self.ports.clock.sleep_ms(LOOK_MS).await;
            if let Err(failed) = self.forget_over().await {
                tracing::warn!(%failed, "idempotency keys that are over stay for now");
            }
        }
    }

    async fn forget_over(&self) -> Result<(), Error> {
        let now = self.ports.clock.now();
        let mut pages = Pages::of(Kind::IdempotencyKey);
        loop {
            let page = pages.next(&*self.ports.store).await.map_err(Fault::from)?;
            if page.is_empty() {
                return Ok(());
            }
            self.forget_of(&page, now).await?;
        }
    }

    async fn forget_of(&self, page: &[Stored], now: Timestamp) -> Result<(), Error> {
        let mut over = Vec::new();
        for row in page {
            if !self.read_kept(row)?.is_kept(now) {
                over.push(delete(row));
            }
        }
        for some in over.chunks(FORGET_MAX) {
            let set = self.forgetting(now, some);
            let (made, ()) = commit_known(&self.ports, &[], |_| Ok((set.clone(), ()))).await?;
            self.progress.committed.reach(made.at.commit_seq);
        }
        Ok(())
    }

    fn forgetting(&self, now: Timestamp, over: &[Delete]) -> ChangeSet {
        let mut set = ChangeSet::new(ChangeId::random(&self.ports.entropy), now);
        set.deletes.extend(over.iter().cloned());
        set.events.push(job_event(&self.ports, now, "IdempotencyKeysForgotten", over.len()));
        set
    }

    fn read_kept(&self, row: &Stored) -> Result<IdempotencyKey, Error> {
        let corrupt = || Fault::Corrupt { what: "an idempotency key".to_owned() };
        let keys = self.tenants.get(&row.tenant).ok_or_else(corrupt)?;
        let body = keys.open_body(row).map_err(|_| corrupt())?;
        Ok(IdempotencyKey::from_body(&body).map_err(|_| corrupt())?)
    }
}

fn delete(row: &Stored) -> Delete {
    Delete { aggregate: row.aggregate, tenant: row.tenant, revision: row.revision }
}

/// The length makes no key the beginning of another's entry.
fn entry(tenant: TenantId, principal: PrincipalId, key: &str) -> Vec<u8> {
    let mut w = keystead_crypto::bytes::Writer::new();
    w.raw(tenant.as_bytes()).raw(principal.as_bytes()).text(key);
    w.finish()
}
