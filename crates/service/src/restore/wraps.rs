//! Wrap records on the way back: that none is missing, that each data key opens, and each sealed
//! again under the new master key.
//!
//! Invariant: a restore that would leave a document without its data key stops before it writes.

use std::collections::{BTreeMap, BTreeSet};

use keystead_crypto::{KeyVersion as CryptoVersion, MasterWrap, SealKey, hash::same};
use keystead_domain::{Kind, Tenant, TenantId, WrapFacts, WrapLog, WrapRecord};
use zeroize::Zeroizing;

use super::{RestoreFailed, Watcher, keys::Opener, state::State};
use crate::{
    incarnation::{FreshTenant, Row},
    wraps::data_key_context,
};

/// The versions of master keys under which data keys are wrapped, opened.
#[derive(Debug, Default)]
pub(super) struct PastMasters(BTreeMap<CryptoVersion, SealKey<MasterWrap>>);

/// Counts the records against the tenants' logs and opens every data key once.
pub(super) async fn open_wraps(
    opener: &Opener<'_>,
    state: &State,
    tenants: &[Tenant],
    watcher: &dyn Watcher,
) -> Result<(PastMasters, usize), RestoreFailed> {
    let (records, logs) = (state.wraps()?, state.wrap_logs()?);
    watcher.phase("open wrapped data keys", records.len() as u64);
    check_complete(&records, &logs)?;
    let masters = PastMasters::open(opener, tenants, &records).await?;
    for record in &records {
        masters.unwrap(record)?;
        watcher.advance(1);
    }
    Ok((masters, records.len()))
}

/// Sequences without gaps, and the chain that the log names.
fn check_complete(records: &[WrapRecord], logs: &[WrapLog]) -> Result<(), RestoreFailed> {
    let mut by_tenant = BTreeMap::<TenantId, BTreeMap<u64, &WrapFacts>>::new();
    for WrapRecord { facts, .. } in records {
        by_tenant.entry(facts.tenant).or_default().insert(facts.sequence, facts);
    }
    for log in logs {
        let facts = by_tenant.remove(&log.tenant).unwrap_or_default();
        let mut found = WrapLog::empty(log.tenant);
        for facts in facts.values() {
            let next = found.count + 1;
            found = found.followed_by(facts).ok_or_else(|| missing(log, next))?;
        }
        if found != *log {
            return Err(missing(log, found.count + 1));
        }
    }
    match by_tenant.into_keys().next() {
        Some(tenant) => Err(corrupt(format!("the wrap log of tenant `{tenant}` is missing"))),
        None => Ok(()),
    }
}

impl PastMasters {
    async fn open(
        opener: &Opener<'_>,
        tenants: &[Tenant],
        records: &[WrapRecord],
    ) -> Result<Self, RestoreFailed> {
        let used: BTreeSet<_> =
            records.iter().map(|record| record.data_key.sealed_under()).collect();
        let mut opened = BTreeMap::new();
        for tenant in tenants {
            let of = |version: &keystead_domain::KeyVersion| CryptoVersion {
                key: *tenant.master.id.as_bytes(),
                version: *version.id.as_bytes(),
            };
            for version in &tenant.master.versions {
                if used.contains(&of(version)) {
                    let material = opener.master(tenant, version).await?;
                    opened.insert(of(version), SealKey::new(of(version), &material));
                }
            }
        }
        Ok(Self(opened))
    }

    fn unwrap(&self, record: &WrapRecord) -> Result<Zeroizing<Vec<u8>>, RestoreFailed> {
        let facts = &record.facts;
        let place = data_key_context(facts.tenant, facts.id);
        let master = self.0.get(&record.data_key.sealed_under());
        let opened = master.and_then(|master| master.open(&place, &record.data_key).ok());
        let check = |plain: &Zeroizing<Vec<u8>>| {
            same(&WrapFacts::key_check(facts.id, plain), &facts.key_check)
        };
        let closed = || corrupt(format!("the data key of `{}` does not open", facts.id));
        opened.filter(check).ok_or_else(closed)
    }

    /// The row with its data key under its tenant's new master key.
    pub(super) fn rewrap(
        &self,
        entropy: &keystead_crypto::Entropy,
        row: &Row,
        tenants: &[FreshTenant],
    ) -> Result<Row, RestoreFailed> {
        if row.kind != Kind::WrapRecord {
            return Ok(row.clone());
        }
        let unread = || corrupt("a wrap record".to_owned());
        let mut record = WrapRecord::from_body(&row.body).map_err(|_| unread())?;
        let fresh = tenants.iter().find(|fresh| fresh.keys.tenant.id == record.facts.tenant);
        let keys = &fresh.ok_or_else(unread)?.keys;
        let place = data_key_context(record.facts.tenant, record.facts.id);
        record.data_key = keys.master.seal(entropy, &place, &self.unwrap(&record)?);
        Ok(Row { body: record.to_body(), ..row.clone() })
    }
}

fn missing(log: &WrapLog, sequence: u64) -> RestoreFailed {
    corrupt(format!(
        "wrap record {sequence} of {} of tenant `{}` is missing or not the one that was made",
        log.count, log.tenant
    ))
}

fn corrupt(what: String) -> RestoreFailed {
    RestoreFailed::State { what }
}

#[cfg(test)]
mod tests {
    use keystead_crypto::{Entropy, KeyVersion};
    use keystead_domain::{Timestamp, WrapAlgorithm, WrapId};

    use super::*;

    fn records(count: u64) -> (Vec<WrapRecord>, WrapLog) {
        let (entropy, tenant) = (Entropy::os(), TenantId::from_bytes([1; 16]));
        let id = KeyVersion { key: [2; 16], version: [3; 8] };
        let master = SealKey::<MasterWrap>::new(id, &entropy.secret());
        let mut log = WrapLog::empty(tenant);
        let mut records = Vec::new();
        for sequence in 1..=count {
            let id = WrapId::random(&entropy);
            let facts = WrapFacts {
                id,
                tenant,
                subject: format!("document {sequence}").parse().unwrap(),
                sequence,
                algorithm: WrapAlgorithm::Aes256Gcm,
                created_at: Timestamp::from_micros(1),
                key_check: WrapFacts::key_check(id, &[9; 32]),
            };
            log = log.followed_by(&facts).unwrap();
            let data_key = master.seal(&entropy, &data_key_context(tenant, id), &[9; 32]);
            records.push(WrapRecord { facts, data_key });
        }
        (records, log)
    }

    #[test]
    fn a_record_that_is_missing_doubled_or_altered_is_named() {
        let (all, log) = records(5);
        check_complete(&all, &[log]).unwrap();
        let refused = |records: &[WrapRecord], number: u64| {
            let refused = check_complete(records, &[log]).unwrap_err().to_string();
            assert!(refused.contains(&format!("wrap record {number} of 5")), "{refused}");
        };
        for gone in 0..5 {
            let mut some = all.clone();
            some.remove(gone);
            refused(&some, gone as u64 + 1);
        }
        refused(&[], 1);
        let mut altered = all.clone();
        altered[4].facts.subject = "another".parse().unwrap();
        refused(&altered, 6);
        let (extra, _) = records(6);
        refused(&[&all[..], &extra[5..]].concat(), 7);
        assert!(check_complete(&all, &[]).is_err(), "records without a log");
    }
}
