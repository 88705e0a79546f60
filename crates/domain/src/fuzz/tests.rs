//! Seconds of what a fuzzer does for days, and what it found.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("id", id);
    drive::run("time", time);
    drive::run("key-name", key_name);
    drive::run("body", body);
}

#[test]
fn times_at_both_ends_of_their_range_have_a_distance() {
    let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    assert_eq!(last.ms_since(first), i64::MAX / 1000);
    assert_eq!(first.ms_since(last), i64::MIN / 1000);
    assert_eq!(first.plus_ms(i64::MIN), first);
}
