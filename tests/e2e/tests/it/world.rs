//! An instance with everything that belongs to it: machine, three vaults, kit, secrets.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use base64_simd::STANDARD;
use keystead_driver::{Access, CallFailed, Ended, Kms, Machine, Serving, make_private};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Opens the instance.
pub(crate) const PASSPHRASE: &str = "gravel-otter-lunar-sphinx-mend";
/// Opens the kit.
pub(crate) const KIT_PASSPHRASE: &str = "quartz-meadow-tulip-ember-falcon";
/// Opens the restored instance.
pub(crate) const NEW_PASSPHRASE: &str = "copper-lantern-bishop-walnut-ridge";

/// An instance that `init` has made.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) machine: Machine,
    /// What `init --json` printed.
    pub(crate) made: Value,
    pub(crate) access: Access,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With environment variables on its machine.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let (folder, machine) = prepared(settings);
        let init = init_flags(&folder);
        let made = machine.answer(&init.line()).unwrap();
        let access = Access::of(&made).unwrap();
        Self { folder, machine, made, access }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text_at(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    pub(crate) fn url(&self, vault: &str) -> String {
        format!("dir://{}", self.text_at(vault))
    }

    pub(crate) fn serve(&self) -> Serving {
        let none: [&str; 0] = [];
        self.machine.serve(&self.at("one/data"), &self.at("one/passphrase"), &none).unwrap()
    }

    pub(crate) fn kms(&self, serving: &Serving) -> Kms<'_> {
        Kms::new(serving.endpoint(), &self.access)
    }

    /// What `status` says of a running server.
    pub(crate) fn status(&self, serving: &Serving) -> Value {
        self.machine.answer(&["status", "--endpoint", serving.endpoint()]).unwrap()
    }

    /// The state of vault `name` once `is_so`; asks until then.
    #[track_caller]
    pub(crate) fn await_vault(
        &self,
        serving: &Serving,
        name: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        let began = Instant::now();
        loop {
            let status = self.status(serving);
            let vaults = status["vaults"].as_array().unwrap();
            let vault = vaults.iter().find(|vault| vault["url"] == self.url(name)).unwrap().clone();
            if is_so(&vault) {
                return vault;
            }
            assert!(began.elapsed() < Duration::from_secs(120), "{vault}");
        }
    }

    /// Waits until each vault holds all: an acknowledged change is in two of three at first.
    #[track_caller]
    pub(crate) fn await_all_vaults(&self, serving: &Serving) {
        for name in ["a", "b", "c"] {
            self.await_vault(serving, name, |vault| {
                vault["state"] == "current" && vault["missing_segments"] == 0
            });
        }
    }

    /// A second machine, which has never seen the first one, with its passphrase on it.
    pub(crate) fn second_machine(&self) -> Machine {
        let machine = Machine::new(self.at("two")).unwrap();
        let passphrase = machine.at("passphrase");
        if !passphrase.exists() {
            make_private(&passphrase, NEW_PASSPHRASE).unwrap();
        }
        machine
    }

    /// The flags of a restore from all three vaults onto the second machine.
    pub(crate) fn restore(&self) -> Line {
        let line = Line::of(&["restore", "run", "--json"])
            .set("--kit", &self.text_at("kit/k.kit"))
            .set("--kit-passphrase-file", &self.text_at("one/kit-passphrase"))
            .set("--kit-secret-file", &self.text_at("secret/s.txt"))
            .set("--data-dir", &self.text_at("two/data"))
            .set("--passphrase-file", &self.text_at("two/passphrase"));
        ["a", "b", "c"].iter().fold(line, |line, vault| line.add("--vault", &self.url(vault)))
    }

    /// Restores by `line` on the second machine and serves there.
    pub(crate) fn restored(&self, line: &Line) -> Restored {
        let machine = self.second_machine();
        let answer = machine.run(&line.line()).unwrap().succeeded().unwrap().json().unwrap();
        let access = Access::of(&answer).unwrap();
        let none: [&str; 0] = [];
        let serving = machine.serve(&machine.at("data"), &machine.at("passphrase"), &none).unwrap();
        Restored { machine, answer, access, serving }
    }
}

/// The instance on its second machine, being served.
pub(crate) struct Restored {
    pub(crate) machine: Machine,
    /// What `restore run --json` printed.
    pub(crate) answer: Value,
    pub(crate) access: Access,
    pub(crate) serving: Serving,
}

impl Restored {
    pub(crate) fn kms(&self) -> Kms<'_> {
        Kms::new(self.serving.endpoint(), &self.access)
    }
}

/// A first machine with passphrases and places, before `init`.
pub(crate) fn prepared(settings: &[(&str, &str)]) -> (TempDir, Machine) {
    let folder = tempfile::Builder::new().prefix("keystead-e2e-").tempdir().unwrap();
    let machine = Machine::new(folder.path().join("one"));
    // Where the binary is missing the first thing to read is how it is built.
    let machine = machine.unwrap_or_else(|failed| panic!("{failed}"));
    let machine = settings.iter().fold(machine, |machine, (name, value)| machine.with(name, value));
    for name in ["a", "b", "c", "kit", "secret"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    make_private(&machine.at("passphrase"), PASSPHRASE).unwrap();
    make_private(&machine.at("kit-passphrase"), KIT_PASSPHRASE).unwrap();
    (folder, machine)
}

/// The flags of an `init` that succeeds.
pub(crate) fn init_flags(folder: &TempDir) -> Line {
    let at = |name: &str| folder.path().join(name).display().to_string();
    let line = Line::of(&["init"])
        .set("--data-dir", &at("one/data"))
        .set("--passphrase-file", &at("one/passphrase"))
        .set("--kit-out", &at("kit/k.kit"))
        .set("--kit-passphrase-file", &at("one/kit-passphrase"))
        .set("--kit-secret-out", &at("secret/s.txt"));
    let vaults = ["a", "b", "c"].map(|vault| format!("dir://{}", at(vault)));
    vaults.iter().fold(line, |line, vault| line.add("--vault", vault))
}

/// A command line whose flags can be exchanged one by one.
#[derive(Clone)]
pub(crate) struct Line {
    words: Vec<String>,
    flags: Vec<(String, Option<String>)>,
}

impl Line {
    pub(crate) fn of(words: &[&str]) -> Self {
        Self { words: words.iter().map(ToString::to_string).collect(), flags: Vec::new() }
    }

    /// With this value of the flag and no other.
    pub(crate) fn set(self, flag: &str, value: &str) -> Self {
        self.drop(flag).add(flag, value)
    }

    /// With one more value of the flag.
    pub(crate) fn add(mut self, flag: &str, value: &str) -> Self {
        self.flags.push((flag.to_owned(), Some(value.to_owned())));
        self
    }

    /// With a flag that takes no value.
    pub(crate) fn with(mut self, flag: &str) -> Self {
        self.flags.push((flag.to_owned(), None));
        self
    }

    /// Without the flag.
    pub(crate) fn drop(mut self, flag: &str) -> Self {
        self.flags.retain(|(known, _)| known != flag);
        self
    }

    pub(crate) fn line(&self) -> Vec<String> {
        let flags = self.flags.iter().flat_map(|(flag, value)| [Some(flag), value.as_ref()]);
        self.words.iter().chain(flags.flatten()).cloned().collect()
    }
}

/// Asserts a refusal: code, error, hint, nothing on standard output.
#[track_caller]
pub(crate) fn refused(ended: &Ended, code: i32, error: &str, hint: &str) {
    let Ended { line, stdout, stderr, .. } = ended;
    assert_eq!((ended.code, stdout.as_str()), (Some(code), ""), "{line}\n{stderr}");
    for (start, said) in [("error: ", error), ("hint: ", hint)] {
        let lines = ended.said(start);
        assert_eq!(lines.len(), 1, "{line}: lines with `{start}`\n{stderr}");
        assert!(lines[0].contains(said), "{line}\nwanted: {said}\n{stderr}");
    }
}

/// Makes a key; returns its id.
pub(crate) fn create_key(kms: &Kms<'_>) -> Result<String, CallFailed> {
    let made = kms.call("CreateKey", &json!({}))?;
    Ok(made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned())
}

/// Encrypts text under a key; returns the blob as base64.
pub(crate) fn encrypt(kms: &Kms<'_>, key: &str, text: &str) -> Result<String, CallFailed> {
    let plaintext = STANDARD.encode_to_string(text);
    let made = kms.call("Encrypt", &json!({ "KeyId": key, "Plaintext": plaintext }))?;
    Ok(made["CiphertextBlob"].as_str().unwrap().to_owned())
}

/// Decrypts a blob to text.
pub(crate) fn decrypt(kms: &Kms<'_>, blob: &str) -> Result<String, CallFailed> {
    let opened = kms.call("Decrypt", &json!({ "CiphertextBlob": blob }))?;
    let plaintext = STANDARD.decode_to_vec(opened["Plaintext"].as_str().unwrap()).unwrap();
    Ok(String::from_utf8(plaintext).unwrap())
}

/// The ids of all keys.
pub(crate) fn list_keys(kms: &Kms<'_>) -> std::collections::BTreeSet<String> {
    let mut ids = std::collections::BTreeSet::new();
    let mut asked = json!({ "Limit": 1000 });
    loop {
        let page = kms.call("ListKeys", &asked).unwrap();
        let keys = page["Keys"].as_array().unwrap().iter();
        ids.extend(keys.map(|key| key["KeyId"].as_str().unwrap().to_owned()));
        match page.get("NextMarker") {
            Some(marker) => asked["Marker"] = marker.clone(),
            None => return ids,
        }
    }
}

/// The exception of a refused call.
#[track_caller]
pub(crate) fn exception<T>(result: Result<T, CallFailed>) -> (u16, String, String) {
    match result {
        Err(CallFailed::Refused { status, code, message, .. }) => (status, code, message),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was answered"),
    }
}
