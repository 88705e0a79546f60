//! A folder of a process: what its disk does once the process is dead does not happen.

use std::{io, path::PathBuf};

use keystead_journal::{Disk, DiskFailed, DiskOp, FaultyDisk, FileName, MemoryDisk};

use crate::Life;

/// A folder of one process.
#[derive(Debug)]
pub(crate) struct ProcessDisk {
    pub(crate) inner: FaultyDisk<MemoryDisk>,
    life: Life,
}

impl ProcessDisk {
    pub(crate) fn new(inner: FaultyDisk<MemoryDisk>, life: Life) -> Self {
        Self { inner, life }
    }

    fn call<T>(
        &self,
        op: DiskOp,
        file: &str,
        call: impl FnOnce(&FaultyDisk<MemoryDisk>) -> Result<T, DiskFailed>,
    ) -> Result<T, DiskFailed> {
        self.alive(op, file)?;
        let answer = call(&self.inner);
        self.alive(op, file)?;
        answer
    }

    fn alive(&self, op: DiskOp, file: &str) -> Result<(), DiskFailed> {
        if self.inner.has_crashed() {
            self.life.end();
        }
        let over = || io::Error::other("this process is over");
        match self.life.is_over() {
            true => Err(DiskFailed::Failed { op, file: PathBuf::from(file), source: over() }),
            false => Ok(()),
        }
    }
}

impl Disk for ProcessDisk {
    fn append(&self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), DiskFailed> {
        self.call(DiskOp::Append, file.as_str(), |disk| disk.append(file, at, bytes))
    }

    fn sync(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.call(DiskOp::Sync, file.as_str(), |disk| disk.sync(file))
    }

    fn replace(&self, file: &FileName, bytes: &[u8]) -> Result<(), DiskFailed> {
        self.call(DiskOp::Replace, file.as_str(), |disk| disk.replace(file, bytes))
    }

    fn read(&self, file: &FileName) -> Result<Option<Vec<u8>>, DiskFailed> {
        self.call(DiskOp::Read, file.as_str(), |disk| disk.read(file))
    }

    fn read_at(&self, file: &FileName, offset: u64, len: usize) -> Result<Vec<u8>, DiskFailed> {
        self.call(DiskOp::Read, file.as_str(), |disk| disk.read_at(file, offset, len))
    }

    fn len_bytes(&self, file: &FileName) -> Result<u64, DiskFailed> {
        self.call(DiskOp::Read, file.as_str(), |disk| disk.len_bytes(file))
    }

    fn list(&self) -> Result<Vec<FileName>, DiskFailed> {
        self.call(DiskOp::List, ".", Disk::list)
    }

    fn remove(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.call(DiskOp::Remove, file.as_str(), |disk| disk.remove(file))
    }

    fn truncate(&self, file: &FileName, len_bytes: u64) -> Result<(), DiskFailed> {
        self.call(DiskOp::Truncate, file.as_str(), |disk| disk.truncate(file, len_bytes))
    }

    fn reserve(&self, len_bytes: u64) -> Result<(), DiskFailed> {
        self.call(DiskOp::Reserve, ".reserve", |disk| disk.reserve(len_bytes))
    }

    fn release_reserve(&self) -> Result<(), DiskFailed> {
        self.call(DiskOp::ReleaseReserve, ".reserve", Disk::release_reserve)
    }
}
