//! Names and bytes of tiles, and proofs, of the vectors.

use std::collections::BTreeSet;

use keystead_ledger::{
    ProofRefused, TileLevel, TileName, TileRefused, new_tiles, verify_consistency, verify_inclusion,
};
use serde_json::json;

use crate::{cases, unhex};

pub(crate) fn of_tile(why: &TileRefused) -> String {
    match why {
        TileRefused::Missing { .. } => "missing".to_owned(),
        _ => "malformed".to_owned(),
    }
}

pub(crate) fn of_proof(why: &ProofRefused) -> String {
    let reason = match why {
        ProofRefused::NoLeaf { .. } | ProofRefused::Shrunk { .. } => "beyond",
        ProofRefused::Missing { .. } => "missing",
        ProofRefused::Length { .. } => "proof length",
        ProofRefused::OtherOlderRoot => "other older root",
        ProofRefused::OtherRoot => "other root",
    };
    reason.to_owned()
}

#[test]
fn names_are_read_or_refused() {
    for case in cases("names") {
        let found = case.text("name").parse::<TileName>();
        let Some(tile) = case.judge(found, of_tile) else { continue };
        let level = match tile.level() {
            TileLevel::Entries => json!("entries"),
            TileLevel::Hashes(level) => json!(level),
        };
        assert_eq!(level, case.0["level"]);
        assert_eq!(tile.index(), case.number("index"));
        assert_eq!(u64::from(tile.width()), case.number("width"));
    }
}

#[test]
fn tiles_and_bundles_are_read_or_refused() {
    for case in cases("hash_tiles") {
        let read = |tile: TileName| tile.read_hashes(&case.bytes("bytes"));
        if let Some(hashes) = case.judge(case.text("name").parse().and_then(read), of_tile) {
            assert_eq!(hashes, case.hashes("hashes"));
        }
    }
    for case in cases("bundles") {
        let bytes = case.bytes("bytes");
        let read = |tile: TileName| tile.read_entries(&bytes);
        if let Some(entries) = case.judge(case.text("name").parse().and_then(read), of_tile) {
            let wanted: Vec<_> =
                case.list("entries").iter().map(|entry| unhex(entry.as_str().unwrap())).collect();
            assert_eq!(entries, wanted);
        }
    }
}

#[test]
fn a_size_has_the_objects_that_are_listed() {
    for case in cases("sizes") {
        let names = case.list("names").iter().map(|name| name.as_str().unwrap().to_owned());
        let found = new_tiles(case.number("older"), case.number("size"));
        let found: BTreeSet<String> = found.map(|tile| tile.to_string()).collect();
        assert_eq!(found, names.collect(), "{}", case.text("name"));
    }
}

#[test]
fn proofs_verify_or_are_refused() {
    for case in cases("inclusion") {
        let (leaf, root, proof) =
            (case.array("leaf_hash"), case.array("root"), case.hashes("proof"));
        let (index, size) = (case.number("index"), case.number("size"));
        case.judge(verify_inclusion(&leaf, index, size, &root, &proof), of_proof);
    }
    for case in cases("consistency") {
        let (was, is, proof) = (case.array("older_root"), case.array("root"), case.hashes("proof"));
        let (older, size) = (case.number("older_size"), case.number("size"));
        case.judge(verify_consistency(older, &was, size, &is, &proof), of_proof);
    }
}
