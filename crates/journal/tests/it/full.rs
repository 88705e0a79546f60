//! A disk that is really full: a small file system of its own, where the machine lets us mount one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use keystead_journal::{FileDisk, Flushed, Journal, JournalFailed, Limits};
use keystead_ledger::Leaf;

use crate::{changed, origin, used};

const LIMITS: Limits =
    Limits { file_bytes: 1 << 30, pending_bytes: 1 << 20, reserve_bytes: 64 << 10 };

/// A mounted file system of 512 KiB that ends with the test.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=512k", "keystead-test"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the room that is left, in files of falling size.
    fn fill(&self) -> PathBuf {
        let filler = self.path().join("filler");
        fs::create_dir(&filler).unwrap();
        let mut len = 512 << 10;
        for part in 0.. {
            if fs::write(filler.join(part.to_string()), vec![1u8; len]).is_err() {
                len /= 2;
            }
            if len < 512 {
                break;
            }
        }
        filler
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.folder.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "the test's file system stays");
    }
}

#[test]
fn a_full_file_system_costs_nothing_that_was_acknowledged() {
    let Some(small) = Small::mounted() else {
        eprintln!("SKIPPED: this user may not mount a tmpfs, so no disk was really full");
        return;
    };
    let folder = small.path().join("journal");
    let open = || Arc::new(FileDisk::open(&folder).unwrap());
    let journal = Journal::create(open(), origin(), 0, LIMITS).unwrap();
    let flushed = |leaf: Leaf| {
        let ticket = journal.record(leaf);
        journal.flush_once().unwrap();
        ticket.wait()
    };
    let filler = small.fill();
    let mut kept = 0;
    while flushed(used(kept)).is_ok() {
        kept += 1;
        assert!(kept < 10_000, "the file system was not full");
    }
    let (ordinary, reserved, change) = (
        journal.record(used(kept)),
        journal.record_reserved(used(kept + 1)),
        journal.record_state(1, &[changed(1)]),
    );
    assert_eq!(journal.flush_once().unwrap(), Flushed { durable: 2, refused: 1 });
    let outcomes = (ordinary.wait(), reserved.wait(), change.wait());
    assert_eq!(outcomes, (Err(JournalFailed::Full), Ok(()), Ok(())));
    assert_eq!(flushed(used(0)), Err(JournalFailed::Full), "the reserve is for others");
    fs::remove_dir_all(filler).unwrap();
    assert_eq!(flushed(used(kept + 2)), Ok(()));
    assert_eq!(journal.head().size, kept + 3);
    let again = Journal::open(open(), LIMITS).unwrap();
    again.verify().unwrap();
    assert_eq!(again.head(), journal.head());
}
