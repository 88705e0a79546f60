//! What the kit opens: epochs by their slot tables, then key copies by their epochs.
//!
//! Invariant: an epoch counts when its root-signed record, its highest root-signed slot table and
//! the opened seed agree; a copy counts when it is the one whose hash the state names, and its
//! kind, algorithm and key-check value are those of its key.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use keystead_archive::{
    Algorithm, CopyKind, EpochRecord, KeyCopy, OpenedSegment, RecipientSet, SlotTable, names,
    names::ObjectKind, object_hash, open_segment,
};
use keystead_crypto::{
    BackupWrap, KeyVersion as CryptoVersion, RecipientSeed, SealKey, Secret, SigningKey,
    VerifyingKey,
};
use keystead_domain::{
    EpochId, InstanceId, Key, KeyId, KeyState, KeyVersion, Tenant, TenantId, TenantKey, VersionId,
};

use super::{RestoreFailed, Watcher, sources::Sources};
use crate::{
    incarnation::Epoch,
    init::root_key_id,
    ports::{Tasks, blocking, blocking_behind},
};

/// How many copies one job opens.
pub(super) const TOGETHER: usize = 64;
/// How many jobs are on their way for somebody who waits: so many processors work at once.
pub(super) const JOBS: usize = 8;

/// Who opens epochs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder<'a> {
    /// A kit, by its slots.
    Kit(&'a RecipientSeed),
    /// The seal, which holds the epochs' private halves themselves.
    Seal(&'a BTreeMap<EpochId, RecipientSeed>),
}

/// Everything that one holder opens.
#[derive(Debug)]
pub(super) struct Opener<'a> {
    pub(super) sources: &'a Sources,
    pub(super) root: VerifyingKey,
    pub(super) epochs: BTreeMap<EpochId, (EpochRecord, Epoch)>,
    /// The highest number of a recipient set or slot table found.
    pub(super) numbers: u64,
    backup_keys: BTreeMap<CryptoVersion, SealKey<BackupWrap>>,
    tasks: Arc<dyn Tasks>,
    /// Whether others go first: the holder is a node that serves.
    is_behind: bool,
}

/// Which copy is looked for, and what it must be.
#[derive(Debug, Clone)]
struct Wanted {
    key: KeyId,
    version: VersionId,
    epoch: EpochId,
    held: (CopyKind, Algorithm),
    /// What the state says of it.
    named: Option<KeyVersion>,
}

impl<'a> Opener<'a> {
    /// Opens every epoch that the holder can.
    pub(super) async fn new(
        sources: &'a Sources,
        root: VerifyingKey,
        holder: Holder<'_>,
        tasks: &Arc<dyn Tasks>,
    ) -> Self {
        let mut opener = Self {
            sources,
            root,
            epochs: BTreeMap::new(),
            numbers: 0,
            backup_keys: BTreeMap::new(),
            tasks: tasks.clone(),
            is_behind: matches!(holder, Holder::Seal(_)),
        };
        let mut tables = BTreeMap::<EpochId, BTreeSet<u64>>::new();
        let kinds = sources.kinds();
        for kind in kinds.values() {
            match kind {
                ObjectKind::Slots { epoch, number, .. } => {
                    tables.entry(*epoch).or_default().insert(*number);
                }
                ObjectKind::Recipients { number, .. } => opener.see_recipients(*number).await,
                _ => {}
            }
        }
        match holder {
            Holder::Kit(kit) => {
                for (epoch, numbers) in tables {
                    opener.open_epoch(epoch, &numbers, kit).await;
                }
            }
            Holder::Seal(seeds) => {
                for (epoch, seed) in seeds {
                    opener.take_epoch(*epoch, seed).await;
                }
            }
        }
        opener
    }

    async fn see_recipients(&mut self, number: u64) {
        let name = names::recipients(self.sources.instance, number);
        let signed = |bytes: &[u8]| RecipientSet::verify(bytes, &self.root).ok().map(drop);
        if self.sources.read_first(&name, signed).await.is_some() {
            self.numbers = self.numbers.max(number);
        }
    }

    /// An epoch whose private half is at hand: it counts where a vault's record names its public
    /// half.
    async fn take_epoch(&mut self, id: EpochId, seed: &RecipientSeed) {
        let Some((record, bytes)) = self.epoch_record(id).await else { return };
        if record.public != seed.public() {
            return;
        }
        self.epochs.insert(id, (record, Epoch { id, record: bytes, seed: copied(seed) }));
    }

    async fn epoch_record(&self, id: EpochId) -> Option<(EpochRecord, Vec<u8>)> {
        let record = |bytes: &[u8]| {
            let record = EpochRecord::verify(bytes, &self.root).ok()?;
            (record.epoch == id).then(|| (record, bytes.to_vec()))
        };
        self.sources.read_first(&names::epoch(self.sources.instance, id), record).await
    }

    async fn open_epoch(&mut self, id: EpochId, numbers: &BTreeSet<u64>, kit: &RecipientSeed) {
        let instance = self.sources.instance;
        let Some((record, bytes)) = self.epoch_record(id).await else { return };
        for number in numbers.iter().rev() {
            let table = |bytes: &[u8]| {
                let table = SlotTable::verify(bytes, &self.root).ok()?;
                (table.place.number == *number).then_some(table)
            };
            let name = names::slots(instance, id, *number);
            let Some(table) = self.sources.read_first(&name, table).await else { continue };
            self.numbers = self.numbers.max(*number);
            // The highest valid table decides: a kit that is not in it was revoked.
            if let Ok(seed) = table.open(kit, &record) {
                self.epochs.insert(id, (record, Epoch { id, record: bytes, seed }));
            }
            return;
        }
    }

    fn seed(&self, epoch: EpochId) -> Result<&RecipientSeed, RestoreFailed> {
        let found = self.epochs.get(&epoch).map(|(_, epoch)| &epoch.seed);
        found.ok_or_else(|| RestoreFailed::KitOpensNothing { epoch: epoch.to_string() })
    }

    /// Opens a segment or point, fetching the backup keys that it asks for.
    pub(super) async fn open(
        &mut self,
        name: &str,
        bytes: &[u8],
        epoch: EpochId,
    ) -> Result<OpenedSegment, RestoreFailed> {
        let mut absent = BTreeSet::new();
        loop {
            let asked = RefCell::new(BTreeSet::new());
            let seed = self.seed(epoch)?;
            let key = |_: TenantId, id: CryptoVersion| {
                let known = self.backup_keys.get(&id);
                if known.is_none() {
                    asked.borrow_mut().insert(id);
                }
                known
            };
            let opened = open_segment(bytes, &self.root, seed, key);
            let missing: BTreeSet<_> = asked.into_inner().difference(&absent).copied().collect();
            if missing.is_empty() {
                let name = name.to_owned();
                return opened.map_err(|refused| RestoreFailed::Object { name, refused });
            }
            for id in missing {
                match self.find_backup_key(id).await {
                    Some(key) => drop(self.backup_keys.insert(id, key)),
                    // Its copy is gone from every vault: the tenant was erased.
                    None => drop(absent.insert(id)),
                }
            }
        }
    }

    async fn find_backup_key(&self, id: CryptoVersion) -> Option<SealKey<BackupWrap>> {
        let (key, version) = (KeyId::from_bytes(id.key), VersionId::from_bytes(id.version));
        for epoch in self.epochs.keys() {
            let held = (CopyKind::TenantBackup, Algorithm::Aes256Gcm);
            let wanted = Wanted { key, version, epoch: *epoch, held, named: None };
            let material = self.copy(wanted).await;
            if let Some(material) = material {
                return Some(SealKey::new(id, &material));
            }
        }
        None
    }

    /// The material of one copy, from the first vault whose copy is the right one.
    async fn copy(&self, wanted: Wanted) -> Option<Secret<32>> {
        let seed = self.seed(wanted.epoch).ok()?;
        let name = wanted.name(self.sources.instance);
        self.sources.read_first(&name, |bytes| wanted.open(bytes, &self.root, seed)).await
    }

    /// The materials of versions of keys, in their order. Where nobody else is to be served, every
    /// processor opens some.
    pub(super) async fn materials(
        &self,
        versions: &[(&Key, &KeyVersion)],
        watcher: &dyn Watcher,
    ) -> Vec<Result<Secret<32>, RestoreFailed>> {
        let jobs = if self.is_behind { 1 } else { JOBS };
        let mut found = Vec::with_capacity(versions.len());
        for some in versions.chunks(TOGETHER * jobs) {
            let jobs = some.chunks(TOGETHER).map(|some| self.open_some(some));
            found.extend(futures_util::future::join_all(jobs).await.into_iter().flatten());
            watcher.advance(some.len() as u64);
        }
        found
    }

    /// Opens what the first vault that answers has, in one job; what does not open is looked for
    /// in the others.
    async fn open_some(
        &self,
        versions: &[(&Key, &KeyVersion)],
    ) -> Vec<Result<Secret<32>, RestoreFailed>> {
        let mut read = Vec::with_capacity(versions.len());
        for (key, version) in versions {
            let wanted = wanted(key, version);
            let bytes = self.sources.read_any(&wanted.name(self.sources.instance)).await;
            read.push((wanted, bytes));
        }
        let opened = self.opened(read).await.into_iter().chain(std::iter::repeat_with(|| None));
        let mut found = Vec::with_capacity(versions.len());
        for ((key, version), material) in versions.iter().zip(opened) {
            found.push(match material {
                Some(material) => Ok(material),
                None => self.material(key, version).await,
            });
        }
        found
    }

    /// What opens, and is what it must be; a job that failed opens nothing.
    async fn opened(&self, read: Vec<(Wanted, Option<Vec<u8>>)>) -> Vec<Option<Secret<32>>> {
        let epochs: BTreeSet<_> = read.iter().map(|(wanted, _)| wanted.epoch).collect();
        let seed = |epoch| Some((epoch, copied(self.seed(epoch).ok()?)));
        let seeds: BTreeMap<_, _> = epochs.into_iter().filter_map(seed).collect();
        let root = self.root;
        let open = move || {
            let open = |(wanted, bytes): &(Wanted, Option<Vec<u8>>)| {
                wanted.open(bytes.as_ref()?, &root, seeds.get(&wanted.epoch)?)
            };
            read.iter().map(open).collect()
        };
        let done = match self.is_behind {
            true => blocking_behind(&*self.tasks, open).await,
            false => blocking(&*self.tasks, open).await,
        };
        done.unwrap_or_default()
    }

    /// The material of one version of a key, checked against what the state says of it.
    pub(super) async fn material(
        &self,
        key: &Key,
        version: &KeyVersion,
    ) -> Result<Secret<32>, RestoreFailed> {
        self.seed(version.epoch)?;
        let found = self.copy(wanted(key, version)).await;
        found.ok_or_else(|| RestoreFailed::CopyMissing {
            key: key.id.to_string(),
            version: version.id.to_string(),
        })
    }

    /// The material of one version of a tenant's master key.
    pub(super) async fn master(
        &self,
        tenant: &Tenant,
        version: &KeyVersion,
    ) -> Result<Secret<32>, RestoreFailed> {
        let (key, held) = (tenant.master.id, (CopyKind::MasterKey, Algorithm::Aes256Gcm));
        let found = self.copy(Wanted::of(key, version, held)).await;
        found.ok_or_else(|| RestoreFailed::CopyMissing {
            key: key.to_string(),
            version: version.id.to_string(),
        })
    }

    /// The material of the current version of a tenant's own key.
    pub(super) async fn own_key(
        &self,
        key: &TenantKey,
        held: (CopyKind, Algorithm),
    ) -> Result<Secret<32>, RestoreFailed> {
        let version = key.versions.last().ok_or_else(|| RestoreFailed::State {
            what: format!("key `{}` without versions", key.id),
        })?;
        let found = self.copy(Wanted::of(key.id, version, held)).await;
        found.ok_or_else(|| RestoreFailed::CopyMissing {
            key: key.id.to_string(),
            version: version.id.to_string(),
        })
    }

    /// The root signing key, which must be the one that the kit pins.
    pub(super) async fn root_signing(&self) -> Result<SigningKey, RestoreFailed> {
        let id = root_key_id(self.sources.instance);
        for kind in self.sources.kinds().values() {
            let ObjectKind::KeyCopy { key, version, epoch, .. } = *kind else { continue };
            if key != id {
                continue;
            }
            let held = (CopyKind::RootSigning, Algorithm::Ed25519);
            let wanted = Wanted { key, version, epoch, held, named: None };
            let Some(seed) = self.copy(wanted).await else { continue };
            let root = SigningKey::from_seed(seed);
            if root.public() == self.root {
                return Ok(root);
            }
        }
        Err(RestoreFailed::CopyMissing { key: id.to_string(), version: "any".to_owned() })
    }
}

impl Wanted {
    fn of(key: KeyId, version: &KeyVersion, held: (CopyKind, Algorithm)) -> Self {
        let (id, epoch) = (version.id, version.epoch);
        Self { key, version: id, epoch, held, named: Some(version.clone()) }
    }

    fn name(&self, instance: InstanceId) -> String {
        names::key_copy(instance, self.key, self.version, self.epoch)
    }

    /// Its material, where these bytes are the copy.
    fn open(&self, bytes: &[u8], root: &VerifyingKey, seed: &RecipientSeed) -> Option<Secret<32>> {
        let named = self.named.as_ref();
        if named.is_some_and(|named| named.copy_hash != object_hash(bytes)) {
            return None;
        }
        let copy = KeyCopy::open(bytes, root, seed).ok()?;
        let fields = &copy.header.fields;
        let right = (fields.key, fields.version) == (self.key, self.version)
            && (fields.kind, fields.algorithm) == self.held
            && named.is_none_or(|named| named.key_check == copy.header.key_check);
        right.then_some(copy.material)
    }
}

/// The versions of all keys that are not destroyed: such a key has no way back, although its copies
/// may still lie in the vaults.
pub(super) fn living(keys: &[Key]) -> Vec<(&Key, &KeyVersion)> {
    let kept = keys.iter().filter(|key| !matches!(key.state, KeyState::Destroyed { .. }));
    kept.flat_map(|key| std::iter::repeat(key).zip(&key.versions)).collect()
}

/// The copy of one version of a tenant's key.
fn wanted(key: &Key, version: &KeyVersion) -> Wanted {
    Wanted::of(key.id, version, (CopyKind::TenantKey, Algorithm::from(key.spec)))
}

fn copied(seed: &RecipientSeed) -> RecipientSeed {
    let raw = seed.secret().expose(|raw| Secret::from_slice(raw).expect("32 bytes"));
    RecipientSeed::new(raw)
}
