//! The tenants' own keys, opened once at start: master, backup, audit.
//!
//! Invariant: a master key is opened under the root wrap key and everything else under its tenant's
//! master key; each material row opens only as the version it is a row of.

use std::{collections::BTreeMap, sync::Mutex};

use keystead_crypto::{
    BackupWrap, Entropy, KeyVersion, MasterWrap, Material, OpenFailed, RootWrap, SealContext,
    SealKey, Sealed, Secret, hash::hmac_sha256, labels,
};
use keystead_domain::{KeyId, Kind, Tenant, TenantId, VersionId};

/// How many sources a tenant's cache of their MACs holds.
const SOURCES_MAX: usize = 1024;

/// One tenant's keys, ready for use.
#[derive(Debug)]
pub(crate) struct TenantKeys {
    pub(crate) tenant: Tenant,
    pub(crate) master: SealKey<MasterWrap>,
    pub(crate) backup: SealKey<BackupWrap>,
    pub(crate) audit: Secret<32>,
    pub(crate) sources: SourceMacs,
}

/// The MACs of addresses that were seen of late: most requests come from few.
#[derive(Default)]
pub(crate) struct SourceMacs(Mutex<BTreeMap<String, [u8; 32]>>);

impl std::fmt::Debug for SourceMacs {
    /// Names the type: addresses belong in no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceMacs(…)")
    }
}

/// All tenants, by id.
pub(crate) type Tenants = BTreeMap<TenantId, TenantKeys>;

/// The crypto name of a key version.
pub(crate) fn key_version(key: KeyId, version: VersionId) -> KeyVersion {
    KeyVersion { key: *key.as_bytes(), version: *version.as_bytes() }
}

/// Where an aggregate's body is sealed.
pub(crate) fn body_context(
    tenant: TenantId,
    kind: Kind,
    id: &[u8; 16],
    revision: u64,
) -> SealContext {
    SealContext::new(tenant.as_bytes(), kind.name(), id, revision)
}

/// Where a version's material is sealed.
pub(crate) fn material_context(tenant: TenantId, version: VersionId) -> SealContext {
    SealContext::new(tenant.as_bytes(), "material", version.as_bytes(), 0)
}

/// Seals a master key's material under the root.
pub(crate) fn seal_master(
    root: &SealKey<RootWrap>,
    entropy: &Entropy,
    tenant: TenantId,
    version: VersionId,
    material: &Secret<32>,
) -> Sealed<Material> {
    root.seal_secret(entropy, &material_context(tenant, version), material)
}

/// Opens a master key from its material row.
pub(crate) fn open_master(
    root: &SealKey<RootWrap>,
    tenant: TenantId,
    id: KeyVersion,
    row: &Sealed<Material>,
) -> Result<SealKey<MasterWrap>, OpenFailed> {
    let version = VersionId::from_bytes(id.version);
    let raw = root.open_secret::<Material, 32>(&material_context(tenant, version), row)?;
    Ok(SealKey::new(id, &raw))
}

impl TenantKeys {
    /// What a source of requests enters the ledger as.
    pub(crate) fn source_mac(&self, source: &str) -> [u8; 32] {
        let macs = &mut *self.sources.0.lock().expect("no code panics while it holds this lock");
        if let Some(mac) = macs.get(source) {
            return *mac;
        }
        let parts = [labels::AUDIT_VALUE.as_bytes(), b"source/", source.as_bytes()];
        let mac = self.audit.expose(|key| hmac_sha256(key, &parts));
        if macs.len() >= SOURCES_MAX {
            macs.clear();
        }
        macs.insert(source.to_owned(), mac);
        mac
    }

    /// What a guessable value of an attribute enters the ledger as.
    pub(crate) fn value_mac(&self, attribute: &str, value: &str) -> [u8; 32] {
        let name = [attribute.as_bytes(), b"/"].concat();
        let parts = [labels::AUDIT_VALUE.as_bytes(), &name, value.as_bytes()];
        self.audit.expose(|key| hmac_sha256(key, &parts))
    }

    /// Seals an aggregate's body at the revision that it will have.
    pub(crate) fn seal_body(
        &self,
        entropy: &Entropy,
        kind: Kind,
        id: &[u8; 16],
        revision: u64,
        body: &[u8],
    ) -> Sealed<keystead_crypto::Body> {
        self.master.seal(entropy, &body_context(self.tenant.id, kind, id, revision), body)
    }

    /// Opens a stored aggregate's body.
    pub(crate) fn open_body(
        &self,
        stored: &keystead_store::Stored,
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, OpenFailed> {
        let at = &stored.aggregate;
        let context = body_context(self.tenant.id, at.kind, &at.id, stored.revision);
        self.master.open(&context, &stored.body)
    }

    /// Seals a version's material.
    pub(crate) fn seal_material<const N: usize>(
        &self,
        entropy: &Entropy,
        version: VersionId,
        material: &Secret<N>,
    ) -> Sealed<Material> {
        self.master.seal_secret(entropy, &material_context(self.tenant.id, version), material)
    }

    /// Opens a version's material.
    pub(crate) fn open_material<const N: usize>(
        &self,
        version: VersionId,
        row: &Sealed<Material>,
    ) -> Result<Secret<N>, OpenFailed> {
        self.master.open_secret(&material_context(self.tenant.id, version), row)
    }
}
