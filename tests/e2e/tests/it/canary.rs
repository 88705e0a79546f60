//! Recognisable secrets go through the whole life of an instance at log level TRACE; afterwards
//! every file is searched for them, in every form that a careless line of code would give them.

use std::{fs, path::Path};

use base64_simd::{STANDARD, URL_SAFE};
use keystead_driver::{Access, Native};
use serde_json::{Value, json};

use crate::world::{
    KIT_PASSPHRASE, NEW_PASSPHRASE, PASSPHRASE, World, create_key, decrypt, encrypt,
};

const WRAPPED: &str = "canary data key of scan 17";
const PLAINTEXT: &str = "canary plaintext of patient 4711 in room 1408";

/// A data key that a client brings.
const GIVEN: &[u8] = b"canary data key of 32 bytes here";

fn plaintext(answer: &Value) -> Vec<u8> {
    STANDARD.decode_to_vec(answer["plaintext"].as_str().unwrap()).unwrap()
}

/// A secret, and the files that are meant to hold it, the first one as it is.
struct Canary {
    name: &'static str,
    bytes: Vec<u8>,
    homes: Vec<&'static str>,
}

fn canary(name: &'static str, bytes: &[u8], homes: &[&'static str]) -> Canary {
    Canary { name, bytes: bytes.to_owned(), homes: homes.to_vec() }
}

#[test]
fn no_secret_is_in_any_log_database_vault_or_temporary_file() {
    let world = World::with(&[("KEYSTEAD__LOG__LEVEL", "trace"), ("TMPDIR", "tmp")]);
    fs::create_dir(world.at("one/tmp")).unwrap();
    let explained = world.machine.answer(&["config", "explain"]).unwrap();
    let fields = explained["fields"].as_array().unwrap();
    let level = fields.iter().find(|field| field["name"] == "log.level").unwrap();
    assert_eq!(level["value"], "trace", "the level that is searched");
    let serving = world.serve();
    let kms = world.kms(&serving);
    let key = create_key(&kms).unwrap();
    let blob = encrypt(&kms, &key, PLAINTEXT).unwrap();
    assert_eq!(decrypt(&kms, &blob).unwrap(), PLAINTEXT);
    let asked = json!({ "KeyId": key, "KeySpec": "AES_256" });
    let data_key = kms.call("GenerateDataKey", &asked).unwrap();
    let data_key = STANDARD.decode_to_vec(data_key["Plaintext"].as_str().unwrap()).unwrap();
    kms.call("Encrypt", &json!({ "KeyId": key, "Plaintext": "not base64 canary-malformed" }))
        .unwrap_err();
    let native = Native::new(serving.endpoint(), &world.access);
    let given = json!({ "data_key": STANDARD.encode_to_string(GIVEN) });
    native.call("PUT", "/v1/wraps/given", &given).unwrap();
    let made = plaintext(&native.call("PUT", "/v1/wraps/made", &json!({})).unwrap());
    assert_eq!(plaintext(&native.call("POST", "/v1/wraps/made/unwrap", &json!({})).unwrap()), made);
    let leased = native.call("POST", "/v1/data-keys", &json!({ "key": key })).unwrap();
    let unwrap = json!({ "ciphertext": leased["ciphertext"], "lease": leased["lease"] });
    let opened = native.call("POST", "/v1/data-keys/unwrap", &unwrap).unwrap();
    assert_eq!(plaintext(&opened), plaintext(&leased));
    native.call("PUT", "/v1/wraps/given", &json!({ "data_key": "canary-malformed" })).unwrap_err();
    let listing = world.machine.run(&["key", "list", "--endpoint", serving.endpoint()]).unwrap();
    fs::write(world.at("listing"), listing.stdout + &listing.stderr).unwrap();
    world.status(&serving);
    let wrapping = wrap_data_keys(&world, serving.endpoint());
    fs::write(world.at("wrapping"), wrapping).unwrap();
    drop(kms);
    serving.kill();
    let machine = world.second_machine().with("KEYSTEAD__LOG__LEVEL", "trace");
    let ended = machine.run(&world.restore().line()).unwrap().succeeded().unwrap();
    fs::write(world.at("restore.log"), &ended.stderr).unwrap();
    let access = Access::of(&ended.json().unwrap()).unwrap();
    let none: [&str; 0] = [];
    let serving = machine.serve(&machine.at("data"), &machine.at("passphrase"), &none).unwrap();
    let kms = keystead_driver::Kms::new(serving.endpoint(), &access);
    assert_eq!(decrypt(&kms, &blob).unwrap(), PLAINTEXT);
    drop(kms);
    let native = Native::new(serving.endpoint(), &access);
    let back = native.call("POST", "/v1/wraps/given/unwrap", &json!({})).unwrap();
    assert_eq!(plaintext(&back), GIVEN);
    serving.stop();

    let words = fs::read_to_string(world.at("secret/s.txt")).unwrap();
    let lines: Vec<&str> = words.lines().filter(|line| line.split(' ').count() >= 6).collect();
    assert_eq!(lines.len(), 4, "four lines of words");
    let printed = ["secret/s.txt", "secret/s.txt.html"];
    let mut canaries = vec![
        canary("passphrase", PASSPHRASE.as_bytes(), &["one/passphrase"]),
        canary("kit passphrase", KIT_PASSPHRASE.as_bytes(), &["one/kit-passphrase"]),
        canary("new passphrase", NEW_PASSPHRASE.as_bytes(), &["two/passphrase"]),
        canary("plaintext", PLAINTEXT.as_bytes(), &[]),
        canary("data key", &data_key, &[]),
        canary("given data key", GIVEN, &[]),
        canary("wrapped data key", &made, &[]),
        canary("leased data key", &plaintext(&leased), &[]),
        canary("brought data key", WRAPPED.as_bytes(), &["one/given", "one/opened"]),
        canary("made data key", &fs::read(world.at("one/made")).unwrap(), &["one/made"]),
        canary("malformed plaintext", b"canary-malformed", &[]),
    ];
    let profiles = ["one/config/keystead/profile.toml", "two/config/keystead/profile.toml"];
    for (access, profile) in [(&world.access, profiles[0]), (&access, profiles[1])] {
        access.expose(|secret| canaries.push(canary("access key", secret.as_bytes(), &[profile])));
    }
    for line in lines {
        let line = line.split_once(' ').map_or(line, |(_, words)| words);
        canaries.push(canary("printed secret", line.as_bytes(), &printed));
    }
    let top = world.at("");
    let mut searched = 0;
    search(&top, &top, &canaries, &mut searched);
    assert!(searched > 40, "only {searched} files");
    for Canary { name, bytes, homes } in &canaries {
        // A search that cannot find what is there would prove nothing.
        let found = |home: &&str| {
            forms(bytes).iter().any(|form| contains(&fs::read(top.join(home)).unwrap(), form))
        };
        assert!(homes.first().is_none_or(found), "{name} is not where it belongs");
    }
}

/// Puts, shows, lists, unwraps and exports; gives all that the commands said.
fn wrap_data_keys(world: &World, endpoint: &str) -> String {
    keystead_driver::make_private(&world.at("one/given"), WRAPPED).unwrap();
    let lines: [&[&str]; 8] = [
        &["put", "scan 17", "--data-key-file", "given"],
        &["put", "scan 17", "--data-key-file", "given", "--json"],
        &["put", "scan 18", "--data-key-out", "made", "--json"],
        &["put", "scan 17", "--data-key-file", "passphrase"],
        &["show", "scan 17", "--json"],
        &["list", "--json"],
        &["unwrap", "scan 17", "--data-key-out", "opened", "--json"],
        &["export", "export"],
    ];
    let run = |line: &[&str]| {
        let line = [&["wrap"], line, &["--endpoint", endpoint]].concat();
        let ended = world.machine.run(&line).unwrap();
        ended.stdout + &ended.stderr
    };
    lines.map(run).concat()
}

fn search(top: &Path, folder: &Path, canaries: &[Canary], searched: &mut usize) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(top, &path, canaries, searched);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let place = path.strip_prefix(top).unwrap().display().to_string();
        *searched += 1;
        for Canary { name, bytes: secret, homes } in canaries {
            if !homes.contains(&place.as_str()) {
                let found = forms(secret).iter().position(|form| contains(&bytes, form));
                assert_eq!(found, None, "{name} in {place}, in this of its forms");
            }
        }
    }
}

/// As it is, in hex of both cases, in base64 of both alphabets at each of the three alignments, as
/// a list of numbers.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers: Vec<String> = secret.iter().map(u8::to_string).collect();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase().into(), hex.into()];
    forms.push(numbers.join(", ").into());
    forms.push(numbers.join(",").into());
    for before in 0..3 {
        let shifted = [&vec![0; before][..], secret].concat();
        // Only whole groups of three bytes do not depend on what stands before and after.
        let first = before.div_ceil(3) * 3;
        let whole = &shifted[first..first + (shifted.len() - first) / 3 * 3];
        forms.push(STANDARD.encode_to_string(whole).into());
        forms.push(URL_SAFE.encode_to_string(whole).into());
    }
    forms
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
