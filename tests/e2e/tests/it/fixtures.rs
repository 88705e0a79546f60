//! What every released version left behind is opened by this one: served, restored, verified.
//!
//! Invariant: a folder in `tests/fixtures/` of a version that was released never changes.

use std::{fs, path::PathBuf};

use keystead_driver::{Access, Fixture, Kms, Machine, make_private};
use serde_json::{Value, json};

use crate::world::NEW_PASSPHRASE;

/// The folders of all versions.
fn versions() -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        fs::read_dir("../fixtures").unwrap().map(|of| of.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

fn text(fixture: &Fixture, name: &str) -> String {
    fixture.at(name).display().to_string()
}

fn vaults(fixture: &Fixture) -> Vec<String> {
    let names = fixture.manifest["vaults"].as_array().unwrap().iter();
    names
        .flat_map(|name| {
            let name = name.as_str().unwrap();
            ["--vault".to_owned(), format!("dir://{}?domain=room-{name}", text(fixture, name))]
        })
        .collect()
}

/// Runs a command line and returns its answer.
fn answer(machine: &Machine, words: &[&str], more: &[String]) -> Value {
    let line: Vec<String> =
        words.iter().map(ToString::to_string).chain(more.iter().cloned()).collect();
    machine.answer(&line).unwrap()
}

/// Everything that the manifest says comes out of the keys comes out of them.
fn everything_opens(kms: &Kms<'_>, manifest: &Value) {
    let holds = &manifest["holds"];
    for made in holds["ciphertexts"].as_array().unwrap().iter().chain([&manifest["later"]]) {
        let asked = json!({ "CiphertextBlob": made["blob"], "EncryptionContext": made["context"] });
        let opened = kms.call("Decrypt", &asked).unwrap();
        assert_eq!(opened["Plaintext"], made["plaintext"]);
        let without = kms.call("Decrypt", &json!({ "CiphertextBlob": made["blob"] }));
        assert!(without.is_err(), "the context binds");
    }
    let data_key = &holds["data_key"];
    let opened = kms.call("Decrypt", &json!({ "CiphertextBlob": data_key["blob"] })).unwrap();
    assert_eq!(opened["Plaintext"], data_key["plaintext"]);
    for made in holds["signed"].as_array().unwrap() {
        let (key, message) = (&made["key"]["id"], &made["message"]);
        let mut asked = json!({ "KeyId": key, "Message": message });
        if made["mac"].is_null() {
            asked["SigningAlgorithm"] = made["algorithm"].clone();
            asked["Signature"] = made["signature"].clone();
            assert_eq!(kms.call("Verify", &asked).unwrap()["SignatureValid"], true);
            let public = kms.call("GetPublicKey", &json!({ "KeyId": key })).unwrap();
            assert_eq!(public["PublicKey"], made["public_key"]);
        } else {
            asked["MacAlgorithm"] = made["algorithm"].clone();
            asked["Mac"] = made["mac"].clone();
            assert_eq!(kms.call("VerifyMac", &asked).unwrap()["MacValid"], true);
        }
    }
    let disabled = kms.call("DescribeKey", &json!({ "KeyId": holds["disabled"]["id"] })).unwrap();
    assert_eq!(disabled["KeyMetadata"]["KeyState"], "Disabled");
}

/// Every wrap record gives its data key.
fn every_wrap_opens(fixture: &Fixture, machine: &Machine, endpoint: &str) {
    for (number, wrap) in fixture.manifest["holds"]["wraps"].as_array().unwrap().iter().enumerate()
    {
        let out = machine.at(&format!("unwrapped-{number}"));
        let subject = wrap["subject"].as_str().unwrap();
        let line = ["wrap", "unwrap", subject, "--endpoint", endpoint, "--data-key-out"];
        answer(machine, &line, &[out.display().to_string()]);
        let data_key = base64_simd::STANDARD.encode_to_string(fs::read(out).unwrap());
        assert_eq!(wrap["data_key"], data_key.as_str());
    }
}

#[test]
fn a_data_folder_of_every_version_is_served_and_its_keys_are_right() {
    for version in versions() {
        let fixture = Fixture::open(&version).unwrap();
        let machine = fixture.machine().unwrap();
        let checked = ["config", "check", "--config", &text(&fixture, "config.toml")];
        answer(&machine, &checked, &[]);
        let line = ["serve", "--json", "--config", &text(&fixture, "config.toml")];
        let line = [&line[..], &["--listen", "127.0.0.1:0"]].concat();
        let serving = machine.serve_as(&line).unwrap_or_else(|no| panic!("{version:?}: {no}"));
        let access = Access::of(&fixture.manifest).unwrap();
        let kms = Kms::new(serving.endpoint(), &access);
        everything_opens(&kms, &fixture.manifest);
        every_wrap_opens(&fixture, &machine, serving.endpoint());
        assert_eq!(serving.stop(), Some(0));
    }
}

#[test]
fn the_vaults_of_every_version_are_restored_with_its_kit() {
    for version in versions() {
        let fixture = Fixture::open(&version).unwrap();
        fs::remove_dir_all(fixture.at("data")).unwrap();
        let machine = Machine::new(fixture.at("second")).unwrap();
        make_private(&machine.at("passphrase"), NEW_PASSPHRASE).unwrap();
        let data = machine.at("data").display().to_string();
        let passphrase = machine.at("passphrase").display().to_string();
        let (kit, secret) =
            (text(&fixture, "kit/recovery.kit"), text(&fixture, "secret/printed.txt"));
        let kit_passphrase = text(&fixture, "kit-passphrase");
        let verify = ["--kit", &kit, "--kit-passphrase-file", &kit_passphrase];
        let verify = [&verify[..], &["--kit-secret-file", &secret]].concat();
        answer(&machine, &[&["kit", "verify"][..], &verify].concat(), &vaults(&fixture));
        let line = ["restore", "run", "--data-dir", &data, "--passphrase-file", &passphrase];
        let restored = answer(&machine, &[&line[..], &verify].concat(), &vaults(&fixture));
        assert_eq!(restored["instance"], fixture.manifest["instance"]);
        let access = Access::of(&restored).unwrap();
        let none: [&str; 0] = [];
        let serving = machine.serve(&machine.at("data"), &machine.at("passphrase"), &none).unwrap();
        everything_opens(&Kms::new(serving.endpoint(), &access), &fixture.manifest);
        every_wrap_opens(&fixture, &machine, serving.endpoint());
        assert_eq!(serving.stop(), Some(0));
    }
}

#[test]
fn the_record_and_the_export_of_every_version_are_verified_offline() {
    for version in versions() {
        let fixture = Fixture::open(&version).unwrap();
        let machine = Machine::new(fixture.at("second")).unwrap();
        let root = fixture.manifest["root_public_key"].as_str().unwrap();
        let export = text(&fixture, "wraps.jsonl");
        let root = ["--root-public-key", root];
        let verified = answer(&machine, &[&["wrap", "verify", &export][..], &root].concat(), &[]);
        assert_eq!(verified["count"], 3, "{verified}");
        let verify = [&["audit", "verify"][..], &root].concat();
        let verified = answer(&machine, &verify, &vaults(&fixture));
        let logs = verified["logs"].as_array().unwrap();
        assert!(logs.iter().all(|log| log["missing"] == 0), "{verified}");
        assert!(verified["entries"].as_u64().unwrap() > 20, "{verified}");
        let data = text(&fixture, "data");
        let status = ["status", "--data-dir", &data, "--endpoint", "http://127.0.0.1:1"];
        let status = answer(&fixture.machine().unwrap(), &status, &[]);
        assert_eq!(status["answered_by"], "record");
    }
}
