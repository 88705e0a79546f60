//! Level 2: the way back, walked without a person: chain, state and every key copy, opened with the
//! seal's epoch keys, and put beside what is in service.
//!
//! Invariant: a key version is proven only where its copy, read back from a vault, does what the
//! running key does; the state in the vaults is proven only where it equals the database's, row by
//! row. Nothing is written into a vault, and the epochs' private halves live for the run alone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use keystead_crypto::{RecipientSeed, Roots, Secret};
use keystead_domain::{EpochId, Key, KeyId, KeyVersion, Kind, VersionId};

use super::exercise::agree;
use crate::{
    Error, Fault, Service,
    keyring::{OpenedKey, Snapshot, open_apart},
    points::rows_at,
    restore::{Exercise, Freshness, Held, Rehearsed, RestoreFailed, Watcher, rehearse},
    tenants::key_version,
};

/// What became of one version's copy.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) key: KeyId,
    pub(super) version: VersionId,
    /// `Err` says what is wrong with it.
    pub(super) outcome: Result<(), String>,
}

/// What a run found.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) head: String,
    /// The recovery point that the state was rebuilt from; 1 is the base.
    pub(super) point: u64,
    pub(super) wraps: u64,
    pub(super) versions: Vec<Proved>,
    /// What is wrong beside single versions.
    pub(super) findings: Vec<String>,
}

/// Walks the whole way back.
pub(super) async fn walk(service: &Service, roots: Roots) -> Result<Walked, Error> {
    let (held, ports) = (held(service, roots)?, &service.ports);
    let exercised =
        Exercised { service, snapshot: service.keyring.snapshot(), proved: Mutex::new(Vec::new()) };
    let rehearsed = rehearse(&ports.vaults, &held, &exercised, &ports.tasks, &Quiet).await;
    let mut walked = Walked {
        head: String::new(),
        point: 0,
        wraps: 0,
        versions: exercised.proved.into_inner().expect("no code panics while it holds this lock"),
        findings: Vec::new(),
    };
    match rehearsed {
        Err(failed) => walked.findings.push(failed.to_string()),
        Ok(rehearsed) => {
            walked.findings.extend(differences(service, &rehearsed).await?);
            if let Freshness::Unproven { .. } = rehearsed.freshness {
                let few = "too few vaults answer to know that nothing newer was acknowledged";
                walked.findings.push(few.to_owned());
            }
            walked.point = rehearsed.point;
            walked.head = rehearsed.head;
            walked.wraps = rehearsed.wraps as u64;
        }
    }
    Ok(walked)
}

pub(crate) fn held(service: &Service, roots: Roots) -> Result<Held, Error> {
    let urls = service.instance.vaults.iter().map(|vault| vault.url.parse());
    let corrupt = |_| Fault::Corrupt { what: "a vault's url".to_owned() };
    let seeds = roots.epochs.into_iter();
    Ok(Held {
        instance: service.instance.id,
        root: service.root,
        epochs: seeds
            .map(|(id, seed)| (EpochId::from_bytes(id), RecipientSeed::new(seed)))
            .collect::<BTreeMap<_, _>>(),
        vaults: urls.collect::<Result<_, _>>().map_err(corrupt)?,
    })
}

/// Where the state in the vaults is not the database's as of the same change.
async fn differences(service: &Service, rehearsed: &Rehearsed) -> Result<Vec<String>, Error> {
    let rows = rows_at(&service.ports, rehearsed.commit_seq).await.map_err(Fault::from)?;
    let mut there = rehearsed.rows.clone();
    let mut found = Vec::new();
    for row in &rows {
        let of = (row.aggregate.kind, row.aggregate.id);
        let keys = service.tenants.get(&row.tenant);
        let body = keys.and_then(|keys| keys.open_body(row).ok());
        let same = match (there.remove(&of), body) {
            (Some((tenant, there)), Some(here)) => tenant == row.tenant && there == **here,
            _ => false,
        };
        if !same {
            found.push(differing(of, "is not in the vaults as it is in the database"));
        }
    }
    found.extend(there.into_keys().map(|of| differing(of, "is in the vaults alone")));
    Ok(found)
}

fn differing((kind, id): (Kind, [u8; 16]), how: &str) -> String {
    format!("{kind} {} {how}", keystead_domain::to_hex(&id))
}

/// Puts each recovered key beside the running one.
struct Exercised<'a> {
    service: &'a Service,
    snapshot: Arc<Snapshot>,
    proved: Mutex<Vec<Proved>>,
}

#[async_trait]
impl Exercise for Exercised<'_> {
    async fn version(
        &self,
        key: &Key,
        version: &KeyVersion,
        found: Result<Secret<32>, RestoreFailed>,
    ) {
        let outcome = match found {
            Ok(material) => self.exercise(key, version, material).await,
            Err(failed) => Some(Err(failed.to_string())),
        };
        if let Some(outcome) = outcome {
            let (key, version) = (key.id, version.id);
            let mut proved = self.proved.lock().expect("no code panics while it holds this lock");
            proved.push(Proved { key, version, outcome });
        }
    }
}

impl Exercised<'_> {
    /// Nothing where the version is not in service yet, or the database gives no answer.
    async fn exercise(
        &self,
        key: &Key,
        version: &KeyVersion,
        material: Secret<32>,
    ) -> Option<Result<(), String>> {
        let entry = self.snapshot.keys().get(&key.id)?;
        if !entry.has(version.id) {
            return None;
        }
        let recovered = OpenedKey::new(key.spec, key_version(key.id, version.id), material);
        let (ports, tenants) = (&self.service.ports, &self.service.tenants);
        let running = open_apart(&*ports.store, tenants, entry, version.id).await.ok()?;
        let (Some(running), Some(recovered)) = (running, recovered) else {
            return Some(Err("the running key does not open: `restore key` mends it".to_owned()));
        };
        let agrees = agree(&ports.entropy, key.tenant, &running, &recovered);
        Some(agrees.then_some(()).ok_or_else(|| "its copy is not the running key".to_owned()))
    }
}

/// Nobody watches.
pub(crate) struct Quiet;

impl Watcher for Quiet {
    fn phase(&self, _: &'static str, _: u64) {}

    fn phase_bytes(&self, _: &'static str, _: u64) {}

    fn advance(&self, _: u64) {}

    fn warn(&self, text: String) {
        tracing::warn!(text, "while the way back was walked");
    }
}
