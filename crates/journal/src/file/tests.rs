//! The folder as a disk: permissions, names, what a second process finds.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn name(text: &str) -> FileName {
    FileName::new(text).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A file without its room.
fn written(disk: &FileDisk, file: &FileName) -> Vec<u8> {
    let mut bytes = disk.read(file).unwrap().unwrap();
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    bytes
}

#[test]
fn only_the_owner_reads_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let disk = FileDisk::open(&path).unwrap();
    disk.replace(&name("a"), b"1").unwrap();
    disk.reserve(8192).unwrap();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("a")), 0o600);
    assert_eq!(mode(&path.join(".reserve")), 0o600);
}

#[test]
fn what_is_written_reads_back_and_goes_on_in_a_second_process() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(folder.path()).unwrap();
    let (a, b) = (name("a"), name("b"));
    disk.replace(&a, b"one").unwrap();
    disk.append(&a, 3, b" two").unwrap();
    disk.replace(&b, b"other").unwrap();
    disk.append(&b, 5, b"!").unwrap();
    disk.append(&a, 7, b" three").unwrap();
    disk.truncate(&a, 7).unwrap();
    disk.append(&a, 7, b".").unwrap();
    disk.sync(&a).unwrap();
    let disk = FileDisk::open(folder.path()).unwrap();
    assert_eq!(written(&disk, &a), b"one two.");
    assert_eq!(disk.read_at(&a, 4, 3).unwrap(), b"two");
    assert_eq!(disk.read_at(&a, 4, 99).unwrap(), b"two.");
    assert!(disk.read_at(&a, 99, 1).unwrap().is_empty());
    assert!(written(&disk, &b) == b"other!" && disk.len_bytes(&b).unwrap() >= 6);
    assert_eq!(disk.list().unwrap(), [a.clone(), b.clone()]);
    disk.remove(&b).unwrap();
    disk.remove(&b).unwrap();
    assert_eq!((disk.read(&b).unwrap(), disk.list().unwrap()), (None, vec![a]));
}

/// Waits until nobody makes room any more.
fn settled(disk: &FileDisk) {
    while disk.active().as_ref().is_some_and(|(_, file)| file.is_making_room()) {
        std::thread::yield_now();
    }
}

#[test]
fn room_is_made_behind_what_is_appended_and_never_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(folder.path()).unwrap();
    let a = name("a");
    disk.replace(&a, b"head").unwrap();
    let mut at = 4;
    // Faster than room is made, so that both meet.
    let entry = [7; 96 * 1024];
    for _ in 0..100 {
        disk.append(&a, at, &entry).unwrap();
        disk.sync(&a).unwrap();
        at += entry.len() as u64;
    }
    settled(&disk);
    let bytes = disk.read(&a).unwrap().unwrap();
    let (written, room) = bytes.split_at(usize::try_from(at).unwrap());
    assert!(written[4..].iter().all(|byte| *byte == 7), "no byte was written over");
    assert!(room.len() >= 2 << 20 && room.iter().all(|byte| *byte == 0), "{}", room.len());
    disk.truncate(&a, at).unwrap();
    disk.append(&a, at, b"!").unwrap();
    settled(&disk);
    assert_eq!(disk.len_bytes(&a).unwrap(), at + 1, "a file that was cut gets no more room");
}

#[test]
fn who_opens_the_folder_anew_is_not_written_over_by_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let a = name("a");
    let mut at = 4;
    FileDisk::open(folder.path()).unwrap().replace(&a, b"head").unwrap();
    for _ in 0..200 {
        // Each starts to make room, and goes.
        let disk = FileDisk::open(folder.path()).unwrap();
        disk.append(&a, at, &[7; 50_000]).unwrap();
        at += 50_000;
    }
    let disk = FileDisk::open(folder.path()).unwrap();
    let bytes = written(&disk, &a);
    assert_eq!(bytes.len() as u64, at);
    assert!(bytes[4..].iter().all(|byte| *byte == 7));
}

#[test]
fn appending_goes_to_the_file_that_replaced_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(folder.path()).unwrap();
    disk.replace(&name("a"), b"old").unwrap();
    disk.append(&name("a"), 3, b"!").unwrap();
    disk.replace(&name("a"), b"new").unwrap();
    disk.append(&name("a"), 3, b"!").unwrap();
    assert_eq!(written(&disk, &name("a")), b"new!");
}

#[test]
fn a_file_that_is_not_there_is_not_made_by_appending() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(folder.path()).unwrap();
    let failed = disk.append(&name("a"), 0, b"1").unwrap_err();
    assert!(matches!(failed, DiskFailed::Failed { op: DiskOp::Append, .. }), "{failed:?}");
    assert!(disk.sync(&name("a")).is_err() && disk.truncate(&name("a"), 0).is_err());
    assert!(disk.len_bytes(&name("a")).is_err());
    assert_eq!(disk.read(&name("a")).unwrap(), None);
}

#[test]
fn what_an_interrupted_replace_left_is_removed_and_never_listed() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join(".a.tmp");
    fs::write(&left, b"half").unwrap();
    let disk = FileDisk::open(folder.path()).unwrap();
    assert!(!left.exists());
    disk.reserve(4096).unwrap();
    assert!(disk.list().unwrap().is_empty());
}

#[test]
fn the_reserve_takes_room_until_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(folder.path()).unwrap();
    let path = folder.path().join(".reserve");
    for len in [8192, 8192, 4096] {
        disk.reserve(len).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), len);
    }
    disk.release_reserve().unwrap();
    disk.release_reserve().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_folder_under_a_missing_one_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no").join("journal");
    let failed = FileDisk::open(&missing).unwrap_err();
    assert!(failed.to_string().contains("no/journal"), "{failed}");
}
