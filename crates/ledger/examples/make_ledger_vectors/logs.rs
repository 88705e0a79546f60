//! Vectors of whole logs that are wrong in one place, and of what a first entry says.
//!
//! Invariant: each is the base log with a change that a stranger can make by hand.

use keystead_ledger::{
    Attributes, Head, Note, Origin, Succession, Value as Attribute, Writer, leaf_hash,
};
use serde_json::{Value, json};

use crate::world::{
    OLDER, SIZE, World, bundle, checkpoint, entry, files, hex, leaf, note_key, objects, refused,
    root,
};

pub(crate) fn logs(world: &World) -> Value {
    let mut all = vec![json!({ "name": "whole" })];
    for (name, older) in [
        ("whole, and grown", OLDER),
        ("whole, and grown from nothing", 0),
        ("whole, and grown from a full tile", 256),
        ("whole, and the same", SIZE),
    ] {
        all.push(json!({ "name": name, "older": world.note(older).to_string() }));
    }
    all.push(json!({ "name": "the empty log", "checkpoint": world.note(0).to_string() }));
    all.push(small(world, "one leaf", &world.entries[..1]));
    all.extend(spoilt(world));
    all.extend(of_other_checkpoints(world));
    all.extend(of_other_entries(world));
    all.into()
}

fn refused_at(mut case: Value, why: &str, at: impl Into<Value>) -> Value {
    case["at"] = at.into();
    refused(case, why)
}

/// Objects that were altered, cut or lost.
fn spoilt(world: &World) -> Vec<Value> {
    let mut all = Vec::new();
    for (name, why, at) in [
        ("tile/entries/000", "wrong entry", json!(0)),
        ("tile/entries/001.p/44", "wrong entry", json!(256)),
        ("tile/0/000", "wrong tile", json!("tile/0/000")),
        ("tile/0/001.p/44", "wrong edge", Value::Null),
        ("tile/1/000.p/1", "wrong edge", Value::Null),
    ] {
        let flip = json!({ "name": format!("{name} altered"), "flip": { "name": name, "at": 9 } });
        all.push(if at.is_null() { refused(flip, why) } else { refused_at(flip, why, at) });
        let lost = json!({ "name": format!("{name} lost"), "remove": [name] });
        all.push(refused_at(lost, "missing", name));
    }
    for (tile, bytes) in files(&world.entries).iter().filter(|(tile, _)| tile.width() < 256) {
        let name = tile.to_string();
        let set = |what: &str, bytes: &[u8]| {
            let mut made = json!({ "name": format!("{name} {what}"), "set": {} });
            made["set"][&name] = hex(bytes);
            refused(made, "malformed")
        };
        all.push(set("one byte less", &bytes[..bytes.len() - 1]));
        all.push(set("one byte more", &[bytes, &[0][..]].concat()));
        all.push(set("empty", &[]));
    }
    all
}

/// The right objects, and a checkpoint that is not theirs.
fn of_other_checkpoints(world: &World) -> Vec<Value> {
    let signed = |head: Head| checkpoint(head).sign(&world.key).to_string();
    let other_root = Head { root: [7; 32], ..world.head(SIZE) };
    let other_origin = Origin::new("ins_01/inc_02/nod_04").expect("three parts");
    let strange = Head { origin: other_origin, ..world.head(SIZE) };
    let fork = Head { root: [7; 32], ..world.head(OLDER) };
    let full = Head { root: [7; 32], ..world.head(256) };
    let by_stranger = world.checkpoint(SIZE).sign(&note_key(2)).to_string();
    let case = |name: &str, field: &str, note: String| {
        let mut made = json!({ "name": name });
        made[field] = json!(note);
        made
    };
    vec![
        refused(case("another root", "checkpoint", signed(other_root.clone())), "wrong edge"),
        refused(case("another log", "checkpoint", signed(strange.clone())), "other origin"),
        refused(case("another key", "checkpoint", by_stranger), "not signed"),
        refused_at(
            case("an older size", "checkpoint", signed(world.head(SIZE - 1))),
            "missing",
            "tile/0/001.p/43",
        ),
        refused(case("a fork", "older", signed(fork)), "fork"),
        refused(case("a fork at a full tile", "older", signed(full)), "fork"),
        refused(case("a fork of the same size", "older", signed(other_root)), "fork"),
        refused(case("grown out of another log", "older", signed(strange)), "other origin"),
        refused(
            case("shrunk", "older", signed(Head { size: SIZE + 1, ..world.head(SIZE) })),
            "beyond",
        ),
    ]
}

/// Objects of other entries than those that were signed, or of entries that are no leaves.
fn of_other_entries(world: &World) -> Vec<Value> {
    let bundle_of = |name: &str, entries: &[Vec<u8>]| {
        let set = json!({ "tile/entries/001.p/44": hex(&bundle(entries)) });
        json!({ "name": name, "set": set })
    };
    let tail = world.entries[256..].to_vec();
    let mut swapped = tail.clone();
    swapped.swap(7, 8);
    let mut doubled = tail.clone();
    doubled[9] = doubled[8].clone();
    let mut fewer = tail.clone();
    fewer.pop();
    let more = [&tail[..], &tail[..1]].concat();
    let mut odd =
        small(world, "an entry that is no leaf", &[world.entries[0].clone(), b"no leaf".to_vec()]);
    odd = refused_at(odd, "no leaf", 1);
    let own = Succession::new()
        .after(&Origin::new("a/b/c").expect("three parts"), world.head(5))
        .expect("another");
    let itself = small(world, "its own predecessor", &[entry(0, own.attributes())]);
    vec![
        refused_at(bundle_of("two entries swapped", &swapped), "wrong entry", 263),
        refused_at(bundle_of("an entry twice", &doubled), "wrong entry", 265),
        refused(bundle_of("an entry less", &fewer), "malformed"),
        refused(bundle_of("an entry more", &more), "malformed"),
        odd,
        refused(itself, "malformed"),
    ]
}

/// A log of its own under the base's origin and key.
fn small(world: &World, name: &str, entries: &[Vec<u8>]) -> Value {
    let head = Head { size: entries.len() as u64, root: root(entries), ..world.head(0) };
    let note: Note = checkpoint(head).sign(&world.key);
    assert!(entries.iter().all(|entry| leaf_hash(entry) != [0; 32]));
    json!({ "name": name, "checkpoint": note.to_string(), "set": objects(&files(entries)) })
}

pub(crate) fn successions(world: &World) -> Value {
    let head = |node: &str, size| {
        let origin = Origin::new(&format!("ins_01/inc_02/{node}")).expect("three parts");
        Head { origin, size, root: [7; 32] }
    };
    let case = |name: &str, attributes: Attributes| {
        let leaf = leaf(0, attributes);
        json!({ "name": name, "origin": world.origin.as_str(), "leaf": hex(leaf.as_bytes()) })
    };
    let none = Succession::new();
    let one = none.clone().after(&world.origin, head("nod_a", 5)).expect("another");
    let two = one.clone().after(&world.origin, head("nod_b", 9)).expect("another");
    let lost = two.clone().with_unknown_tail(9).expect("its size");
    let mut all: Vec<Value> =
        [("none", none), ("one", one), ("two", two), ("an unknown tail", lost)]
            .into_iter()
            .map(|(name, made)| {
                let heads = made.heads().map(|(head, unknown)| {
                json!({ "origin": head.origin.as_str(), "size": head.size, "root": hex(&head.root),
                    "tail_unknown": unknown })
            });
                let heads: Vec<Value> = heads.collect();
                let mut case = case(name, made.attributes());
                case["heads"] = heads.into();
                case
            })
            .collect();
    let written = |head: &Head| {
        let mut w = Writer::new();
        head.write(&mut w);
        w.finish()
    };
    let clear = |bytes: Vec<u8>| Attribute::Clear(bytes);
    let with = |pairs: &[(&str, Attribute)]| {
        let add = |all: Attributes, (name, value): &(&str, Attribute)| {
            all.with(name, value).expect("lawful")
        };
        pairs.iter().fold(Attributes::new(), add)
    };
    let (a, own) = (head("nod_a", 5), world.head(5));
    let longer = [written(&a), vec![0]].concat();
    let (head, tail) = ("previous-head", "tail-unknown-after");
    let bad: Vec<(&str, Vec<(&str, Attribute)>)> = vec![
        ("itself", vec![(head, clear(written(&own)))]),
        (
            "one origin twice",
            vec![
                (head, clear(written(&a))),
                (head, clear(written(&Head { size: 6, ..a.clone() }))),
            ],
        ),
        ("a head with a byte more", vec![(head, clear(longer))]),
        ("an empty head", vec![(head, clear(vec![]))]),
        ("a head as a mac", vec![(head, Attribute::Mac([0; 32]))]),
        (
            "an unknown tail of no head",
            vec![(head, clear(written(&a))), (tail, clear(6u64.to_be_bytes().to_vec()))],
        ),
        ("an unknown tail without a head", vec![(tail, clear(0u64.to_be_bytes().to_vec()))]),
        ("a tail of 7 bytes", vec![(head, clear(written(&a))), (tail, clear(vec![0; 7]))]),
        ("a tail as a mac", vec![(head, clear(written(&a))), (tail, Attribute::Mac([0; 32]))]),
    ];
    all.extend(bad.iter().map(|(name, pairs)| refused(case(name, with(pairs)), "malformed")));
    let used = include_bytes!("../../../../fuzz/corpus/leaf/use-refused");
    let used = json!({ "name": "a use", "origin": world.origin.as_str(), "leaf": hex(used) });
    all.push(refused(used, "malformed"));
    all.into()
}
