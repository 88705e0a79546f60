//! Vectors of the names and bytes of tiles, and of which ones a log has.
//!
//! Invariant: the refused are one step away from the taken.

use keystead_ledger::{TileLevel, TileName, new_tiles};
use serde_json::{Value, json};

use crate::world::{bundle, hex, refused};

/// What is written otherwise, or beyond the longest log.
const NO_NAMES: [&str; 44] = [
    "",
    "tile",
    "tile/0",
    "tile/0/",
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/0/x000/001",
    "tile/0/001/002",
    "tile/0/x001",
    "tile/0/x001/x002",
    "tile/0/xx01/002",
    "tile/0/x1/002",
    "tile/0/X001/002",
    "tile/00/000",
    "tile/+1/000",
    "tile/8/000.p/1",
    "tile/63/000",
    "tile/256/000",
    "tile/-1/000",
    "tile/data/000",
    "tile/Entries/000",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/0/000.p/256",
    "tile/0/000.p/257",
    "tile/0/000.p/",
    "tile/0/000.p",
    "tile/0/000.p/1/",
    "tile/0/000.p/1.p/1",
    "tile/0/000/",
    "/tile/0/000",
    "tile//000",
    "tile/0/00a",
    "tile/0/000 ",
    "tile/0/000\n",
    "tile/0/٠٠٠",
    "tile/7/000",
    "tile/7/000.p/128",
    "tile/7/001.p/1",
    "tile/0/x036/x028/x797/x018/x963/967",
    "tile/0/x036/x028/x797/x018/x963/968.p/1",
    "tile/0/x999/x999/x999/x999/x999/x999/999",
    "checkpoint/300",
];

pub(crate) fn names() -> Value {
    let case = |name: &str| json!({ "name": name });
    let mut all = Vec::new();
    for name in [
        "tile/0/000",
        "tile/0/000.p/1",
        "tile/0/x001/x234/067",
        "tile/0/x036/x028/x797/x018/x963/966",
        "tile/1/255.p/255",
        "tile/7/000.p/127",
        "tile/entries/000",
        "tile/entries/x001/000.p/17",
        "tile/entries/x036/x028/x797/x018/x963/967.p/255",
    ] {
        let tile: TileName = name.parse().expect(name);
        let mut made = case(name);
        made["level"] = match tile.level() {
            TileLevel::Entries => json!("entries"),
            TileLevel::Hashes(level) => json!(level),
        };
        made["index"] = json!(tile.index());
        made["width"] = json!(tile.width());
        all.push(made);
    }
    all.extend(NO_NAMES.map(|name| refused(case(name), "malformed")));
    all.into()
}

fn case(name: &str, bytes: &[u8]) -> Value {
    json!({ "name": name, "bytes": hex(bytes) })
}

pub(crate) fn hash_tiles() -> Value {
    let three: Vec<u8> = (0..96).collect();
    let hashes: Vec<_> = three.chunks(32).map(hex).collect();
    let mut good = case("tile/2/005.p/3", &three);
    good["hashes"] = hashes.into();
    let mut all = vec![good];
    for (name, bytes) in [
        ("tile/2/005.p/2", &three[..]),
        ("tile/2/005.p/4", &three),
        ("tile/2/005", &three),
        ("tile/2/005.p/3", &three[1..]),
        ("tile/2/005.p/3", &[]),
        ("tile/entries/005.p/3", &three),
        ("tile/2/005.p/03", &three),
    ] {
        all.push(refused(case(name, bytes), "malformed"));
    }
    all.push(refused(case("tile/2/005.p/3", &[&three[..], &[0]].concat()), "malformed"));
    all.into()
}

pub(crate) fn bundles() -> Value {
    let entries = [vec![], b"abc".to_vec(), vec![7; 300]];
    let bytes = bundle(&entries);
    let mut good = case("tile/entries/005.p/3", &bytes);
    good["entries"] = entries.iter().map(|entry| hex(entry)).collect();
    let mut all = vec![good];
    let longer = [&bytes[..], &[0, 0]].concat();
    for (name, bytes) in [
        ("tile/entries/005.p/2", &bytes[..]),
        ("tile/entries/005.p/4", &bytes),
        ("tile/entries/005", &bytes),
        ("tile/entries/005.p/3", &bytes[..bytes.len() - 1]),
        ("tile/entries/005.p/3", &bytes[..6]),
        ("tile/entries/005.p/3", &bytes[..1]),
        ("tile/entries/005.p/3", &longer),
        ("tile/entries/005.p/3", &longer[..longer.len() - 1]),
        ("tile/entries/005.p/3", &[]),
        ("tile/0/005.p/3", &bytes),
    ] {
        all.push(refused(case(name, bytes), "malformed"));
    }
    all.into()
}

pub(crate) fn sizes() -> Value {
    let pairs = [
        (0, 0),
        (0, 1),
        (0, 255),
        (0, 256),
        (0, 257),
        (1, 2),
        (255, 256),
        (256, 256),
        (200, 300),
        (300, 1000),
        (65_535, 65_536),
        (65_536, 65_537),
        (69_900, 70_000),
    ];
    let made = |(older, size)| {
        let names: Vec<String> = new_tiles(older, size).map(|tile| tile.to_string()).collect();
        let name = format!("{older} to {size}");
        json!({ "name": name, "older": older, "size": size, "names": names })
    };
    pairs.into_iter().map(made).collect()
}
