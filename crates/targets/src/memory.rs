//! A vault in memory, for tests: it keeps the port's promises, and it can be made to break them.
//!
//! Invariant: through the port no object is ever replaced; only the named hooks below do what a
//! lying vault, a stale copy or an operator would do, and they fail loudly on a name that is not
//! there.

use crate::{Absence, FailureDomain, Listed, NameInvalid, ObjectName, PutNew};
use crate::{Vault, VaultError, VaultUrl, name::prefix_folders};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A vault in memory. Clones are handles on the same vault, so a test can "reopen" it.
#[derive(Clone, Debug)]
pub struct MemoryVault {
    url: VaultUrl,
    state: Arc<Mutex<State>>,
}

/// The objects of a [`MemoryVault`] at one time.
#[derive(Clone, Debug)]
pub struct MemorySnapshot(BTreeMap<ObjectName, Versions>);

#[derive(Debug)]
struct State {
    objects: BTreeMap<ObjectName, Versions>,
    presence: Presence,
    capacity_bytes: u64,
    puts: u64,
    conflicts: Vec<ObjectName>,
}

/// Oldest first, never empty.
type Versions = Vec<Vec<u8>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    Here,
    Away,
}

impl MemoryVault {
    /// An empty vault that answers as if it were at `url`.
    #[must_use]
    pub fn new(url: VaultUrl) -> MemoryVault {
        let state = State {
            objects: BTreeMap::new(),
            presence: Presence::Here,
            capacity_bytes: u64::MAX,
            puts: 0,
            conflicts: Vec::new(),
        };
        MemoryVault { url, state: Arc::new(Mutex::new(state)) }
    }

    /// An empty vault with a failure domain of its own, at `dir:///memory/NAME?domain=NAME`.
    ///
    /// # Errors
    /// [`UrlInvalid`](crate::UrlInvalid) when the name cannot stand in a path.
    pub fn named(name: &str) -> Result<MemoryVault, crate::UrlInvalid> {
        let folder = format!("/memory/{name}");
        let url = VaultUrl::directory(folder.as_ref())?.with_domain(name)?;
        Ok(MemoryVault::new(url))
    }

    /// From now on every operation answers [`VaultError::Away`].
    pub fn away(&self) {
        self.state().presence = Presence::Away;
    }

    /// Ends [`MemoryVault::away`]; nothing was lost.
    pub fn back(&self) {
        self.state().presence = Presence::Here;
    }

    /// From now on a put that would bring the vault above so many bytes answers
    /// [`VaultError::Full`]; `u64::MAX` is no limit.
    pub fn limit(&self, capacity_bytes: u64) {
        self.state().capacity_bytes = capacity_bytes;
    }

    /// Cuts an object's oldest version to `bytes`, as a vault that lost its tail would.
    pub fn truncate(&self, name: &ObjectName, bytes: usize) {
        self.state().versions(name)[0].truncate(bytes);
    }

    /// Puts other bytes in the place of an object's oldest version, as a lying vault would.
    pub fn replace(&self, name: &ObjectName, bytes: &[u8]) {
        self.state().versions(name)[0] = bytes.to_vec();
    }

    /// Adds a newer version to an object, as an overwrite in a versioned bucket would.
    pub fn add_version(&self, name: &ObjectName, bytes: &[u8]) {
        self.state().versions(name).push(bytes.to_vec());
    }

    /// Takes an object away with all its versions.
    pub fn remove(&self, name: &ObjectName) {
        let removed = self.state().objects.remove(name);
        assert!(removed.is_some(), "the test removes `{name}`, which is not there");
    }

    /// The objects of now.
    #[must_use]
    pub fn snapshot(&self) -> MemorySnapshot {
        MemorySnapshot(self.state().objects.clone())
    }

    /// Turns the vault back to a snapshot: a stale copy.
    pub fn restore(&self, snapshot: &MemorySnapshot) {
        self.state().objects.clone_from(&snapshot.0);
    }

    /// How many puts reached the vault since it was made, whatever their outcome.
    #[must_use]
    pub fn puts(&self) -> u64 {
        self.state().puts
    }

    /// The names that were put again with other bytes: a fence that held, or a bug of the caller.
    #[must_use]
    pub fn conflicts(&self) -> Vec<ObjectName> {
        self.state().conflicts.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn present(&self) -> Result<MutexGuard<'_, State>, VaultError> {
        let state = self.state();
        match state.presence {
            Presence::Here => Ok(state),
            Presence::Away => Err(VaultError::Away {
                url: self.url.clone(),
                source: Absence::Unreachable(io::ErrorKind::NotConnected.into()),
            }),
        }
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn put_new(&self, name: &ObjectName, bytes: &[u8]) -> Result<PutNew, VaultError> {
        self.state().puts += 1;
        let mut state = self.present()?;
        let url = || self.url.clone();
        if state.clashes(name) {
            return Err(VaultError::Clash { url: url(), name: name.clone() });
        }
        match state.objects.get(name) {
            Some(versions) if versions[0] == bytes => Ok(PutNew::Exists),
            Some(_) => {
                state.conflicts.push(name.clone());
                Ok(PutNew::Exists)
            }
            None if state.exceeds_capacity(bytes) => {
                Err(VaultError::Full { url: url(), source: io::ErrorKind::StorageFull.into() })
            }
            None => {
                state.objects.insert(name.clone(), vec![bytes.to_vec()]);
                Ok(PutNew::Created)
            }
        }
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(self.present()?.objects.get(name).map(|versions| versions[0].clone()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, VaultError> {
        prefix_folders(prefix).map_err(|source: NameInvalid| VaultError::PrefixInvalid {
            prefix: prefix.to_owned(),
            source,
        })?;
        let state = self.present()?;
        let under = state.objects.iter().filter(|(name, _)| name.as_str().starts_with(prefix));
        Ok(under.map(listed).collect())
    }

    async fn lacking(&self, names: &[ObjectName]) -> Result<Vec<ObjectName>, VaultError> {
        let state = self.present()?;
        let lacking = names.iter().filter(|name| !state.objects.contains_key(*name));
        Ok(lacking.cloned().collect())
    }

    fn url(&self) -> &VaultUrl {
        &self.url
    }

    /// The declared domain; without one all vaults in memory are lost together.
    fn domain(&self) -> Result<FailureDomain, VaultError> {
        let declared = self.url.declared_domain().map(FailureDomain::declared);
        Ok(declared.unwrap_or_else(|| FailureDomain::device(0)))
    }
}

impl State {
    fn versions(&mut self, name: &ObjectName) -> &mut Versions {
        let Some(versions) = self.objects.get_mut(name) else {
            panic!("the test changes `{name}`, which is not there");
        };
        versions
    }

    fn clashes(&self, name: &ObjectName) -> bool {
        let folder = format!("{name}/");
        self.objects.keys().any(|other| {
            other.as_str().starts_with(&folder)
                || name.as_str().strip_prefix(other.as_str()).is_some_and(|r| r.starts_with('/'))
        })
    }

    fn exceeds_capacity(&self, bytes: &[u8]) -> bool {
        let used: u64 = self.objects.values().flatten().map(|version| len(version)).sum();
        used.saturating_add(len(bytes)) > self.capacity_bytes
    }
}

fn listed((name, versions): (&ObjectName, &Versions)) -> Listed {
    let count = u32::try_from(versions.len()).expect("a test adds few versions");
    Listed { name: name.clone(), bytes: len(&versions[0]), versions: count }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("no memory exceeds 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    fn name(text: &str) -> ObjectName {
        text.parse().unwrap()
    }

    fn with_object() -> (MemoryVault, ObjectName) {
        let vault = MemoryVault::named("a").unwrap();
        assert_eq!(wait(vault.put_new(&name("i/o"), b"first")).unwrap(), PutNew::Created);
        (vault, name("i/o"))
    }

    #[test]
    fn conformance() {
        wait(crate::conformance::run(async || {
            let vault: Arc<dyn Vault> = Arc::new(MemoryVault::named("a").unwrap());
            vault
        }));
    }

    #[test]
    fn a_vault_that_is_away_answers_nothing_and_comes_back_whole() {
        let (vault, object) = with_object();
        let other_handle = vault.clone();
        vault.away();
        let away = |error| matches!(error, VaultError::Away { .. });
        assert!(away(wait(other_handle.put_new(&object, b"first")).unwrap_err()));
        assert!(away(wait(other_handle.read(&object)).unwrap_err()));
        assert!(away(wait(other_handle.list("")).unwrap_err()));
        vault.back();
        assert_eq!(wait(other_handle.read(&object)).unwrap().unwrap(), b"first");
        assert_eq!(vault.puts(), 2);
    }

    #[test]
    fn a_full_vault_takes_nothing_new_but_still_says_exists() {
        let (vault, object) = with_object();
        vault.limit(8);
        let full = wait(vault.put_new(&name("i/p"), b"four")).unwrap_err();
        assert!(matches!(full, VaultError::Full { .. }));
        assert_eq!(wait(vault.read(&name("i/p"))).unwrap(), None);
        assert_eq!(wait(vault.put_new(&object, b"first")).unwrap(), PutNew::Exists);
        vault.limit(9);
        assert_eq!(wait(vault.put_new(&name("i/p"), b"four")).unwrap(), PutNew::Created);
    }

    #[test]
    fn newer_versions_are_counted_and_ignored() {
        let (vault, object) = with_object();
        vault.add_version(&object, b"second");
        assert_eq!(wait(vault.read(&object)).unwrap().unwrap(), b"first");
        let listed = wait(vault.list("i/")).unwrap();
        assert_eq!((listed[0].versions, listed[0].bytes), (2, 5));
    }

    #[test]
    fn a_lying_vault_shows_what_the_test_made_of_it() {
        let (vault, object) = with_object();
        let before = vault.snapshot();
        vault.truncate(&object, 2);
        assert_eq!(wait(vault.read(&object)).unwrap().unwrap(), b"fi");
        vault.replace(&object, b"forged");
        assert_eq!(wait(vault.read(&object)).unwrap().unwrap(), b"forged");
        vault.remove(&object);
        assert_eq!(wait(vault.read(&object)).unwrap(), None);
        vault.restore(&before);
        assert_eq!(wait(vault.read(&object)).unwrap().unwrap(), b"first");
    }

    #[test]
    #[should_panic(expected = "`i/absent`, which is not there")]
    fn a_hook_on_a_missing_object_fails_loudly() {
        with_object().0.replace(&name("i/absent"), b"");
    }

    #[test]
    fn a_put_of_other_bytes_is_remembered_as_a_conflict() {
        let (vault, object) = with_object();
        wait(vault.put_new(&object, b"first")).unwrap();
        assert!(vault.conflicts().is_empty());
        wait(vault.put_new(&object, b"other")).unwrap();
        assert_eq!(vault.conflicts(), [object]);
    }

    #[test]
    fn no_name_is_both_an_object_and_a_folder() {
        let (vault, _) = with_object();
        for text in ["i", "i/o/x"] {
            let clash = wait(vault.put_new(&name(text), b"")).unwrap_err();
            assert!(matches!(clash, VaultError::Clash { .. }), "{text}");
        }
        assert_eq!(wait(vault.put_new(&name("i/ox"), b"")).unwrap(), PutNew::Created);
    }

    #[test]
    fn the_domain_is_the_declared_one_or_shared() {
        let named = MemoryVault::named("cellar").unwrap();
        assert_eq!(named.domain().unwrap(), FailureDomain::declared("cellar"));
        let plain = |url: &str| MemoryVault::new(url.parse().unwrap()).domain().unwrap();
        assert_eq!(plain("dir:///a"), plain("dir:///b"));
    }
}
