//! Wraps a disk and makes chosen syncs and replaces go wrong: the disk's share of the crash matrix.
//!
//! Invariant: the plan alone decides, from the number of the durable write. Between two durable
//! writes nothing durable changes, so a plan that fails each of them covers every instruction.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{Disk, DiskFailed, DiskOp, FileName};

/// What happens to one sync or replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing becomes durable, and the caller is told that it failed.
    NotPersisted,
    /// It becomes durable, and the caller is told that it failed.
    PersistedButReported,
    /// It becomes durable, and the process ends before it hears so.
    CrashAfter,
}

impl Fault {
    /// All faults, for a matrix.
    pub const ALL: [Self; 3] = [Self::NotPersisted, Self::PersistedButReported, Self::CrashAfter];
}

/// Which durable writes go wrong. They count from 1 and go on counting after a crash.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan(BTreeMap<u64, Fault>);

impl FaultPlan {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Exactly these.
    #[must_use]
    pub fn script(faults: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        Self(faults.into_iter().collect())
    }
}

/// A disk whose durable writes go wrong as planned.
#[derive(Debug)]
pub struct FaultyDisk<D> {
    inner: D,
    plan: FaultPlan,
    run: Mutex<Run>,
}

#[derive(Debug)]
struct Run {
    writes: u64,
    syncs: u64,
    process: Process,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    Lives,
    Crashed,
}

impl<D: Disk> FaultyDisk<D> {
    /// Wraps a disk.
    #[must_use]
    pub fn new(inner: D, plan: FaultPlan) -> Self {
        let run = Run { writes: 0, syncs: 0, process: Process::Lives };
        Self { inner, plan, run: Mutex::new(run) }
    }

    /// Ends a crash: the next process opens the folder.
    pub fn reopen(&self) {
        self.run().process = Process::Lives;
    }

    /// Whether a planned crash has ended the process.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.run().process == Process::Crashed
    }

    /// How many syncs and replaces there were: the length of a matrix that fails each of them.
    #[must_use]
    pub fn durable_writes(&self) -> u64 {
        self.run().writes
    }

    /// How many of them were syncs.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.run().syncs
    }

    /// The disk below, without faults.
    #[must_use]
    pub fn inner(&self) -> &D {
        &self.inner
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self, op: DiskOp, name: &str) -> Result<MutexGuard<'_, Run>, DiskFailed> {
        let run = self.run();
        match run.process {
            Process::Lives => Ok(run),
            Process::Crashed => Err(failed(op, name, "the process has crashed")),
        }
    }

    fn durable(
        &self,
        op: DiskOp,
        file: &FileName,
        write: impl FnOnce(&D) -> Result<(), DiskFailed>,
    ) -> Result<(), DiskFailed> {
        let mut run = self.alive(op, file.as_str())?;
        run.writes += 1;
        run.syncs += u64::from(op == DiskOp::Sync);
        let fault = self.plan.0.get(&run.writes).copied();
        drop(run);
        if fault != Some(Fault::NotPersisted) {
            write(&self.inner)?;
        }
        match fault {
            None => Ok(()),
            Some(Fault::CrashAfter) => {
                self.run().process = Process::Crashed;
                Err(failed(op, file.as_str(), "the process has crashed"))
            }
            Some(_) => Err(failed(op, file.as_str(), "injected fault")),
        }
    }
}

fn failed(op: DiskOp, name: &str, why: &'static str) -> DiskFailed {
    DiskFailed::Failed { op, file: PathBuf::from(name), source: io::Error::other(why) }
}

impl<D: Disk> Disk for FaultyDisk<D> {
    fn append(&self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), DiskFailed> {
        drop(self.alive(DiskOp::Append, file.as_str())?);
        self.inner.append(file, at, bytes)
    }

    fn sync(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.durable(DiskOp::Sync, file, |disk| disk.sync(file))
    }

    fn replace(&self, file: &FileName, bytes: &[u8]) -> Result<(), DiskFailed> {
        self.durable(DiskOp::Replace, file, |disk| disk.replace(file, bytes))
    }

    fn read(&self, file: &FileName) -> Result<Option<Vec<u8>>, DiskFailed> {
        drop(self.alive(DiskOp::Read, file.as_str())?);
        self.inner.read(file)
    }

    fn read_at(&self, file: &FileName, offset: u64, len: usize) -> Result<Vec<u8>, DiskFailed> {
        drop(self.alive(DiskOp::Read, file.as_str())?);
        self.inner.read_at(file, offset, len)
    }

    fn len_bytes(&self, file: &FileName) -> Result<u64, DiskFailed> {
        drop(self.alive(DiskOp::Read, file.as_str())?);
        self.inner.len_bytes(file)
    }

    fn list(&self) -> Result<Vec<FileName>, DiskFailed> {
        drop(self.alive(DiskOp::List, ".")?);
        self.inner.list()
    }

    fn remove(&self, file: &FileName) -> Result<(), DiskFailed> {
        drop(self.alive(DiskOp::Remove, file.as_str())?);
        self.inner.remove(file)
    }

    fn truncate(&self, file: &FileName, len_bytes: u64) -> Result<(), DiskFailed> {
        drop(self.alive(DiskOp::Truncate, file.as_str())?);
        self.inner.truncate(file, len_bytes)
    }

    fn reserve(&self, len_bytes: u64) -> Result<(), DiskFailed> {
        drop(self.alive(DiskOp::Reserve, ".reserve")?);
        self.inner.reserve(len_bytes)
    }

    fn release_reserve(&self) -> Result<(), DiskFailed> {
        drop(self.alive(DiskOp::ReleaseReserve, ".reserve")?);
        self.inner.release_reserve()
    }
}
