//! Vectors of `ciphertext.md`: envelopes, streams, HPKE boxes, key-check values.
//!
//! Invariant: each refused one differs from a lawful one in what its name says.

use std::collections::BTreeMap;

use keystead_crypto::{
    BackupWrap, Body, CipherContext, CipherKey, CipherKind, Entropy, KeyVersion, MasterWrap,
    RecipientSeed, SealContext, SealKey, Secret, key_check_value, labels, seal_stream,
};
use keystead_domain::to_hex;
use serde_json::{Value, json};

use crate::world::{flipped, hex, secret_hex};

const ID: KeyVersion = KeyVersion { key: [0x11; 16], version: [0x22; 8] };
const TENANT: [u8; 16] = [0x33; 16];

pub(crate) fn vectors() -> Value {
    let entropy = Entropy::seeded(0x6369);
    json!({
        "format": "docs/formats/ciphertext.md",
        "messages": messages(&entropy),
        "sealed_values": sealed_values(&entropy),
        "key_checks": key_checks(&entropy),
        "streams": streams(&entropy),
        "boxes": boxes(&entropy),
    })
}

struct Message {
    key: Value,
    tenant: [u8; 16],
    kind: u8,
    pairs: Vec<(&'static str, &'static str)>,
}

impl Message {
    fn vector(&self, name: &str, ciphertext: &[u8], plaintext: Option<&[u8]>) -> Value {
        json!({
            "name": name,
            "key": self.key, "key_id": hex(ID.key), "version_id": hex(ID.version),
            "tenant": hex(self.tenant), "kind": self.kind, "pairs": self.pairs,
            "ciphertext": hex(ciphertext),
            "plaintext": plaintext.map(hex),
            "refused": plaintext.is_none(),
        })
    }
}

fn messages(entropy: &Entropy) -> Vec<Value> {
    let raw: Secret<32> = entropy.secret();
    let key = CipherKey::new(ID, &raw);
    let made = |kind, pairs: &[(&'static str, &'static str)], plain: &[u8]| {
        let map: BTreeMap<String, String> =
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        key.encrypt(entropy, &CipherContext::new(kind, &TENANT, &map), plain)
    };
    let message = |pairs: &[(&'static str, &'static str)]| Message {
        key: secret_hex(&raw),
        tenant: TENANT,
        kind: 1,
        pairs: pairs.to_vec(),
    };
    let context = [("patient", "4711"), ("purpose", "PHI")];
    let base = made(CipherKind::Message, &context, b"hello");
    let mut out = vec![
        message(&[]).vector(
            "empty plaintext, no context",
            &made(CipherKind::Message, &[], b""),
            Some(b""),
        ),
        message(&context).vector("two pairs, sorted", &base, Some(b"hello")),
        message(&[("Z", "1"), ("a", "2"), ("ä", "ö")]).vector(
            "pairs sorted by bytes, not by letters",
            &made(CipherKind::Message, &[("Z", "1"), ("a", "2"), ("ä", "ö")], b"x"),
            Some(b"x"),
        ),
        Message { kind: 2, ..message(&[]) }.vector(
            "a leased data key",
            &made(CipherKind::LeasedDataKey, &[], &[7; 32]),
            Some(&[7; 32]),
        ),
    ];
    let at = base.len();
    for (name, place) in [
        ("version 0", 0),
        ("suite 0", 2),
        ("another key id", 3),
        ("another version id", 19),
        ("altered message id", 27),
        ("altered commitment", 59),
        ("altered ciphertext", 91),
        ("altered tag", at - 1),
    ] {
        out.push(message(&context).vector(name, &flipped(&base, place), None));
    }
    out.push(message(&context).vector("cut off", &base[..at - 1], None));
    out.push(message(&context).vector("one byte more", &[&base[..], &[0]].concat(), None));
    out.push(message(&[]).vector("context left out", &base, None));
    out.push(message(&[("patient", "4711P"), ("urpose", "HI")]).vector(
        "context moved",
        &base,
        None,
    ));
    out.push(Message { tenant: [0x34; 16], ..message(&context) }.vector(
        "another tenant",
        &base,
        None,
    ));
    out.push(Message { kind: 2, ..message(&context) }.vector("another kind", &base, None));
    out.push(Message { key: hex([9; 32]), ..message(&context) }.vector("another key", &base, None));
    out
}

fn sealed_values(entropy: &Entropy) -> Vec<Value> {
    let raw: Secret<32> = entropy.secret();
    let master = SealKey::<MasterWrap>::new(ID, &raw);
    let backup = SealKey::<BackupWrap>::new(ID, &raw);
    let place = SealContext::new(&TENANT, "key", b"row", 3);
    let body = master.seal::<Body>(entropy, &place, b"a body");
    let entry = backup.seal::<keystead_crypto::Entry>(entropy, &place, b"an entry");
    let vector =
        |name: &str, labels: [&str; 2], kind: &str, revision: u64, sealed: &[u8], plain| {
            let plain: Option<&[u8]> = plain;
            json!({
                "name": name, "key": secret_hex(&raw),
                "key_id": hex(ID.key), "version_id": hex(ID.version),
                "extract_label": labels[0], "expand_label": labels[1],
                "tenant": hex(TENANT), "kind": kind, "id": hex(b"row"), "revision": revision,
                "sealed": hex(sealed), "plaintext": plain.map(hex), "refused": plain.is_none(),
            })
        };
    let of_body = [labels::MASTER_WRAP, labels::BODY];
    let of_entry = [labels::BACKUP_WRAP, labels::ENTRY];
    let (body, entry) = (body.as_bytes(), entry.as_bytes());
    vec![
        vector("a body under the master key", of_body, "key", 3, body, Some(b"a body")),
        vector("an entry under the backup key", of_entry, "key", 3, entry, Some(b"an entry")),
        vector("a body of another revision", of_body, "key", 4, body, None),
        vector("a body of another kind of row", of_body, "kit", 3, body, None),
        vector("a body taken for an entry", of_entry, "key", 3, body, None),
        vector("an altered body", of_body, "key", 3, &flipped(body, 95), None),
    ]
}

fn key_checks(entropy: &Entropy) -> Vec<Value> {
    let material: Secret<32> = entropy.secret();
    let check = material.expose(|material| key_check_value(ID, material));
    vec![json!({
        "material": secret_hex(&material), "key_id": hex(ID.key),
        "version_id": hex(ID.version), "key_check": hex(check),
    })]
}

/// Large streams are given by their pattern; altered ones by the slices they are joined from.
fn streams(entropy: &Entropy) -> Value {
    let key: Secret<32> = entropy.secret();
    let binding = entropy.array::<32>();
    let plain: Vec<u8> = (0..65_541u32).map(|i| (i % 251) as u8).collect();
    let long = seal_stream(&key, &binding, &plain);
    let step = 65_536 + 16;
    let refused = |name: &str, slices: &[[usize; 2]]| json!({ "name": name, "slices": slices });
    let whole = long.len();
    json!({
        "content_key": secret_hex(&key), "binding_hash": hex(binding),
        "short": [
            { "plaintext": "", "sealed": hex(seal_stream(&key, &binding, b"")) },
            { "plaintext": hex(b"seed"), "sealed": hex(seal_stream(&key, &binding, b"seed")) },
        ],
        "long": {
            "plaintext": "byte i is i modulo 251, 65,541 bytes",
            "sealed": hex(&long),
        },
        "refused": [
            refused("nothing", &[]),
            refused("last chunk dropped", &[[0, step]]),
            refused("first chunk dropped", &[[step, whole]]),
            refused("chunks exchanged", &[[step, whole], [0, step]]),
            refused("last chunk repeated", &[[0, whole], [step, whole]]),
            refused("cut inside the last chunk", &[[0, whole - 1]]),
        ],
    })
}

fn boxes(entropy: &Entropy) -> Vec<Value> {
    let seed = RecipientSeed::random(entropy);
    let other = RecipientSeed::random(entropy);
    let info = format!("{}{}", labels::HPKE_SLOT, to_hex(&[0xAB; 32]));
    let sealed = seed.public().seal(entropy, &info, &[], b"plaintext");
    let vector = |name: &str, seed: &RecipientSeed, info: &str, sealed: &[u8], open| {
        let plain: Option<&[u8]> = open;
        json!({
            "name": name, "seed": secret_hex(seed.secret()),
            "public": hex(seed.public().as_bytes()),
            "fingerprint": hex(seed.public().fingerprint()),
            "info": info, "sealed": hex(sealed),
            "plaintext": plain.map(hex), "refused": plain.is_none(),
        })
    };
    let as_content = info.replace(labels::HPKE_SLOT, labels::HPKE_CONTENT);
    let elsewhere = info.replace("ab", "ac");
    vec![
        vector("a box", &seed, &info, &sealed, Some(b"plaintext")),
        vector("another seed", &other, &info, &sealed, None),
        vector("another label", &seed, &as_content, &sealed, None),
        vector("another place", &seed, &elsewhere, &sealed, None),
        vector("altered encapsulation", &seed, &info, &flipped(&sealed, 7), None),
        vector("altered tag", &seed, &info, &flipped(&sealed, sealed.len() - 1), None),
        vector("cut off", &seed, &info, &sealed[..1119], None),
    ]
}
