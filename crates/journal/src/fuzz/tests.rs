//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("journal-file", |bytes: &[u8]| drop(file(bytes)));
    drive::run("journal-entries", |script: &[u8]| drop(entries(script)));
}

#[test]
fn the_seeds_are_what_the_reader_takes() {
    let files = drive::corpus("journal-file");
    assert_eq!(file(&files["whole"]).map(|head| head.size), Some(2));
    let scripts = drive::corpus("journal-entries");
    for (name, leaves) in [("node", 1), ("state", 1), ("torn", 0)] {
        assert_eq!(entries(&scripts[name]).map(|head| head.size), Some(leaves), "{name}");
    }
}
