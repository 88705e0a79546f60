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
fn the_seeds_are_what_the_parsers_take() {
    let body = drive::corpus("body");
    assert!(Instance::from_body(&body["instance"]).is_ok());
    assert!(Tenant::from_body(&body["tenant"]).is_ok());
    assert!(AccessKey::from_body(&body["access-key"]).is_ok());
    assert!(Kit::from_body(&body["kit"]).is_ok());
    assert!(Key::from_body(&body["key"]).is_ok());
    assert!(Alias::from_body(&body["alias"]).is_ok());
    let texts = |target| drive::corpus(target).into_values().map(String::from_utf8);
    assert!(texts("time").all(|text| text.unwrap().parse::<Timestamp>().is_ok()));
    let account = "123456789012".parse().unwrap();
    let names =
        texts("key-name").filter(|text| KeyName::parse(text.as_ref().unwrap(), &account).is_ok());
    assert_eq!(names.count(), 5, "all but the account");
}

#[test]
fn times_at_both_ends_of_their_range_have_a_distance() {
    let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    assert_eq!(last.ms_since(first), i64::MAX / 1000);
    assert_eq!(first.ms_since(last), i64::MIN / 1000);
    assert_eq!(first.plus_ms(i64::MIN), first);
}
