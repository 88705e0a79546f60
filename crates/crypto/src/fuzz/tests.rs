//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("sealed", super::sealed);
    drive::run("seal-slot", super::seal_slot);
    drive::run("request", super::request);
}
