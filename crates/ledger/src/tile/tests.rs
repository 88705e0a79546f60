//! Names, bytes and growth of tiles.

use std::collections::BTreeSet;

use super::*;
use crate::{
    CompactRange, Leaf, leaf_hash,
    testing::{Log, bundled},
};

fn name(text: &str) -> TileName {
    text.parse().unwrap()
}

#[test]
fn names_are_those_of_the_specification() {
    for (text, level, index, width) in [
        ("tile/0/x001/x234/067", TileLevel::Hashes(0), 1_234_067, 256),
        ("tile/0/000.p/1", TileLevel::Hashes(0), 0, 1),
        ("tile/7/000.p/127", TileLevel::Hashes(7), 0, 127),
        ("tile/entries/007", TileLevel::Entries, 7, 256),
        ("tile/entries/999.p/255", TileLevel::Entries, 999, 255),
        ("tile/3/x001/000", TileLevel::Hashes(3), 1000, 256),
    ] {
        let tile = TileName::new(level, index, width).unwrap();
        assert_eq!((tile.to_string().as_str(), name(text)), (text, tile));
    }
}

#[test]
fn a_name_in_another_spelling_or_of_no_log_is_refused() {
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/x001/x002",
        "tile/0/xx01/002",
        "tile/0/x1/002",
        "tile/0/X001/002",
        "tile/00/001",
        "tile/+1/001",
        "tile/8/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/Entries/000",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/65792",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/0/000.p",
        "tile/0/000/",
        "/tile/0/000",
        "tile//000",
        "tile/0/00a",
        "tile/0/000 ",
        "tile/7/000",
        "tile/7/000.p/128",
        "tile/7/001.p/1",
        "tile/0/x036/x028/x797/x018/x963/967",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/entries/x099/x999/x999/x999/x999/x999/x999/999",
        "checkpoint/1",
    ] {
        let wanted = Err(TileRefused::Name { name: bad.to_owned() });
        assert_eq!(bad.parse::<TileName>(), wanted, "{bad}");
    }
    for (level, index, width) in [
        (TileLevel::Hashes(0), 0, 0),
        (TileLevel::Hashes(0), 0, 257),
        (TileLevel::Hashes(8), 0, 1),
        (TileLevel::Hashes(255), 0, 1),
        (TileLevel::Entries, u64::MAX, 1),
        (TileLevel::Entries, u64::MAX / 256, 256),
        (TileLevel::Hashes(7), 0, 128),
    ] {
        assert_eq!(TileName::new(level, index, width), None, "{level:?} {index} {width}");
    }
    let last = (LOG_LEAVES / 256, u16::try_from(LOG_LEAVES % 256).unwrap());
    assert!(TileName::new(TileLevel::Entries, last.0, last.1).is_some());
    assert!(TileName::new(TileLevel::Entries, last.0, last.1 + 1).is_none());
}

#[test]
fn a_log_of_70000_has_the_tiles_that_the_specification_counts() {
    let all: Vec<TileName> = new_tiles(0, 70_000).collect();
    let of = |level, is_full: bool| {
        let is_one = |tile: &&TileName| tile.level == level && (tile.width == 256) == is_full;
        all.iter().filter(is_one).map(|tile| (tile.index, tile.width)).collect::<Vec<_>>()
    };
    for level in [TileLevel::Hashes(0), TileLevel::Entries] {
        assert_eq!(of(level, true).len(), 273);
        assert_eq!(of(level, false), [(273, 112)]);
    }
    assert_eq!(of(TileLevel::Hashes(1), true), [(0, 256)]);
    assert_eq!(of(TileLevel::Hashes(1), false), [(1, 17)]);
    assert_eq!(of(TileLevel::Hashes(2), false), [(0, 1)]);
    assert_eq!(all.len(), 2 * 274 + 2 + 1);
    let names: Vec<String> = new_tiles(0, 256).map(|tile| tile.to_string()).collect();
    assert_eq!(names, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(new_tiles(0, 0).count(), 0);
}

#[test]
fn new_tiles_are_those_that_the_older_size_had_not() {
    let sizes = [0u64, 1, 2, 255, 256, 257, 511, 512, 513, 1000, 65_535, 65_536, 65_537, 70_000];
    for older in sizes {
        let had: BTreeSet<_> = new_tiles(0, older).collect();
        for size in sizes {
            let has: BTreeSet<_> = new_tiles(0, size).collect();
            let wanted: BTreeSet<_> = has.difference(&had).copied().collect();
            let found: BTreeSet<_> = new_tiles(older, size).collect();
            let wanted = if older <= size { wanted } else { BTreeSet::new() };
            assert_eq!(found, wanted, "{older} to {size}");
        }
    }
    let huge: Vec<_> = new_tiles(LOG_LEAVES - 1, LOG_LEAVES).map(|tile| tile.to_string()).collect();
    assert_eq!(huge.len(), 2, "{huge:?}");
    assert_eq!(new_tiles(0, u64::MAX).take(3).count(), 3);
}

#[test]
fn a_growing_log_makes_every_tile_that_its_definition_has_and_no_other() {
    let log = Log::new(1100);
    let (mut rows, mut made, mut tree) = (TileRows::new(), BTreeSet::new(), CompactRange::new());
    for (at, entry) in log.entries.iter().enumerate() {
        let full = rows.push(leaf_hash(entry));
        tree.push(leaf_hash(entry));
        for (tile, hashes) in full {
            assert_eq!(write_hashes(&hashes), log.file(tile), "{tile}");
            assert!(made.insert(tile), "{tile} was made twice");
        }
        let size = at as u64 + 1;
        assert_eq!((rows.size(), rows.root()), (size, tree.root()));
        let edge: Vec<_> = rows.partial().map(|(tile, hashes)| (tile, hashes.to_vec())).collect();
        for (tile, hashes) in &edge {
            assert_eq!(write_hashes(hashes), log.file(*tile), "{tile}");
        }
        let is_hash = |tile: &TileName| tile.level != TileLevel::Entries;
        let wanted: BTreeSet<_> = new_tiles(0, size).filter(is_hash).collect();
        let found: BTreeSet<_> =
            made.iter().copied().chain(edge.iter().map(|(tile, _)| *tile)).collect();
        assert_eq!(found, wanted, "{size}");
        let partial = |wanted| {
            let (_, hashes) = edge.iter().find(|(tile, _)| *tile == wanted)?;
            Some(write_hashes(hashes))
        };
        let resumed = TileRows::resume(size, partial).unwrap();
        assert_eq!((resumed.root(), resumed.size()), (rows.root(), size));
    }
}

#[test]
fn a_resumed_log_grows_as_the_one_before_and_needs_its_whole_edge() {
    let log = Log::new(600);
    let files = log.files(300);
    let mut rows = TileRows::resume(300, |tile| files.get(&tile).cloned()).unwrap();
    log.entries[300..].iter().for_each(|entry| drop(rows.push(leaf_hash(entry))));
    assert_eq!(rows.root(), log.mth(0, 600));
    for tile in TileRows::edge(300) {
        let found =
            TileRows::resume(300, |asked| files.get(&asked).filter(|_| asked != tile).cloned());
        assert_eq!(found, Err(TileRefused::Missing { tile }));
        let short = |asked| {
            let mut bytes = files.get(&asked)?.clone();
            bytes.pop().filter(|_| asked == tile);
            Some(bytes)
        };
        assert!(matches!(TileRows::resume(300, short), Err(TileRefused::Length { .. })));
    }
    assert_eq!(TileRows::resume(0, |_| None).unwrap().root(), CompactRange::new().root());
}

#[test]
fn a_tile_is_as_long_as_its_name_says() {
    let tile = name("tile/0/000.p/3");
    let bytes = [7; 96];
    assert_eq!(tile.read_hashes(&bytes), Ok(vec![[7; 32]; 3]));
    for found_bytes in [0, 1, 32, 64, 95, 97, 128, 8192] {
        let found = tile.read_hashes(&vec![7; found_bytes]);
        assert_eq!(found, Err(TileRefused::Length { tile, found_bytes, wanted_bytes: 96 }));
    }
    let bundle = name("tile/entries/000.p/3");
    assert_eq!(bundle.read_hashes(&bytes), Err(TileRefused::OtherContent { tile: bundle }));
    assert_eq!(tile.read_entries(&bytes), Err(TileRefused::OtherContent { tile }));
}

#[test]
fn a_bundle_has_its_entries_whole_and_nothing_behind_them() {
    let tile = name("tile/entries/000.p/3");
    let long = vec![1; LEAF_BYTES];
    let entries: [&[u8]; 3] = [b"", &long, b"abc"];
    let bytes: Vec<u8> = entries.iter().flat_map(|entry| bundled(entry)).collect();
    assert_eq!(tile.read_entries(&bytes).unwrap(), entries);
    for (cut, entry) in [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1), (LEAF_BYTES + 3, 1)] {
        let found = tile.read_entries(&bytes[..cut]);
        assert_eq!(found, Err(TileRefused::Truncated { tile, entry }), "{cut}");
    }
    for cut in bytes.len() - 5..bytes.len() {
        let found = tile.read_entries(&bytes[..cut]);
        assert_eq!(found, Err(TileRefused::Truncated { tile, entry: 2 }), "{cut}");
    }
    let longer = [&bytes[..], &[0, 0]].concat();
    let found = tile.read_entries(&longer);
    assert_eq!(found, Err(TileRefused::Trailing { tile, extra_bytes: 2 }));
    let wider = name("tile/entries/000.p/4");
    assert!(wider.read_entries(&bytes).is_err());
}

#[test]
fn a_bundle_of_leaves_reads_back() {
    let corpus = include_bytes!("../../../../fuzz/corpus/leaf/use-refused");
    let leaf = Leaf::from_bytes(corpus.to_vec()).unwrap();
    let bytes = write_entries(&[leaf.clone(), leaf.clone()]);
    let found = name("tile/entries/000.p/2").read_entries(&bytes).unwrap();
    assert_eq!(found, [leaf.as_bytes(), leaf.as_bytes()]);
}
