//! `restore run` with each input wrong: it names what is wrong and what to do, and changes nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keystead_driver::{Machine, make_private};

use crate::{
    tree::{assert_unchanged, tree},
    world::{Line, World, create_key, refused},
};

/// An instance whose machine is gone, and an empty one that shall take over.
struct Ruins {
    world: World,
    machine: Machine,
}

impl Ruins {
    fn new() -> Self {
        let world = World::new();
        let serving = world.serve();
        create_key(&world.kms(&serving)).unwrap();
        world.await_all_vaults(&serving);
        serving.kill();
        fs::rename(world.at("one/data"), world.at("lost")).unwrap();
        let machine = world.second_machine();
        Self { world, machine }
    }

    /// Runs a restore that must be refused and must leave everything as it was.
    #[track_caller]
    fn refuses(&self, line: &Line, code: i32, error: &str, hint: &str) {
        let places = ["a", "b", "c", "kit", "secret", "two"].map(|name| self.world.at(name));
        let places: Vec<&Path> = places.iter().map(PathBuf::as_path).collect();
        let before = tree(&places);
        refused(&self.machine.run(&line.line()).unwrap(), code, error, hint);
        assert_unchanged(&before, &tree(&places));
    }

    fn restore(&self) -> Line {
        self.world.restore()
    }

    /// A restore from these vaults alone.
    fn from(&self, vaults: &[&str]) -> Line {
        let line = self.restore().drop("--vault");
        vaults.iter().fold(line, |line, vault| line.add("--vault", &self.world.url(vault)))
    }

    fn file(&self, name: &str, text: &str) -> String {
        make_private(&self.world.at(name), text).unwrap();
        self.world.text_at(name)
    }
}

#[test]
fn wrong_secrets_open_nothing_and_are_not_told_apart() {
    let ruins = Ruins::new();
    let wrong = ruins.file("wrong", "gravel-otter-lunar-sphinx-mens");
    let check = "check the passphrase, and that the printed secret is the one of this kit";
    let line = ruins.restore().set("--kit-passphrase-file", &wrong);
    ruins.refuses(&line, 4, "the passphrase or the factor is wrong", check);
    let words = fs::read_to_string(ruins.world.at("secret/s.txt")).unwrap();
    let last = words.trim_end().rsplit(char::is_whitespace).next().unwrap();
    let other = if last == "zoo" { "zebra" } else { "zoo" };
    let altered = format!("{}{other}\n", words.trim_end().strip_suffix(last).unwrap());
    let line = ruins.restore().set("--kit-secret-file", &ruins.file("altered", &altered));
    ruins.refuses(&line, 2, "line 4: its check word does not fit", "copy the words again");
    let line = ruins.restore().set("--kit-secret-file", &ruins.file("prose", "no words of ours"));
    ruins.refuses(&line, 2, "the first line is not a kit id", "copy the words again");
    let weak = ruins.file("weak", "password1234");
    let line = ruins.restore().set("--passphrase-file", &weak);
    ruins.refuses(&line, 2, "zxcvbn", "passphrase-out");
    let line = ruins.restore().set("--kit-passphrase-file", &ruins.world.text_at("absent"));
    ruins.refuses(&line, 2, "absent", "check the path and its permissions");
}

#[test]
fn a_kit_that_is_damaged_or_of_another_instance_is_named_before_its_passphrase_counts() {
    let ruins = Ruins::new();
    let other = World::new();
    let line = ruins.restore().set("--kit", &other.text_at("kit/k.kit"));
    let whole = line.clone().set("--kit-secret-file", &other.text_at("secret/s.txt"));
    let instance = other.made["instance"].as_str().unwrap();
    let nothing = format!("the vaults hold nothing of instance `{instance}`");
    ruins.refuses(&whole, 5, &nothing, "check that kit and vaults belong to the same instance");
    ruins.refuses(&line, 4, "the factor is of `kit_", "the printed secret is the one of this kit");
    let mut bytes = fs::read(ruins.world.at("kit/k.kit")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(ruins.world.at("damaged"), &bytes).unwrap();
    let wrong = ruins.file("wrong", "gravel-otter-lunar-sphinx-mens");
    let line = ruins.restore().set("--kit", &ruins.world.text_at("damaged"));
    let line = line.set("--kit-passphrase-file", &wrong);
    ruins.refuses(&line, 7, "the kit is damaged", "use another copy of the kit");
    let line = ruins.restore().set("--kit", &ruins.world.text_at("absent"));
    ruins.refuses(&line, 5, "absent", "check the path and its permissions");
}

#[test]
fn too_few_vaults_are_refused_until_the_loss_is_accepted() {
    let ruins = Ruins::new();
    let nowhere = ruins.from(&["nowhere", "neither"]);
    ruins.refuses(&nowhere, 3, "no vault could be read", "check that the vaults are mounted");
    let one = ruins.from(&["a"]);
    let too_few = "1 of 3 vaults were read; 2 prove that nothing is missing";
    ruins.refuses(&one, 3, too_few, "--accept-loss");
    // Dropping vaults from the new configuration is no word on what they hold.
    let dropped = one.clone().add("--without-vault", &ruins.world.url("b"));
    let dropped = dropped.add("--without-vault", &ruins.world.url("c"));
    ruins.refuses(&dropped, 3, too_few, "--accept-loss");
    let restored = ruins.world.restored(&dropped.with("--accept-loss"));
    let freshness = restored.answer["freshness"].as_str().unwrap();
    assert!(freshness.starts_with("unproven, server alive until 2"), "{freshness}");
    assert_eq!(restored.answer["keys"], 1);
    let status = restored.machine.answer(&["status", "--endpoint", restored.serving.endpoint()]);
    let status = status.unwrap();
    assert_eq!(status["vaults"].as_array().unwrap().len(), 1, "{status}");
    create_key(&restored.kms()).unwrap();
}

#[test]
fn a_missing_vault_among_enough_others_is_named_and_stops_nothing() {
    let ruins = Ruins::new();
    fs::rename(ruins.world.at("c"), ruins.world.at("unmounted")).unwrap();
    let ended = ruins.machine.run(&ruins.restore().line()).unwrap().succeeded().unwrap();
    assert!(ended.stderr.contains(&ruins.world.text_at("c")), "{}", ended.stderr);
    assert_eq!(ended.json().unwrap()["vaults_read"], 2);
    assert!(!ruins.world.at("c").exists(), "an absent folder is not made anew");
}

#[test]
fn a_head_that_is_not_contained_is_refused_and_the_vaults_ends_are_named() {
    let ruins = Ruins::new();
    let head = ruins.world.made["head"].as_str().unwrap();
    let (start, hash) = head.rsplit_once('.').unwrap();
    let turned: String = hash.chars().rev().collect();
    let line = ruins.restore().set("--expect-head", &format!("{start}.{turned}"));
    ruins.refuses(
        &line,
        7,
        "the expected head is not in the chain",
        "name the vault that holds it",
    );
    let ended = ruins.machine.run(&line.line()).unwrap();
    for vault in ["a", "b", "c"] {
        assert!(ended.stderr.contains(&ruins.world.url(vault)), "{}", ended.stderr);
    }
    let (incarnation, _) = start.rsplit_once('.').unwrap();
    let line = ruins.restore().set("--expect-head", &format!("{incarnation}.99.{hash}"));
    ruins.refuses(&line, 7, "the expected head is not in the chain", "leave --expect-head out");
    let restored = ruins.world.restored(&ruins.restore().set("--expect-head", head));
    assert_eq!(restored.answer["keys"], 1);
}

#[test]
fn places_that_are_taken_or_would_be_lost_together_are_refused() {
    let ruins = Ruins::new();
    let at = |name: &str| ruins.world.text_at(name);
    fs::create_dir(ruins.world.at("two/full")).unwrap();
    fs::write(ruins.world.at("two/full/file"), "mine").unwrap();
    let line = ruins.restore().set("--data-dir", &at("two/full"));
    ruins.refuses(&line, 2, "is not empty", "name a folder that is absent or empty");
    for inside in ["a/data", "a"] {
        let line = ruins.restore().set("--data-dir", &at(inside));
        ruins.refuses(&line, 2, &format!("vault `{}` lies in", ruins.world.url("a")), "vault must");
    }
    let line = ruins.restore().set("--data-dir", &at("two/data"));
    let line = line.add("--vault", &format!("dir://{}", at("two/data/vault")));
    ruins.refuses(&line, 2, "lies in", "a vault must survive");
    let kit = ruins.restore().set("--kit-out-passphrase-file", &at("one/kit-passphrase"));
    let kit = kit.set("--kit-out", &at("kit/k2")).set("--kit-secret-out", &at("kit/s2"));
    ruins.refuses(&kit, 2, "kit and printed secret would lie in one folder", "two folders");
    let kit = kit.set("--kit-secret-out", &at("a/s2"));
    ruins.refuses(&kit, 2, "lies in", "write it elsewhere");
    let kit = kit.set("--kit-out", &at("kit/k.kit")).set("--kit-secret-out", &at("secret/s2"));
    ruins.refuses(&kit, 2, "exists", "name a new file");
}
