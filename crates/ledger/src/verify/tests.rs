//! Whole logs, right and wrong: what is wrong is named, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    hashes_from_tiles, prove_consistency,
    testing::{Log, bundled, flipped},
};

type Files = BTreeMap<TileName, Vec<u8>>;

fn name(text: &str) -> TileName {
    text.parse().unwrap()
}

/// Walks through all files; tells the entries.
fn walk(checkpoint: &Checkpoint, files: &Files) -> Result<Vec<Vec<u8>>, LogRefused> {
    let (mut walk, mut entries) = (Walk::new(checkpoint), Vec::new());
    while let Some(tile) = walk.wants() {
        let bytes = files.get(&tile).ok_or(TileRefused::Missing { tile })?;
        entries.extend(walk.give(bytes)?.into_iter().map(<[u8]>::to_vec));
    }
    let ended = walk.give(&[]);
    assert_eq!(ended, Err(LogRefused::Ended { size: checkpoint.size() }));
    Ok(entries)
}

#[test]
fn a_right_log_is_walked_whole_and_once() {
    let log = Log::new(1300);
    for size in [0usize, 1, 2, 255, 256, 257, 511, 512, 513, 1023, 1024, 1300] {
        let (checkpoint, files) = (log.checkpoint(size), log.files(size));
        assert_eq!(walk(&checkpoint, &files).unwrap(), log.entries[..size], "{size}");
        let (mut walk, mut asked) = (Walk::new(&checkpoint), Vec::new());
        while let Some(tile) = walk.wants() {
            asked.push(tile);
            walk.give(&files[&tile]).unwrap();
        }
        asked.sort_unstable();
        assert_eq!(asked, files.keys().copied().collect::<Vec<_>>(), "{size}");
    }
}

#[test]
fn a_log_of_three_levels_is_walked_and_its_wrong_tile_named() {
    let log = Log::new(66_000);
    let (checkpoint, files) = (log.checkpoint(66_000), log.files(66_000));
    assert_eq!(walk(&checkpoint, &files).unwrap().len(), 66_000);
    for wrong in ["tile/1/000", "tile/0/255", "tile/0/256"] {
        let mut files = files.clone();
        let bytes = files.get_mut(&name(wrong)).unwrap();
        *bytes = flipped(bytes, 77);
        let found = walk(&checkpoint, &files);
        assert_eq!(found, Err(LogRefused::WrongTile { tile: name(wrong) }));
    }
}

#[test]
fn every_file_that_is_altered_cut_or_lost_is_named() {
    let log = Log::new(600);
    let (checkpoint, files) = (log.checkpoint(600), log.files(600));
    for tile in files.keys().copied() {
        let with = |bytes: Option<Vec<u8>>| {
            let mut files = files.clone();
            files.remove(&tile);
            files.extend(bytes.map(|bytes| (tile, bytes)));
            walk(&checkpoint, &files).unwrap_err()
        };
        let bytes = &files[&tile];
        assert_eq!(with(None), TileRefused::Missing { tile }.into());
        for bad in [vec![], bytes[..bytes.len() - 1].to_vec(), [&bytes[..], &[0]].concat()] {
            assert!(matches!(with(Some(bad)), LogRefused::Tile(_)), "{tile}");
        }
        let (at, found) = (bytes.len() - 1, with(Some(flipped(bytes, bytes.len() - 1))));
        let wanted = match tile.level() {
            TileLevel::Entries => {
                LogRefused::WrongEntry { index: tile.first() + u64::from(tile.width()) - 1 }
            }
            TileLevel::Hashes(_) if tile.width() < 256 => LogRefused::WrongEdge { size: 600 },
            TileLevel::Hashes(_) => LogRefused::WrongTile { tile },
        };
        assert_eq!(found, wanted, "{tile} byte {at}");
    }
}

#[test]
fn the_first_wrong_entry_is_named_whatever_follows() {
    let log = Log::new(300);
    let checkpoint = log.checkpoint(300);
    for (first, last) in [(0usize, 299usize), (1, 2), (255, 256), (256, 299), (299, 299)] {
        let other = log.forked(first).forked(last);
        let mut files = log.files(300);
        for tile in ["tile/entries/000", "tile/entries/001.p/44"].map(name) {
            files.insert(tile, other.file(tile));
        }
        let found = walk(&checkpoint, &files);
        assert_eq!(found, Err(LogRefused::WrongEntry { index: first as u64 }));
    }
    let swapped: Vec<u8> = [1, 0].iter().flat_map(|at| bundled(&log.entries[*at])).collect();
    let mut files = log.files(2);
    files.insert(name("tile/entries/000.p/2"), swapped);
    let found = walk(&log.checkpoint(2), &files);
    assert_eq!(found, Err(LogRefused::WrongEntry { index: 0 }));
}

#[test]
fn files_of_another_history_do_not_give_the_root() {
    let log = Log::new(600);
    let other = log.forked(0);
    let found = walk(&log.checkpoint(600), &other.files(600));
    assert_eq!(found, Err(LogRefused::WrongEdge { size: 600 }));
    let found = walk(&log.checkpoint(599), &log.files(600));
    let tile = name("tile/0/002.p/87");
    assert_eq!(found, Err(TileRefused::Missing { tile }.into()));
}

#[test]
fn after_a_refusal_the_same_file_may_come_from_elsewhere() {
    let log = Log::new(600);
    let (checkpoint, files) = (log.checkpoint(600), log.files(600));
    let (mut walk, mut tried, mut refused) = (Walk::new(&checkpoint), BTreeSet::new(), 0);
    while let Some(tile) = walk.wants() {
        let bytes = &files[&tile];
        let is_new = tried.insert(tile);
        let given = if is_new { flipped(bytes, bytes.len() - 1) } else { bytes.clone() };
        let is_refused = walk.give(&given).is_err();
        assert!(is_new || !is_refused, "{tile}");
        refused += usize::from(is_refused);
    }
    assert_eq!(refused, 6, "the edge, two tiles, three bundles");
}

#[test]
fn an_entry_that_is_no_leaf_is_named_by_its_place_in_the_log() {
    let leaf = include_bytes!("../../../../fuzz/corpus/leaf/use-refused");
    let entries = [&leaf[..], leaf, b"\x02", leaf];
    assert_eq!(read_leaves(256, &entries[..2]).unwrap().len(), 2);
    let found = read_leaves(256, &entries);
    assert!(matches!(found, Err(LogRefused::NotLeaf { index: 258, .. })), "{found:?}");
}

#[test]
fn bundles_alone_give_the_root_or_not() {
    let log = Log::new(600);
    let bundles = |log: &Log, size: u64| {
        let tiles = (0..).map_while(|at| TileName::at_size(TileLevel::Entries, at, size));
        tiles.map(|tile| log.file(tile)).collect::<Vec<_>>()
    };
    for size in [0usize, 1, 256, 257, 600] {
        let all = bundles(&log, size as u64);
        let found = verify_bundles(&log.checkpoint(size), all.iter().map(Vec::as_slice));
        assert_eq!(found, Ok(()), "{size}");
    }
    let (all, checkpoint) = (bundles(&log, 600), log.checkpoint(600));
    let check = |all: &[Vec<u8>]| verify_bundles(&checkpoint, all.iter().map(Vec::as_slice));
    let tile = name("tile/entries/002.p/88");
    assert_eq!(check(&all[..2]), Err(TileRefused::Missing { tile }.into()));
    let more = [&all[..], &all[..1]].concat();
    assert_eq!(check(&more), Err(LogRefused::Ended { size: 600 }));
    let other = bundles(&log.forked(599), 600);
    assert_eq!(check(&other), Err(LogRefused::OtherRoot { size: 600 }));
    let swapped = [all[1].clone(), all[0].clone(), all[2].clone()];
    assert_eq!(check(&swapped), Err(LogRefused::OtherRoot { size: 600 }));
}

#[test]
fn growth_is_proven_and_a_fork_is_named() {
    let log = Log::new(600);
    for (older, size) in [(0usize, 600usize), (1, 600), (256, 600), (300, 600), (512, 513), (7, 7)]
    {
        let other = log.forked(older.saturating_sub(1));
        let proof = prove_consistency(|h, i| log.hash(h, i), older as u64, size as u64).unwrap();
        let newer = log.checkpoint(size);
        assert_eq!(verify_growth(&log.checkpoint(older), &newer, &proof), Ok(()));
        let files = log.files(size);
        let hash = hashes_from_tiles(size as u64, |tile| tile.read_hashes(files.get(&tile)?).ok());
        assert_eq!(verify_growth_by_tiles(&log.checkpoint(older), &newer, &hash), Ok(()));
        if older == 0 {
            continue;
        }
        let was = other.checkpoint(older);
        let fork = LogRefused::Fork {
            older: Box::new(was.head().clone()),
            newer: Box::new(newer.head().clone()),
        };
        let by_tiles = verify_growth_by_tiles(&was, &newer, &hash);
        assert_eq!(by_tiles, Err(fork.clone()), "{older} to {size}");
        let by_proof = verify_growth(&was, &newer, &proof).unwrap_err();
        // Where the older size is a power of two, the proof begins with the older root itself.
        let is_told = older == size || !older.is_power_of_two();
        let wanted = if is_told { fork } else { LogRefused::Proof(ProofRefused::OtherRoot) };
        assert_eq!(by_proof, wanted, "{older} to {size}");
    }
}

#[test]
fn what_proves_nothing_is_no_fork() {
    let log = Log::new(600);
    let (older, newer) = (log.checkpoint(300), log.checkpoint(600));
    let proof = prove_consistency(|h, i| log.hash(h, i), 300, 600).unwrap();
    let length = ProofRefused::Length { found: proof.len() - 1, wanted: proof.len() };
    let found = verify_growth(&older, &newer, &proof[1..]);
    assert_eq!(found, Err(LogRefused::Proof(length)));
    let shrunk = LogRefused::Proof(ProofRefused::Shrunk { older: 600, size: 300 });
    assert_eq!(verify_growth(&newer, &older, &proof), Err(shrunk.clone()));
    assert_eq!(verify_growth_by_tiles(&newer, &older, |h, i| log.hash(h, i)), Err(shrunk));
    let other = log.forked(3);
    let found = verify_growth_by_tiles(&older, &newer, |h, i| other.hash(h, i));
    assert_eq!(found, Err(LogRefused::Proof(ProofRefused::OtherRoot)), "tiles of another log");
    let found = verify_growth_by_tiles(&older, &newer, |_, _| None);
    assert!(matches!(found, Err(LogRefused::Proof(ProofRefused::Missing { .. }))));
    let origin = crate::Origin::new("ins_01/inc_02/nod_09").unwrap();
    let head = Head { origin, ..older.head().clone() };
    let stranger = Checkpoint::new(head).unwrap();
    assert_eq!(verify_growth(&stranger, &newer, &proof), Err(LogRefused::OtherOrigin));
    let found = verify_growth_by_tiles(&stranger, &newer, |h, i| log.hash(h, i));
    assert_eq!(found, Err(LogRefused::OtherOrigin));
}

#[test]
fn a_checkpoint_of_the_most_leaves_asks_for_its_edge_and_no_more() {
    let origin = Log::origin();
    let head = Head { origin, size: crate::LOG_LEAVES, root: [1; 32] };
    let checkpoint = Checkpoint::new(head).unwrap();
    let mut walk = Walk::new(&checkpoint);
    for level in (0..=TOP_LEVEL).rev() {
        let tile = walk.wants().unwrap();
        assert_eq!(tile.level(), TileLevel::Hashes(level));
        let bytes = vec![0; usize::from(tile.width()) * 32];
        assert_eq!(walk.give(&bytes).is_err(), level == 0);
    }
    let first = (0..2).map(|_| &[][..]);
    assert!(matches!(verify_bundles(&checkpoint, first), Err(LogRefused::Tile(_))));
}
