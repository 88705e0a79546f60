//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("journal-file", super::file);
    drive::run("journal-entries", super::entries);
}
