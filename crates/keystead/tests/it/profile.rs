//! The profile: where it is looked for, and what makes it unusable.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::run::Home;

pub(crate) const DEFAULT: &str = ".config/keystead/profile.toml";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyz0123456789/+AB";

/// A whole profile of a server where nobody listens.
pub(crate) fn text(port: u16) -> String {
    format!(
        "endpoint = \"http://127.0.0.1:{port}\"\naccount = \"123456789012\"\n\
         access_key_id = \"AKIATEST\"\nsecret_access_key = \"{SECRET}\"\n\
         root_public_key = \"{}\"\n",
        "07".repeat(32)
    )
}

#[test]
fn without_a_profile_the_commands_that_ask_a_server_say_where_it_comes_from() {
    let home = Home::new();
    for command in [
        &["key", "list"][..],
        &["key", "show", "k"],
        &["key", "create"],
        &["wrap", "put", "a"],
        &["wrap", "show", "a"],
        &["wrap", "unwrap", "a", "--data-key-out", "out"],
        &["wrap", "list"],
        &["wrap", "export", "out"],
        &["status"],
    ] {
        let said = ["there is no profile", DEFAULT, "hint: `init` and `restore run` write it"];
        home.run(command).refused(2, &said);
    }
    let other = home.at("other.toml");
    home.run(&["key", "list", "--profile", &other]).refused(2, &["there is no profile", &other]);
    let variable = ("KEYSTEAD__CLIENT__PROFILE", other.as_str());
    home.run_with(&["key", "list"], &[variable]).refused(2, &[&other]);
}

#[test]
fn a_profile_that_others_can_read_is_refused() {
    let home = Home::new();
    let path = home.write(DEFAULT, &text(1));
    for mode in [0o644, 0o640, 0o606] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let mode = format!("(mode {mode:04o})");
        for command in [&["key", "list"][..], &["status"]] {
            home.run(command).refused(2, &["is open to others", &mode, "hint: run `chmod 600 "]);
        }
    }
}

#[test]
fn a_damaged_profile_is_refused_without_a_byte_of_its_secret() {
    let home = Home::new();
    let whole = text(1);
    for (from, to, said) in [
        ("endpoint", "endpoints", "`endpoints` is not known"),
        ("http:", "https:", "asks for TLS"),
        ("123456789012", "12", "account number of 12 digits"),
        (SECRET, &SECRET[1..], "`secret_access_key` does not have its form"),
        ("/+AB\"", "/+AB", "it is not TOML"),
        ("0707", "07", "`root_public_key` does not have its form"),
    ] {
        home.write(DEFAULT, &whole.replacen(from, to, 1));
        let ran = home.run(&["key", "list"]);
        assert!(!ran.stderr.contains("bcdefghij"), "{}", ran.stderr);
        ran.refused(2, &["cannot be read", said]);
    }
}
