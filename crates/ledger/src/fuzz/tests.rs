//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("leaf", leaf);
    drive::run("head", head);
    drive::run("note", note);
    drive::run("tile", tile);
    drive::run("log-proof", proof);
    drive::run("tlog-proof", tlog_proof);
    drive::run("witness", witness);
}

#[test]
fn the_seeds_are_what_the_parsers_take() {
    for (name, bytes) in drive::corpus("leaf") {
        let taken = Event::decode(&bytes).is_ok() || StateEvent::decode_unplaced(&bytes).is_ok();
        assert!(taken, "{name}");
    }
    let heads = drive::corpus("head");
    assert!(Head::read(&mut Reader::new(&heads["head"])).is_ok());
    assert!(CompactRange::read(&mut Reader::new(&heads["tree"])).is_ok());
    let proofs = drive::corpus("tlog-proof");
    for name in ["older", "plain"] {
        let proof = LogProof::parse(&proofs[name]).unwrap();
        assert!(ProofExtra::decode(&proof.extra.unwrap()).is_ok(), "{name}");
    }
    assert!(ProofExtra::decode(&proofs["extra"]).is_ok());
    let asked = drive::corpus("witness");
    assert!(AddCheckpoint::parse(&asked["request"]).is_ok());
    assert!(read_cosignatures(&asked["answer"]).is_ok());
    let notes = drive::corpus("note");
    let text = |name: &str| String::from_utf8(notes[name].clone()).unwrap();
    for name in ["checkpoint", "cosigned", "note"] {
        assert!(Note::parse(&notes[name]).is_ok(), "{name}");
    }
    assert!(Checkpoint::parse(&text("text")).is_ok());
    assert!(text("verifier-key").parse::<VerifierKey>().is_ok());
    assert!(NoteSignature::parse(&text("line")).is_some());
    for (name, bytes) in drive::corpus("tile") {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let taken = text.split('\n').next().map(str::parse::<TileName>);
        assert!(name == "checkpoint" || taken.unwrap().is_ok(), "{name}");
    }
}
