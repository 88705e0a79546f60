//! Finds wrap records by subject and by sequence.
//!
//! Invariant: what is below the watermark is handed out, and nothing above it.

use keystead_domain::{Kind, Subject, TenantId, WrapFacts, WrapId, WrapLog, WrapRecord};
use keystead_store::{AggregateRef, Index, IndexEntry, Scan, Stored};

use crate::{Error, Fault, Service};

/// The index entries of a record.
pub(crate) fn wrap_index(facts: &WrapFacts) -> Vec<IndexEntry> {
    let sequence = by_sequence(facts.tenant, facts.sequence);
    vec![
        IndexEntry { index: Index::WrapSubject, value: by_subject(facts.tenant, &facts.subject) },
        IndexEntry { index: Index::WrapSequence, value: sequence },
    ]
}

/// The length makes no subject the beginning of another's entry.
fn by_subject(tenant: TenantId, subject: &Subject) -> Vec<u8> {
    let mut w = keystead_crypto::bytes::Writer::new();
    w.raw(tenant.as_bytes()).text(subject.as_str());
    w.finish()
}

fn by_sequence(tenant: TenantId, sequence: u64) -> Vec<u8> {
    [&tenant.as_bytes()[..], &sequence.to_be_bytes()].concat()
}

/// Where a tenant's wrap log is.
pub(super) fn log_of(tenant: TenantId) -> AggregateRef {
    AggregateRef { kind: Kind::WrapLog, id: *tenant.as_bytes() }
}

impl Service {
    /// A subject's record and the change that wrote it, however new it is.
    pub(super) async fn find_wrap(
        &self,
        tenant: TenantId,
        subject: &Subject,
    ) -> Result<Option<(WrapRecord, u64)>, Error> {
        let prefix = by_subject(tenant, subject);
        let scan = Scan::Index { index: Index::WrapSubject, prefix, after: None, limit: 1 };
        let rows = self.ports.store.scan(scan).await.map_err(Fault::from)?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some((self.read_wrap(row)?, row.commit_seq)))
    }

    /// A subject's record, where enough vaults hold it.
    pub(super) async fn vaulted_wrap(
        &self,
        tenant: TenantId,
        subject: &Subject,
    ) -> Result<WrapRecord, Error> {
        let found = self.find_wrap(tenant, subject).await?;
        let nothing = || Fault::Nothing { what: "wrap record of", name: subject.to_string() };
        let (record, commit_seq) = found.ok_or_else(nothing)?;
        match commit_seq <= self.progress.applied.at() {
            true => Ok(record),
            false => Err(self.not_yet_vaulted(commit_seq).await),
        }
    }

    /// Records after a sequence, up to the first that is not vaulted; and whether all were read.
    pub(super) async fn wraps_after(
        &self,
        tenant: TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<WrapRecord>, Error> {
        let scan = Scan::Index {
            index: Index::WrapSequence,
            prefix: tenant.as_bytes().to_vec(),
            after: Some(by_sequence(tenant, after)),
            limit,
        };
        let applied = self.progress.applied.at();
        let rows = self.ports.store.scan(scan).await.map_err(Fault::from)?;
        let vaulted = rows.iter().take_while(|row| row.commit_seq <= applied);
        vaulted.map(|row| self.read_wrap(row)).collect()
    }

    /// The tenant's log, where enough vaults hold it.
    pub(super) async fn vaulted_wrap_log(&self, tenant: TenantId) -> Result<WrapLog, Error> {
        let found = self.ports.store.load(&[log_of(tenant)]).await.map_err(Fault::from)?;
        let Some(row) = found.into_iter().flatten().next() else {
            return Ok(WrapLog::empty(tenant));
        };
        if row.commit_seq > self.progress.applied.at() {
            return Err(self.not_yet_vaulted(row.commit_seq).await);
        }
        self.read_wrap_log(&row)
    }

    /// Which change must reach the vaults first.
    pub(super) async fn not_yet_vaulted(&self, commit_seq: u64) -> Error {
        match self.change_at(commit_seq).await {
            Ok(change) => Fault::NotYetVaulted { change }.into(),
            Err(failed) => failed,
        }
    }

    fn read_wrap(&self, row: &Stored) -> Result<WrapRecord, Error> {
        let id = WrapId::from_bytes(row.aggregate.id);
        let corrupt = || Fault::Corrupt { what: format!("wrap record `{id}`") };
        let keys = self.tenants.get(&row.tenant).ok_or_else(corrupt)?;
        let body = keys.open_body(row).map_err(|_| corrupt())?;
        let record = WrapRecord::from_body(&body).map_err(|_| corrupt())?;
        let is_itself = record.facts.id == id && record.facts.tenant == row.tenant;
        if is_itself { Ok(record) } else { Err(corrupt().into()) }
    }

    pub(super) fn read_wrap_log(&self, row: &Stored) -> Result<WrapLog, Error> {
        let corrupt = || Fault::Corrupt { what: format!("the wrap log of `{}`", row.tenant) };
        let keys = self.tenants.get(&row.tenant).ok_or_else(corrupt)?;
        let body = keys.open_body(row).map_err(|_| corrupt())?;
        Ok(WrapLog::from_body(&body).map_err(|_| corrupt())?)
    }
}
