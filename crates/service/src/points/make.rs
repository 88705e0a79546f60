//! From rows to the bytes of a recovery point.
//!
//! Invariant: a full point holds every row as it was committed; a metadata point holds no value in
//! any encoding and no digest of one: rows whose purpose is a value are left out, key-check values
//! are blanked.

use std::{collections::BTreeMap, sync::Arc};

use keystead_archive::{
    ChangeImage, Image, SegmentHeader, SegmentKind, Sensitivity, TenantChanges, build_segment,
};
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

/// What a point is made with.
#[derive(Debug)]
pub(super) struct Maker {
    pub(super) entropy: Entropy,
    pub(super) sealing: Arc<Sealing>,
    pub(super) tenants: Arc<Tenants>,
    pub(super) change: ChangeId,
}

impl Maker {
    /// Opens the rows, each of which is dropped then, seals what they say to the epoch and signs as
    /// the node.
    pub(super) fn make(
        &self,
        kind: PointKind,
        mut header: SegmentHeader,
        rows: Vec<Stored>,
    ) -> Result<Vec<u8>, Fault> {
        let mut by_tenant = BTreeMap::<TenantId, ChangeImage>::new();
        for row in rows {
            let corrupt = || Fault::Corrupt { what: row.aggregate.kind.to_string() };
            let keys = self.tenants.get(&row.tenant).ok_or_else(corrupt)?;
            let body = keys.open_body(&row).map_err(|_| corrupt())?;
            if row.aggregate.kind == Kind::Instance {
                let told = Instance::from_body(&body).map_err(|_| corrupt())?;
                header.destruction_set_hash = told.destruction_hash;
            }
            let into = by_tenant.entry(row.tenant).or_insert_with(|| self.empty(&header));
            let Some(body) = shown(kind, row.aggregate.kind, &body).map_err(|_| corrupt())? else {
                continue;
            };
            if kind == PointKind::Full {
                into.copies.extend(copies(row.aggregate.kind, &body).ok_or_else(corrupt)?);
            }
            into.puts.push(Image {
                kind: row.aggregate.kind,
                id: row.aggregate.id,
                revision: row.revision,
                sensitivity: Sensitivity::Metadata,
                body,
            });
        }
        let entries: Vec<_> = by_tenant.into_iter().map(entry).collect();
        let (entropy, sealing) = (&self.entropy, &self.sealing);
        let (signer, epoch) = (&sealing.signer, &sealing.epoch_public);
        let backup = |tenant| self.tenants.get(&tenant).map(|keys| &keys.backup);
        let built = build_segment(entropy, signer, epoch, &header, entries, backup);
        built.map_err(|refused| Fault::Corrupt { what: format!("a recovery point: {refused}") })
    }

    fn empty(&self, header: &SegmentHeader) -> ChangeImage {
        ChangeImage {
            commit_seq: header.last_commit_seq,
            change: self.change,
            at: header.at,
            puts: Vec::new(),
            deletes: Vec::new(),
            copies: Vec::new(),
        }
    }
}

fn entry((tenant, mut change): (TenantId, ChangeImage)) -> TenantChanges {
    change.puts.sort_by_key(|image| (image.kind, image.id));
    change.copies.sort_unstable();
    TenantChanges { tenant, changes: vec![change] }
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
