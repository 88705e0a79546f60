//! One Keystead witnesses another: two real binaries, and a copy that shows another history.

use std::{fs, path::Path, time::Instant};

use keystead_driver::Serving;
use serde_json::Value;

use crate::world::{World, create_key};

/// The key of a witness that nobody is, with an id that fits it.
fn key_of_nobody() -> String {
    let name = keystead_ledger::KeyName::new("nobody").unwrap();
    let public = keystead_crypto::NotePublic([7; 32]);
    keystead_ledger::VerifierKey::new(name, keystead_ledger::KeyType::Witness, public).to_string()
}

/// The log's key as `audit verify` prints it.
fn log_key(world: &World) -> String {
    let url = world.url("a");
    let verified = world.machine.answer(&["audit", "verify", "--vault", &url]).unwrap();
    verified["logs"][0]["key"].as_str().unwrap().to_owned()
}

/// Starts a witness of the log; its endpoint and key.
fn witness(world: &World, log: &str) -> (Serving, String) {
    let state = world.text_at("witness");
    let line = ["witness", "serve", "--json", "--state-dir", &state, "--name", "w.example/1"];
    let line = [&line[..], &["--listen", "127.0.0.1:0", "--log", log]].concat();
    let serving = world.machine.listen(&line).unwrap();
    let key = serving.said()["key"].as_str().unwrap().to_owned();
    (serving, key)
}

fn record_promise(status: &Value) -> (String, String) {
    let promises = status["promises"].as_array().unwrap();
    let record = promises.iter().find(|promise| promise["number"] == 4).unwrap();
    let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    (text("verdict"), text("reason"))
}

/// Asks for the status until promise 4 is as wanted.
#[track_caller]
fn await_promise(world: &World, serving: &Serving, wanted: impl Fn(&str, &str) -> bool) {
    let began = Instant::now();
    loop {
        let (verdict, reason) = record_promise(&world.status(serving));
        if wanted(&verdict, &reason) {
            return;
        }
        assert!(began.elapsed().as_secs() < 60, "{verdict}: {reason}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[test]
fn one_keystead_witnesses_another_and_cosigns_no_second_history() {
    let world = World::new();
    let serving = world.serve();
    create_key(&world.kms(&serving)).unwrap();
    world.await_all_vaults(&serving);
    await_promise(&world, &serving, |verdict, reason| {
        verdict == "weak" && reason.contains("no witness cosigns")
    });
    world.await_vault(&serving, "a", |vault| vault["ledger_entries"].as_u64() >= Some(3));
    assert_eq!(serving.stop(), Some(0));
    let (witness_of, key) = witness(&world, &log_key(&world));
    let witnesses = format!("{key} {}", witness_of.endpoint());
    let config = world.text_at("witnessed.toml");
    fs::write(&config, format!("[audit]\nwitnesses = [\"{witnesses}\"]\n")).unwrap();
    let names = ["one/data", "a", "b", "c"];
    names.iter().for_each(|name| copy(&world.at(name), &world.at("before").join(name)));
    let serve = || {
        let (data, passphrase) = (world.at("one/data"), world.at("one/passphrase"));
        world.machine.serve(&data, &passphrase, &["--config", &config]).unwrap()
    };
    let serving = serve();
    create_key(&world.kms(&serving)).unwrap();
    await_promise(&world, &serving, |verdict, reason| {
        verdict == "holds" && reason.starts_with("1 of 1 witnesses cosigned ")
    });
    let url = world.url("a");
    let verify = |key: &str| {
        let line = ["audit", "verify", "--json", "--vault", &url, "--witness", key];
        world.machine.run(&line).unwrap()
    };
    // The vaults get the cosignature after the node has it.
    let began = Instant::now();
    let verified: Value = loop {
        let ended = verify(&key);
        match ended.code {
            Some(0) => break ended.json().unwrap(),
            _ => assert!(began.elapsed().as_secs() < 60, "{}", ended.stderr),
        }
    };
    assert_eq!(serving.stop(), Some(0));
    assert_eq!(verified["logs"][0]["cosigned"]["witnesses"][0]["name"], "w.example/1");
    let stranger = verify(&key_of_nobody());
    assert_eq!(stranger.code, Some(7), "{}", stranger.stderr);
    let proof = world.text_at("event.tlog-proof");
    let wanted = ["audit", "prove", "--vault", &url, "--index", "1", "--output", &proof];
    world.machine.answer(&wanted).unwrap();
    let check = ["audit", "verify", "--proof", &proof, "--witness", &key];
    let proven: Value = world.machine.answer(&check).unwrap();
    let signed_by = proven["signed_by"].as_array().unwrap();
    assert!(signed_by.contains(&"w.example/1".into()), "{signed_by:?}");
    // The folder and the vaults of before, in the place of those of now: another history begins.
    for name in names {
        fs::remove_dir_all(world.at(name)).unwrap();
        copy(&world.at("before").join(name), &world.at(name));
    }
    let forked = serve();
    create_key(&world.kms(&forked)).unwrap();
    await_promise(&world, &forked, |verdict, reason| {
        verdict == "weak" && reason.contains("it has cosigned another checkpoint")
            || reason.contains("422")
    });
    assert_eq!(forked.stop(), Some(0));
    let unseen = verify(&key);
    assert_eq!(unseen.code, Some(7), "{}", unseen.stderr);
    assert!(unseen.said("error: ")[0].contains("w.example/1"), "{}", unseen.stderr);
    assert_eq!(witness_of.stop(), Some(0));
}
