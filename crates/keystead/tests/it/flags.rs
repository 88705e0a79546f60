//! Wrong command lines: each is refused with code 2, says what a right value looks like, and does
//! nothing.

use crate::run::Home;

const HEAD: &str = "inc_00112233445566778899aabbccddeeff.1.000102030405060708090a0b0c0d0e0f";

#[test]
fn unknown_words_are_refused_with_the_nearest_known_one() {
    let home = Home::new();
    for (line, said) in [
        (&["sttaus"][..], &["unrecognized subcommand 'sttaus'", "'status'"][..]),
        (&["kit", "burn"], &["unrecognized subcommand 'burn'"]),
        (&["init", "--vualt", "dir:///a"], &["unexpected argument '--vualt'", "'--vault'"]),
        (&["key", "list", "more"], &["unexpected argument 'more'"]),
        (&["status", "--jsno"], &["unexpected argument '--jsno'", "'--json'"]),
        (&["key", "show"], &["<KEY>"]),
        (&["wrap", "putt"], &["unrecognized subcommand 'putt'", "'put'"]),
        (&["wrap", "put"], &["<SUBJECT>"]),
        (&["wrap", "unwrap", "a"], &["--data-key-out <FILE>"]),
        (&["wrap", "unwrap", "--data-key-out", "a"], &["<SUBJECT>"]),
        (&["wrap", "put", "a", "--data-key", "b"], &["unexpected argument '--data-key'"]),
        (&["wrap", "export"], &["<FILE>"]),
        (&["wrap", "verify"], &["<FILE>"]),
        (&["restore", "run", "--kit", "k"], &["--vault <URL>"]),
        (&["restore", "run", "--vault", "dir:///a"], &["--kit <FILE>"]),
    ] {
        home.run(line).refused(2, said);
    }
}

#[test]
fn no_command_shows_the_help_and_is_an_error() {
    for line in [&[][..], &["kit"], &["key"], &["wrap"], &["config"], &["restore"]] {
        let ran = Home::new().run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line:?}");
        assert!(ran.stderr.contains("Usage: keystead"), "{line:?}");
    }
}

#[test]
fn every_typed_flag_refuses_what_is_not_of_its_type() {
    let home = Home::new();
    let restore = ["restore", "run", "--kit", "k", "--vault", "dir:///a"];
    let restoring = |flag, value| [&restore[..], &[flag, value]].concat();
    for (line, said) in [
        (vec!["init", "--vault", "/srv/a"], "supported is dir:///FOLDER"),
        (vec!["init", "--vault", "s3://bucket"], "supported is dir:///FOLDER"),
        (vec!["init", "--vault", "dir://a"], "three slashes"),
        (vec!["init", "--vaults-min", "two"], "invalid digit"),
        (vec!["init", "--vaults-min", "-1"], "unexpected argument '-1'"),
        (vec!["init", "--account", "12345"], "not an account number of 12 digits"),
        (vec!["init", "--account", "12345678901x"], "not an account number of 12 digits"),
        (vec!["init", "--listen", "localhost:1"], "invalid socket address"),
        (vec!["init", "--passphrase-file", ""], "a path, `-` or fd:N"),
        (vec!["init", "--passphrase-file", "fd:1"], "fd:3 or higher"),
        (vec!["init", "--kit-passphrase-file", "env:SECRET"], "reference of the configuration"),
        (vec!["serve", "--listen", "127.0.0.1:99999"], "invalid socket address"),
        (vec!["serve", "--listen", "0.0.0.0:7700"], "does not speak TLS yet"),
        (vec!["dev", "--listen", "0.0.0.0:7700"], "does not speak TLS yet"),
        (vec!["dev", "--listen", "7700"], "of the form 127.0.0.1:7700"),
        (restoring("--vault", "b"), "supported is dir:///FOLDER"),
        (restoring("--without-vault", "b"), "supported is dir:///FOLDER"),
        (restoring("--to", "yesterday"), "is not a time like 2026-11-22T03:00:00Z"),
        (restoring("--to", "2026-11-22"), "is not a time like 2026-11-22T03:00:00Z"),
        (restoring("--expect-head", "newest"), "INCARNATION.SEQUENCE.32-HEX-DIGITS"),
        (restoring("--expect-head", &HEAD[..60]), "32 lowercase hex digits"),
        (vec!["kit", "revoke", "kit_12"], "kit_<32 hex digits>"),
        (vec!["kit", "revoke", "--yes"], "<KIT>"),
        (vec!["key", "create", "--tag", "team"], "of the form NAME=VALUE"),
        (vec!["key", "create", "--expires-at", "soon"], "is not a time like"),
        (vec!["wrap", "put", "a", "--bytes", "-1"], "unexpected argument '-1'"),
        (vec!["wrap", "put", "a", "--bytes", "many"], "invalid digit"),
        (vec!["wrap", "put", "a", "--data-key-file", "fd:1"], "fd:3 or higher"),
        (vec!["wrap", "verify", "a", "--root-public-key", "07"], "64 lowercase hex digits"),
        (vec!["status", "--endpoint", "https://a"], "does not speak yet"),
        (vec!["status", "--endpoint", "127.0.0.1:1"], "of the form http://HOST:PORT"),
    ] {
        home.run(&line).refused(2, &[said]);
    }
    assert_eq!(home.path().read_dir().unwrap().count(), 0, "something was made");
}

#[test]
fn flags_that_exclude_or_need_each_other_say_so() {
    let home = Home::new();
    let restore = ["restore", "run", "--kit", "k", "--vault", "dir:///a"];
    for (line, said) in [
        (vec!["init", "--passphrase-file", "a", "--passphrase-out", "b"], "cannot be used with"),
        (vec!["init", "--kit-passphrase-file", "a", "--kit-passphrase-out", "b"], "cannot be used"),
        ([&restore[..], &["--kit-secret-out", "s"]].concat(), "--kit-out <FILE>"),
        ([&restore[..], &["--kit-out-passphrase-file", "s"]].concat(), "--kit-out <FILE>"),
        (vec!["wrap", "put", "a", "--data-key-file", "b", "--bytes", "16"], "cannot be used with"),
        (vec!["wrap", "put", "a", "--data-key-file", "b", "--data-key-out", "c"], "cannot be used"),
        (vec!["init", "--account", "123456789012", "--account", "123456789012"], "multiple times"),
    ] {
        home.run(&line).refused(2, &[said]);
    }
}

#[test]
fn without_a_terminal_everything_that_is_missing_is_named_at_once() {
    let home = Home::new();
    home.run(&["init"]).refused(
        2,
        &["missing: --data-dir, --vault, --passphrase-file, --kit-out, --kit-passphrase-file, \
           --kit-secret-out"],
    );
    home.run(&["serve"]).refused(2, &["missing: --data-dir"]);
    home.run(&["serve", "--data-dir", "d"]).refused(2, &["no terminal", "--passphrase-file"]);
    home.run(&["restore", "run", "--kit", "k", "--vault", "dir:///a", "--kit-out", "x"]).refused(
        2,
        &["missing: --data-dir, --kit-passphrase-file, --kit-secret-file, --passphrase-file, \
           --kit-secret-out, --kit-out-passphrase-file"],
    );
    home.run(&["kit", "create"])
        .refused(2, &["missing: --kit-out, --kit-secret-out, --kit-passphrase-file"]);
    let kit = "kit_00112233445566778899aabbccddeeff";
    home.run(&["kit", "revoke", kit]).refused(2, &["missing: --yes"]);
    home.run(&["kit", "verify", "--kit", "k"]).refused(2, &["missing: --data-dir or --vault"]);
}

#[test]
fn a_plan_that_would_lose_what_it_makes_is_refused_before_anything_is_made() {
    let home = Home::new();
    let strong = home.write("strong", "gravel-otter-lunar-sphinx-mend\n");
    let (kits, secrets) = (home.folder("kits"), home.folder("secrets"));
    home.folder("a");
    home.folder("b");
    let before = home.path().read_dir().unwrap().count();
    let init = |vaults: &[&str], kit: &str, secret: &str, more: &[&str]| {
        let vaults: Vec<String> = vaults.iter().map(|v| format!("dir://{}", home.at(v))).collect();
        let data = home.at("data");
        let mut line = vec!["init", "--data-dir", &data, "--passphrase-file", &strong];
        line.extend([
            "--kit-passphrase-file",
            &strong,
            "--kit-out",
            kit,
            "--kit-secret-out",
            secret,
        ]);
        vaults.iter().for_each(|vault| line.extend(["--vault", vault]));
        line.extend(more);
        home.run(&line)
    };
    let (kit, secret) = (format!("{kits}/kit"), format!("{secrets}/secret"));
    let beside = format!("{kits}/secret");
    init(&["a", "b"], &kit, &beside, &[]).refused(2, &["would lie in one folder", "hint: "]);
    init(&["a", "b"], &home.at("a/kit"), &secret, &[]).refused(2, &["lies in", "hint: "]);
    init(&["a", "b"], &kit, &home.at("data/secret"), &[]).refused(2, &["lies in", "hint: "]);
    init(&["a", "data/b"], &kit, &secret, &[]).refused(2, &["lies in", "hint: "]);
    init(&["a", "a"], &kit, &secret, &[]).refused(2, &["lies in", "hint: "]);
    init(&["a", "b"], &home.at("typo/kit"), &secret, &[]).refused(2, &["cannot use", "typo"]);
    init(&["a", "b"], &strong, &secret, &[]).refused(2, &["exists", "hint: name a new file"]);
    for min in ["0", "1", "3"] {
        let ran = init(&["a", "b"], &kit, &secret, &["--vaults-min", min]);
        ran.refused(2, &["not more than half of the 2 vaults"]);
    }
    init(&["a", "c"], &kit, &secret, &[]).refused(2, &["has no folder", "hint: mount the disk"]);
    home.write(".config/keystead/profile.toml", "taken");
    init(&["a", "b"], &kit, &secret, &[]).refused(2, &["is the profile of an instance"]);
    assert_eq!(home.path().read_dir().unwrap().count(), before + 1, "something was made");
}
