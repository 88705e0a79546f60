//! Secrets on the way in: never from an argument, never back out.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::run::{Home, Ran};

const STRONG: &str = "gravel-otter-lunar-sphinx-mend";
const CANARY: &str = "canary-hunter2-canary";

/// `init` with everything right but what `more` says.
fn init(home: &Home, passphrase_file: &str, kit_passphrase_file: &str, stdin: &str) -> Ran {
    let vault = |name| format!("dir://{}", home.folder(name));
    let (a, b) = (vault("a"), vault("b"));
    let (kits, secrets) = (home.folder("kits"), home.folder("secrets"));
    let (kit, secret, data) = (format!("{kits}/kit"), format!("{secrets}/secret"), home.at("data"));
    let places = ["init", "--data-dir", &data, "--vault", &a, "--vault", &b, "--kit-out", &kit];
    let secrets = [
        "--kit-secret-out",
        &secret,
        "--passphrase-file",
        passphrase_file,
        "--kit-passphrase-file",
        kit_passphrase_file,
    ];
    home.run_fed(&[&places[..], &secrets].concat(), stdin)
}

#[test]
fn a_secret_given_as_an_argument_is_refused_and_not_repeated() {
    let home = Home::new();
    let flags = ["--passphrase", "--kit-passphrase", "--kit-secret", "--password", "--secret"];
    for command in [&["init"][..], &["serve"], &["restore", "run"], &["kit", "create"]] {
        for flag in flags {
            let joined = format!("{flag}={CANARY}");
            for given in [&[flag, CANARY][..], &[&joined]] {
                let ran = home.run(&[command, given].concat());
                assert!(!ran.stderr.contains(CANARY), "{command:?} {given:?}\n{}", ran.stderr);
                ran.refused(2, &["unexpected argument"]);
            }
        }
    }
}

#[test]
fn a_secret_written_into_the_configuration_is_refused_and_not_repeated() {
    let home = Home::new();
    let file = home.write("c.toml", &format!("[instance]\npassphrase = \"{CANARY}\"\n"));
    let from_file = home.run(&["config", "explain", "--config", &file]);
    let variable = ("KEYSTEAD__INSTANCE__PASSPHRASE", CANARY);
    let from_environment = home.run_with(&["config", "explain"], &[variable]);
    for ran in [from_file, from_environment] {
        assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
        ran.refused(2, &["only as a reference: file:PATH, env:NAME, credential:NAME"]);
    }
}

#[test]
fn a_weak_passphrase_is_refused_with_estimator_estimate_floor_and_advice() {
    let home = Home::new();
    let strong = home.write("strong", STRONG);
    for weak in ["letmein", "Passw0rd!2026", "keystead keystead", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        let file = home.write("weak", weak);
        for (instance, kit) in [(&file, &strong), (&strong, &file)] {
            let ran = init(&home, instance, kit, "");
            assert!(!ran.stderr.contains(weak), "{}", ran.stderr);
            ran.refused(
                2,
                &["zxcvbn 3.1 estimates 10^", "floor is 10^12 guesses and 12", "hint: ", "-out"],
            );
        }
    }
    assert!(!home.path().join("data").exists());
    assert_eq!(home.path().join("a").read_dir().unwrap().count(), 0);
}

#[test]
fn each_unusable_secret_file_is_named_with_what_is_wrong() {
    let home = Home::new();
    let strong = home.write("strong", STRONG);
    for (text, said) in [
        ("", "is empty"),
        ("\n", "is empty"),
        ("two\nlines", "line break"),
        ("a\u{1b}b", "control"),
    ] {
        let file = home.write("bad", text);
        init(&home, &file, &strong, "").refused(2, &[said, &file]);
    }
    let long = home.write("long", &"x".repeat(4097));
    init(&home, &long, &strong, "").refused(2, &["over 4096 bytes"]);
    fs::write(home.path().join("bytes"), b"\xff\xfe").unwrap();
    init(&home, &home.at("bytes"), &strong, "").refused(2, &["not UTF-8"]);
    init(&home, &home.at("none"), &strong, "").refused(2, &["cannot read", &home.at("none")]);
    init(&home, &home.folder("folder"), &strong, "").refused(2, &["cannot read"]);
    init(&home, "fd:99", &strong, "").refused(2, &["cannot read", "fd:99"]);
}

#[test]
fn standard_input_gives_one_secret_only() {
    let home = Home::new();
    let strong = home.write("strong", STRONG);
    init(&home, "-", "-", STRONG).refused(2, &["`-` is named for two secrets"]);
    init(&home, "-", &strong, "letmein\n").refused(2, &["zxcvbn 3.1"]);
    init(&home, &strong, "-", "letmein\n").refused(2, &["zxcvbn 3.1"]);
    init(&home, &strong, "-", "").refused(2, &["is empty"]);
}

#[test]
fn a_descriptor_is_read_as_a_file_is() {
    let home = Home::new();
    home.write("weak", "letmein");
    let serve = "\"$0\" init --data-dir d --vault dir:///usr --kit-out k/k --kit-secret-out s/s \
                 --passphrase-file fd:7 --kit-passphrase-file fd:8 7<weak 8<weak";
    home.folder("k");
    home.folder("s");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.env_clear().env("HOME", home.path()).current_dir(home.path());
    let output = shell.args(["-c", serve, env!("CARGO_BIN_EXE_keystead")]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("zxcvbn 3.1 estimates"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn references_of_the_configuration_are_followed() {
    let home = Home::new();
    let credentials = home.folder("credentials");
    fs::write(home.path().join("credentials/seal"), "letmein").unwrap();
    let file = format!("file:{}", home.write("weak", "letmein"));
    let (a, strong) = (format!("dir://{}", home.folder("a")), home.write("strong", STRONG));
    home.folder("k");
    home.folder("s");
    let line = ["init", "--data-dir", "d", "--vault", &a, "--kit-out", "k/k"];
    let line = [&line[..], &["--kit-secret-out", "s/s", "--kit-passphrase-file", &strong]].concat();
    for (reference, more, said) in [
        (file.as_str(), ("SEAL", ""), "zxcvbn"),
        ("env:SEAL", ("SEAL", "letmein"), "zxcvbn"),
        ("env:SEAL", ("OTHER", ""), "the environment has no `SEAL`"),
        ("credential:seal", ("CREDENTIALS_DIRECTORY", &credentials), "zxcvbn"),
        ("credential:none", ("CREDENTIALS_DIRECTORY", &credentials), "cannot read"),
        ("credential:seal", ("OTHER", ""), "has no `CREDENTIALS_DIRECTORY`"),
    ] {
        let environment = [("KEYSTEAD__INSTANCE__PASSPHRASE", reference), more];
        home.run_with(&line, &environment).refused(2, &[said]);
    }
}

#[test]
fn a_secret_file_that_others_can_read_is_warned_about() {
    let home = Home::new();
    let weak = home.write("weak", "letmein");
    fs::set_permissions(&weak, fs::Permissions::from_mode(0o644)).unwrap();
    let strong = home.write("strong", STRONG);
    let said = ["warning: ", "is open to others (mode 0644): run `chmod 600 "];
    init(&home, &weak, &strong, "").refused(2, &said);
}

#[test]
fn a_made_passphrase_lies_in_a_new_file_of_its_owner_alone() {
    let home = Home::new();
    let (kit, secret) = (home.folder("k") + "/kit", home.folder("s") + "/secret");
    let (vault, data, made) =
        (format!("dir://{}", home.folder("a")), home.at("data"), home.at("made"));
    let weak = home.write("weak", "letmein");
    let line = ["init", "--data-dir", &data, "--vault", &vault, "--kit-out", &kit];
    let line = [&line[..], &["--kit-secret-out", &secret, "--passphrase-out", &made]].concat();
    let line = [&line[..], &["--kit-passphrase-file", &weak]].concat();
    home.run(&line).refused(2, &["zxcvbn"]);
    let text = fs::read_to_string(&made).unwrap();
    assert_eq!(text.trim_end().split('-').count(), 7);
    assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o600);
    home.run(&line).refused(2, &["exists"]);
    assert_eq!(fs::read_to_string(&made).unwrap(), text, "it was replaced");
}
