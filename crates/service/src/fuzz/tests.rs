//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_bytes_break_the_oracle_of_proofs() {
    drive::run("proofs", proofs_file);
    for (name, bytes) in drive::corpus("proofs") {
        assert!(crate::proofs::reads(&bytes), "{name}");
    }
}

#[test]
fn no_text_breaks_an_oracle() {
    drive::run("head-text", head_text);
    for (name, text) in drive::corpus("head-text") {
        assert!(String::from_utf8(text).unwrap().parse::<ExpectedHead>().is_ok(), "{name}");
    }
}

#[test]
fn no_bytes_break_the_oracle_of_a_witness() {
    drive::run("witness-state", witness_state);
    for (name, bytes) in drive::corpus("witness-state") {
        assert!(State::decode(&bytes).is_some(), "{name}");
    }
}
