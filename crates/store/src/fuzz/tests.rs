//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("change-set", super::change_set);
}
