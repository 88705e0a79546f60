//! Seconds of what a fuzzer does for days.

#[path = "../../../../fuzz/drive.rs"]
mod drive;

use super::*;

#[test]
fn no_text_breaks_an_oracle() {
    drive::run("vault-url", vault_url);
    drive::run("vault-name", name);
    drive::run("access-log", access_log);
}

#[test]
fn the_seeds_are_what_the_parsers_take() {
    for (name, bytes) in drive::corpus("vault-url") {
        assert!(String::from_utf8(bytes).unwrap().parse::<VaultUrl>().is_ok(), "{name}");
    }
}
