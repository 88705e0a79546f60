//! Vectors of inclusion and consistency proofs.
//!
//! Invariant: each good one is followed by what is one step away from it.

use keystead_ledger::{
    Hash, ProofRefused, hashes_from_tiles, leaf_hash, prove_consistency, prove_inclusion,
    verify_consistency, verify_inclusion,
};
use serde_json::{Value, json};

use crate::world::{SIZE, World, hex, refused, root, rows};

fn hexes(proof: &[Hash]) -> Value {
    proof.iter().map(|hash| hex(hash)).collect()
}

fn why(found: Result<(), ProofRefused>) -> Option<&'static str> {
    Some(match found.err()? {
        ProofRefused::NoLeaf { .. } | ProofRefused::Shrunk { .. } => "beyond",
        ProofRefused::Missing { .. } => "missing",
        ProofRefused::Length { .. } => "proof length",
        ProofRefused::OtherOlderRoot => "other older root",
        ProofRefused::OtherRoot => "other root",
    })
}

fn hashes(world: &World, size: u64) -> impl Fn(u8, u64) -> Option<Hash> {
    let (_, tiles) = rows(&world.entries[..usize::try_from(size).expect("300")]);
    hashes_from_tiles(size, move |tile| tiles.get(&tile).cloned())
}

/// The proof, then what a careless or hostile prover would give.
fn variants(proof: &[Hash]) -> Vec<(&'static str, Vec<Hash>)> {
    let mut all = vec![
        ("", proof.to_vec()),
        ("one hash more", [proof, &[[9; 32]]].concat()),
        ("one hash more at the front", [&[[9; 32]], proof].concat()),
    ];
    if let [first, middle @ .., last] = proof {
        let flipped = |hash: &Hash| hash.map(|byte| byte ^ 1);
        all.push(("one hash less", proof[1..].to_vec()));
        all.push(("one hash less at the end", proof[..proof.len() - 1].to_vec()));
        all.push(("the first altered", [&[flipped(first)], middle, &[*last]].concat()));
        all.push(("the last altered", [&[*first], middle, &[flipped(last)]].concat()));
        all.push(("first and last swapped", [&[*last], middle, &[*first]].concat()));
    }
    all
}

pub(crate) fn inclusion(world: &World) -> Value {
    let mut all = Vec::new();
    for (index, size) in
        [(0u64, 1u64), (0, 2), (1, 3), (6, 7), (255, 256), (256, 257), (17, SIZE), (299, SIZE)]
    {
        let at = usize::try_from(index).expect("300");
        let (leaf, root) = (leaf_hash(&world.entries[at]), world.head(size).root);
        let proof = prove_inclusion(hashes(world, size), index, size).expect("it is there");
        let case = |name: &str, leaf: Hash, index: u64, size: u64, root: Hash, proof: &[Hash]| {
            let name = format!("{index} in {size} {name}").trim_end().to_owned();
            let made = json!({ "name": name, "leaf_hash": hex(&leaf), "index": index, "size": size,
                "root": hex(&root), "proof": hexes(proof) });
            match why(verify_inclusion(&leaf, index, size, &root, proof)) {
                Some(why) => refused(made, why),
                None => made,
            }
        };
        all.extend(
            variants(&proof).iter().map(|(name, bad)| case(name, leaf, index, size, root, bad)),
        );
        all.push(case("another leaf", [7; 32], index, size, root, &proof));
        all.push(case("another root", leaf, index, size, [7; 32], &proof));
        all.push(case("the index of the size", leaf, size, size, root, &proof));
        all.push(case("the next index", leaf, index + 1, size, root, &proof));
        if size > 2 {
            all.push(case(
                "under the root of one leaf more",
                leaf,
                index.min(size - 2),
                size - 1,
                root,
                &proof,
            ));
        }
    }
    distinct(all)
}

pub(crate) fn consistency(world: &World) -> Value {
    let mut all = Vec::new();
    for (older, size) in [
        (0u64, 0u64),
        (0, 5),
        (1, 2),
        (3, 7),
        (4, 7),
        (6, 8),
        (200, SIZE),
        (256, SIZE),
        (SIZE, SIZE),
    ] {
        let cut = |size: u64| root(&world.entries[..usize::try_from(size).expect("300")]);
        let (was, is) = (cut(older), cut(size));
        let proof = prove_consistency(hashes(world, size), older, size).expect("it is there");
        let case = |name: &str, older: u64, was: Hash, size: u64, is: Hash, proof: &[Hash]| {
            let name = format!("{older} to {size} {name}").trim_end().to_owned();
            let made = json!({ "name": name, "older_size": older, "older_root": hex(&was),
                "size": size, "root": hex(&is), "proof": hexes(proof) });
            match why(verify_consistency(older, &was, size, &is, proof)) {
                Some(why) => refused(made, why),
                None => made,
            }
        };
        all.extend(
            variants(&proof).iter().map(|(name, bad)| case(name, older, was, size, is, bad)),
        );
        all.push(case("another older root", older, [7; 32], size, is, &proof));
        if older > 0 {
            all.push(case("another root", older, was, size, [7; 32], &proof));
        }
        if older < size && older > 0 {
            all.push(case("sizes swapped", size, is, older, was, &proof));
            all.push(case("roots swapped", older, is, size, was, &proof));
            all.push(case("equal sizes of two roots", size, was, size, is, &[]));
        }
    }
    distinct(all)
}

/// Variants of short proofs can be the same; the first one stays.
fn distinct(all: Vec<Value>) -> Value {
    let mut kept: Vec<Value> = Vec::new();
    for case in all {
        if !kept.iter().any(|known| known["name"] == case["name"]) {
            kept.push(case);
        }
    }
    kept.into()
}
