//! Envelopes, streams, boxes and key-check values of `ciphertext.json`.

use std::collections::BTreeMap;

use keystead_crypto::{
    BackupWrap, Body, CipherContext, CipherKey, CipherKind, Entry, KeyVersion, MasterWrap,
    RecipientSeed, SealContext, SealKey, Sealed, key_check_value, labels, open_stream, seal_stream,
};
use serde_json::Value;

use crate::{Vector, list, unhex};

fn file() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/ciphertext.json"))
        .expect("vectors are JSON")
}

fn id(vector: &Vector<'_>) -> KeyVersion {
    KeyVersion { key: vector.array("key_id"), version: vector.array("version_id") }
}

fn check(vector: &Vector<'_>, opened: Option<&[u8]>) {
    let wanted = vector.has("plaintext").then(|| vector.bytes("plaintext"));
    assert_eq!(wanted.is_none(), vector.0["refused"] == Value::Bool(true));
    assert_eq!(opened, wanted.as_deref(), "{}", vector.name());
}

#[test]
fn messages_open_or_are_refused() {
    for vector in list(&file(), "messages") {
        let pairs: BTreeMap<String, String> =
            serde_json::from_value::<Vec<(String, String)>>(vector.0["pairs"].clone())
                .unwrap()
                .into_iter()
                .collect();
        let kind = match vector.number("kind") {
            1 => CipherKind::Message,
            _ => CipherKind::LeasedDataKey,
        };
        let context = CipherContext::new(kind, &vector.array("tenant"), &pairs);
        let key = CipherKey::new(id(&vector), &vector.secret("key"));
        let opened = key.decrypt(&context, &vector.bytes("ciphertext")).ok();
        check(&vector, opened.as_ref().map(|plain| plain.as_slice()));
    }
}

#[test]
fn sealed_values_open_in_their_place_alone() {
    for vector in list(&file(), "sealed_values") {
        let (tenant, row) = (vector.array("tenant"), vector.bytes("id"));
        let place = SealContext::new(&tenant, vector.text("kind"), &row, vector.number("revision"));
        let (id, key, sealed) = (id(&vector), vector.secret("key"), vector.bytes("sealed"));
        let opened = match (vector.text("extract_label"), vector.text("expand_label")) {
            (labels::MASTER_WRAP, labels::BODY) => SealKey::<MasterWrap>::new(id, &key)
                .open(&place, &Sealed::<Body>::from_bytes(sealed).unwrap()),
            (labels::BACKUP_WRAP, labels::ENTRY) => SealKey::<BackupWrap>::new(id, &key)
                .open(&place, &Sealed::<Entry>::from_bytes(sealed).unwrap()),
            other => panic!("{other:?}"),
        };
        check(&vector, opened.as_ref().ok().map(|plain| plain.as_slice()));
    }
}

#[test]
fn key_check_values_are_derived_again() {
    for vector in list(&file(), "key_checks") {
        let found = key_check_value(id(&vector), &vector.bytes("material"));
        assert_eq!(found, vector.array("key_check"));
    }
}

#[test]
fn streams_open_whole_and_in_order_alone() {
    let file = file();
    let streams = Vector(&file["streams"]);
    let (key, binding) = (streams.secret("content_key"), streams.array("binding_hash"));
    for short in list(streams.0, "short") {
        let plain = short.bytes("plaintext");
        assert_eq!(*open_stream(&key, &binding, &short.bytes("sealed")).unwrap(), plain);
    }
    let long = unhex(streams.0["long"]["sealed"].as_str().unwrap());
    let plain: Vec<u8> = (0..65_541u32).map(|i| (i % 251) as u8).collect();
    assert_eq!(*open_stream(&key, &binding, &long).unwrap(), plain);
    assert_eq!(seal_stream(&key, &binding, &plain), long);
    for refused in list(streams.0, "refused") {
        let slices: Vec<[usize; 2]> = serde_json::from_value(refused.0["slices"].clone()).unwrap();
        let joined: Vec<u8> =
            slices.iter().flat_map(|[from, to]| long[*from..*to].to_vec()).collect();
        assert!(open_stream(&key, &binding, &joined).is_err(), "{}", refused.name());
    }
}

#[test]
fn boxes_open_with_their_seed_and_info_alone() {
    for vector in list(&file(), "boxes") {
        let seed = RecipientSeed::new(vector.secret("seed"));
        assert_eq!(seed.public().as_bytes(), vector.bytes("public"));
        assert_eq!(seed.public().fingerprint(), vector.array("fingerprint"));
        let opened = seed.open(vector.text("info"), &[], &vector.bytes("sealed")).ok();
        check(&vector, opened.as_ref().map(|plain| plain.as_slice()));
    }
}
