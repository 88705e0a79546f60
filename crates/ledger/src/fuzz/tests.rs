//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("leaf", leaf);
    drive::run("head", head);
}
