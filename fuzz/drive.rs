//! Drives the oracles of a crate's `fuzz` module in an ordinary test: every file of the target's
//! corpus as it is, then some hundred mutants of them, then noise.
//!
//! Invariant: it needs no fuzzer, no nightly compiler and no network, and takes a fraction of a
//! second. `PROPTEST_CASES` makes it take longer. What it finds it prints, shrunk: put those bytes
//! into `fuzz/corpus/<target>/`, and every later run begins with them.
//!
//! Included by path, so that eight crates share it without a crate of its own.

use std::{collections::BTreeMap, fs, io, path::Path};

use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, TestRunner},
};

/// One change of some bytes: what to do, where, with what.
type Step = (u8, Index, Vec<u8>);

/// What an oracle reads: bytes, or text.
pub(crate) trait Input {
    /// Hands the bytes over, as text with what is no UTF-8 mended.
    fn give(bytes: &[u8], oracle: &dyn Fn(&Self));
}

impl Input for [u8] {
    fn give(bytes: &[u8], oracle: &dyn Fn(&Self)) {
        oracle(bytes);
    }
}

impl Input for str {
    fn give(bytes: &[u8], oracle: &dyn Fn(&Self)) {
        oracle(&String::from_utf8_lossy(bytes));
    }
}

/// Runs `oracle` over the corpus of `target` and what grows from it.
pub(crate) fn run<I: Input + ?Sized>(target: &str, oracle: impl Fn(&I)) {
    let oracle = |bytes: &[u8]| I::give(bytes, &oracle);
    let seeds: Vec<_> = corpus(target).into_values().collect();
    seeds.iter().for_each(|seed| oracle(seed));
    let config = Config { failure_persistence: None, ..Config::default() };
    let bytes = prop_oneof![3 => mutant(seeds), 1 => noise()];
    let outcome = TestRunner::new(config).run(&bytes, |bytes| {
        oracle(&bytes);
        Ok(())
    });
    if let Err(found) = outcome {
        panic!("{target}: {found}");
    }
}

/// The files of a target's corpus, by name.
pub(crate) fn corpus(target: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new("../../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{target}: {error}"));
    let read = |file: io::Result<fs::DirEntry>| {
        let file = file.unwrap();
        (file.file_name().to_string_lossy().into_owned(), fs::read(file.path()).unwrap())
    };
    let found: BTreeMap<_, _> = files.map(read).collect();
    assert!(!found.is_empty(), "{target}: an empty corpus");
    found
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..400)
}

fn mutant(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let step = (0u8..8, any::<Index>(), proptest::collection::vec(any::<u8>(), 1..9));
    let steps = proptest::collection::vec(step, 0..6);
    (proptest::sample::select(seeds), steps).prop_map(|(mut bytes, steps)| {
        for step in &steps {
            change(&mut bytes, step);
        }
        bytes
    })
}

fn change(bytes: &mut Vec<u8>, (what, at, with): &Step) {
    let at = at.index(bytes.len() + 1);
    let end = bytes.len().min(at + with.len());
    match what {
        0 if at < bytes.len() => bytes[at] ^= 1 << (with[0] % 8),
        1 if at < bytes.len() => bytes[at] = with[0],
        2 => bytes.truncate(at),
        3 => drop(bytes.splice(at..at, with.iter().copied())),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let twice = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, twice));
        }
        // Lengths and counts are where a reader that trusts them breaks.
        6 => bytes[at..end].fill(0xff),
        _ => bytes[at..end].fill(0),
    }
}
