//! Seconds of what a fuzzer does for days: noise, and lawful objects with some bytes changed.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use keystead_crypto::{BackupWrap, RecipientSeed, SealKey, Secret};
use keystead_domain::{KeyId, KitId, Timestamp, VaultId, VersionId};
use proptest::prelude::*;

use super::*;
use crate::{
    Algorithm, CopyKind, KeyCopy, KeyCopyFields, Recipient, RootId, RootKind, SegmentHeader,
    SegmentKind, build_segment, testing::World,
};

fn lawful() -> Vec<Vec<u8>> {
    let world = World::new(1);
    let signer = world.signer();
    let recipient = Recipient {
        fingerprint: [1; 32],
        kind: RootKind::Kit,
        id: RootId([2; 16]),
        independence: "safe".into(),
    };
    let set = RecipientSet { instance: world.instance, number: 1, recipients: vec![recipient] };
    let vault = VaultRecord {
        instance: world.instance,
        vault: VaultId::from_bytes([1; 16]),
        domain: "d".into(),
        created_at: world.now,
    };
    let kits = [(KitId::from_bytes([1; 16]), RecipientSeed::random(&world.entropy).public())];
    let table =
        SlotTable::build(&world.entropy, &world.root, world.slot_place(), &world.epoch_seed, &kits);
    vec![
        signer.certificate_bytes().to_vec(),
        set.issue(&world.root).unwrap(),
        vault.issue(&world.root).unwrap(),
        world.epoch_record().issue(&world.root).unwrap(),
        table.unwrap(),
        copy(&world),
        segment_object(&world),
    ]
}

fn copy(world: &World) -> Vec<u8> {
    let fields = KeyCopyFields {
        instance: world.instance,
        tenant: world.tenant,
        kind: CopyKind::MasterKey,
        key: KeyId::from_bytes([3; 16]),
        version: VersionId::from_bytes([4; 8]),
        version_number: 1,
        algorithm: Algorithm::Aes256Gcm,
        epoch: world.epoch,
        recipient_set_hash: [5; 32],
        created_at: Timestamp::from_micros(0),
    };
    let material = Secret::from_slice(&[6; 32]).unwrap();
    let public = world.epoch_seed.public();
    KeyCopy::make(&world.entropy, &world.signer(), &public, &fields, &material).unwrap()
}

fn segment_object(world: &World) -> Vec<u8> {
    let header = SegmentHeader {
        kind: SegmentKind::Segment,
        instance: world.instance,
        incarnation: world.incarnation,
        sequence: 1,
        follows: 0,
        predecessor_hash: [1; 32],
        first_commit_seq: 1,
        last_commit_seq: 0,
        at: world.now,
        ledger_heads: Vec::new(),
        recipient_set_hash: [2; 32],
        destruction_set_hash: [3; 32],
        epoch: world.epoch,
    };
    let public = world.epoch_seed.public();
    let no_key = |_| None::<&SealKey<BackupWrap>>;
    build_segment(&world.entropy, &world.signer(), &public, &header, Vec::new(), no_key).unwrap()
}

#[test]
fn every_lawful_object_is_whole() {
    for bytes in lawful() {
        assert_eq!(object(&bytes), Parsed::Whole);
    }
}

#[test]
fn a_lawful_entry_survives() {
    let entry = keystead_crypto::bytes::Writer::new()
        .u32(4)
        .bytes(&zstd::bulk::compress(&[0; 4], 3).unwrap())
        .u32(0)
        .finish();
    segment::entry_survives(&entry);
    let one = [0, 0, 0, 1];
    segment::entry_survives(&[&one[..], &entry].concat());
}

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("vault-object", driven(object));
    drive::run("kit", driven(kit));
    drive::run("segment-entry", segment_entry);
    drive::run("object-name", driven(name));
    drive::run("printed-secret", driven(printed_secret));
    drive::run("kit-qr", driven(qr));
}

fn driven<I: ?Sized>(oracle: impl Fn(&I) -> Parsed) -> impl Fn(&I) {
    move |input| {
        let _ = oracle(input);
    }
}

#[test]
fn the_seeds_are_what_the_parsers_take() {
    for (name, bytes) in drive::corpus("vault-object") {
        assert_eq!(object(&bytes), Parsed::Whole, "{name}");
    }
    let kits = drive::corpus("kit");
    assert_eq!(
        [&kits["whole"], &kits["without-checksum"]].map(|bytes| kit(bytes)),
        [Parsed::Whole; 2]
    );
    let texts =
        |target| drive::corpus(target).into_values().map(|text| String::from_utf8(text).unwrap());
    assert!(texts("object-name").all(|text| name(&text) == Parsed::Whole));
    assert!(texts("kit-qr").all(|text| qr(&text) == Parsed::Whole));
    assert_eq!(
        texts("printed-secret").filter(|text| printed_secret(text) == Parsed::Whole).count(),
        3
    );
}

proptest! {
    #[test]
    fn noise_breaks_no_oracle(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        everything(&bytes);
        for object in ObjectType::ALL {
            header(*object, &bytes);
        }
    }

    #[test]
    fn a_changed_object_breaks_no_oracle(
        which in 0usize..7,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        thread_local! {
            static LAWFUL: Vec<Vec<u8>> = lawful();
        }
        let mut bytes = LAWFUL.with(|lawful| lawful[which].clone());
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        everything(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        everything(&bytes);
    }

    #[test]
    fn names_and_words_break_no_oracle(text in "(ins_|kit_|inc_|[0-9a-f/ \n]|[a-z]{3,8}){0,60}") {
        everything(text.as_bytes());
    }
}
