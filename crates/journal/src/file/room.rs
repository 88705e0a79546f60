//! A file that is appended to, and the room that a thread makes behind what was appended.
//!
//! Invariant: room is zeros, and they are written only behind everything that was appended, under
//! the lock that appends take; what is appended never depends on there being room.
//!
//! Why: a sync of a file that has become longer also writes its length, and on a file system with
//! a journal waits for that, and so for what everybody else wrote. A sync of bytes in the place of
//! others that were synced before writes these bytes and nothing else.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// How much room is made at once, in bytes.
const ROOM_BYTES: u64 = 4 << 20;
/// With less than this left, more is made.
const LOW_BYTES: u64 = 2 << 20;
/// How much of it is written under the lock and then synced.
const STEP: &[u8] = &[0; 128 << 10];

/// The file.
#[derive(Debug)]
pub(super) struct Growing {
    path: PathBuf,
    file: File,
    room: Arc<Mutex<Room>>,
}

#[derive(Debug)]
struct Room {
    /// Where the last append ended.
    end: u64,
    /// Where the zeros behind it end.
    zeros_end: u64,
    maker: Maker,
}

/// Who makes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Nobody,
    Thread,
    /// Nobody any more: the file was cut, is closed, or its disk has no room.
    Gone,
}

impl Growing {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        let zeros_end = file.metadata()?.len();
        let room = Room { end: 0, zeros_end, maker: Maker::Nobody };
        Ok(Self { path: path.to_owned(), file, room: Arc::new(Mutex::new(room)) })
    }

    /// Writes at the end of what was appended.
    pub(super) fn append(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut room = lock(&self.room);
        self.file.write_all_at(bytes, at)?;
        room.end = at + bytes.len() as u64;
        room.zeros_end = room.zeros_end.max(room.end);
        let is_low = room.zeros_end - room.end < LOW_BYTES;
        if is_low && room.maker == Maker::Nobody {
            room.maker = self.start_maker();
        }
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Cuts the file; from now on it gets no more room.
    pub(super) fn cut(&self, len_bytes: u64) -> io::Result<()> {
        let mut room = lock(&self.room);
        room.maker = Maker::Gone;
        self.file.set_len(len_bytes)?;
        (room.end, room.zeros_end) = (room.end.min(len_bytes), len_bytes);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn is_making_room(&self) -> bool {
        lock(&self.room).maker == Maker::Thread
    }

    /// Through a handle of its own: the system tells each handle once that writing failed, and that
    /// it did is for the one who appends to hear.
    fn start_maker(&self) -> Maker {
        let (path, room) = (self.path.clone(), self.room.clone());
        let thread = thread::Builder::new().name("journal-room".to_owned());
        let started = thread.spawn(move || {
            let made = OpenOptions::new().write(true).open(&path).and_then(|f| make(&f, &room));
            let maker = &mut lock(&room).maker;
            if *maker == Maker::Thread {
                // Without room appends lengthen the file, and say so where there is none.
                *maker = if made.is_ok() { Maker::Nobody } else { Maker::Gone };
            }
        });
        if started.is_ok() { Maker::Thread } else { Maker::Gone }
    }
}

impl Drop for Growing {
    /// Whoever opens the file next appends without this lock: no zero may be written any more.
    fn drop(&mut self) {
        lock(&self.room).maker = Maker::Gone;
    }
}

/// Writes zeros until there is room again.
fn make(file: &File, room: &Mutex<Room>) -> io::Result<()> {
    loop {
        let mut room = lock(room);
        let is_enough = room.zeros_end - room.end >= ROOM_BYTES;
        if is_enough || room.maker != Maker::Thread {
            return Ok(());
        }
        file.write_all_at(STEP, room.zeros_end)?;
        room.zeros_end += STEP.len() as u64;
        drop(room);
        // Written out step by step, so that no sync of the journal waits for much of it.
        file.sync_data()?;
    }
}

fn lock(room: &Mutex<Room>) -> MutexGuard<'_, Room> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}
