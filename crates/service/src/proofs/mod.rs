//! Proof, not hope: the vaults' bytes verified and the way back walked, by schedule and on demand.
//!
//! Invariant: *proven at T* is said only of what was decrypted and exercised at T; each run and
//! each finding is in the ledger. What a person alone can prove, that a kit in a safe opens, stays
//! with kits. A run that fails says so, and leaves what was proven before with its own date.

mod exercise;
mod integrity;
mod record;
mod recovery;

use std::sync::{Arc, Mutex, RwLock};

use keystead_domain::{KeyState, Timestamp};
use keystead_ledger::{Act, Attributes, Event, Outcome, Value};

use crate::{
    Cx, Error, ErrorKind, Service,
    audit::{Deed, node_act, said},
    door::{Recorded, Resource},
    found::file,
    keyring::Snapshot,
    ports::{Site, Tasks, blocking},
    start::StartFailed,
};

pub(crate) use exercise::{Task, agree, answer};
pub(crate) use integrity::{Of, Slice, verify};
#[cfg(test)]
pub(crate) use record::reads;
pub(crate) use record::survives;
pub(crate) use recovery::{Quiet, held};

use record::{FINDINGS_MAX, IntegrityRun, Record, RecoveryRun};
use recovery::{Walked, walk};

/// The file in the data folder.
const PROOFS_FILE: &str = "proofs";
/// How often it is looked whether a run is due, in milliseconds.
const LOOK_MS: u64 = 60_000;
/// How long after a start the first run waits, in milliseconds.
const FIRST_MS: u64 = 600_000;
/// Into how many runs the reading of every byte is divided.
const SLICES: u64 = 7;
/// How many results one event names.
const RESULTS_PER_EVENT: usize = 200;

/// Which level of verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Every byte in the vaults is as it was signed.
    Integrity,
    /// Everything that a restore needs opens, and does what is in service.
    Recovery,
}

impl Level {
    /// Its name on wires.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::Recovery => "recovery",
        }
    }

    /// The level of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Integrity, Self::Recovery].into_iter().find(|level| level.name() == name)
    }
}

/// When the levels run without anybody asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifySchedule {
    /// A slice of all objects is verified so often, in milliseconds.
    pub integrity_every_ms: u64,
    /// The way back is walked so often, in milliseconds.
    pub recovery_every_ms: u64,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Which level.
    pub level: Level,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Objects that were read; 0 for the way back.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Key versions whose copies did what the running keys do.
    pub versions: u64,
    /// Wrapped data keys that opened.
    pub wraps: u64,
    /// Up to which head, where one was reached.
    pub head: Option<String>,
    /// What is wrong; empty where nothing is. The first hundred: all are in the ledger.
    pub findings: Vec<String>,
}

/// What the node knows of its proofs.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    record: RwLock<Arc<Record>>,
    /// Held by whoever runs a level.
    turn: tokio::sync::Mutex<()>,
    counted: Mutex<Option<Counted>>,
}

/// What was counted last.
#[derive(Debug)]
struct Counted {
    revision: u64,
    record: Arc<Record>,
    known: Unproven,
}

/// How many versions there are, and how many of them were never proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Unproven {
    pub(crate) versions: u64,
    pub(crate) unproven: u64,
    /// The oldest of the proofs.
    pub(crate) oldest: Option<Timestamp>,
}

impl Proofs {
    /// What the data folder remembers.
    pub(crate) async fn load(site: &Site) -> Result<Self, StartFailed> {
        let disk = site.disk.clone();
        let read = blocking(&*site.tasks, move || disk.read(&file(PROOFS_FILE)));
        let bytes = read.await.ok_or(StartFailed::Internal)??;
        let record = bytes.map(|bytes| Record::from_bytes(&bytes));
        let record = match record {
            Some(Err(refused)) => {
                tracing::warn!(%refused, "the file of proofs counts as none");
                Record::default()
            }
            Some(Ok(record)) => record,
            None => Record::default(),
        };
        Ok(Self { record: RwLock::new(Arc::new(record)), ..Self::default() })
    }

    pub(crate) fn record<T>(&self, read: impl FnOnce(&Record) -> T) -> T {
        read(&self.present())
    }

    fn present(&self) -> Arc<Record> {
        self.record.read().expect("no code panics while it holds this lock").clone()
    }

    /// When a version was last proven.
    pub(crate) fn proven(&self, version: keystead_domain::VersionId) -> Option<Timestamp> {
        self.record(|record| record.proven(version))
    }

    /// Counts what is not proven; again only where keys or proofs changed, and away from whoever
    /// answers, since it looks each version up.
    pub(crate) async fn unproven(&self, tasks: &dyn Tasks, snapshot: Arc<Snapshot>) -> Unproven {
        let (record, revision) = (self.present(), snapshot.revision);
        let versions = snapshot.tally().versions();
        let none = Unproven { versions, unproven: versions, oldest: None };
        if record.proves_nothing() {
            return none;
        }
        let lock = || self.counted.lock().expect("no code panics while it holds this lock");
        if let Some(counted) = &*lock()
            && counted.revision == revision
            && Arc::ptr_eq(&counted.record, &record)
        {
            return counted.known;
        }
        let of = record.clone();
        let known = blocking(tasks, move || count(&of, &snapshot)).await.unwrap_or(none);
        *lock() = Some(Counted { revision, record, known });
        known
    }
}

fn count(record: &Record, snapshot: &Snapshot) -> Unproven {
    let mut counts = Unproven::default();
    for entry in snapshot.keys().values() {
        if matches!(entry.state, KeyState::Destroyed { .. }) {
            continue;
        }
        for version in entry.versions() {
            counts.versions += 1;
            match record.proven(version) {
                None => counts.unproven += 1,
                Some(at) => counts.oldest = Some(counts.oldest.map_or(at, |old| old.min(at))),
            }
        }
    }
    counts
}

impl Service {
    /// Runs a level now: every object, or the whole way back.
    pub async fn verify_backups(
        self: &Arc<Self>,
        cx: Cx,
        level: Level,
    ) -> Recorded<Result<Verification, Error>> {
        let (service, operation) = (self.clone(), "VerifyBackups");
        self.carry_out(cx.clone(), operation, async move {
            let resource = Resource::tenant(cx.principal.tenant);
            let revision = service.progress.applied.at();
            let result = match service.pass_to(&cx, operation, resource, revision) {
                Ok(()) => service.run_level(level, Slice::WHOLE).await,
                Err(refused) => Err(refused),
            };
            let deed = Deed { operation, resource: Some(resource) };
            service.record(&cx, deed, revision, result).await
        })
        .await
    }

    /// Runs what is due, minute by minute.
    pub(crate) async fn keep_verifying(self: Arc<Self>) {
        self.ports.clock.sleep_ms(FIRST_MS).await;
        loop {
            for level in [Level::Integrity, Level::Recovery] {
                if self.may_act().is_err() || !self.is_due(level) {
                    continue;
                }
                let runs = self.proofs.record(|record| record.integrity.as_ref().map(|r| r.runs));
                let slice = Slice { number: runs.unwrap_or(0), of: SLICES };
                if let Err(failed) = self.run_level(level, slice).await {
                    tracing::warn!(level = level.name(), %failed, "a verification did not run");
                }
            }
            self.ports.clock.sleep_ms(LOOK_MS).await;
        }
    }

    /// When a level is due; at once where it never ran.
    pub(crate) fn due_at(&self, level: Level) -> Option<Timestamp> {
        let last = self.proofs.record(|record| match level {
            Level::Integrity => record.integrity.as_ref().map(|run| run.at),
            Level::Recovery => record.recovery.as_ref().map(|run| run.at),
        });
        let every_ms = match level {
            Level::Integrity => self.upkeep.verify.integrity_every_ms,
            Level::Recovery => self.upkeep.verify.recovery_every_ms,
        };
        let every = i64::try_from(every_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
        last.map(|at| Timestamp::from_micros(at.as_micros().saturating_add(every)))
    }

    fn is_due(&self, level: Level) -> bool {
        self.due_at(level).is_none_or(|due| due <= self.ports.clock.now())
    }

    async fn run_level(&self, level: Level, slice: Slice) -> Result<Verification, Error> {
        let _turn = self.proofs.turn.lock().await;
        let (at, began_ms) = (self.ports.clock.now(), self.ports.clock.monotonic_ms());
        let took_ms = || self.ports.clock.monotonic_ms().saturating_sub(began_ms);
        let (verification, next) = match level {
            Level::Integrity => self.integrity(at, slice, took_ms).await?,
            Level::Recovery => {
                let walked = walk(self, self.roots().await?).await?;
                self.recovered(at, walked, took_ms()).await?
            }
        };
        *self.proofs.record.write().expect("no code panics while it holds this lock") =
            Arc::new(next);
        self.keep_proofs().await;
        Ok(verification)
    }

    async fn integrity(
        &self,
        at: Timestamp,
        slice: Slice,
        took_ms: impl Fn() -> u64,
    ) -> Result<(Verification, Record), Error> {
        let of = Of { instance: self.instance.id, root: self.root };
        let vaults: Vec<_> = self.set.members.iter().map(|member| member.vault.clone()).collect();
        let tally = verify(&vaults, of, slice, &Quiet).await;
        for finding in &tally.findings {
            let said = said(&[
                ("vault", &finding.vault),
                ("object", &finding.object),
                ("reason", &finding.what),
            ]);
            self.note(at, "VaultObjectRefused", Err(ErrorKind::Corrupt), said).await?;
        }
        let mut findings: Vec<String> = tally.findings.iter().map(ToString::to_string).collect();
        findings.extend(tally.away);
        let said = said(&[
            ("objects", &tally.objects.to_string()),
            ("bytes", &tally.bytes.to_string()),
            ("findings", &findings.len().to_string()),
            ("slice", &format!("{} of {}", slice.number % slice.of + 1, slice.of)),
        ]);
        self.note(at, "VaultsVerified", verdict(&findings), said).await?;
        findings.truncate(FINDINGS_MAX);
        let mut next = self.proofs.record(Clone::clone);
        let runs = next.integrity.as_ref().map_or(0, |run| run.runs) + 1;
        let (objects, bytes) = (tally.objects, tally.bytes);
        next.integrity =
            Some(IntegrityRun { at, runs, objects, bytes, findings: findings.clone() });
        let level = Level::Integrity;
        let (took_ms, versions, wraps, head) = (took_ms(), 0, 0, None);
        let found =
            Verification { level, at, took_ms, objects, bytes, versions, wraps, head, findings };
        Ok((found, next))
    }

    async fn recovered(
        &self,
        at: Timestamp,
        walked: Walked,
        took_ms: u64,
    ) -> Result<(Verification, Record), Error> {
        self.note_versions(at, &walked).await?;
        let failed = walked.versions.iter().filter_map(|proved| {
            let what = proved.outcome.as_ref().err()?;
            Some(format!("key `{}` version `{}`: {what}", proved.key, proved.version))
        });
        let mut findings: Vec<String> = failed.chain(walked.findings.iter().cloned()).collect();
        let proven = walked.versions.iter().filter(|proved| proved.outcome.is_ok());
        let (versions, wraps) = (proven.count() as u64, walked.wraps);
        let said = said(&[
            ("head", &walked.head),
            ("point", &walked.point.to_string()),
            ("versions", &versions.to_string()),
            ("wraps", &wraps.to_string()),
            ("findings", &findings.len().to_string()),
            ("took-ms", &took_ms.to_string()),
        ]);
        self.note(at, "RecoveryRehearsed", verdict(&findings), said).await?;
        findings.truncate(FINDINGS_MAX);
        let mut next = self.proofs.record(Clone::clone);
        let known = self.keyring.snapshot();
        let results: std::collections::BTreeMap<_, _> =
            walked.versions.iter().map(|p| (p.version, p.outcome.is_ok())).collect();
        let all = known.keys().values().flat_map(|entry| entry.versions());
        next.prove(all.map(|version| {
            let now = results.get(&version).is_some_and(|proven| *proven).then_some(at);
            (version, now)
        }));
        let head = walked.head;
        next.recovery = Some(RecoveryRun {
            at,
            head: head.clone(),
            versions,
            wraps,
            took_ms,
            findings: findings.clone(),
        });
        let (level, head) = (Level::Recovery, (!head.is_empty()).then_some(head));
        let (objects, bytes) = (0, 0);
        let found =
            Verification { level, at, took_ms, objects, bytes, versions, wraps, head, findings };
        Ok((found, next))
    }

    /// Each version's result, some hundred to an event.
    async fn note_versions(&self, at: Timestamp, walked: &Walked) -> Result<(), Error> {
        for some in walked.versions.chunks(RESULTS_PER_EVENT) {
            let mut results = Attributes::new();
            for proved in some {
                let of = format!("{}/{}", proved.key, proved.version);
                let (name, text) = match &proved.outcome {
                    Ok(()) => ("proven", of),
                    Err(what) => ("failed", format!("{of}: {what}")),
                };
                results = results
                    .with(name, &Value::Clear(text.into_bytes()))
                    .expect("two hundred short texts fit an event");
            }
            let is_whole = some.iter().all(|proved| proved.outcome.is_ok());
            let outcome = is_whole.then_some(()).ok_or(ErrorKind::Corrupt);
            self.note(at, "KeyCopiesExercised", outcome, results).await?;
        }
        Ok(())
    }

    /// An event of the node; where the disk is full the run fails, and nothing is called proven.
    async fn note(
        &self,
        at: Timestamp,
        operation: &str,
        outcome: Result<(), ErrorKind>,
        said: Attributes,
    ) -> Result<(), Error> {
        let outcome = match outcome {
            Ok(()) => Outcome::Succeeded,
            Err(kind) => Outcome::Failed { error_kind: kind.number() },
        };
        let act = Act { outcome, ..node_act(at, operation, said) };
        let leaf = Event::Node { act }.encode().expect("our events fit a leaf");
        let recorded = self.ports.journal.record(leaf).await;
        recorded.map(drop).map_err(|failed| crate::audit::ledger_fault(&failed).into())
    }

    async fn keep_proofs(&self) {
        let (bytes, disk) = (self.proofs.record(Record::to_bytes), self.ports.disk.clone());
        let write = move || disk.replace(&file(PROOFS_FILE), &bytes);
        if let Some(Err(failed)) = blocking(&*self.ports.tasks, write).await {
            tracing::warn!(%failed, "proofs are in the ledger and not in the data folder");
        }
    }
}

fn verdict(findings: &[String]) -> Result<(), ErrorKind> {
    findings.is_empty().then_some(()).ok_or(ErrorKind::Corrupt)
}
