//! Rows that no writer of ours writes, met while serving: named by table, row and column.

use std::{fs::OpenOptions, os::unix::fs::FileExt};

use keystead_domain::Kind;
use keystead_store::{
    Backend, ChangeSet, Expected, Index, Scan, StoreFailed,
    conformance::sample::{indexed, material, putting, set, version},
};
use keystead_store_sqlite::SqliteBackend;

use crate::{Folder, key, making, wait};

const ID: &str = "00000000000000000000000000000001";

/// A database with a key and a material, of which another program then spoils something.
fn spoilt(sql: &str) -> (Folder, SqliteBackend) {
    let folder = Folder::new();
    let backend = folder.open();
    let entry = indexed(key(1), Expected::Absent, Index::AccessKeyId, "A");
    wait(backend.commit(ChangeSet { materials: vec![material(1, b"m")], ..putting(entry) }))
        .unwrap();
    wait(backend.commit(set())).unwrap();
    let pragmas = "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;";
    folder.connection().execute_batch(&format!("{pragmas} {sql}")).unwrap();
    (folder, backend)
}

fn names<T: std::fmt::Debug>(
    answer: Result<T, StoreFailed>,
    expected: (&'static str, &str, &'static str),
) {
    let Err(StoreFailed::Corrupt { table, row, column }) = answer else {
        panic!("{expected:?} was answered by {answer:?}");
    };
    assert_eq!((table, row.as_str(), column), expected);
}

#[test]
fn a_spoilt_aggregate_is_named() {
    for (spoil, column) in [
        ("body = x'00'", "body"),
        ("body = x''", "body"),
        ("tenant = x'00'", "tenant"),
        ("revision = 0", "revision"),
        ("revision = -1", "revision"),
        ("commit_seq = 0", "commit_seq"),
    ] {
        let (_folder, backend) = spoilt(&format!("UPDATE aggregate SET {spoil}"));
        let row = format!("key {ID}");
        names(wait(backend.load(&[key(1)])), ("aggregate", &row, column));
        let scan = Scan::Kind { kind: Kind::Key, after: None, limit: 1 };
        names(wait(backend.scan(scan)), ("aggregate", &row, column));
        assert_eq!(wait(backend.head()).unwrap(), 2, "the reader goes on");
        assert_eq!(wait(backend.load(&[key(2)])).unwrap(), [None]);
    }
}

#[test]
fn an_unknown_kind_and_a_wrong_id_are_named() {
    let kinds = "UPDATE aggregate SET kind = 999; UPDATE index_entry SET kind = 999;";
    let (_folder, backend) = spoilt(kinds);
    let prefix = b"A".to_vec();
    let scan = Scan::Index { index: Index::AccessKeyId, prefix, after: None, limit: 1 };
    names(wait(backend.scan(scan)), ("aggregate", ID, "kind"));
    let (_folder, backend) = spoilt("UPDATE aggregate SET id = x'01'");
    let scan = Scan::Kind { kind: Kind::Key, after: None, limit: 1 };
    names(wait(backend.scan(scan)), ("aggregate", "of unknown id", "id"));
}

#[test]
fn a_spoilt_log_is_named() {
    for (spoil, row, column) in [
        ("UPDATE change SET encoded = x'0001' WHERE commit_seq = 1", "1", "encoded"),
        ("UPDATE change SET encoded = x'' WHERE commit_seq = 2", "2", "encoded"),
        ("UPDATE change SET id = zeroblob(16) WHERE commit_seq = 2", "2", "id"),
        ("UPDATE change SET id = x'00' WHERE commit_seq = 1", "1", "id"),
        ("DELETE FROM change WHERE commit_seq = 1", "1", "commit_seq"),
        ("UPDATE change SET commit_seq = 9 WHERE commit_seq = 2", "2", "commit_seq"),
    ] {
        let (_folder, backend) = spoilt(spoil);
        names(wait(backend.changes_after(0, 9)), ("change", row, column));
    }
}

#[test]
fn a_spoilt_material_is_named() {
    let (_folder, backend) = spoilt("UPDATE material SET sealed = x'01'");
    let row = version(1).to_string();
    names(wait(backend.material(version(1))), ("material", &row, "sealed"));
}

#[test]
fn a_page_that_goes_bad_while_serving_is_named() {
    let folder = Folder::new();
    let backend = folder.open();
    (1..=200).for_each(|n| assert_eq!(wait(backend.commit(making(n))).unwrap().commit_seq, n));
    folder.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let file = OpenOptions::new().write(true).open(folder.path()).unwrap();
    for page in 1..file.metadata().unwrap().len() / 4096 {
        file.write_all_at(&[0xa5; 4096], page * 4096).unwrap();
    }
    let page = "on an unreadable page";
    names(wait(backend.load(&[key(7)])), ("aggregate", page, "*"));
    names(wait(backend.changes_after(0, 1)), ("change", page, "*"));
    names(wait(backend.material(version(1))), ("material", page, "*"));
}
