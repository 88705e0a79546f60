//! Segments on their way: synced to the data folder before the first vault sees them.
//!
//! Invariant: a segment's bytes never change once they were offered to a vault; after a crash the
//! same bytes are offered again. A file leaves the outbox when enough vaults have confirmed it: a
//! vault that lags takes it from them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use keystead_journal::{Disk, DiskFailed, DiskOp, FileName};

use crate::ports::{Site, blocking};

/// How many segments stay in memory for the vaults that are about to take them.
const RECENT_MAX: usize = 8;

/// The outbox.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    recent: Mutex<BTreeMap<u64, Arc<[u8]>>>,
}

impl Outbox {
    /// Makes a segment durable here before any vault is offered it.
    pub(crate) async fn keep(
        &self,
        site: &Site,
        sequence: u64,
        bytes: &Arc<[u8]>,
    ) -> Result<(), DiskFailed> {
        let (disk, copy) = (site.disk.clone(), bytes.clone());
        blocking(&*site.tasks, move || disk.replace(&file(sequence), &copy))
            .await
            .unwrap_or_else(|| Err(interrupted(sequence)))?;
        let recent = &mut *self.recent.lock().expect("no code panics while it holds this lock");
        recent.insert(sequence, bytes.clone());
        while recent.len() > RECENT_MAX {
            recent.pop_first();
        }
        Ok(())
    }

    /// A segment that is still here.
    pub(crate) async fn read(&self, site: &Site, sequence: u64) -> Option<Arc<[u8]>> {
        if let Some(bytes) = self.recent(sequence) {
            return Some(bytes);
        }
        let disk = site.disk.clone();
        let read = blocking(&*site.tasks, move || disk.read(&file(sequence))).await?;
        read.ok().flatten().map(Into::into)
    }

    fn recent(&self, sequence: u64) -> Option<Arc<[u8]>> {
        let recent = self.recent.lock().expect("no code panics while it holds this lock");
        recent.get(&sequence).cloned()
    }

    /// Removes every segment before `confirmed`; that one stays, as the end of the chain.
    pub(crate) async fn release(&self, site: &Site, confirmed: u64) {
        let disk = site.disk.clone();
        let removed = blocking(&*site.tasks, move || remove_up_to(&*disk, confirmed)).await;
        if let Some(Err(failed)) = removed {
            tracing::warn!(%failed, "confirmed segments stay in the outbox");
        }
    }

    /// The sequences that lie on disk, in order.
    pub(crate) fn pending(disk: &dyn Disk) -> Result<Vec<u64>, DiskFailed> {
        let mut found: Vec<u64> =
            disk.list()?.iter().filter_map(|name| sequence_of(name.as_str())).collect();
        found.sort_unstable();
        Ok(found)
    }
}

/// Reads a pending segment's bytes while nothing else runs.
pub(crate) fn read_pending(disk: &dyn Disk, sequence: u64) -> Result<Option<Vec<u8>>, DiskFailed> {
    disk.read(&file(sequence))
}

fn remove_up_to(disk: &dyn Disk, confirmed: u64) -> Result<(), DiskFailed> {
    Outbox::pending(disk)?
        .into_iter()
        .filter(|sequence| *sequence < confirmed)
        .try_for_each(|sequence| disk.remove(&file(sequence)))
}

fn file(sequence: u64) -> FileName {
    FileName::new(&format!("segment-{sequence:020}")).expect("letters and digits")
}

fn interrupted(sequence: u64) -> DiskFailed {
    DiskFailed::Failed {
        op: DiskOp::Replace,
        file: file(sequence).as_str().into(),
        source: std::io::ErrorKind::Interrupted.into(),
    }
}

fn sequence_of(name: &str) -> Option<u64> {
    name.strip_prefix("segment-")?.parse().ok()
}
