//! Proofs against the recursive definition, the known vectors, and everything that is no proof.

use std::collections::BTreeMap;

use super::*;
use crate::{
    leaf_hash,
    testing::{Log, flipped, unhex},
};

const ALL: usize = 600;

/// The proofs that the Certificate Transparency implementations test with, over the eight leaves
/// of the tests of the tree.
const NODES: [&str; 9] = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
];

fn nodes(which: &[usize]) -> Vec<Hash> {
    which.iter().map(|at| unhex(NODES[*at]).try_into().unwrap()).collect()
}

fn known() -> Log {
    let entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let mut log = Log::new(0);
    log.entries = entries.iter().map(|entry| unhex(entry)).collect();
    log
}

#[test]
fn the_known_inclusion_proofs_come_out() {
    let log = known();
    let cases: [(u64, u64, &[usize]); 5] =
        [(0, 1, &[]), (0, 8, &[0, 1, 2]), (5, 8, &[3, 4, 5]), (2, 3, &[6]), (1, 5, &[8, 1, 3])];
    for (index, size, wanted) in cases {
        let proof = prove_inclusion(|h, i| log.hash(h, i), index, size).unwrap();
        assert_eq!(proof, nodes(wanted), "{index} in {size}");
    }
}

#[test]
fn the_known_consistency_proofs_come_out() {
    let log = known();
    let cases: [(u64, u64, &[usize]); 4] =
        [(1, 1, &[]), (1, 8, &[0, 1, 2]), (6, 8, &[7, 4, 5]), (2, 5, &[1, 3])];
    for (older, size, wanted) in cases {
        let proof = prove_consistency(|h, i| log.hash(h, i), older, size).unwrap();
        assert_eq!(proof, nodes(wanted), "{older} to {size}");
    }
}

#[test]
fn every_inclusion_proof_is_the_recursive_one_and_verifies() {
    let log = Log::new(600);
    for size in 1..=ALL {
        let root = log.mth(0, size);
        for index in 0..size {
            let (m, n) = (index as u64, size as u64);
            let proof = prove_inclusion(|h, i| log.hash(h, i), m, n).unwrap();
            assert_eq!(proof, log.path(index, 0, size), "{index} in {size}");
            let leaf = leaf_hash(&log.entries[index]);
            assert_eq!(verify_inclusion(&leaf, m, n, &root, &proof), Ok(()), "{index} in {size}");
        }
    }
}

#[test]
fn every_consistency_proof_is_the_recursive_one_and_verifies() {
    let log = Log::new(600);
    for size in 0..=ALL {
        let root = log.mth(0, size);
        for older in 0..=size {
            let (m, n) = (older as u64, size as u64);
            let proof = prove_consistency(|h, i| log.hash(h, i), m, n).unwrap();
            let wanted = if older == 0 { vec![] } else { log.subproof(older, 0, size, true) };
            assert_eq!(proof, wanted, "{older} to {size}");
            let was = log.mth(0, older);
            assert_eq!(verify_consistency(m, &was, n, &root, &proof), Ok(()), "{older} to {size}");
        }
    }
}

/// A proof with one hash altered, one too few at either end, one too many at either end.
fn spoilt(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[[9; 32]]].concat(), [&[[9; 32]], proof].concat()];
    if !proof.is_empty() {
        all.extend([proof[1..].to_vec(), proof[..proof.len() - 1].to_vec()]);
    }
    for at in 0..proof.len() {
        let mut altered = proof.to_vec();
        altered[at] = flipped(&altered[at], at % 32).try_into().unwrap();
        all.push(altered);
    }
    for at in 1..proof.len() {
        let mut swapped = proof.to_vec();
        swapped.swap(at - 1, at);
        all.push(swapped);
    }
    all
}

#[test]
fn no_spoilt_inclusion_proof_is_taken() {
    let log = Log::new(70);
    for size in 1..=70 {
        let root = log.mth(0, size);
        for index in 0..size {
            let (m, n) = (index as u64, size as u64);
            let (leaf, proof) = (leaf_hash(&log.entries[index]), log.path(index, 0, size));
            for bad in spoilt(&proof) {
                let found = verify_inclusion(&leaf, m, n, &root, &bad);
                let (found_len, wanted) = (bad.len(), proof.len());
                let why = match found_len == wanted {
                    true => ProofRefused::OtherRoot,
                    false => ProofRefused::Length { found: found_len, wanted },
                };
                assert_eq!(found, Err(why), "{index} in {size}");
            }
            for other in (0..size).filter(|other| *other != index) {
                let found = verify_inclusion(&leaf, other as u64, n, &root, &proof);
                assert!(found.is_err(), "{index} passed for {other} in {size}");
            }
            let no_leaf = [verify_inclusion(&[0; 32], m, n, &root, &proof)];
            assert_eq!(no_leaf, [Err(ProofRefused::OtherRoot)]);
        }
        let n = size as u64;
        let beyond = verify_inclusion(&root, n, n, &root, &[]);
        assert_eq!(beyond, Err(ProofRefused::NoLeaf { index: n, size: n }));
    }
}

#[test]
fn no_spoilt_consistency_proof_is_taken() {
    let log = Log::new(70);
    let other = log.forked(0);
    for size in 1..=70 {
        let root = log.mth(0, size);
        for older in 1..size {
            let (m, n, was) = (older as u64, size as u64, log.mth(0, older));
            let proof = log.subproof(older, 0, size, true);
            for bad in spoilt(&proof) {
                assert!(verify_consistency(m, &was, n, &root, &bad).is_err(), "{older} to {size}");
            }
            let shrunk = verify_consistency(n, &root, m, &was, &proof);
            assert_eq!(shrunk, Err(ProofRefused::Shrunk { older: n, size: m }));
            let forked = other.mth(0, older);
            for (was, root) in [(forked, root), (was, other.mth(0, size)), (root, was)] {
                let found = verify_consistency(m, &was, n, &root, &proof);
                assert!(found.is_err(), "{older} to {size}: {found:?}");
            }
            for same in [&[][..], &proof] {
                let found = verify_consistency(n, &was, n, &root, same);
                assert!(found.is_err(), "{older} and {size} with other roots: {found:?}");
            }
        }
    }
}

#[test]
fn an_older_root_that_the_newer_log_never_had_is_told_from_a_bad_proof() {
    let log = Log::new(70);
    let (root, proof) = (log.mth(0, 70), log.subproof(37, 0, 70, true));
    let found = verify_consistency(37, &[5; 32], 70, &root, &proof);
    assert_eq!(found, Err(ProofRefused::OtherOlderRoot));
    let found = verify_consistency(37, &log.mth(0, 37), 70, &[5; 32], &proof);
    assert_eq!(found, Err(ProofRefused::OtherRoot));
}

#[test]
fn an_empty_older_log_has_one_root_and_no_proof() {
    let root = Log::new(5).mth(0, 5);
    let nothing = sha256(&[]);
    assert_eq!(verify_consistency(0, &nothing, 5, &root, &[]), Ok(()));
    let other = verify_consistency(0, &root, 5, &root, &[]);
    assert_eq!(other, Err(ProofRefused::OtherOlderRoot));
    let long = verify_consistency(0, &nothing, 5, &root, &[root]);
    assert_eq!(long, Err(ProofRefused::Length { found: 1, wanted: 0 }));
    assert_eq!(verify_consistency(0, &root, 0, &root, &[]), Ok(()));
}

#[test]
fn huge_sizes_are_counted_and_not_walked() {
    let hash = |_, _| Some([3; 32]);
    for (index, size) in [(0, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 62, (1 << 63) + 1)] {
        let proof = prove_inclusion(hash, index, size).unwrap();
        let found = verify_inclusion(&[3; 32], index, size, &[0; 32], &proof);
        assert_eq!(found, Err(ProofRefused::OtherRoot), "{index} in {size}");
        let proof = prove_consistency(hash, index, size).unwrap();
        let found = verify_consistency(index, &sha256(&[]), size, &[0; 32], &proof);
        assert!(index == 0 || found == Err(ProofRefused::OtherRoot), "{index} to {size}");
    }
}

#[test]
fn what_lacks_a_hash_makes_no_proof_and_says_which() {
    let log = Log::new(70);
    let found = prove_inclusion(|h, i| log.hash(h, i).filter(|_| h != 5), 0, 70);
    assert_eq!(found, Err(ProofRefused::Missing { height: 5, index: 1 }));
    let found = prove_consistency(|h, i| log.hash(h, i), 3, 71);
    assert!(matches!(found, Err(ProofRefused::Missing { .. })), "{found:?}");
    assert_eq!(
        prove_inclusion(|h, i| log.hash(h, i), 70, 70),
        Err(ProofRefused::NoLeaf { index: 70, size: 70 })
    );
    assert_eq!(
        prove_consistency(|h, i| log.hash(h, i), 70, 69),
        Err(ProofRefused::Shrunk { older: 70, size: 69 })
    );
}

#[test]
fn proofs_out_of_tiles_are_the_same_and_name_the_tiles_that_they_need() {
    let log = Log::new(600);
    for size in [1usize, 2, 255, 256, 257, 511, 512, 513, 600] {
        let files = log.files(size);
        let read = |wanted: BTreeMap<TileName, Vec<u8>>| {
            hashes_from_tiles(size as u64, move |tile| tile.read_hashes(wanted.get(&tile)?).ok())
        };
        for at in (0..size).step_by(7).chain([size - 1]) {
            let (m, n) = (at as u64, size as u64);
            let keep = |tiles: BTreeSet<TileName>| {
                let kept = files.iter().filter(|(tile, _)| tiles.contains(tile));
                read(kept.map(|(tile, bytes)| (*tile, bytes.clone())).collect())
            };
            let hash = keep(tiles_for_inclusion(m, n));
            assert_eq!(prove_inclusion(&hash, m, n), Ok(log.path(at, 0, size)));
            let hash = keep(tiles_for_consistency(m + 1, n));
            let wanted = log.subproof(at + 1, 0, size, true);
            assert_eq!(prove_consistency(&hash, m + 1, n), Ok(wanted), "{at} to {size}");
            if at + 1 < size {
                assert_eq!(root_at(&hash, m + 1), Ok(log.mth(0, at + 1)));
            }
        }
    }
    let none = hashes_from_tiles(600, |tile| Some(vec![[0; 32]; tile.width().into()]));
    for (height, index) in [(0, 600), (9, 1), (10, 0), (63, 0), (64, 0), (255, 0), (0, u64::MAX)] {
        assert_eq!(none(height, index), None, "{height} {index}");
    }
}
