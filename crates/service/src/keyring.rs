//! The keyring: what uses are decided and executed on, in memory, one immutable snapshot at a time.
//!
//! Invariant: it holds only what is below the vaults' watermark, less what later changes take away;
//! a snapshot never changes, and publishing a new one costs O(log n) for each change. Material
//! stays sealed in the database until its key is first used: a start reads none of it. Opened keys
//! are in the arena, behind a bounded cache; a destroyed one leaves it and stays out.

mod entry;
mod tally;

use std::sync::{Arc, OnceLock, RwLock};

use imbl::OrdMap;
use keystead_crypto::{
    CipherKey, Ed25519Key, KeyVersion, MacKey, Material, P256Key, Sealed, Secret,
};
use keystead_domain::{
    AccessKey, Alias, Key, KeyId, KeyName, KeySpec, KeyState, TenantId, VersionId,
};
use keystead_store::Backend;

use crate::{
    Error, Fault, Principal,
    lru::Lru,
    tenants::{Tenants, key_version},
};

use entry::Home;
use tally::Tally;

pub(crate) use entry::KeyEntry;

/// The opened key of one version: one kind for each spec.
#[derive(Debug)]
pub(crate) enum OpenedKey {
    Cipher(CipherKey),
    Ed25519(Ed25519Key),
    Mac(MacKey),
    P256(P256Key),
}

/// An access key with its sealed secret.
#[derive(Debug)]
pub(crate) struct AccessEntry {
    /// Of the aggregate.
    pub(crate) id: [u8; 16],
    pub(crate) key: AccessKey,
    pub(crate) secret: Sealed<Material>,
    /// Who proves with it to be whom: made once, not for each request.
    pub(crate) principal: OnceLock<Arc<Principal>>,
}

/// One immutable state of everything that uses need.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    /// The last change wholly applied.
    pub(crate) revision: u64,
    keys: OrdMap<KeyId, Arc<KeyEntry>>,
    tally: Tally,
    /// What keys have in common, each once.
    homes: OrdMap<Home, Arc<Home>>,
    pub(crate) access_keys: OrdMap<String, Arc<AccessEntry>>,
    /// By tenant and name.
    pub(crate) aliases: OrdMap<(TenantId, String), Arc<Alias>>,
    /// Names deleted above the watermark, with the change that did it.
    pub(crate) removed_aliases: OrdMap<(TenantId, String), u64>,
}

/// The present snapshot and the cache of opened keys.
#[derive(Debug)]
pub(crate) struct Keyring {
    present: RwLock<Arc<Snapshot>>,
    opened: Lru<VersionId, Arc<OpenedKey>>,
}

impl Keyring {
    pub(crate) fn new(first: Snapshot, opened_max: usize) -> Self {
        Self { present: RwLock::new(Arc::new(first)), opened: Lru::new(opened_max) }
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.present.read().expect("no code panics while it holds this lock").clone()
    }

    pub(crate) fn publish(&self, next: Snapshot) {
        *self.present.write().expect("no code panics while it holds this lock") = Arc::new(next);
    }

    /// The opened key of one version, from the cache or from its sealed material in the database,
    /// which a destroyed key has no more.
    pub(crate) async fn open(
        &self,
        store: &dyn Backend,
        tenants: &Tenants,
        entry: &KeyEntry,
        version: VersionId,
    ) -> Result<Arc<OpenedKey>, Error> {
        if let Some(opened) = self.opened.find(&version) {
            return Ok(opened);
        }
        let row = if entry.has(version) {
            store.material(version).await.map_err(Fault::from)?
        } else {
            None
        };
        let row = row.ok_or(Fault::Ciphertext)?;
        let keys = tenants.get(&entry.tenant()).ok_or_else(|| lost(entry.tenant()))?;
        let corrupt = || Fault::Corrupt {
            what: format!("the material of version `{version}` of key `{}`", entry.id),
        };
        let raw = keys.open_material::<32>(version, &row).map_err(|_| corrupt())?;
        let id = key_version(entry.id, version);
        let opened = Arc::new(OpenedKey::new(entry.spec, id, raw).ok_or_else(corrupt)?);
        self.opened.insert(version, opened.clone());
        // A destruction in between has emptied its place already: nothing may fill it again. That
        // it came while the material was read is no matter: the snapshot is that of now.
        if self.snapshot().is_destroyed(entry.id) {
            self.opened.forget(&version);
        }
        Ok(opened)
    }

    /// Drops the opened key of a version that was destroyed, once the snapshot says so.
    pub(crate) fn forget(&self, version: VersionId) {
        self.opened.forget(&version);
    }
}

impl OpenedKey {
    /// None where the material is not one that the spec can have.
    pub(crate) fn new(spec: KeySpec, id: KeyVersion, material: Secret<32>) -> Option<Self> {
        Some(match spec {
            KeySpec::Symmetric => Self::Cipher(CipherKey::new(id, &material)),
            KeySpec::Ed25519 => Self::Ed25519(Ed25519Key::new(material)),
            KeySpec::Hmac256 => Self::Mac(MacKey::new(material)),
            KeySpec::P256 => Self::P256(P256Key::new(material)?),
        })
    }

    /// Where it encrypts and decrypts.
    pub(crate) fn cipher(&self) -> Option<&CipherKey> {
        match self {
            Self::Cipher(key) => Some(key),
            Self::Ed25519(_) | Self::Mac(_) | Self::P256(_) => None,
        }
    }
}

/// The running key of a version, past the cache: who looks through all keys must not empty it.
/// Nothing where there is no material, or none that opens.
pub(crate) async fn open_apart(
    store: &dyn Backend,
    tenants: &Tenants,
    entry: &KeyEntry,
    version: VersionId,
) -> Result<Option<OpenedKey>, Error> {
    let row = store.material(version).await.map_err(Fault::from)?;
    let opened = row.zip(tenants.get(&entry.tenant())).and_then(|(row, keys)| {
        let raw = keys.open_material::<32>(version, &row).ok()?;
        OpenedKey::new(entry.spec, key_version(entry.id, version), raw)
    });
    Ok(opened)
}

fn lost(tenant: TenantId) -> Fault {
    Fault::Corrupt { what: format!("tenant `{tenant}`") }
}

impl Snapshot {
    /// An empty one, whole up to this change.
    pub(crate) fn at(revision: u64) -> Self {
        Self { revision, ..Self::default() }
    }

    /// The key with this id, if it belongs to `tenant`: others' keys do not exist for a caller.
    pub(crate) fn key(&self, id: KeyId, tenant: TenantId) -> Option<&Arc<KeyEntry>> {
        self.keys.get(&id).filter(|entry| entry.tenant() == tenant)
    }

    /// The id of the key that a name stands for.
    pub(crate) fn key_id(&self, name: &KeyName, tenant: TenantId) -> Result<KeyId, Error> {
        match name {
            KeyName::Id(id) => Ok(*id),
            KeyName::Alias(name) => match self.aliases.get(&(tenant, name.clone())) {
                Some(alias) => Ok(alias.target),
                None => Err(Fault::NoAlias { alias: name.clone() }.into()),
            },
        }
    }

    /// The aliases of a key.
    pub(crate) fn aliases_of(&self, key: KeyId) -> impl Iterator<Item = &Alias> {
        self.aliases.values().map(|alias| &**alias).filter(move |alias| alias.target == key)
    }

    /// Takes a key in, in the place of what it was before.
    pub(crate) fn put_key(&mut self, key: Key) {
        let home = Home::of(&key);
        let home = self.homes.entry(home).or_insert_with(|| Arc::new(home)).clone();
        self.place(KeyEntry::new(key, home));
    }

    /// Puts a key in the place of what it was before.
    pub(crate) fn place(&mut self, entry: KeyEntry) {
        let entry = Arc::new(entry);
        // What it was is taken out first: what is due may be the same as before.
        if let Some(before) = self.keys.insert(entry.id, entry.clone()) {
            self.tally.remove(&before);
        }
        self.tally.add(&entry);
    }

    /// All keys, by id.
    pub(crate) fn keys(&self) -> &OrdMap<KeyId, Arc<KeyEntry>> {
        &self.keys
    }

    /// What is known of all keys together.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    fn is_destroyed(&self, id: KeyId) -> bool {
        let state = self.keys.get(&id).map(|entry| entry.state);
        matches!(state, Some(KeyState::Destroyed { .. }))
    }
}
