//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("json", super::json);
    drive::run("form", super::form);
    drive::run("aws", super::aws);
    drive::run("api", super::api);
}
