//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("change-set", change_set);
}

#[test]
fn the_seeds_are_what_the_parser_takes() {
    for (name, bytes) in drive::corpus("change-set") {
        assert!(ChangeSet::decode(&bytes).is_ok(), "{name}");
    }
}
