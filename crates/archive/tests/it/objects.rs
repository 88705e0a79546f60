//! Slot tables, key copies, segments and recovery points of their vector files.

use keystead_archive::{
    EpochRecord, KeyCopy, ObjectRefused, OpenedSegment, SlotTable, open_segment,
    read_segment_header,
};
use keystead_crypto::{
    BackupWrap, KeyVersion, RecipientSeed, SealKey, VerifyingKey, bytes::Malformed,
};
use keystead_domain::{TenantId, to_hex};
use serde_json::{Value, json};

use crate::{Vector, list, vectors};

fn reason(why: &ObjectRefused) -> &'static str {
    match why {
        ObjectRefused::Malformed(Malformed::Version { .. }) => "newer version",
        ObjectRefused::Malformed(_) => "malformed",
        ObjectRefused::OtherType { .. } => "other type",
        ObjectRefused::TooLarge { .. } => "too large",
        ObjectRefused::BadSignature { .. } => "bad signature",
        ObjectRefused::OtherNode { .. } => "other node",
        ObjectRefused::OtherBody { .. } => "other body",
        ObjectRefused::Sealed(_) => "does not open",
        ObjectRefused::NoSlot { .. } => "no slot",
        ObjectRefused::OtherEpoch { .. } => "other epoch",
        ObjectRefused::OtherMaterial => "other material",
        ObjectRefused::BadEntry { .. } => "bad entry",
        ObjectRefused::MissingCommit { .. } => "missing commit",
    }
}

fn root(vector: &Vector<'_>) -> VerifyingKey {
    VerifyingKey(vector.array("root_key"))
}

fn hex(bytes: impl AsRef<[u8]>) -> Value {
    json!(to_hex(bytes.as_ref()))
}

#[test]
fn slot_tables_open_to_the_epoch_or_are_refused() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/slot-table.json")).unwrap();
    for vector in vectors(&file) {
        let root = root(&vector);
        let epoch = EpochRecord::verify(&vector.bytes("epoch_record"), &root).unwrap();
        let seed = RecipientSeed::new(vector.secret("recipient_seed"));
        let opened = SlotTable::verify(&vector.bytes("object"), &root)
            .and_then(|table| table.open(&seed, &epoch));
        if let Some(opened) = vector.judge(opened, reason) {
            assert!(opened.secret().same_as(&vector.secret("epoch_seed")));
        }
    }
}

#[test]
fn key_copies_open_to_their_material_or_are_refused() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/key-copy.json")).unwrap();
    for vector in vectors(&file) {
        let seed = RecipientSeed::new(vector.secret("epoch_seed"));
        let opened = KeyCopy::open(&vector.bytes("object"), &root(&vector), &seed);
        let Some(opened) = vector.judge(opened, reason) else { continue };
        assert!(opened.material.same_as(&vector.secret("material")));
        let (fields, header) = (&opened.header.fields, &opened.header);
        let found = json!({
            "instance": hex(fields.instance.as_bytes()), "tenant": hex(fields.tenant.as_bytes()),
            "kind": fields.kind as u8, "key": hex(fields.key.as_bytes()),
            "version": hex(fields.version.as_bytes()), "version_number": fields.version_number,
            "algorithm": fields.algorithm as u16, "epoch": hex(fields.epoch.as_bytes()),
            "recipient_set_hash": hex(fields.recipient_set_hash),
            "key_check": hex(header.key_check), "created_at": fields.created_at.as_micros(),
            "node": hex(header.node.node.as_bytes()),
        });
        assert_eq!(found, vector.0["header"], "{}", vector.name());
    }
}

#[test]
fn segments_open_to_their_changes_or_are_refused() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/segment.json")).unwrap();
    vectors(&file).for_each(|vector| check_segment(&vector));
}

#[test]
fn recovery_points_open_to_their_state_or_are_refused() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/recovery-point.json"))
            .unwrap();
    vectors(&file).for_each(|vector| check_segment(&vector));
}

fn check_segment(vector: &Vector<'_>) {
    let seed = RecipientSeed::new(vector.secret("epoch_seed"));
    let keys = vector.0["backup_keys"].as_array().expect("a list of keys");
    let key = |tenant: TenantId, version: KeyVersion| {
        let of_tenant = |key: &&Value| key["tenant"] == hex(tenant.as_bytes());
        let key = Vector(keys.iter().find(of_tenant)?);
        let id = KeyVersion { key: key.array("key"), version: key.array("version") };
        assert_eq!(id, version);
        Some(Box::new(SealKey::<BackupWrap>::new(id, &key.secret("raw"))))
    };
    let (bytes, root) = (vector.bytes("object"), root(vector));
    let opened = open_segment(&bytes, &root, &seed, key);
    if let Some(opened) = vector.judge(opened, reason) {
        assert_eq!(read_segment_header(&bytes, &root).as_ref(), Ok(&opened.header));
        compare(vector, &opened);
    }
}

fn compare(vector: &Vector<'_>, opened: &OpenedSegment) {
    let header = Vector(&vector.0["header"]);
    assert_eq!(opened.header.kind as u64, header.number("kind"));
    assert_eq!(opened.header.sequence, header.number("sequence"));
    assert_eq!(opened.header.follows, header.number("follows"));
    assert_eq!(opened.header.predecessor_hash, header.array("predecessor_hash"));
    assert_eq!(opened.header.first_commit_seq, header.number("first_commit_seq"));
    assert_eq!(opened.header.last_commit_seq, header.number("last_commit_seq"));
    assert_eq!(opened.header.destruction_set_hash, header.array("destruction_set_hash"));
    assert_eq!(opened.header.recipient_set_hash, header.array("recipient_set_hash"));
    assert_eq!(opened.header.epoch.as_bytes(), &header.array("epoch"));
    for (head, wanted) in opened.header.ledger_heads.iter().zip(list(header.0, "ledger_heads")) {
        assert_eq!(head.origin, wanted.text("origin"));
        assert_eq!((head.size, head.root), (wanted.number("size"), wanted.array("root")));
    }
    let skipped: Value = opened.skipped.iter().map(|one| hex(one.tenant.as_bytes())).collect();
    assert_eq!(skipped, vector.0["skipped"], "{}", vector.name());
    let entries: Value = opened
        .entries
        .iter()
        .map(|one| {
            let changes: Value = one.changes.iter().map(change).collect();
            json!({ "tenant": hex(one.tenant.as_bytes()), "changes": changes })
        })
        .collect();
    assert_eq!(entries, vector.0["entries"], "{}", vector.name());
}

fn change(change: &keystead_archive::ChangeImage) -> Value {
    let puts: Value = change
        .puts
        .iter()
        .map(|image| {
            json!({
                "kind": image.kind.number(), "id": hex(image.id), "revision": image.revision,
                "sensitivity": image.sensitivity as u8, "body": hex(&image.body),
            })
        })
        .collect();
    let row = |row: &keystead_archive::RowRef| json!({ "kind": row.kind.number(), "id": hex(row.id), "revision": row.revision });
    let copy = |copy: &keystead_archive::CopyRef| {
        json!({
            "key": hex(copy.key.as_bytes()), "version": hex(copy.version.as_bytes()),
            "object_hash": hex(copy.object_hash), "key_check": hex(copy.key_check),
        })
    };
    json!({
        "commit_seq": change.commit_seq, "change": hex(change.change.as_bytes()),
        "at": change.at.as_micros(), "puts": puts,
        "deletes": change.deletes.iter().map(row).collect::<Value>(),
        "copies": change.copies.iter().map(copy).collect::<Value>(),
    })
}
