//! The ledgers of a vault, verified from the command line with and without a server.

use std::{fs, path::Path, path::PathBuf};

use keystead_driver::Ended;
use serde_json::{Value, json};

use crate::world::{World, encrypt};

/// Every file of the ledgers in a vault's folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), found),
            false => found.push(entry.path()),
        }
    }
    found.retain(|path| path.components().any(|part| part.as_os_str() == "ledger"));
}

fn verify(world: &World, vault: &str, more: &[&str]) -> Ended {
    let url = world.url(vault);
    world.machine.run(&[&["audit", "verify", "--json", "--vault", &url], more].concat()).unwrap()
}

fn entries(ended: Ended) -> u64 {
    let verified: Value = ended.succeeded().unwrap().json().unwrap();
    verified["entries"].as_u64().unwrap()
}

#[test]
fn a_vault_shows_its_whole_ledger_to_whoever_has_the_root_key_and_names_what_was_altered() {
    let world = World::new();
    let serving = world.serve();
    let kms = world.kms(&serving);
    for _ in 0..5 {
        kms.call("CreateKey", &json!({})).unwrap();
    }
    world.await_all_vaults(&serving);
    let shipped = || world.status(&serving)["ledger_shipped"].as_u64().unwrap();
    while shipped() < 10 {
        std::thread::yield_now();
    }
    assert!(entries(verify(&world, "a", &[])) >= 10, "also while the server runs");
    let root = world.status(&serving)["root_public_key"].as_str().unwrap().to_owned();
    serving.kill();
    let mut ledger = Vec::new();
    files(&world.at("a"), &mut ledger);
    let size = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u64>().ok();
    let checkpoints = ledger.iter().filter(|path| path.parent().unwrap().ends_with("checkpoint"));
    let largest = checkpoints.max_by_key(|path| size(path)).unwrap();
    let kept = world.text_at("kept");
    fs::copy(largest, &kept).unwrap();
    let whole = entries(verify(&world, "a", &["--checkpoint", &kept, "--root-public-key", &root]));
    assert_eq!(Some(whole), size(largest));
    let missing = verify(&world, "a", &["--checkpoint", &world.text_at("none")]);
    assert_eq!(missing.code, Some(5), "{}", missing.stderr);
    let foreign = verify(&world, "a", &["--root-public-key", &"ab".repeat(32)]);
    assert_eq!(foreign.code, Some(5), "{}", foreign.stderr);
    fs::remove_file(largest).unwrap();
    let cut = verify(&world, "a", &["--checkpoint", &kept]);
    assert_eq!(cut.code, Some(7), "{}", cut.stderr);
    assert!(cut.said("error: ")[0].contains("ends before"), "{}", cut.stderr);
}

/// An instance whose events have reached every vault, its server gone; and the id of the request
/// that made a key, with the key.
fn recorded(world: &World) -> (String, String) {
    let serving = world.serve();
    let kms = world.kms(&serving);
    let made = kms.ask("CreateKey", b"{}".to_vec()).unwrap();
    let key = made.body["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    for number in 0..300 {
        encrypt(&kms, &key, &number.to_string()).unwrap();
    }
    kms.call("DescribeKey", &json!({ "KeyId": "alias/none" })).unwrap_err();
    world.await_all_vaults(&serving);
    let size = world.status(&serving)["ledger_size"].as_u64().unwrap();
    for vault in ["a", "b", "c"] {
        world.await_vault(&serving, vault, |vault| vault["ledger_entries"].as_u64() >= Some(size));
    }
    serving.kill();
    (made.request, key)
}

fn audit(world: &World, command: &[&str], more: &[&str]) -> Ended {
    let url = world.url("b");
    let line = [&["audit"], command, &["--json", "--vault", &url], more].concat();
    world.machine.run(&line).unwrap()
}

fn answer(ended: Ended) -> Value {
    ended.succeeded().unwrap().json().unwrap()
}

#[test]
fn events_are_listed_by_filter_and_a_table_shows_the_newest() {
    let world = World::new();
    let (request, key) = recorded(&world);
    let all = answer(audit(&world, &["list"], &["--limit", "100000"]));
    let events = all["events"].as_array().unwrap();
    assert_eq!(all["matched"], all["entries"]);
    assert_eq!(Some(events.len() as u64), all["entries"].as_u64());
    let made = answer(audit(&world, &["list"], &["--request", &request_id(&request)]));
    assert_eq!(made["events"][0]["operation"], "CreateKey");
    assert_eq!(made["matched"], 1);
    let used = answer(audit(&world, &["list"], &["--key", &key, "--operation", "Encrypt"]));
    assert_eq!((&used["matched"], used["events"].as_array().unwrap().len()), (&300.into(), 100));
    let last = used["events"][99]["index"].as_u64().unwrap();
    assert!(used["events"][0]["index"].as_u64().unwrap() == last - 99, "the newest, in order");
    let refused = answer(audit(&world, &["list"], &["--outcome", "refused"]));
    assert_eq!(refused["events"][0]["error"], "not-found");
    let at = refused["events"][0]["at"].as_str().unwrap();
    let later = answer(audit(&world, &["list"], &["--from", at, "--outcome", "refused"]));
    let earlier = answer(audit(&world, &["list"], &["--to", at, "--outcome", "refused"]));
    assert_eq!((&later["matched"], &earlier["matched"]), (&1.into(), &0.into()));
    let url = world.url("a");
    let table = world.machine.run(&["audit", "list", "--vault", &url, "--limit", "3"]).unwrap();
    let table = table.succeeded().unwrap();
    assert!(table.stdout.starts_with("TIME "), "{}", table.stdout);
    assert_eq!(table.stdout.lines().count(), 1 + 3 + 3, "{}", table.stdout);
    assert!(table.stderr.contains(" entries in "), "{}", table.stderr);
    assert!(!all.to_string().contains("127.0.0.1"), "an address is in no event");
}

/// The form of an id that commands take beside that of AWS clients.
fn request_id(hex: &str) -> String {
    format!("req_{hex}")
}

#[test]
fn an_export_is_whole_private_and_refused_where_it_was_altered() {
    let world = World::new();
    let (_, key) = recorded(&world);
    let root = world.made["root_public_key"].as_str().unwrap().to_owned();
    let (whole, chosen) = (world.text_at("whole.jsonl"), world.text_at("chosen.jsonl"));
    let made = answer(audit(&world, &["export"], &["--output", &whole]));
    assert_eq!(made["whole"], true);
    let filter = ["--output", &chosen, "--key", &key, "--outcome", "succeeded"];
    let some = answer(audit(&world, &["export"], &filter));
    assert_eq!((&some["whole"], &some["events"]), (&false.into(), &301.into()));
    let again = audit(&world, &["export"], &["--output", &whole]);
    assert_eq!(again.code, Some(2), "nothing is overwritten: {}", again.stderr);
    let elsewhere = world.second_machine();
    let check = |file: &str, more: &[&str]| {
        let line = ["audit", "verify", "--json", "--export", file, "--root-public-key", &root];
        elsewhere.run(&[&line[..], more].concat()).unwrap()
    };
    for (file, made) in [(&whole, &made), (&chosen, &some)] {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(fs::metadata(file).unwrap().mode() & 0o777, 0o600);
        let checked = answer(check(file, &[]));
        assert_eq!(checked["events"], made["events"]);
        let text = fs::read_to_string(file).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.remove(lines.len() / 2);
        let spoilt = format!("{file}.spoilt");
        fs::write(&spoilt, lines.join("\n") + "\n").unwrap();
        refused_with(&check(&spoilt, &[]), 7);
        fs::write(&spoilt, text.replacen("Encrypt", "Decrypt", 1)).unwrap();
        refused_with(&check(&spoilt, &[]), 7);
    }
    let foreign = ["audit", "verify", "--export", &whole, "--root-public-key", &"ab".repeat(32)];
    refused_with(&elsewhere.run(&foreign).unwrap(), 7);
}

#[track_caller]
fn refused_with(ended: &Ended, code: i32) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
    assert_eq!(ended.said("error: ").len(), 1, "{}", ended.stderr);
}

#[test]
fn one_event_is_proved_with_the_root_key_alone_and_from_a_kept_checkpoint_on() {
    let world = World::new();
    let mut ledger = Vec::new();
    files(&world.at("a"), &mut ledger);
    let (request, _) = recorded(&world);
    files(&world.at("b"), &mut ledger);
    let size = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u64>().ok();
    let checkpoints = ledger.iter().filter(|path| path.parent().unwrap().ends_with("checkpoint"));
    let smallest = checkpoints.min_by_key(|path| size(path)).unwrap().display().to_string();
    let root = world.made["root_public_key"].as_str().unwrap().to_owned();
    let proof = world.text_at("event.tlog-proof");
    let wanted = ["--request", &request_id(&request), "--since", &smallest, "--output", &proof];
    let made = answer(audit(&world, &["prove"], &wanted));
    assert_eq!(made["event"]["operation"], "CreateKey");
    let elsewhere = world.second_machine();
    let line = ["audit", "verify", "--json", "--proof", &proof, "--root-public-key", &root];
    let checked = answer(elsewhere.run(&line).unwrap());
    assert_eq!(checked["event"], made["event"]);
    assert!(checked["since_entries"].as_u64() < checked["entries"].as_u64());
    let kept = [&line[..], &["--checkpoint", &smallest]].concat();
    assert_eq!(answer(elsewhere.run(&kept).unwrap()), checked);
    let text = fs::read_to_string(&proof).unwrap();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{text}");
    for (from, to) in [("index ", "index 1"), ("\n\nins_", "\n\nins_0"), ("extra A", "extra B")] {
        fs::write(&proof, text.replacen(from, to, 1)).unwrap();
        refused_with(&elsewhere.run(&line).unwrap(), 7);
    }
    let index = made["index"].to_string();
    let other = world.text_at("by-index.tlog-proof");
    let plain = answer(audit(&world, &["prove"], &["--index", &index, "--output", &other]));
    assert_eq!(plain["event"], made["event"]);
    fs::write(&proof, fs::read(&other).unwrap()).unwrap();
    refused_with(&elsewhere.run(&kept).unwrap(), 7);
    let nobody = ["--request", &request_id(&"ab".repeat(16)), "--output", &world.text_at("none")];
    refused_with(&audit(&world, &["prove"], &nobody), 5);
    let beyond = ["--index", "99999999", "--output", &world.text_at("none")];
    refused_with(&audit(&world, &["prove"], &beyond), 5);
    assert!(!world.at("none").exists());
}
