//! From rows to the bytes of a recovery point.
//!
//! Invariant: a full point holds every row as it was committed; a metadata point holds no value in
//! any encoding and no digest of one: rows whose purpose is a value are left out, key-check values
//! are blanked.

use std::{collections::BTreeMap, sync::Arc};

use keystead_archive::{PointState, SegmentHeader, SegmentKind, build_point};
use keystead_crypto::Entropy;
use keystead_domain::{
    ChangeId, Instance, Key, KeyVersion, Kind, PointKind, Tenant, TenantId, TenantKey,
};
use keystead_store::Stored;

use crate::{
    Fault,
    shipper::{Sealing, copies},
    tenants::Tenants,
};

/// A point on its way.
#[derive(Debug)]
pub(super) struct Maker {
    pub(super) entropy: Entropy,
    pub(super) sealing: Arc<Sealing>,
    pub(super) tenants: Arc<Tenants>,
    pub(super) kind: PointKind,
    pub(super) header: SegmentHeader,
    pub(super) states: BTreeMap<TenantId, PointState>,
}

impl Maker {
    /// Opens rows and writes what they say into the point.
    pub(super) fn take(&mut self, rows: &[Stored]) -> Result<(), Fault> {
        rows.iter().try_for_each(|row| self.take_one(row))
    }

    fn take_one(&mut self, row: &Stored) -> Result<(), Fault> {
        let Stored { aggregate, tenant, revision, .. } = row;
        let corrupt = || Fault::Corrupt { what: aggregate.kind.to_string() };
        let keys = self.tenants.get(tenant).ok_or_else(corrupt)?;
        let body = keys.open_body(row).map_err(|_| corrupt())?;
        if aggregate.kind == Kind::Instance {
            let told = Instance::from_body(&body).map_err(|_| corrupt())?;
            self.header.destruction_set_hash = told.destruction_hash;
        }
        let into = self.states.entry(*tenant).or_default();
        let Some(body) = shown(self.kind, aggregate.kind, &body).map_err(|_| corrupt())? else {
            return Ok(());
        };
        if self.kind == PointKind::Full {
            into.rely_on(copies(aggregate.kind, &body).ok_or_else(corrupt)?);
        }
        into.put(aggregate.kind, &aggregate.id, *revision, &body);
        Ok(())
    }

    /// Seals it to the epoch and signs as the node.
    pub(super) fn finish(self) -> Result<(SegmentHeader, Vec<u8>), Fault> {
        let Self { entropy, sealing, tenants, header, states, .. } = self;
        let (signer, epoch) = (&sealing.signer, &sealing.epoch_public);
        let backup = |tenant| tenants.get(&tenant).map(|keys| &keys.backup);
        let change = ChangeId::random(&entropy);
        let built = build_point(&entropy, signer, epoch, &header, (change, states), backup);
        let refused = |refused| Fault::Corrupt { what: format!("a recovery point: {refused}") };
        Ok((header.clone(), built.map_err(refused)?))
    }
}

/// How the format calls it.
pub(super) fn segment_kind(kind: PointKind) -> SegmentKind {
    match kind {
        PointKind::Full => SegmentKind::FullPoint,
        PointKind::Metadata => SegmentKind::MetadataPoint,
    }
}

/// What a point of this kind says of a row; nothing of one that is there for its value.
fn shown(
    point: PointKind,
    kind: Kind,
    body: &[u8],
) -> Result<Option<Vec<u8>>, keystead_crypto::bytes::Malformed> {
    if point == PointKind::Full {
        return Ok(Some(body.to_vec()));
    }
    Ok(match kind {
        Kind::Key => {
            let mut key = Key::from_body(body)?;
            key.versions.iter_mut().for_each(blank);
            Some(key.to_body())
        }
        Kind::Tenant => {
            let mut tenant = Tenant::from_body(body)?;
            let Tenant { master, signing, backup, audit, .. } = &mut tenant;
            for TenantKey { versions, .. } in [master, signing, backup, audit] {
                versions.iter_mut().for_each(blank);
            }
            Some(tenant.to_body())
        }
        Kind::AccessKey | Kind::WrapRecord | Kind::IdempotencyKey => None,
        Kind::Instance
        | Kind::Epoch
        | Kind::RecipientSet
        | Kind::Kit
        | Kind::Vault
        | Kind::WrapLog
        | Kind::Alias
        | Kind::Point => Some(body.to_vec()),
    })
}

fn blank(version: &mut KeyVersion) {
    version.key_check = [0; 32];
}

#[cfg(test)]
mod tests {
    use keystead_domain::{EpochId, KeyId, KeySpec, KeyState, Timestamp, VersionId};

    use super::*;

    #[test]
    fn a_metadata_point_says_nothing_that_follows_from_a_value() {
        let at = Timestamp::from_micros(1);
        let version = KeyVersion {
            id: VersionId::from_bytes([1; 8]),
            number: 1,
            created_at: at,
            epoch: EpochId::from_bytes([2; 16]),
            copy_hash: [3; 32],
            key_check: [0xcc; 32],
        };
        let key = Key {
            id: KeyId::from_bytes([4; 16]),
            tenant: TenantId::from_bytes([5; 16]),
            spec: KeySpec::Symmetric,
            purpose: "PHI".to_owned(),
            description: "patients".to_owned(),
            created_at: at,
            expires_at: None,
            state: KeyState::Active { since: at },
            versions: vec![version],
            tags: Vec::new(),
            rotation: None,
            on_demand: Vec::new(),
        };
        let body = key.to_body();
        let holds = |body: &[u8]| body.windows(32).any(|part| part == [0xcc; 32]);
        let whole = shown(PointKind::Full, Kind::Key, &body).unwrap().unwrap();
        assert!(holds(&whole), "a full point is whole");
        let cut = shown(PointKind::Metadata, Kind::Key, &body).unwrap().unwrap();
        assert!(!holds(&cut));
        assert_eq!(Key::from_body(&cut).unwrap().description, "patients");
        for value in [Kind::AccessKey, Kind::WrapRecord, Kind::IdempotencyKey] {
            assert_eq!(shown(PointKind::Metadata, value, b"any").unwrap(), None, "{value}");
        }
    }
}
