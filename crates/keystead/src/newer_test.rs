//! What a later program wrote is refused by name, whatever it is: one table over every format.
//!
//! Invariant: a format that gets a version gets a line here. Each refusal names the format, the
//! version that was found, the highest that this program reads, and what to do; and none of them is
//! called corrupt, which would send its reader to a restore that changes nothing.

use std::{path::PathBuf, sync::Arc};

use keystead_archive::{
    Closing, EpochRecord, KeyCopy, Kit, NodeCertificate, ObjectType, Opening, RecipientSet,
    SlotTable, VaultRecord, WrapStatement, newer_format, read_segment_header,
};
use keystead_crypto::{
    Argon2Cost, Material, PassphraseSeal, Seal, Sealed, VerifyingKey, hash::sha256, newer_envelope,
};
use keystead_domain::{
    AccessKey, Alias, IdempotencyKey, Instance, Key, Tenant, WrapLog, WrapRecord,
};
use keystead_journal::{Disk, FileName, Journal, JournalUnreadable, Limits, MemoryDisk};
use keystead_ledger::{Leaf, Origin};
use keystead_service::{StartFailed, restore::RestoreFailed, status::StatusRecord};
use keystead_store::ChangeSet;
use keystead_store_sqlite::OpenFailed;

use crate::{
    exit::{Exit, Explained, NEWER_HINT},
    wiring::WiringRefused,
    wrap_export,
};

/// Some root key: the version is looked at before any signature.
const ROOT: VerifyingKey = VerifyingKey([7; 32]);

/// An object of a type in version 2.
fn object(number: u16) -> Vec<u8> {
    [&b"KEYSTEAD"[..], &number.to_be_bytes(), &[0, 2], &[0; 64]].concat()
}

/// The same with its checksum behind it.
fn summed(bytes: &[u8]) -> Vec<u8> {
    [bytes, &sha256(bytes)].concat()
}

fn said<T>(result: Result<T, impl std::fmt::Display>) -> String {
    result.err().expect("version 2 is refused").to_string()
}

fn journal() -> JournalUnreadable {
    let disk = Arc::new(MemoryDisk::new());
    let origin = Origin::new("ins/inc/nod").unwrap();
    drop(Journal::create(disk.clone(), origin, 0, Limits::default()).unwrap());
    let file = FileName::new("journal-00000000000000000000").unwrap();
    let mut bytes = disk.read(&file).unwrap().unwrap();
    let at_version = bytes.iter().position(|byte| *byte == 1).unwrap();
    bytes[at_version] = 2;
    disk.replace(&file, &bytes).unwrap();
    Journal::open(disk, Limits::default()).unwrap_err()
}

fn journal_text() -> String {
    let JournalUnreadable::BadHeader { source, .. } = journal() else { panic!("another refusal") };
    source.to_string()
}

fn seal() -> keystead_crypto::SealFailed {
    let slot = summed(&[&b"KSTDSEAL"[..], &[0, 2], &[0; 64]].concat());
    PassphraseSeal::new(b"passphrase", Argon2Cost::FLOOR).open(&slot).unwrap_err()
}

fn database() -> OpenFailed {
    OpenFailed::Newer { path: PathBuf::from("keystead.db"), found: 2, known: 1 }
}

/// Every versioned format: its name, and what a reader of it says of version 2.
fn formats() -> Vec<(&'static str, String)> {
    let body = [0, 2, 0, 0];
    let envelope = [&[2, 0, 1][..], &[0; 200]].concat();
    let first = b"{\"format\":\"keystead-wrap-export\",\"version\":2,\"statement\":\"\"}\n";
    let record = "{\"format\":2,\"report\":{\"of\":\"a later program\"}}";
    vec![
        ("node-certificate", said(NodeCertificate::verify(&object(1), &ROOT))),
        ("vault", said(VaultRecord::verify(&object(2), &ROOT))),
        ("epoch", said(EpochRecord::verify(&object(3), &ROOT))),
        ("recipient-set", said(RecipientSet::verify(&object(4), &ROOT))),
        ("slot-table", said(SlotTable::verify(&object(5), &ROOT))),
        ("key-copy", said(KeyCopy::read(&object(6), &ROOT))),
        ("segment", said(read_segment_header(&object(7), &ROOT))),
        ("recovery-point", said(read_segment_header(&object(8), &ROOT))),
        ("opening", said(Opening::verify(&object(9), &ROOT))),
        ("closing", said(Closing::verify(&object(10), &ROOT))),
        ("kit", said(Kit::inspect(&summed(&object(11))))),
        ("wrap-statement", said(WrapStatement::verify(&object(12), &ROOT))),
        ("seal slot", seal().to_string()),
        ("journal file", journal_text()),
        ("ledger leaf", said(Leaf::from_bytes(vec![2; 64]))),
        ("change set", said(ChangeSet::decode(&body))),
        ("ciphertext", newer_envelope(&envelope).expect("a later version").to_string()),
        ("ciphertext", said(Sealed::<Material>::from_bytes(envelope))),
        ("instance", said(Instance::from_body(&body))),
        ("tenant", said(Tenant::from_body(&body))),
        ("access key", said(AccessKey::from_body(&body))),
        ("kit", said(keystead_domain::Kit::from_body(&body))),
        ("key", said(Key::from_body(&body))),
        ("alias", said(Alias::from_body(&body))),
        ("wrap record", said(WrapRecord::from_body(&body))),
        ("wrap log", said(WrapLog::from_body(&body))),
        ("idempotency key", said(IdempotencyKey::from_body(&body))),
        ("wrap export", said(wrap_export::verify(&first[..], &ROOT, |_| ()).unwrap())),
        ("status record", said(StatusRecord::read(record))),
        ("database", database().to_string()),
    ]
}

#[test]
fn a_newer_version_of_every_format_is_named_with_what_this_program_reads() {
    let program =
        concat!("keystead ", env!("CARGO_PKG_VERSION"), " reads up to 1: use a newer one");
    for (format, text) in formats() {
        for part in [format, "version 2", program] {
            assert!(text.contains(part), "{format}: `{part}` in `{text}`");
        }
    }
}

#[test]
fn every_type_of_object_is_in_the_table() {
    let known: Vec<u16> =
        (0..=u16::MAX).filter(|number| newer_format(&object(*number)).is_some()).collect();
    assert_eq!(known, (1..=12).collect::<Vec<_>>(), "a new type needs a line in `formats`");
    assert!(ObjectType::from_number(12).is_some() && ObjectType::from_number(13).is_none());
}

#[test]
fn what_a_later_program_wrote_is_never_called_corrupt() {
    let kit = Kit::inspect(&summed(&object(11))).unwrap_err();
    let key = Key::from_body(&[0, 2]).unwrap_err();
    let refused = read_segment_header(&object(7), &ROOT).unwrap_err();
    for refused in [
        WiringRefused::from(kit),
        database().into(),
        StartFailed::from(journal()).into(),
        StartFailed::from(seal()).into(),
        StartFailed::Newer(key).into(),
        RestoreFailed::Newer(key).into(),
        RestoreFailed::Object { name: "segment".to_owned(), refused }.into(),
    ] {
        assert_eq!((refused.exit(), refused.hint()), (Exit::Usage, Some(NEWER_HINT.to_owned())));
    }
}
