//! The journal's disk with a watch in its hand: how long each sync takes, what it carries, and
//! whether there is room.
//!
//! Invariant: it changes nothing of what the disk answers. It is a `Disk` around a `Disk`, so that
//! the journal knows of no clock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use keystead_journal::{Disk, DiskFailed, FileName};

use super::Metrics;
use crate::ports::Clock;

/// A disk that is measured.
#[derive(Debug)]
pub(crate) struct MeasuredDisk {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    /// Appended since the last sync.
    appended_bytes: AtomicU64,
    /// Whether the room that is set aside for a full disk is in use.
    reserve_spent: AtomicBool,
}

impl MeasuredDisk {
    pub(crate) fn new(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        let (appended_bytes, reserve_spent) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { disk, clock, metrics, appended_bytes, reserve_spent }
    }

    /// Notes that there was no room.
    fn note_full(&self, done: &Result<(), DiskFailed>) {
        if let Err(DiskFailed::Full { .. }) = done {
            self.metrics.journal_full_at_ms.store(self.clock.monotonic_ms(), Ordering::Relaxed);
        }
    }
}

impl Disk for MeasuredDisk {
    fn append(&self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), DiskFailed> {
        let done = self.disk.append(file, at, bytes);
        self.note_full(&done);
        self.appended_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        done
    }

    fn sync(&self, file: &FileName) -> Result<(), DiskFailed> {
        let begun = self.clock.monotonic_us();
        let done = self.disk.sync(file);
        let took = self.clock.monotonic_us().saturating_sub(begun);
        self.metrics.journal_sync.observe(took);
        self.metrics.journal_group.observe(self.appended_bytes.swap(0, Ordering::Relaxed));
        if done.is_ok() && !self.reserve_spent.load(Ordering::Relaxed) {
            self.metrics.journal_full_at_ms.store(0, Ordering::Relaxed);
        }
        done
    }

    fn replace(&self, file: &FileName, bytes: &[u8]) -> Result<(), DiskFailed> {
        self.disk.replace(file, bytes)
    }

    fn read(&self, file: &FileName) -> Result<Option<Vec<u8>>, DiskFailed> {
        self.disk.read(file)
    }

    fn read_at(&self, file: &FileName, offset: u64, len: usize) -> Result<Vec<u8>, DiskFailed> {
        self.disk.read_at(file, offset, len)
    }

    fn len_bytes(&self, file: &FileName) -> Result<u64, DiskFailed> {
        self.disk.len_bytes(file)
    }

    fn list(&self) -> Result<Vec<FileName>, DiskFailed> {
        self.disk.list()
    }

    fn remove(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.disk.remove(file)
    }

    fn truncate(&self, file: &FileName, len_bytes: u64) -> Result<(), DiskFailed> {
        self.disk.truncate(file, len_bytes)
    }

    fn reserve(&self, len_bytes: u64) -> Result<(), DiskFailed> {
        let done = self.disk.reserve(len_bytes);
        self.note_full(&done);
        self.reserve_spent.store(done.is_err(), Ordering::Relaxed);
        done
    }

    fn release_reserve(&self) -> Result<(), DiskFailed> {
        self.reserve_spent.store(true, Ordering::Relaxed);
        self.disk.release_reserve()
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use keystead_journal::MemoryDisk;

    use super::*;

    /// Each look at it is 250 microseconds after the last.
    #[derive(Debug)]
    struct Ticking(AtomicU64);

    #[async_trait]
    impl Clock for Ticking {
        fn now(&self) -> keystead_domain::Timestamp {
            keystead_domain::Timestamp::from_micros(0)
        }

        fn monotonic_ms(&self) -> u64 {
            7
        }

        fn monotonic_us(&self) -> u64 {
            self.0.fetch_add(250, Ordering::Relaxed)
        }

        async fn sleep_ms(&self, _: u64) {}
    }

    #[test]
    fn a_sync_is_measured_with_what_it_carried() {
        let (metrics, disk) = (Arc::new(Metrics::default()), Arc::new(MemoryDisk::new()));
        let clock = Arc::new(Ticking(AtomicU64::new(0)));
        let measured = MeasuredDisk::new(disk, clock, metrics.clone());
        let file = FileName::new("journal-1").unwrap();
        measured.replace(&file, b"").unwrap();
        measured.append(&file, 0, &[0; 300]).unwrap();
        measured.append(&file, 300, &[0; 800]).unwrap();
        measured.sync(&file).unwrap();
        assert_eq!((metrics.journal_sync().count(), metrics.journal_sync().sum), (1, 250));
        assert_eq!((metrics.journal_group().count(), metrics.journal_group().sum), (1, 1_100));
    }

    #[test]
    fn a_full_disk_shows_until_a_sync_without_the_reserve() {
        let metrics = Arc::new(Metrics::default());
        let clock = Arc::new(Ticking(AtomicU64::new(0)));
        let disk = Arc::new(MemoryDisk::new());
        let measured = MeasuredDisk::new(disk.clone(), clock, metrics.clone());
        let file = FileName::new("journal-1").unwrap();
        measured.replace(&file, b"").unwrap();
        measured.reserve(64).unwrap();
        disk.limit(64);
        assert!(measured.append(&file, 0, &[0; 300]).is_err());
        measured.truncate(&file, 0).unwrap();
        assert!(metrics.journal_full(8));
        measured.release_reserve().unwrap();
        measured.append(&file, 0, &[0; 10]).unwrap();
        measured.sync(&file).unwrap();
        assert!(metrics.journal_full(8), "it went into the reserve");
        disk.limit(10_000);
        measured.reserve(64).unwrap();
        measured.sync(&file).unwrap();
        assert!(!metrics.journal_full(8));
    }
}
