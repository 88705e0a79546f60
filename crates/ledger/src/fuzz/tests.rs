//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("leaf", leaf);
    drive::run("head", head);
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
}
