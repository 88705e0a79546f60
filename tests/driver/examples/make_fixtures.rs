//! Makes the fixture of this version: a small instance with every format in it, and what its data
//! must come out as. `cargo xtask fixtures` runs it.
//!
//! It drives the binary as a user does, so that the fixture is what users have. The secrets in it
//! protect nothing: they are in the repository for everybody to read.
#![expect(clippy::unwrap_used, reason = "whoever makes fixtures reads where it stopped")]

use std::{fs, path::Path};

use base64_simd::STANDARD;
use keystead_driver::{Access, Kms, Machine, Place, Serving, copy, make_private};
use serde_json::{Value, json};

const PASSPHRASE: &str = "gravel-otter-lunar-sphinx-mend";
const KIT_PASSPHRASE: &str = "quartz-meadow-tulip-ember-falcon";
const ENVELOPE: &str = "SYMMETRIC_DEFAULT";

/// Key specs with the algorithm of their signatures or MACs.
const SIGNING: [(&str, &str, &str); 3] = [
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "ED25519_SHA_512"),
    ("ECC_NIST_P256", "SIGN_VERIFY", "ECDSA_SHA_256"),
    ("HMAC_256", "GENERATE_VERIFY_MAC", "HMAC_SHA_256"),
];

fn main() {
    let out = std::env::args_os().nth(1).expect("the folder to make is the one argument");
    let place = Place::take().unwrap();
    let machine = Machine::new(place.at("home")).unwrap();
    let made = init(&place, &machine);
    let config = format!(
        "[instance]\ndata_dir = \"{}\"\npassphrase = \"file:{}\"\n\n[serve]\nlisten = \
         \"127.0.0.1:7700\"\nmax_unfenced = \"2h\"\narena = \"4MiB\"\n\n[audit]\ndurability = \
         \"local\"\n\n[log]\nlevel = \"info\"\nformat = \"json\"\n\n[client]\ntimeout = \"30s\"\n",
        place.at("data").display(),
        place.at("passphrase").display()
    );
    fs::write(place.at("config.toml"), config).unwrap();
    let none: [&str; 0] = [];
    let access = Access::of(&made).unwrap();
    let serving = machine.serve(&place.at("data"), &place.at("passphrase"), &none).unwrap();
    let holds = fill(&place, &machine, &serving, &access);
    assert_eq!(serving.stop(), Some(0), "the fixture ends in order");
    // A second life: another process's certificate, and a segment that follows from the first's.
    let serving = machine.serve(&place.at("data"), &place.at("passphrase"), &none).unwrap();
    let later = encrypted(&Kms::new(serving.endpoint(), &access), &holds["keys"][0]["id"], "later");
    for kind in ["--full", "--metadata-only"] {
        let create = ["backup", "create", kind, "--endpoint", serving.endpoint()];
        machine.answer(&create).unwrap();
    }
    let status = machine.answer(&["status", "--endpoint", serving.endpoint()]).unwrap();
    assert_eq!(serving.stop(), Some(0), "the fixture ends in order");
    let mut manifest = json!({
        "made_by": status["version"], "instance": made["instance"], "account": made["account"],
        "root_public_key": made["root_public_key"], "access_key_id": made["access_key_id"],
        "secret_access_key": made["secret_access_key"], "holds": holds, "later": later,
    });
    manifest["vaults"] = json!(["a", "b"]);
    fs::write(place.at("manifest.json"), format!("{manifest:#}\n")).unwrap();
    // Logs, locks and the room that is set aside for a full disk are of the process, not of the
    // instance.
    let kept = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        !(name == "lock" || name.contains("reserve") || name.ends_with(".log"))
    };
    copy(&place.at(""), Path::new(&out), &kept).unwrap();
}

fn init(place: &Place, machine: &Machine) -> Value {
    for name in ["a", "b", "kit", "secret"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    make_private(&place.at("passphrase"), PASSPHRASE).unwrap();
    make_private(&place.at("kit-passphrase"), KIT_PASSPHRASE).unwrap();
    let at = |name: &str| place.at(name).display().to_string();
    let vaults = ["a", "b"].map(|name| format!("dir://{}?domain=room-{name}", at(name)));
    let line = [
        ["--data-dir", &at("data")],
        ["--passphrase-file", &at("passphrase")],
        ["--kit-out", &at("kit/recovery.kit")],
        ["--kit-passphrase-file", &at("kit-passphrase")],
        ["--kit-secret-out", &at("secret/printed.txt")],
        ["--vault", &vaults[0]],
        ["--vault", &vaults[1]],
    ];
    machine.answer(&[&["init"][..], &line.concat()].concat()).unwrap()
}

/// Makes one of everything; returns what must come out of it.
fn fill(place: &Place, machine: &Machine, serving: &Serving, access: &Access) -> Value {
    let kms = Kms::new(serving.endpoint(), access);
    let symmetric = create(&kms, ENVELOPE, "ENCRYPT_DECRYPT", "patients");
    let mut ciphertexts = vec![encrypted(&kms, &symmetric["id"], "before its rotation")];
    kms.call("RotateKeyOnDemand", &json!({ "KeyId": symmetric["id"] })).unwrap();
    // Encrypts answer under the old version until the vaults have the new one.
    ciphertexts.push(encrypted(&kms, &symmetric["id"], "after its rotation"));
    kms.call(
        "CreateAlias",
        &json!({ "AliasName": "alias/patients", "TargetKeyId": symmetric["id"] }),
    )
    .unwrap();
    let tags = json!([{ "TagKey": "team", "TagValue": "records" }]);
    kms.call("TagResource", &json!({ "KeyId": symmetric["id"], "Tags": tags })).unwrap();
    let data_key = json!({ "KeyId": "alias/patients", "KeySpec": "AES_256" });
    let data_key = kms.call("GenerateDataKey", &data_key).unwrap();
    let data_key =
        json!({ "blob": data_key["CiphertextBlob"], "plaintext": data_key["Plaintext"] });
    let signed: Vec<Value> = SIGNING.iter().map(|signing| sign(&kms, signing)).collect();
    let disabled = create(&kms, ENVELOPE, "ENCRYPT_DECRYPT", "disabled");
    kms.call("DisableKey", &json!({ "KeyId": disabled["id"] })).unwrap();
    let doomed = create(&kms, ENVELOPE, "ENCRYPT_DECRYPT", "doomed");
    let doom = json!({ "KeyId": doomed["id"], "PendingWindowInDays": 7 });
    kms.call("ScheduleKeyDeletion", &doom).unwrap();
    let run = |words: &[&str]| {
        let at = ["--endpoint", serving.endpoint()];
        machine.answer(&[words, &at].concat()).unwrap()
    };
    let wraps: Vec<Value> = (0..3)
        .map(|number| {
            let (subject, path) =
                (format!("patients/{number}"), place.at(&format!("wrap-{number}")));
            run(&["wrap", "put", &subject, "--data-key-out", &path.display().to_string()]);
            let data_key = STANDARD.encode_to_string(fs::read(&path).unwrap());
            fs::remove_file(path).unwrap();
            json!({ "subject": subject, "data_key": data_key })
        })
        .collect();
    run(&["wrap", "export", &place.at("wraps.jsonl").display().to_string()]);
    json!({
        "keys": [symmetric], "ciphertexts": ciphertexts, "data_key": data_key, "signed": signed,
        "wraps": wraps, "disabled": disabled, "doomed": doomed,
    })
}

fn create(kms: &Kms<'_>, spec: &str, usage: &str, description: &str) -> Value {
    let made = json!({ "KeySpec": spec, "KeyUsage": usage, "Description": description });
    let made = kms.call("CreateKey", &made).unwrap();
    json!({ "id": made["KeyMetadata"]["KeyId"], "spec": spec, "description": description })
}

fn encrypted(kms: &Kms<'_>, key: &Value, text: &str) -> Value {
    let (plaintext, context) = (STANDARD.encode_to_string(text), json!({ "patient": "4711" }));
    let asked = json!({ "KeyId": key, "Plaintext": plaintext, "EncryptionContext": context });
    let made = kms.call("Encrypt", &asked).unwrap();
    json!({ "blob": made["CiphertextBlob"], "plaintext": plaintext, "context": context })
}

fn sign(kms: &Kms<'_>, (spec, usage, algorithm): &(&str, &str, &str)) -> Value {
    let key = create(kms, spec, usage, spec);
    let message = STANDARD.encode_to_string("a message");
    let mut made = json!({ "key": key, "algorithm": algorithm, "message": message });
    if *usage == "GENERATE_VERIFY_MAC" {
        let asked = json!({ "KeyId": key["id"], "Message": message, "MacAlgorithm": algorithm });
        made["mac"] = kms.call("GenerateMac", &asked).unwrap()["Mac"].clone();
        return made;
    }
    let asked = json!({ "KeyId": key["id"], "Message": message, "SigningAlgorithm": algorithm });
    made["signature"] = kms.call("Sign", &asked).unwrap()["Signature"].clone();
    let public = kms.call("GetPublicKey", &json!({ "KeyId": key["id"] })).unwrap();
    made["public_key"] = public["PublicKey"].clone();
    made
}
