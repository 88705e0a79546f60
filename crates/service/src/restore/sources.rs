//! The vaults as restore reads them: all that answer, by name, oldest version, first good one wins.
//!
//! Invariant: a vault counts only if it holds its own root-signed record of the kit's instance; one
//! that does not answer is named and left out, never taken for empty.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use keystead_archive::{VaultRecord, names, names::ObjectKind, newer_format};
use keystead_crypto::{VerifyingKey, bytes::Malformed};
use keystead_domain::{InstanceId, VaultId};
use keystead_targets::{ObjectName, ReopeningVault, Vault, VaultError, VaultOpener, VaultUrl};
use thiserror::Error;

use super::{RestoreFailed, Watcher};
use crate::{
    init::root_key_id,
    vaults::{held_chain, listed, object_name},
};

/// One vault that answers.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) id: VaultId,
    pub(super) vault: Arc<dyn Vault>,
    /// What it held when it was listed, key copies apart: see [`names_in`].
    pub(super) names: BTreeSet<ObjectName>,
}

/// All vaults that answer.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) instance: InstanceId,
    pub(super) all: Vec<Source>,
    bytes: AtomicU64,
    /// The first object that a later program wrote where none was found that reads.
    newer: Mutex<Option<(String, Malformed)>>,
}

impl Sources {
    /// Opens every vault that can be opened.
    pub(super) async fn open(
        opener: &Arc<dyn VaultOpener>,
        urls: &[VaultUrl],
        instance: InstanceId,
        root: &VerifyingKey,
        watcher: &dyn Watcher,
    ) -> Result<Self, RestoreFailed> {
        watcher.phase("list vaults", urls.len() as u64);
        let (mut all, mut reasons) = (Vec::<Source>::new(), Vec::new());
        let mut foreign = 0;
        for url in urls {
            match open_one(opener, url, instance, root).await {
                Ok(source) if all.iter().any(|other| other.id == source.id) => {
                    watcher.warn(format!("vault `{url}` is named twice"));
                }
                Ok(source) => all.push(source),
                Err(left_out) => {
                    foreign += usize::from(matches!(left_out, LeftOut::Foreign { .. }));
                    let reason = left_out.to_string();
                    watcher.warn(format!("vault `{url}` is left out: {reason}"));
                    reasons.push(format!("`{url}`: {reason}"));
                }
            }
            watcher.advance(1);
        }
        if all.is_empty() && foreign == urls.len() {
            return Err(RestoreFailed::NothingHere { instance: instance.to_string() });
        }
        if all.is_empty() {
            return Err(RestoreFailed::NoVault { reasons: reasons.join("; ") });
        }
        Ok(Self { instance, all, bytes: AtomicU64::new(0), newer: Mutex::new(None) })
    }

    /// Lists all vaults again: what they hold may have grown.
    pub(super) async fn refresh(&mut self) {
        for source in &mut self.all {
            if let Ok(names) = names_in(&*source.vault, self.instance).await {
                source.names = names;
            }
        }
    }

    /// All names that were listed in any vault, parsed.
    pub(super) fn kinds(&self) -> BTreeMap<ObjectName, ObjectKind> {
        let names = self.all.iter().flat_map(|source| &source.names);
        names.filter_map(|name| Some((name.clone(), names::parse(name.as_ref())?))).collect()
    }

    /// The object of that name in each vault that has it and answers.
    pub(super) async fn read_all(&self, name: &str) -> Vec<(&Source, Vec<u8>)> {
        let name = object_name(name);
        let mut found = Vec::new();
        for source in self.all.iter().filter(|source| source.may_hold(&name)) {
            match source.vault.read(&name).await {
                Ok(Some(bytes)) => {
                    self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    found.push((source, bytes));
                }
                Ok(None) => {}
                Err(away) => {
                    tracing::warn!(vault = %source.vault.url(), %name, %away, "not read");
                }
            }
        }
        found
    }

    /// The object of that name in the first vault that has one and answers, whatever it is.
    pub(super) async fn read_any(&self, name: &str) -> Option<Vec<u8>> {
        self.read_first(name, |bytes| Some(bytes.to_vec())).await
    }

    /// The first vault's object of that name that `accept` takes.
    pub(super) async fn read_first<T>(
        &self,
        name: &str,
        accept: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let (wanted, mut newer) = (object_name(name), None);
        for source in self.all.iter().filter(|source| source.may_hold(&wanted)) {
            let Ok(Some(bytes)) = source.vault.read(&wanted).await else { continue };
            self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            if let Some(found) = accept(&bytes) {
                return Some(found);
            }
            tracing::warn!(vault = %source.vault.url(), name, "an object does not verify");
            newer = newer.or_else(|| newer_format(&bytes));
        }
        self.note_newer(name, newer);
        None
    }

    /// Notes that nothing that reads lies in a place, and that a later program wrote there.
    pub(super) fn note_newer(&self, name: &str, newer: Option<Malformed>) {
        let noted = &mut *self.newer.lock().expect("no code panics while it holds this lock");
        *noted = noted.take().or_else(|| Some((name.to_owned(), newer?)));
    }

    /// Refuses to go on where a later program wrote: what this one cannot read it must not leave
    /// out.
    pub(super) fn refuse_newer(&self) -> Result<(), RestoreFailed> {
        let noted = self.newer.lock().expect("no code panics while it holds this lock").clone();
        match noted {
            Some((name, newer)) => Err(RestoreFailed::Object { name, refused: newer.into() }),
            None => Ok(()),
        }
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Source {
    /// Whether it is worth asking for an object.
    fn may_hold(&self, name: &ObjectName) -> bool {
        self.names.contains(name)
            || matches!(names::parse(name.as_ref()), Some(ObjectKind::KeyCopy { .. }))
    }
}

/// The names in a vault that a restore finds by listing it. Key copies are not: there may be a
/// million, and the state names each. The root signing key alone is named nowhere else.
async fn names_in(
    vault: &dyn Vault,
    instance: InstanceId,
) -> Result<BTreeSet<ObjectName>, VaultError> {
    let mut found = held_chain(vault, instance).await?;
    let root = format!("{instance}/{}/{}/", names::KEY_FOLDER, root_key_id(instance));
    found.extend(listed(vault, &root, &[]).await?);
    Ok(found)
}

/// Why a vault is left out.
#[derive(Debug, Error)]
enum LeftOut {
    #[error(transparent)]
    Away(#[from] VaultError),
    #[error("it holds nothing of instance `{instance}`")]
    Foreign { instance: InstanceId },
    #[error("its record is not signed by this kit's root")]
    Unsigned,
    #[error(transparent)]
    Newer(Malformed),
}

async fn open_one(
    opener: &Arc<dyn VaultOpener>,
    url: &VaultUrl,
    instance: InstanceId,
    root: &VerifyingKey,
) -> Result<Source, LeftOut> {
    let vault: Arc<dyn Vault> = Arc::new(ReopeningVault::new(url.clone(), opener.clone()));
    let name = object_name(&names::vault_record(instance));
    let bytes = vault.read(&name).await?.ok_or(LeftOut::Foreign { instance })?;
    if let Some(newer) = newer_format(&bytes) {
        return Err(LeftOut::Newer(newer));
    }
    let record = VaultRecord::verify(&bytes, root)
        .ok()
        .filter(|record| record.instance == instance)
        .ok_or(LeftOut::Unsigned)?;
    let names = names_in(&*vault, instance).await?;
    Ok(Source { id: record.vault, vault, names })
}
