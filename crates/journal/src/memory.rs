//! A disk in memory that forgets, at a crash, what was not synced.
//!
//! Invariant: it is never kinder than a real disk: an append that meets the bound has written a
//! part, and a crash may keep any part of what was not synced, with holes.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{Disk, DiskFailed, DiskOp, FileName};

/// What a crash takes of that which was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All of it.
    Everything,
    /// Nothing: the kernel had written it all.
    Nothing,
    /// A part chosen by the seed: a suffix, and perhaps a stretch before it that reads as zeros.
    Part(u64),
}

/// A folder in memory. Clones are handles on the same folder, so a test can open it again.
#[derive(Debug, Clone)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    files: BTreeMap<FileName, File>,
    reserve_bytes: u64,
    capacity_bytes: u64,
    /// How much room each sync leaves behind what was appended.
    room_bytes: usize,
}

#[derive(Debug, Default)]
struct File {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Where the last append ended.
    end: usize,
    /// A file that was cut is full or closed: it gets no more room.
    was_cut: bool,
}

impl Default for MemoryDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryDisk {
    /// An empty folder without a bound.
    #[must_use]
    pub fn new() -> Self {
        Self::with_room(0)
    }

    /// An empty folder whose files get so much room whenever they are synced.
    #[must_use]
    pub fn with_room(room_bytes: usize) -> Self {
        let (files, reserve_bytes, capacity_bytes) = (BTreeMap::new(), 0, u64::MAX);
        let state = State { files, reserve_bytes, capacity_bytes, room_bytes };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The machine stops and starts: what was not synced is lost as `loss` says.
    pub fn crash(&self, loss: Loss) {
        for (name, file) in &mut self.state().files {
            file.crash(loss, name);
        }
    }

    /// From now on the folder holds so many bytes, its reserve included; `u64::MAX` is no bound.
    pub fn limit(&self, capacity_bytes: u64) {
        self.state().capacity_bytes = capacity_bytes;
    }

    /// How many bytes it holds, its reserve included.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.state().used_bytes()
    }

    /// Puts other bytes in the place of a file, durably, as an intruder or a worn disk would.
    pub fn tamper(&self, file: &FileName, bytes: Vec<u8>) {
        let file_then =
            File { end: bytes.len(), was_cut: false, durable: bytes.clone(), seen: bytes };
        self.state().files.insert(file.clone(), file_then);
    }

    /// A second folder with the same bytes, all durable.
    #[must_use]
    pub fn copied(&self) -> Self {
        let copy = Self::new();
        for (name, file) in &self.state().files {
            copy.tamper(name, file.seen.clone());
        }
        copy
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn used_bytes(&self) -> u64 {
        self.files.values().map(|file| file.seen.len() as u64).sum::<u64>() + self.reserve_bytes
    }

    fn free_bytes(&self) -> u64 {
        self.capacity_bytes.saturating_sub(self.used_bytes())
    }

    fn file(&mut self, op: DiskOp, name: &FileName) -> Result<&mut File, DiskFailed> {
        self.files.get_mut(name).ok_or_else(|| DiskFailed::Failed {
            op,
            file: PathBuf::from(name.as_str()),
            source: io::ErrorKind::NotFound.into(),
        })
    }
}

impl File {
    fn crash(&mut self, loss: Loss, name: &FileName) {
        match loss {
            Loss::Everything => self.seen.clone_from(&self.durable),
            Loss::Nothing => {}
            Loss::Part(seed) => self.lose_part(mixed(seed ^ mixed(name.as_str().len() as u64))),
        }
        self.durable.clone_from(&self.seen);
    }

    fn lose_part(&mut self, drawn: u64) {
        let same = self.seen.iter().zip(&self.durable).take_while(|(now, then)| now == then);
        let same = same.count();
        let (now, then) = (&self.seen[same..], &self.durable[same..]);
        if then.iter().any(|byte| *byte != 0) {
            // It was cut as well as appended to: one of the two states, whole.
            if drawn.is_multiple_of(2) {
                self.seen.clone_from(&self.durable);
            }
            return;
        }
        let kept = below(drawn, now.len() + 1);
        let hole = below(mixed(drawn), kept + 1)..kept;
        let room = then.get(kept..).unwrap_or_default().to_vec();
        self.seen.truncate(same + kept);
        if mixed(drawn ^ 1).is_multiple_of(2) {
            let at = same + hole.start;
            let end = (at + hole.len() / 2).min(self.seen.len());
            self.seen[at..end].fill(0);
        }
        self.seen.extend(room);
    }
}

fn below(drawn: u64, bound: usize) -> usize {
    usize::try_from(drawn % bound as u64).expect("below a bound that is one")
}

/// SplitMix64: spreads a seed over all bits.
fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn full(name: &str) -> DiskFailed {
    DiskFailed::Full { file: PathBuf::from(name) }
}

impl Disk for MemoryDisk {
    fn append(&self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), DiskFailed> {
        let mut state = self.state();
        let free = usize::try_from(state.free_bytes()).unwrap_or(usize::MAX);
        let found = state.file(DiskOp::Append, file)?;
        let at = usize::try_from(at).expect("what is in memory has a length");
        assert!(found.seen[at..].iter().all(|byte| *byte == 0), "only room is written over");
        let fitting = bytes.len().min((found.seen.len() - at).saturating_add(free));
        found.end = at + fitting;
        let len = found.seen.len().max(found.end);
        found.seen.resize(len, 0);
        found.seen[at..found.end].copy_from_slice(&bytes[..fitting]);
        if bytes.len() > fitting { Err(full(file.as_str())) } else { Ok(()) }
    }

    fn sync(&self, file: &FileName) -> Result<(), DiskFailed> {
        let mut state = self.state();
        let (room, free) = (state.room_bytes, state.free_bytes());
        let found = state.file(DiskOp::Sync, file)?;
        let wanted = (found.end + room).saturating_sub(found.seen.len());
        if !found.was_cut && u64::try_from(wanted).is_ok_and(|wanted| wanted <= free) {
            found.seen.resize(found.seen.len() + wanted, 0);
        }
        match found.seen.strip_prefix(&found.durable[..]) {
            Some(suffix) => found.durable.extend_from_slice(suffix),
            None => found.durable.clone_from(&found.seen),
        }
        Ok(())
    }

    fn replace(&self, file: &FileName, bytes: &[u8]) -> Result<(), DiskFailed> {
        if bytes.len() as u64 > self.state().free_bytes() {
            return Err(full(file.as_str()));
        }
        self.tamper(file, bytes.to_vec());
        Ok(())
    }

    fn read(&self, file: &FileName) -> Result<Option<Vec<u8>>, DiskFailed> {
        Ok(self.state().files.get(file).map(|found| found.seen.clone()))
    }

    fn read_at(&self, file: &FileName, offset: u64, len: usize) -> Result<Vec<u8>, DiskFailed> {
        let mut state = self.state();
        let seen = &state.file(DiskOp::Read, file)?.seen;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(seen.len());
        let end = start.saturating_add(len).min(seen.len());
        Ok(seen[start..end].to_vec())
    }

    fn len_bytes(&self, file: &FileName) -> Result<u64, DiskFailed> {
        Ok(self.state().file(DiskOp::Read, file)?.seen.len() as u64)
    }

    fn list(&self) -> Result<Vec<FileName>, DiskFailed> {
        Ok(self.state().files.keys().cloned().collect())
    }

    fn remove(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.state().files.remove(file);
        Ok(())
    }

    fn truncate(&self, file: &FileName, len_bytes: u64) -> Result<(), DiskFailed> {
        let mut state = self.state();
        let len = usize::try_from(len_bytes).unwrap_or(usize::MAX);
        let found = state.file(DiskOp::Truncate, file)?;
        found.seen.truncate(len);
        (found.end, found.was_cut) = (len.min(found.end), true);
        Ok(())
    }

    fn reserve(&self, len_bytes: u64) -> Result<(), DiskFailed> {
        let mut state = self.state();
        if state.reserve_bytes == len_bytes {
            return Ok(());
        }
        state.reserve_bytes = 0;
        if state.free_bytes() < len_bytes {
            return Err(full(".reserve"));
        }
        state.reserve_bytes = len_bytes;
        Ok(())
    }

    fn release_reserve(&self) -> Result<(), DiskFailed> {
        self.state().reserve_bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> FileName {
        FileName::new("file").unwrap()
    }

    #[test]
    fn a_crash_takes_what_was_not_synced_and_nothing_else() {
        for (loss, want) in [(Loss::Everything, "ab"), (Loss::Nothing, "abcd")] {
            let disk = MemoryDisk::new();
            disk.replace(&name(), b"a").unwrap();
            disk.append(&name(), 1, b"b").unwrap();
            disk.sync(&name()).unwrap();
            disk.append(&name(), 2, b"cd").unwrap();
            disk.crash(loss);
            assert_eq!(disk.read(&name()).unwrap().unwrap(), want.as_bytes());
        }
    }

    #[test]
    fn a_partial_loss_never_reaches_what_was_synced() {
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let disk = MemoryDisk::new();
            disk.replace(&name(), b"kept").unwrap();
            disk.append(&name(), 4, b"unsynced bytes").unwrap();
            disk.crash(Loss::Part(seed));
            let left = disk.read(&name()).unwrap().unwrap();
            assert!(left.starts_with(b"kept"));
            lengths.insert(left.len());
        }
        assert!(lengths.len() > 10, "{lengths:?}");
    }

    #[test]
    fn room_is_zeros_behind_what_was_synced_and_stays_at_a_crash() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let disk = MemoryDisk::with_room(4);
            disk.replace(&name(), b"a").unwrap();
            disk.append(&name(), 1, b"b").unwrap();
            disk.sync(&name()).unwrap();
            assert_eq!(disk.read(&name()).unwrap().unwrap(), b"ab\0\0\0\0");
            disk.append(&name(), 2, b"cdefgh").unwrap();
            disk.crash(Loss::Part(seed));
            let left = disk.read(&name()).unwrap().unwrap();
            assert!(left.starts_with(b"ab") && left.len() >= 6, "{left:?}");
            seen.insert(left);
        }
        assert!(seen.len() > 10, "{seen:?}");
    }

    #[test]
    fn a_full_disk_keeps_a_part_of_an_append_and_nothing_of_a_replace() {
        let disk = MemoryDisk::new();
        disk.replace(&name(), b"1234").unwrap();
        disk.reserve(4).unwrap();
        disk.limit(10);
        assert!(matches!(disk.append(&name(), 4, b"567"), Err(DiskFailed::Full { .. })));
        assert_eq!(disk.read(&name()).unwrap().unwrap(), b"123456");
        assert!(matches!(disk.replace(&name(), b"x"), Err(DiskFailed::Full { .. })));
        assert!(matches!(disk.reserve(5), Err(DiskFailed::Full { .. })));
        disk.release_reserve().unwrap();
        disk.append(&name(), 6, b"7890").unwrap();
        assert_eq!(disk.used_bytes(), 10);
    }
}
