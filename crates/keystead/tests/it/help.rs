//! Help, version, completions and manual pages.

use crate::run::Home;

/// Every command with the first line of its help.
const COMMANDS: [(&[&str], &str); 58] = [
    (&[], "Keep keys that you can prove you can recover"),
    (&["dev"], "Start a throw-away instance on loopback"),
    (&["init"], "Make a new instance, its vaults' first objects and a recovery kit"),
    (&["serve"], "Serve an instance"),
    (&["restore"], "Recover from vaults and a kit"),
    (&["restore", "run"], "Make an instance again from its vaults and a kit"),
    (&["restore", "key"], "Bring one key, or one version of it, back to what a recovery point has"),
    (&["status"], "Show which promises hold"),
    (&["kit"], "Make, verify, list and revoke recovery kits"),
    (&["kit", "create"], "Make another kit and test that it opens"),
    (&["kit", "verify"], "Open a kit and say what it can recover"),
    (&["kit", "list"], "List the kits that are not revoked, with when each was last proven"),
    (&["kit", "revoke"], "Revoke a kit"),
    (&["backup"], "Make, list, verify and open recovery points"),
    (&["backup", "create"], "Make a recovery point now"),
    (&["backup", "list"], "List the recovery points, oldest first"),
    (
        &["backup", "info"],
        "Show what a recovery point or a vault holds, as far as no key is needed",
    ),
    (&["backup", "verify"], "Verify a recovery point, a vault, or on the server everything"),
    (&["backup", "check-format"], "Check that a file is in a format that this program reads"),
    (
        &["backup", "test-decrypt"],
        "Open a recovery point and its key copies with a kit, in memory alone",
    ),
    (&["key"], "Make, show, change and delete keys"),
    (&["key", "list"], "List all keys"),
    (&["key", "show"], "Show one key with its versions and tags"),
    (&["key", "create"], "Make a key"),
    (&["key", "public-key"], "Print the public half of a key"),
    (&["key", "enable"], "Use a key again"),
    (&["key", "disable"], "Let a key do nothing"),
    (&["key", "delete"], "Destroy a key after some days"),
    (&["key", "cancel-deletion"], "Do not destroy a key that is to be destroyed"),
    (&["key", "rotate"], "Give a key a new version"),
    (&["key", "rotation"], "Give a key a new version every so many days, or no longer"),
    (&["key", "tag"], "Add tags to a key, or give them other values"),
    (&["key", "untag"], "Remove tags from a key"),
    (&["key", "describe"], "Say something else of a key"),
    (&["alias"], "Name keys"),
    (&["alias", "create"], "Give a key a name"),
    (&["alias", "update"], "Let an alias name another key"),
    (&["alias", "delete"], "Delete an alias"),
    (&["alias", "list"], "List aliases"),
    (&["wrap"], "Keep a data key for each document, and export and verify what there is"),
    (&["wrap", "put"], "Give a subject its data key, or find the one it has"),
    (&["wrap", "show"], "Show a subject's record; its data key stays wrapped"),
    (&["wrap", "unwrap"], "Write a subject's data key into a new file"),
    (&["wrap", "list"], "List all records, in the order in which they were made"),
    (&["wrap", "export"], "Write all records into a file that shows whether one is missing"),
    (&["wrap", "verify"], "Verify an export without a server"),
    (&["audit"], "Verify, list, export and prove the record of everything that was done"),
    (&["audit", "verify"], "Verify the ledgers in vaults without a server"),
    (&["audit", "list"], "List events, verified on the way, without a server"),
    (&["audit", "export"], "Write events into a file that shows whether one was altered"),
    (&["audit", "prove"], "Prove that one event is in the record"),
    (&["audit", "import"], "Find in its storage's log who was at a vault beside the service"),
    (&["witness"], "Be a witness of other instances' ledgers"),
    (&["witness", "serve"], "Cosign the checkpoints of other instances' ledgers"),
    (&["config", "explain"], "Show each value with its source"),
    (&["config", "check"], "Say whether the configuration can be used"),
    (&["completions"], "Print a completion script for a shell"),
    (&["man"], "Write the manual pages into a folder"),
];

#[test]
fn every_command_explains_itself_on_standard_output() {
    let home = Home::new();
    for (command, first) in COMMANDS {
        for flag in ["--help", "-h"] {
            let help = home.run(&[command, &[flag]].concat()).done();
            assert_eq!(help.lines().next(), Some(first), "{command:?}");
            assert!(help.contains("Usage: keystead"), "{command:?}");
        }
    }
    assert_eq!(home.path().read_dir().unwrap().count(), 0, "help writes nothing");
}

#[test]
fn the_long_help_has_the_exit_codes_and_the_order_of_the_layers() {
    let help = Home::new().run(&["--help"]).done();
    for part in ["  7  corrupt or diverging bytes", "KEYSTEAD__SECTION__FIELD", "--endpoint <URL>"]
    {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn the_version_is_one_line() {
    for command in [&["--version"][..], &["-V"], &["key", "list", "--version"]] {
        let version = Home::new().run(command).done();
        assert!(version.ends_with(concat!(env!("CARGO_PKG_VERSION"), "\n")), "{version}");
        assert_eq!(version.lines().count(), 1);
    }
}

#[test]
fn every_shell_has_a_completion_script() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.run(&["completions", shell]).done();
        assert!(script.contains("keystead") && script.contains("expect-head"), "{shell}");
        for word in COMMANDS.iter().flat_map(|(command, _)| *command) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    home.run(&["completions", "csh"]).refused(2, &["invalid value 'csh'", "bash"]);
}

#[test]
fn every_command_has_a_manual_page() {
    let home = Home::new();
    assert_eq!(home.run(&["man", &home.at("new/pages")]).done(), "");
    for (command, first) in COMMANDS {
        let page = format!("{}.1", [&["keystead"], command].concat().join("-"));
        let path = home.path().join("new/pages").join(&page);
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|absent| panic!("{page}: {absent}"));
        assert!(text.contains(".TH"), "{page}");
        let first = first.replace('-', "\\-").replace('\'', "\\*(Aq");
        assert!(text.contains(&first), "{page}: {first}");
    }
    let file = home.write("file", "");
    home.run(&["man", &file]).refused(1, &["cannot write the manual pages into", &file]);
}
