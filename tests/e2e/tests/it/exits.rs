//! Every exit code of the reference is reached, and the reference and the help name no other.

use std::{collections::BTreeMap, fs};

use keystead_driver::{Access, Kms, make_private};

use crate::world::{World, create_key};

const REFERENCE: &str = include_str!("../../../../docs/reference/exit-codes.md");

#[test]
fn every_documented_exit_code_is_reached_by_a_command() {
    let world = World::new();
    let (data, passphrase) = (world.text_at("one/data"), world.text_at("one/passphrase"));
    make_private(&world.at("wrong"), "gravel-otter-lunar-sphinx-mens").unwrap();
    let serve = |data: &str, passphrase: &str| {
        let words = ["serve", "--data-dir", data, "--passphrase-file", passphrase];
        [&words[..], &["--listen", "127.0.0.1:0"]].concat().join("\n")
    };
    let kit = world.at("kit/k.kit");
    let mut bytes = fs::read(&kit).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(world.at("damaged.kit"), bytes).unwrap();
    let code = |line: &str| {
        let words: Vec<&str> = line.split('\n').collect();
        world.machine.run(&words).unwrap().code.unwrap()
    };
    let mut reached = BTreeMap::new();
    let mut note = |line: &str| *reached.entry(code(line)).or_insert(0) += 1;
    note("--version");
    // A folder cannot be made where a file lies.
    note(&format!("man\n{}", world.text_at("wrong")));
    note("serve\n--no-such-flag");
    note("key\nlist\n--endpoint\nhttp://127.0.0.1:1");
    note(&serve(&data, &world.text_at("wrong")));
    note(&serve(&world.text_at("nowhere"), &passphrase));
    let verify = ["kit", "verify", "--kit", &world.text_at("damaged.kit")].join("\n");
    let verify =
        format!("{verify}\n--kit-passphrase-file\n{}", world.text_at("one/kit-passphrase"));
    let verify = format!("{verify}\n--kit-secret-file\n{}", world.text_at("secret/s.txt"));
    note(&format!("{verify}\n--vault\n{}", world.url("a")));
    let serving = world.serve();
    note(&serve(&data, &passphrase));
    let log = "type=CONFIG_CHANGE msg=audit(1.000:1): op=remove_rule key=\"keystead-vault\"\n";
    fs::write(world.at("audit.log"), log).unwrap();
    let import =
        format!("audit\nimport\n{}\n--vault\n{}", world.text_at("audit.log"), world.url("a"));
    note(&format!("{import}\n--endpoint\n{}", serving.endpoint()));
    drop(serving);
    let documented: Vec<i32> = REFERENCE
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok())
        .collect();
    assert_eq!(reached.keys().copied().collect::<Vec<_>>(), documented, "{reached:?}");
    let help = world.machine.run(&["--help"]).unwrap().stdout;
    for code in documented {
        let start = format!("  {code}  ");
        assert_eq!(help.lines().filter(|line| line.starts_with(&start)).count(), 1, "{code}");
    }
}

#[test]
fn a_command_tells_a_denied_key_from_a_missing_one_and_a_disabled_one() {
    let world = World::new();
    let serving = world.serve();
    let kms: Kms<'_> = world.kms(&serving);
    let key = create_key(&kms).unwrap();
    kms.call("DisableKey", &serde_json::json!({ "KeyId": key })).unwrap();
    let run = |words: &[&str]| {
        let at = ["--endpoint", serving.endpoint()];
        world.machine.run(&[words, &at].concat()).unwrap().code
    };
    let gone = format!("key_{}", "0".repeat(32));
    assert_eq!(run(&["key", "show", &gone]), Some(5));
    assert_eq!(run(&["key", "rotate", &key]), Some(6), "a disabled key is not rotated");
    let other = World::new();
    let stranger = other.machine.profile().display().to_string();
    assert!(Access::of(&other.made).is_some());
    assert_eq!(run(&["key", "list", "--profile", &stranger]), Some(4));
}
