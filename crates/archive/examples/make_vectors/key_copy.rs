//! Vectors of key copies.
//!
//! Invariant: each refused one is signed by a certified node, unless its name says otherwise.

use keystead_archive::{Algorithm, CopyKind, KeyCopy, KeyCopyFields};
use keystead_crypto::{KeyVersion, P256Key, RecipientSeed, Secret, key_check_value, labels};
use keystead_domain::{KeyId, VersionId};
use serde_json::{Value, json};

use crate::{
    forged,
    world::{Node, World, flipped, hex, secret_hex},
};

const COPY: u16 = 6;
const WHAT: &str = "key-copy";
const AT_KIND: usize = 32;
const AT_KEY: usize = 33;
const AT_ALGORITHM: usize = 33 + 16 + 8 + 4;
const AT_CHECK: usize = AT_ALGORITHM + 2 + 16 + 32;
/// n of P-256 (SEC 2, section 2.4.2), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn fields(world: &World, kind: CopyKind, algorithm: Algorithm) -> KeyCopyFields {
    KeyCopyFields {
        instance: world.instance,
        tenant: world.tenant,
        kind,
        key: KeyId::random(&world.entropy),
        version: VersionId::random(&world.entropy),
        version_number: 1,
        algorithm,
        epoch: world.epoch,
        recipient_set_hash: world.entropy.array(),
        created_at: world.now,
    }
}

fn base(world: &World, name: &str, object: &[u8]) -> Value {
    json!({
        "name": name,
        "root_key": hex(world.root.public().0),
        "epoch_seed": secret_hex(world.epoch_seed.secret()),
        "object": hex(object),
    })
}

fn refused(world: &World, name: &str, object: &[u8], why: &str) -> Value {
    let mut made = base(world, name, object);
    made["refused"] = json!(why);
    made
}

fn opened(world: &World, name: &str, object: &[u8]) -> Value {
    let copy = KeyCopy::open(object, &world.root.public(), &world.epoch_seed).expect("lawful");
    let fields = &copy.header.fields;
    let mut made = base(world, name, object);
    made["header"] = json!({
        "instance": hex(fields.instance.as_bytes()), "tenant": hex(fields.tenant.as_bytes()),
        "kind": fields.kind as u8, "key": hex(fields.key.as_bytes()),
        "version": hex(fields.version.as_bytes()), "version_number": fields.version_number,
        "algorithm": fields.algorithm as u16, "epoch": hex(fields.epoch.as_bytes()),
        "recipient_set_hash": hex(fields.recipient_set_hash),
        "key_check": hex(copy.header.key_check), "created_at": fields.created_at.as_micros(),
        "node": hex(copy.header.node.node.as_bytes()),
    });
    made["material"] = secret_hex(&copy.material);
    made
}

pub(crate) fn vectors() -> Value {
    let world = World::new(0x6b63);
    let node = world.signer();
    let public = world.epoch_seed.public();
    let make = |kind, algorithm| {
        let material: Secret<32> = world.entropy.secret();
        let fields = fields(&world, kind, algorithm);
        KeyCopy::make(&world.entropy, &node.signer, &public, &fields, &material).expect("lawful")
    };
    let copy = make(CopyKind::TenantKey, Algorithm::Aes256Gcm);
    let root = make(CopyKind::RootSigning, Algorithm::Ed25519);
    let mut all = vec![
        opened(&world, "a tenant key", &copy),
        opened(&world, "the root's signing key", &root),
        opened(&world, "a tenant's audit key", &make(CopyKind::TenantAudit, Algorithm::HmacSha256)),
    ];
    all.extend(outside(&world, &node, &copy, &root));
    all.extend(inside(&world, &node, &copy));
    all.extend(algorithms(&world, &node, &copy));
    json!({ "format": "docs/formats/key-copy.md", "vectors": all })
}

/// What needs no key to be refused.
fn outside(world: &World, node: &Node, copy: &[u8], root: &[u8]) -> Vec<Value> {
    let header = forged::header_of(copy);
    let body = forged::body_of(copy);
    let fields = &header[..header.len() - 32];
    let edited = |at: usize, value: u8| {
        let mut fields = fields.to_vec();
        fields[at] = value;
        forged::with_digest(COPY, WHAT, &node.key, &fields, &body)
    };
    let by_root = forged::frame(COPY, WHAT, &world.root, &header, &body);
    let as_segment = forged::frame(COPY, "segment", &node.key, &header, &body);
    let other_body = forged::frame(COPY, WHAT, &node.key, &header, &forged::body_of(root));
    let long = forged::with_digest(COPY, WHAT, &node.key, fields, &[&body[..], &[0]].concat());
    let foreign = World::new(0x6b64);
    let mut strange = fields.to_vec();
    strange[..16].copy_from_slice(foreign.instance.as_bytes());
    let strange = forged::with_digest(COPY, WHAT, &node.key, &strange, &body);
    let mut newer = copy.to_vec();
    newer[11] = 2;
    let mut other_type = copy.to_vec();
    other_type[9] = 7;
    vec![
        refused(world, "signed by the root and not by the node", &by_root, "bad signature"),
        refused(world, "signed as a segment", &as_segment, "bad signature"),
        refused(world, "an altered signature", &flipped(copy, copy.len() - 1200), "bad signature"),
        refused(world, "an altered body", &flipped(copy, copy.len() - 1), "other body"),
        refused(world, "the body of another copy", &other_body, "other body"),
        refused(world, "a body of one byte more", &long, "too large"),
        refused(world, "another instance than the node's", &strange, "other node"),
        refused(world, "an unknown kind", &edited(AT_KIND, 7), "malformed"),
        refused(world, "an unknown algorithm", &edited(AT_ALGORITHM + 1, 9), "malformed"),
        refused(world, "version number 0", &edited(AT_ALGORITHM - 1, 0), "malformed"),
        refused(world, "a newer version", &newer, "newer version"),
        refused(world, "a segment", &other_type, "other type"),
        refused(world, "cut off", &copy[..copy.len() - 1], "other body"),
        refused(world, "nothing", &[], "malformed"),
    ]
}

/// What is found when the box is opened.
fn inside(world: &World, node: &Node, copy: &[u8]) -> Vec<Value> {
    let header = forged::header_of(copy);
    let fields = &header[..header.len() - 32];
    let sealed = |fields: &[u8], plain: &[u8], to: &RecipientSeed, info: &str| {
        let info = forged::info(info, COPY, fields);
        let body = to.public().seal(&world.entropy, &info, &[], plain);
        forged::with_digest(COPY, WHAT, &node.key, fields, &body)
    };
    let opened = KeyCopy::open(copy, &world.root.public(), &world.epoch_seed).expect("lawful");
    let mut plain = vec![fields[AT_KIND]];
    plain.extend_from_slice(&fields[AT_KEY..AT_KEY + 24]);
    plain.extend_from_slice(&fields[AT_ALGORITHM..AT_ALGORITHM + 2]);
    opened.material.expose(|material| plain.extend_from_slice(material));
    let ours = &world.epoch_seed;
    let other = RecipientSeed::random(&world.entropy);
    let info = labels::HPKE_KEY_COPY;
    let mut moved = fields.to_vec();
    moved[AT_KEY] ^= 1;
    let moved = forged::with_digest(COPY, WHAT, &node.key, &moved, &forged::body_of(copy));
    let with_check = |value: u8| {
        let mut fields = fields.to_vec();
        fields[AT_CHECK] = value;
        sealed(&fields, &plain, ours, info)
    };
    let to_other = sealed(fields, &plain, &other, info);
    let as_content = sealed(fields, &plain, ours, labels::HPKE_CONTENT);
    let other_plain = |at: usize| sealed(fields, &flipped(&plain, at), ours, info);
    let check = with_check(fields[AT_CHECK] ^ 1);
    vec![
        refused(world, "the box moved to another header", &moved, "does not open"),
        refused(world, "sealed to another epoch", &to_other, "does not open"),
        refused(world, "sealed as a content key", &as_content, "does not open"),
        refused(world, "another kind inside", &other_plain(0), "other material"),
        refused(world, "another key id inside", &other_plain(1), "other material"),
        refused(world, "another version id inside", &other_plain(17), "other material"),
        refused(world, "another algorithm inside", &other_plain(26), "other material"),
        refused(world, "another material inside", &other_plain(58), "other material"),
        refused(world, "another key-check value outside", &check, "other material"),
    ]
}

/// Each algorithm that a tenant key can have, and scalars of P-256 at both ends of their range.
fn algorithms(world: &World, node: &Node, copy: &[u8]) -> Vec<Value> {
    let public = world.epoch_seed.public();
    let make = |algorithm, material: &Secret<32>| {
        let fields = fields(world, CopyKind::TenantKey, algorithm);
        KeyCopy::make(&world.entropy, &node.signer, &public, &fields, material).expect("lawful")
    };
    let drawn = |algorithm| make(algorithm, &world.entropy.secret());
    let scalar = |last: u8| {
        let mut scalar = if last == 1 { [0; 32] } else { ORDER };
        scalar[31] = last;
        Secret::from_slice(&scalar).expect("32 bytes")
    };
    let ed25519 = drawn(Algorithm::Ed25519);
    let p256 = make(Algorithm::EcdsaP256, &P256Key::draw(&world.entropy));
    let mut all = vec![
        opened(world, "a tenant key for Ed25519", &ed25519),
        opened(world, "a tenant key for HMAC-SHA-256", &drawn(Algorithm::HmacSha256)),
        opened(world, "a tenant key for ECDSA over P-256", &p256),
        opened(world, "the least scalar of P-256", &make(Algorithm::EcdsaP256, &scalar(1))),
        opened(world, "the greatest scalar of P-256", &make(Algorithm::EcdsaP256, &scalar(0x50))),
    ];
    let outside = |name, object: &[u8], at: usize, value: u8, why| {
        let header = forged::header_of(object);
        let mut fields = header[..header.len() - 32].to_vec();
        fields[at] = value;
        let object = forged::with_digest(COPY, WHAT, &node.key, &fields, &forged::body_of(object));
        refused(world, name, &object, why)
    };
    let kind = |name, kind: u8| outside(name, &p256, AT_KIND, kind, "malformed");
    all.extend([
        kind("a root's signing key for P-256", 1),
        kind("a master key for P-256", 2),
        kind("a tenant's signing key for P-256", 3),
        kind("a backup key for P-256", 4),
        kind("an audit key for P-256", 5),
        outside("algorithm 0", copy, AT_ALGORITHM + 1, 0, "malformed"),
        outside("algorithm 5", copy, AT_ALGORITHM + 1, 5, "malformed"),
        outside("algorithm 260", &p256, AT_ALGORITHM, 1, "malformed"),
        outside("an Ed25519 key called P-256", &ed25519, AT_ALGORITHM + 1, 4, "does not open"),
        outside("a P-256 key called Ed25519", &p256, AT_ALGORITHM + 1, 2, "does not open"),
    ]);
    let mut above = ORDER;
    above[31] += 1;
    all.extend([
        no_scalar(world, node, "the scalar 0 of P-256", [0; 32]),
        no_scalar(world, node, "the order of P-256 as a scalar", ORDER),
        no_scalar(world, node, "a scalar above the order of P-256", above),
        no_scalar(world, node, "a scalar of all ones", [0xff; 32]),
    ]);
    all
}

/// A copy that is right in everything but that its material is no scalar of P-256.
fn no_scalar(world: &World, node: &Node, name: &str, scalar: [u8; 32]) -> Value {
    let fields = fields(world, CopyKind::TenantKey, Algorithm::EcdsaP256);
    let lawful = P256Key::draw(&world.entropy);
    let public = world.epoch_seed.public();
    let made = KeyCopy::make(&world.entropy, &node.signer, &public, &fields, &lawful);
    let header = forged::header_of(&made.expect("lawful"));
    let mut written = header[..header.len() - 32].to_vec();
    let id = KeyVersion { key: *fields.key.as_bytes(), version: *fields.version.as_bytes() };
    written[AT_CHECK..AT_CHECK + 32].copy_from_slice(&key_check_value(id, &scalar));
    let mut plain = vec![written[AT_KIND]];
    plain.extend_from_slice(&written[AT_KEY..AT_KEY + 24]);
    plain.extend_from_slice(&written[AT_ALGORITHM..AT_ALGORITHM + 2]);
    plain.extend_from_slice(&scalar);
    let info = forged::info(labels::HPKE_KEY_COPY, COPY, &written);
    let body = public.seal(&world.entropy, &info, &[], &plain);
    let object = forged::with_digest(COPY, WHAT, &node.key, &written, &body);
    refused(world, name, &object, "other material")
}
