//! Recovery points and proofs from the command line: made, looked at without a server, opened with
//! a kit, and one key brought back.

use std::fs;

use keystead_driver::{Ended, Serving};
use serde_json::{Value, json};

use crate::world::World;

struct Site {
    world: World,
    serving: Serving,
}

impl Site {
    fn new() -> Self {
        let world = World::new();
        let serving = world.serve();
        Self { world, serving }
    }

    /// A command that asks the server.
    fn ask(&self, args: &[&str]) -> Ended {
        let more = ["--json", "--endpoint", self.serving.endpoint()];
        self.world.machine.run(&[args, &more[..]].concat()).unwrap()
    }

    fn answer(&self, args: &[&str]) -> Value {
        self.ask(args).succeeded().unwrap().json().unwrap()
    }

    /// The flags that open the kit.
    fn kit(&self) -> Vec<String> {
        let at = |name: &str| self.world.text_at(name);
        let flags = [
            ("--kit", at("kit/k.kit")),
            ("--kit-passphrase-file", at("one/kit-passphrase")),
            ("--kit-secret-file", at("secret/s.txt")),
            ("--data-dir", at("one/data")),
        ];
        flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }
}

/// A command that asks nobody.
fn offline(world: &World, args: &[&str]) -> Ended {
    world.machine.run(&[args, &["--json"][..]].concat()).unwrap()
}

#[test]
fn a_point_is_made_kept_verified_and_opened_and_a_damaged_one_is_refused() {
    let site = Site::new();
    let world = &site.world;
    for _ in 0..2 {
        world.kms(&site.serving).call("CreateKey", &json!({})).unwrap();
    }
    world.await_all_vaults(&site.serving);
    let (file, data) = (world.text_at("full.point"), world.text_at("one/data"));
    let made = site.answer(&["backup", "create", "--full", "--output", &file]);
    let point = made["point"].as_str().unwrap();
    assert_eq!(made["kind"], "full");
    let again = site.ask(&["backup", "create", "--full", "--output", &file]);
    assert_eq!(again.code, Some(2), "a file is never replaced: {}", again.stderr);
    let two = site.ask(&["backup", "create", "one.point", "--output", "other.point"]);
    assert_eq!(two.code, Some(2), "{}", two.stderr);
    let cut = site.answer(&["backup", "create"]);
    assert_eq!(cut["kind"], "metadata", "without a flag no value leaves");
    let listed = site.answer(&["backup", "list"]);
    assert_eq!(listed["points"].as_array().unwrap().len(), 2);
    site.serving.kill();
    let verified = |args: &[&str]| offline(world, args).succeeded().unwrap().json().unwrap();
    for target in [&*file, point] {
        let told = verified(&["backup", "verify", target, "--data-dir", &data]);
        assert_eq!((&told["kind"], &told["number"]), (&json!("full"), &json!(2)));
        let told = verified(&["backup", "info", target, "--data-dir", &data]);
        assert_eq!(told["encryption"], "AES-256-GCM under HPKE MLKEM768-X25519");
    }
    let whole = fs::read(&file).unwrap();
    for (at, code) in [(20, 7), (whole.len() / 2, 7), (whole.len() - 1, 7)] {
        let damaged = world.text_at(&format!("damaged-{at}"));
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&damaged, &bytes).unwrap();
        let refused = offline(world, &["backup", "verify", &damaged]);
        assert_eq!(refused.code, Some(code), "{}", refused.stderr);
        fs::write(&damaged, &whole[..at]).unwrap();
        let refused = offline(world, &["backup", "check-format", &damaged]);
        assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    }
}

#[test]
fn a_kit_opens_a_point_and_nothing_is_written() {
    let site = Site::new();
    let world = &site.world;
    world.kms(&site.serving).call("CreateKey", &json!({})).unwrap();
    let made = site.answer(&["backup", "create", "--full"]);
    let point = made["point"].as_str().unwrap();
    world.await_all_vaults(&site.serving);
    let kit = site.kit();
    let kit: Vec<&str> = kit.iter().map(String::as_str).collect();
    let opened = offline(world, &[&["backup", "test-decrypt", point], &kit[..]].concat());
    let opened: Value = opened.succeeded().unwrap().json().unwrap();
    assert_eq!((&opened["versions"], &opened["findings"]), (&json!(1), &json!([])));
    assert_eq!(opened["rows"]["key"], 1);
    let drill = site.ask(&[&["kit", "verify", "--drill"], &kit[..]].concat());
    let drilled: Value = drill.succeeded().unwrap().json().unwrap();
    assert_eq!((&drilled["exercised"], &drilled["recorded"]), (&json!(1), &json!(true)));
    let late = site.ask_after(&[&["kit", "verify", "--drill"], &kit[..]].concat());
    assert_eq!(late.code, Some(3), "a drill is shown to the server: {}", late.stderr);
}

impl Site {
    /// A command that asks where no server is.
    fn ask_after(&self, args: &[&str]) -> Ended {
        let gone = ["--json", "--endpoint", "http://127.0.0.1:9"];
        self.world.machine.run(&[args, &gone[..]].concat()).unwrap()
    }
}

#[test]
fn the_server_verifies_its_vaults_and_names_a_byte_that_changed() {
    let site = Site::new();
    let world = &site.world;
    let made = world.kms(&site.serving).call("CreateKey", &json!({})).unwrap();
    let key = made["KeyMetadata"]["KeyId"].as_str().unwrap();
    world.await_all_vaults(&site.serving);
    let sound = site.answer(&["backup", "verify"]);
    for run in sound["verifications"].as_array().unwrap() {
        assert_eq!(run["findings"], json!([]), "{run}");
    }
    let shown = site.answer(&["key", "show", key]);
    assert!(shown["versions"][0]["proven_at"].is_string(), "{shown}");
    let copy = key_copy(world, "b");
    let mut bytes = fs::read(&copy).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, bytes).unwrap();
    let found = site.ask(&["backup", "verify"]);
    assert_eq!(found.code, Some(7), "{}", found.stderr);
    let name = copy.file_name().unwrap().to_str().unwrap();
    assert!(found.stdout.contains(name) && found.stdout.contains(&world.url("b")));
    site.serving.kill();
    let whole = offline(world, &["backup", "verify", &world.url("a")]);
    assert_eq!(whole.succeeded().unwrap().json().unwrap()["findings"], json!([]));
    let damaged = offline(world, &["backup", "verify", &world.url("b")]);
    assert_eq!(damaged.code, Some(7), "{}", damaged.stderr);
}

/// The file of a key's copy in a vault.
fn key_copy(world: &World, vault: &str) -> std::path::PathBuf {
    let instance = world.made["instance"].as_str().unwrap();
    let folder = world.at(vault).join(instance).join("key");
    let files = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let versions = files(&folder).iter().flat_map(|key| files(key)).collect::<Vec<_>>();
    versions.iter().flat_map(|version| files(version)).next().unwrap()
}

#[test]
fn a_key_is_brought_back_after_its_difference_was_shown() {
    let site = Site::new();
    let world = &site.world;
    let made = world.kms(&site.serving).call("CreateKey", &json!({"Description": "first"}));
    let key = made.unwrap()["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    site.answer(&["backup", "create", "--full"]);
    site.answer(&["key", "describe", &key, "second"]);
    let unasked = site.ask(&["restore", "key", &key]);
    assert_eq!(unasked.code, Some(2), "nobody can be asked here: {}", unasked.stderr);
    let shown = site.answer(&["restore", "key", &key, "--diff"]);
    assert_eq!(shown["fields"][0]["then"], "first");
    assert_eq!(site.answer(&["key", "show", &key])["description"], "second");
    assert_eq!(site.answer(&["restore", "key", &key, "--yes"])["applied"], true);
    assert_eq!(site.answer(&["key", "show", &key])["description"], "first");
    site.serving.kill();
}
