//! A data folder: the database, the small files, the journal.
//!
//! Invariant: it outlives every process; a crash of the machine takes what was not synced and
//! nothing else. The database forgets nothing, since a commit that it answered is durable.

use keystead_journal::{Disk, FileName, Loss, MemoryDisk};
use keystead_store::MemoryBackend;

/// A data folder; clones are handles on the same one.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// The database.
    pub store: MemoryBackend,
    /// Seal slot, outbox, status record.
    pub data: MemoryDisk,
    /// The journal.
    pub journal: MemoryDisk,
}

impl Folder {
    /// An empty folder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A second folder with the same content: a copy, a backup, a snapshot.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self {
            store: self.store.copied(),
            data: self.data.copied(),
            journal: self.journal.copied(),
        }
    }

    /// The machine stops: what was not synced is lost as `loss` says.
    pub fn crash(&self, loss: Loss) {
        self.data.crash(loss);
        self.journal.crash(loss);
    }

    /// Every file of the two disks with its bytes, the journal's behind the others.
    ///
    /// # Panics
    /// Never: a disk in memory can always be read.
    #[must_use]
    pub fn files(&self) -> Vec<(FileName, Vec<u8>)> {
        let read = |disk: &MemoryDisk| -> Vec<_> {
            let names = disk.list().expect("memory can be listed");
            names
                .into_iter()
                .filter_map(|name| {
                    let bytes = disk.read(&name).expect("memory can be read")?;
                    Some((name, bytes))
                })
                .collect()
        };
        let mut files = read(&self.data);
        files.extend(read(&self.journal));
        files
    }
}
