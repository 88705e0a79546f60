//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_bytes_break_an_oracle() {
    drive::run("sealed", sealed);
    drive::run("seal-slot", seal_slot);
    drive::run("request", request);
}

#[test]
fn the_seeds_are_what_the_parsers_take() {
    let (sealed, slots) = (drive::corpus("sealed"), drive::corpus("seal-slot"));
    assert!(Sealed::<Body>::from_bytes(sealed["message"].clone()).is_ok());
    assert!(RecipientKey::from_bytes(&sealed["public"]).is_ok());
    assert!(seal::slot_survives(&slots["whole"]) && seal::slot_survives(&slots["roots"]));
    let requests = drive::corpus("request");
    for name in ["get", "post"] {
        let (head, body) = split(&requests[name]);
        assert!(with_parts(&head, body, |parts| sigv4::claim(parts).is_ok()), "{name}");
    }
}
