//! Opening: what is made, what is kept, and what is refused by name without being touched.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use keystead_store::Backend;
use keystead_store_sqlite::{Damage, OpenFailed, SqliteBackend};

use crate::{Folder, making, wait};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The failure of opening, which must have left the file as it was.
fn refused(folder: &Folder) -> OpenFailed {
    let before = fs::read(folder.path()).unwrap();
    let failed = SqliteBackend::open(folder.path()).unwrap_err();
    assert_eq!(fs::read(folder.path()).unwrap(), before, "a refused database is not touched");
    assert!(failed.to_string().contains(folder.path().to_str().unwrap()), "{failed}");
    failed
}

fn damage(folder: &Folder) -> Damage {
    match refused(folder) {
        OpenFailed::Damaged { damage, .. } => damage,
        failed => panic!("not named as damage: {failed:?}"),
    }
}

/// A folder whose database holds a few commits and is closed.
fn closed() -> Folder {
    let folder = Folder::new();
    let backend = folder.open();
    (1..=40).for_each(|n| assert_eq!(wait(backend.commit(making(n))).unwrap().commit_seq, n));
    drop(backend);
    folder
}

#[test]
fn a_new_database_is_its_owners_alone() {
    let folder = Folder::new();
    let backend = folder.open();
    wait(backend.commit(making(1))).unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        names.push(path.file_name().unwrap().to_owned().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["state.db", "state.db-shm", "state.db-wal"]);
}

#[test]
fn closing_folds_the_log_into_the_database() {
    let folder = closed();
    assert!(!folder.path().with_file_name("state.db-wal").exists());
    assert_eq!(wait(folder.open().head()).unwrap(), 40);
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = closed();
    folder.connection().execute_batch("INSERT INTO schema_version VALUES (7)").unwrap();
    let failed = refused(&folder);
    assert!(matches!(failed, OpenFailed::Newer { found: 7, known: 1, .. }), "{failed:?}");
}

#[test]
fn the_database_of_another_program_is_refused() {
    let folder = Folder::new();
    folder
        .connection()
        .execute_batch("CREATE TABLE theirs (x); PRAGMA application_id = 5")
        .unwrap();
    let failed = refused(&folder);
    assert!(matches!(failed, OpenFailed::Foreign { application: 5, .. }), "{failed:?}");
}

#[test]
fn an_emptied_database_is_not_a_new_one() {
    let folder = closed();
    fs::write(folder.path(), b"").unwrap();
    assert_eq!(damage(&folder), Damage::Empty);
}

#[test]
fn a_lost_database_whose_log_is_there_is_not_a_new_one() {
    let folder = closed();
    fs::rename(folder.path(), folder.path().with_file_name("state.db-wal")).unwrap();
    let failed = SqliteBackend::open(folder.path()).unwrap_err();
    assert!(matches!(failed, OpenFailed::Damaged { damage: Damage::Gone, .. }), "{failed:?}");
    assert!(!folder.path().exists());
}

#[test]
fn garbage_is_named() {
    let folder = Folder::new();
    for bytes in [vec![b'x'], vec![0; 4096], b"SQLite format 3".repeat(999)] {
        fs::write(folder.path(), bytes).unwrap();
        assert_eq!(damage(&folder), Damage::Unreadable);
    }
}

#[test]
fn a_database_that_is_cut_off_is_named_wherever_it_is_cut() {
    let folder = closed();
    let whole = fs::read(folder.path()).unwrap();
    for end in (1..whole.len()).step_by(1021) {
        fs::write(folder.path(), &whole[..end]).unwrap();
        damage(&folder);
    }
    fs::write(folder.path(), whole).unwrap();
    assert_eq!(wait(folder.open().head()).unwrap(), 40);
}

#[test]
fn an_overwritten_page_is_named() {
    let folder = closed();
    let whole = fs::read(folder.path()).unwrap();
    for page in 0..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(folder.path(), bytes).unwrap();
        let found = damage(&folder);
        assert!(matches!(found, Damage::Unreadable | Damage::Page { .. }), "{page}: {found}");
    }
}

#[test]
fn a_log_with_a_gap_is_named() {
    let folder = closed();
    folder.connection().execute_batch("DELETE FROM change WHERE commit_seq = 3").unwrap();
    assert_eq!(damage(&folder), Damage::Gap { last: 40, rows: 39 });
}

#[test]
fn what_a_dead_process_left_half_made_is_made_anew() {
    let folder = Folder::new();
    for name in ["state.db.new", "state.db.new-journal"] {
        fs::write(folder.path().with_file_name(name), b"half").unwrap();
    }
    assert_eq!(wait(folder.open().head()).unwrap(), 0);
    assert!(!folder.path().with_file_name("state.db.new").exists());
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let folder = Folder::new();
    let path = folder.path().join("state.db");
    let failed = SqliteBackend::open(&path).unwrap_err();
    assert!(matches!(failed, OpenFailed::Io { .. }), "{failed:?}");
    fs::create_dir(folder.path()).unwrap();
    let failed = SqliteBackend::open(folder.path()).unwrap_err();
    assert!(matches!(failed, OpenFailed::Sqlite { .. } | OpenFailed::Io { .. }), "{failed:?}");
}
