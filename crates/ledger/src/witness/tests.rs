//! A witness against a log that grows, forks, shrinks and asks wrongly.

use keystead_crypto::{NoteKey, Secret};

use super::*;
use crate::{KeyName, testing::Log};

fn key(byte: u8) -> NoteKey {
    NoteKey::from_seed(Secret::from_slice(&[byte; 32]).unwrap())
}

fn checkpoint(log: &Log, size: usize) -> Checkpoint {
    let origin = Origin::new("a/b/c").unwrap();
    Checkpoint::new(Head { origin, size: size as u64, root: log.mth(0, size) }).unwrap()
}

/// What the node of `log` asks, with the right proof.
fn asked(log: &Log, old: usize, size: usize) -> AddCheckpoint {
    let proof = match old {
        0 => Vec::new(),
        _ => log.subproof(old, 0, size, true),
    };
    AddCheckpoint { old: old as u64, proof, checkpoint: checkpoint(log, size).sign(&key(1)) }
}

fn decide(asked: &AddCheckpoint, latest: Option<&Checkpoint>) -> Result<u64, WitnessRefused> {
    let keys = [VerifierKey::of_log(&Origin::new("a/b/c").unwrap(), key(1).public())];
    witnessed(asked, &keys, |_| latest.map(|latest| latest.head().clone())).map(|new| new.size())
}

#[test]
fn what_follows_is_cosigned_and_prints_back() {
    let log = Log::new(40);
    for old in 0..40 {
        let latest = (old > 0).then(|| checkpoint(&log, old));
        for size in old..40 {
            let asked = asked(&log, old, size);
            assert_eq!(decide(&asked, latest.as_ref()), Ok(size as u64), "{old} to {size}");
            assert_eq!(AddCheckpoint::parse(asked.to_string().as_bytes()), Ok(asked));
        }
    }
}

#[test]
fn a_fork_is_cosigned_at_no_size_whatever_it_claims() {
    let (log, fork) = (Log::new(40), Log::new(40).forked(5));
    let latest = checkpoint(&log, 20);
    for size in 0..40 {
        for old in 0..=size {
            let found = decide(&asked(&fork, old, size), Some(&latest));
            assert!(found.is_err(), "{old} to {size}");
        }
    }
    let same = decide(&asked(&fork, 20, 20), Some(&latest));
    assert_eq!(same, Err(WitnessRefused::OtherRoot { latest: 20 }));
    let grown = decide(&asked(&fork, 20, 30), Some(&latest));
    assert!(matches!(grown, Err(WitnessRefused::Proof(_))), "{grown:?}");
}

#[test]
fn a_smaller_tree_is_never_cosigned() {
    let log = Log::new(40);
    let latest = checkpoint(&log, 20);
    for size in 0..20 {
        let shrunk = AddCheckpoint { old: 20, ..asked(&log, 0, size) };
        let refused = WitnessRefused::Shrunk { old: 20, size: size as u64 };
        assert_eq!(decide(&shrunk, Some(&latest)), Err(refused));
        let found = decide(&asked(&log, size, size), Some(&latest));
        assert_eq!(found, Err(WitnessRefused::Conflict { latest: 20 }));
    }
}

#[test]
fn each_refusal_of_the_protocol_has_its_reason() {
    let log = Log::new(40);
    let good = asked(&log, 0, 9);
    let unknown = witnessed(&good, &[], |_| None);
    assert!(matches!(unknown, Err(WitnessRefused::UnknownOrigin { .. })), "{unknown:?}");
    let by_other = AddCheckpoint { checkpoint: checkpoint(&log, 9).sign(&key(2)), ..good.clone() };
    assert_eq!(decide(&by_other, None), Err(WitnessRefused::NotSigned));
    let extra = AddCheckpoint { proof: vec![[1; 32]], ..good.clone() };
    assert!(matches!(decide(&extra, None), Err(WitnessRefused::Proof(_))));
    let conflict = decide(&asked(&log, 3, 9), None);
    assert_eq!(conflict, Err(WitnessRefused::Conflict { latest: 0 }));
    let text = good.to_string();
    for (from, to, line) in [
        ("old 0", "old 00", 1),
        ("old 0", "old", 1),
        ("old 0\n", "old 0\nAAAA\n", 2),
        ("\n\n", "\n", 2),
    ] {
        let spoilt = text.replacen(from, to, 1);
        let refused = AddCheckpoint::parse(spoilt.as_bytes());
        assert_eq!(refused, Err(WitnessRefused::Malformed { line }), "{from:?} to {to:?}");
    }
    assert_eq!(AddCheckpoint::parse(b""), Err(WitnessRefused::Malformed { line: 0 }));
}

#[test]
fn an_answer_is_lines_and_nothing_else() {
    let log = Log::new(9);
    let name = KeyName::new("witness.example/w1").unwrap();
    let line = checkpoint(&log, 9).cosign(name, &key(3), 7).unwrap();
    let text = format!("{line}\n");
    assert_eq!(read_cosignatures(text.as_bytes()), Ok(vec![line.clone()]));
    for bad in ["", "\n", &text[..text.len() - 1], &format!("{text}\n"), "junk\n"] {
        assert!(read_cosignatures(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert!(read_cosignatures(text.repeat(65).as_bytes()).is_err());
}
