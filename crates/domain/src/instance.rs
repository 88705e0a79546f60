//! The instance's own aggregates: its settings, tenants, access keys, kits.
//!
//! Invariant: bodies hold no secret; an access key's secret and every key's material are material
//! rows beside them. Each body starts with its format version and reads back exactly.

use keystead_crypto::{
    bytes::{Malformed, Reader, Writer},
    hash::sha256_parts,
};

use crate::{
    Account, EpochId, IncarnationId, InstanceId, KeyId, KeyVersion, KitId, PrincipalId, TenantId,
    Timestamp, VaultId, VersionId,
};

/// A vault as the signed state lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredVault {
    /// Its id.
    pub id: VaultId,
    /// Where it is.
    pub url: String,
}

/// The instance's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id, kept for ever.
    pub id: InstanceId,
    /// The account that ARNs show.
    pub account: Account,
    /// The root verification key.
    pub root_public: [u8; 32],
    /// The present incarnation.
    pub incarnation: IncarnationId,
    /// Counts incarnations from 1.
    pub incarnation_number: u64,
    /// The epoch in force.
    pub epoch: EpochId,
    /// Owns instance-wide aggregates.
    pub system_tenant: TenantId,
    /// Owns what the first access key makes.
    pub default_tenant: TenantId,
    /// How many vaults must confirm.
    pub vaults_min: u32,
    /// All vaults.
    pub vaults: Vec<ConfiguredVault>,
    /// Hash chain over destroyed versions; zeros before the first.
    pub destruction_hash: [u8; 32],
}

/// One of a tenant's own keys with its versions, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantKey {
    /// The key's id.
    pub id: KeyId,
    /// Its versions.
    pub versions: Vec<KeyVersion>,
}

/// A tenant and its own keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its random id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Seals everything of the tenant in the database.
    pub master: TenantKey,
    /// Signs for the tenant.
    pub signing: TenantKey,
    /// Seals the tenant's entries in vaults.
    pub backup: TenantKey,
    /// Keys the HMACs of the tenant's values in the ledger.
    pub audit: TenantKey,
}

/// A principal's access key; its secret is the material row of `secret`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// What requests name: 20 characters.
    pub access_key_id: String,
    /// Whose it is.
    pub principal: PrincipalId,
    /// The principal's name.
    pub name: String,
    /// The principal's tenant.
    pub tenant: TenantId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Names its material row.
    pub secret: VersionId,
}

/// A kit as the inventory knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kit {
    /// Its id.
    pub id: KitId,
    /// Its public half.
    pub public: Vec<u8>,
    /// Verifies its proofs of possession.
    pub proof_key: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// The last epoch it was seen to open, and when.
    pub proven: Option<(EpochId, Timestamp)>,
}

const BODY_VERSION: u16 = 1;

fn opened<'a>(bytes: &'a [u8], what: &'static str) -> Result<Reader<'a>, Malformed> {
    let mut r = Reader::new(bytes);
    match r.u16()? {
        BODY_VERSION => Ok(r),
        found => Err(Malformed::Version { what, found, known: BODY_VERSION }),
    }
}

fn begun() -> Writer {
    let mut w = Writer::new();
    w.u16(BODY_VERSION);
    w
}

impl Instance {
    /// Takes a destroyed version into the chain of destructions: H(previous ‖ version ‖ time).
    pub fn destroyed(&mut self, version: VersionId, at: Timestamp) {
        let time = at.as_micros().to_be_bytes();
        let parts: [&[u8]; 3] = [&self.destruction_hash, version.as_bytes(), &time];
        self.destruction_hash = sha256_parts(&parts);
    }

    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = begun();
        self.id.write(&mut w);
        w.text(&self.account.to_string()).raw(&self.root_public);
        self.incarnation.write(&mut w);
        w.u64(self.incarnation_number);
        self.epoch.write(&mut w);
        self.system_tenant.write(&mut w);
        self.default_tenant.write(&mut w);
        w.u32(self.vaults_min);
        w.list(self.vaults.iter(), |w, vault| {
            vault.id.write(w);
            w.text(&vault.url);
        });
        w.raw(&self.destruction_hash);
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = opened(bytes, "instance")?;
        let instance = Self {
            id: InstanceId::read(&mut r)?,
            account: r
                .text("account")?
                .parse()
                .map_err(|_| Malformed::BadValue { field: "account" })?,
            root_public: r.array()?,
            incarnation: IncarnationId::read(&mut r)?,
            incarnation_number: r.u64()?,
            epoch: EpochId::read(&mut r)?,
            system_tenant: TenantId::read(&mut r)?,
            default_tenant: TenantId::read(&mut r)?,
            vaults_min: r.u32()?,
            vaults: r.list(|r| {
                Ok(ConfiguredVault { id: VaultId::read(r)?, url: r.text("vault")?.to_owned() })
            })?,
            destruction_hash: r.array()?,
        };
        r.finish()?;
        Ok(instance)
    }
}

impl TenantKey {
    fn write(&self, w: &mut Writer) {
        self.id.write(w);
        w.list(self.versions.iter(), |w, version| version.write(w));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let key = Self { id: KeyId::read(r)?, versions: r.list(KeyVersion::read)? };
        if key.versions.is_empty() {
            return Err(Malformed::BadValue { field: "versions" });
        }
        Ok(key)
    }

    /// The version in force.
    ///
    /// # Panics
    /// Never for a key that was read or made: both demand a version.
    #[must_use]
    pub fn current(&self) -> &KeyVersion {
        self.versions.last().expect("a tenant's key has at least one version")
    }
}

impl Tenant {
    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = begun();
        self.id.write(&mut w);
        w.text(&self.name).i64(self.created_at.as_micros());
        for key in [&self.master, &self.signing, &self.backup, &self.audit] {
            key.write(&mut w);
        }
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = opened(bytes, "tenant")?;
        let tenant = Self {
            id: TenantId::read(&mut r)?,
            name: r.text("name")?.to_owned(),
            created_at: Timestamp::from_micros(r.i64()?),
            master: TenantKey::read(&mut r)?,
            signing: TenantKey::read(&mut r)?,
            backup: TenantKey::read(&mut r)?,
            audit: TenantKey::read(&mut r)?,
        };
        r.finish()?;
        Ok(tenant)
    }
}

impl AccessKey {
    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = begun();
        w.text(&self.access_key_id);
        self.principal.write(&mut w);
        w.text(&self.name);
        self.tenant.write(&mut w);
        w.i64(self.created_at.as_micros());
        self.secret.write(&mut w);
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = opened(bytes, "access key")?;
        let key = Self {
            access_key_id: r.text("access_key_id")?.to_owned(),
            principal: PrincipalId::read(&mut r)?,
            name: r.text("name")?.to_owned(),
            tenant: TenantId::read(&mut r)?,
            created_at: Timestamp::from_micros(r.i64()?),
            secret: VersionId::read(&mut r)?,
        };
        r.finish()?;
        Ok(key)
    }
}

impl Kit {
    /// The SHA-256 of its public half, for people to compare.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        keystead_crypto::hash::sha256(&self.public)
    }

    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = begun();
        self.id.write(&mut w);
        w.bytes(&self.public).raw(&self.proof_key).i64(self.created_at.as_micros());
        w.option(self.revoked_at, |w, at| {
            w.i64(at.as_micros());
        });
        w.option(self.proven, |w, (epoch, at)| {
            epoch.write(w);
            w.i64(at.as_micros());
        });
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = opened(bytes, "kit")?;
        let kit = Self {
            id: KitId::read(&mut r)?,
            public: r.bytes()?.to_vec(),
            proof_key: r.array()?,
            created_at: Timestamp::from_micros(r.i64()?),
            revoked_at: r.option("revoked_at", |r| r.i64().map(Timestamp::from_micros))?,
            proven: r
                .option("proven", |r| Ok((EpochId::read(r)?, Timestamp::from_micros(r.i64()?))))?,
        };
        r.finish()?;
        Ok(kit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_crypto::Entropy;

    #[test]
    fn each_body_reads_back_whole_and_never_in_part() {
        let e = Entropy::os();
        let instance = Instance {
            id: InstanceId::random(&e),
            account: "123456789012".parse().unwrap(),
            root_public: e.array(),
            incarnation: IncarnationId::random(&e),
            incarnation_number: 2,
            epoch: EpochId::random(&e),
            system_tenant: TenantId::random(&e),
            default_tenant: TenantId::random(&e),
            vaults_min: 2,
            vaults: vec![ConfiguredVault { id: VaultId::random(&e), url: "dir:///a".into() }],
            destruction_hash: [0; 32],
        };
        check(&instance, &instance.to_body(), Instance::from_body);
        let key = AccessKey {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            principal: PrincipalId::random(&e),
            name: "admin".into(),
            tenant: instance.default_tenant,
            created_at: Timestamp::from_micros(1),
            secret: VersionId::random(&e),
        };
        check(&key, &key.to_body(), AccessKey::from_body);
        let kit = Kit {
            id: KitId::random(&e),
            public: vec![1, 2],
            proof_key: [3; 32],
            created_at: Timestamp::from_micros(1),
            revoked_at: None,
            proven: Some((instance.epoch, Timestamp::from_micros(4))),
        };
        check(&kit, &kit.to_body(), Kit::from_body);
        let version = KeyVersion {
            id: VersionId::random(&e),
            number: 1,
            created_at: Timestamp::from_micros(1),
            epoch: instance.epoch,
            copy_hash: e.array(),
            key_check: e.array(),
        };
        let own = || TenantKey { id: KeyId::random(&e), versions: vec![version.clone()] };
        let tenant = Tenant {
            id: instance.default_tenant,
            name: "default".into(),
            created_at: Timestamp::from_micros(1),
            master: own(),
            signing: own(),
            backup: own(),
            audit: own(),
        };
        check(&tenant, &tenant.to_body(), Tenant::from_body);
    }

    fn check<T: PartialEq + std::fmt::Debug>(
        value: &T,
        body: &[u8],
        read: fn(&[u8]) -> Result<T, Malformed>,
    ) {
        assert_eq!(read(body).as_ref(), Ok(value));
        for cut in 0..body.len() {
            assert!(read(&body[..cut]).is_err(), "cut at {cut}");
        }
        assert!(read(&[body, &[0]].concat()).is_err());
    }
}
