//! Where it is played: two machines, three vaults, and two places for the two parts of the kit.
//!
//! Invariant: what is lost is deleted and was used until then; the second machine has never seen
//! the first one. Everything lies in one temporary folder, which goes with this value unless
//! `KEYSTEAD_KEEP` is set.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use keystead_driver::{Access, Machine, Native, Serving};
use serde_json::Value;
use tempfile::TempDir;

use crate::{boto3::Client, failure::Failure};

/// The vaults' folders; the last one is lost.
pub(crate) const VAULTS: [&str; 3] = ["vault-a", "vault-b", "vault-c"];

/// The temporary folder with all that it holds.
pub(crate) struct Scene {
    folder: PathBuf,
    _guard: Option<TempDir>,
}

impl Scene {
    /// Makes the folders.
    pub(crate) fn set() -> Result<Self, Failure> {
        let made = tempfile::Builder::new().prefix("keystead-demo-").tempdir();
        let guard = made.map_err(Failure::file(std::env::temp_dir()))?;
        let scene = match std::env::var_os("KEYSTEAD_KEEP").is_some_and(|keep| !keep.is_empty()) {
            true => {
                let folder = guard.keep();
                eprintln!("everything stays in `{}`", folder.display());
                Self { folder, _guard: None }
            }
            false => Self { folder: guard.path().to_owned(), _guard: Some(guard) },
        };
        for place in VAULTS.iter().chain(&["safe", "drawer", "custodian"]) {
            scene.folder(place)?;
        }
        Ok(scene)
    }

    /// A folder that nobody else may read, made where it is absent.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.at(name);
        let make = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        make.map_err(Failure::file(&path))?;
        Ok(path)
    }

    /// Makes an instance on the first machine; returns how many vaults hold something then.
    pub(crate) fn found(&self) -> Result<(usize, (Machine, Access)), Failure> {
        let machine = Machine::new(self.at("first-machine"))?;
        let mut args = vec!["init".to_owned()];
        args.extend(VAULTS.iter().flat_map(|vault| ["--vault".to_owned(), self.url(vault)]));
        args.extend(flag("--data-dir", &machine.at("data")));
        args.extend(flag("--passphrase-out", &machine.at("passphrase")));
        args.extend(flag("--kit-out", &self.at(KIT)));
        args.extend(flag("--kit-passphrase-out", &self.at(KIT_PASSPHRASE)));
        args.extend(flag("--kit-secret-out", &self.at(PRINTED_SECRET)));
        let answer = machine.answer(&args)?;
        let files: Vec<usize> =
            VAULTS.iter().map(|vault| count_files(&self.at(vault))).collect::<Result<_, _>>()?;
        let vaults = files.iter().filter(|files| **files > 0).count();
        Ok((vaults, (machine, access("init", &answer)?)))
    }

    /// Serves the instance of `machine`.
    pub(crate) fn serve(&self, machine: &Machine) -> Result<Serving, Failure> {
        let none: [&str; 0] = [];
        Ok(machine.serve(&machine.at("data"), &machine.at("passphrase"), &none)?)
    }

    /// A client of `server`.
    pub(crate) fn client<'a>(&self, server: &Serving, access: &'a Access) -> Client<'a> {
        Client::new(server.endpoint(), access, self.at("boto3"))
    }

    /// A client of the native front of `server`.
    pub(crate) fn native<'a>(&self, server: &Serving, access: &'a Access) -> Native<'a> {
        Native::new(server.endpoint(), access)
    }

    /// Deletes a machine with all that is on it, and one vault; returns how many files went.
    pub(crate) fn lose(&self, machine: Machine) -> Result<usize, Failure> {
        let lost = [machine.at(""), self.at(VAULTS[2])];
        drop(machine);
        let mut files = 0;
        for folder in lost {
            files += count_files(&folder)?;
            fs::remove_dir_all(&folder).map_err(Failure::file(&folder))?;
        }
        Ok(files)
    }

    /// Brings the instance back on the second machine; returns how many keys that found.
    pub(crate) fn restore(&self) -> Result<(usize, (Machine, Access)), Failure> {
        let machine = Machine::new(self.at("second-machine"))?;
        let mut args = vec!["restore".to_owned(), "run".to_owned()];
        args.extend(VAULTS[..2].iter().flat_map(|vault| ["--vault".to_owned(), self.url(vault)]));
        args.extend(flag("--kit", &self.at(KIT)));
        args.extend(flag("--kit-passphrase-file", &self.at(KIT_PASSPHRASE)));
        args.extend(flag("--kit-secret-file", &self.at(PRINTED_SECRET)));
        args.extend(flag("--data-dir", &machine.at("data")));
        args.extend(flag("--passphrase-out", &machine.at("passphrase")));
        let answer = machine.answer(&args)?;
        let keys = answer.get("keys").and_then(Value::as_u64);
        let keys = keys.ok_or(Failure::Answer { of: "restore run", member: "keys" })?;
        let keys = usize::try_from(keys).unwrap_or(usize::MAX);
        Ok((keys, (machine, access("restore run", &answer)?)))
    }

    /// Verifies the ledgers in the vaults that are left, the lost node's and the one that follows
    /// it; returns how many entries that were.
    pub(crate) fn verify_ledgers(&self, machine: &Machine) -> Result<usize, Failure> {
        let began = Instant::now();
        loop {
            let [one, other] = [self.url(VAULTS[0]), self.url(VAULTS[1])];
            let line = ["audit", "verify", "--vault", &one, "--vault", &other];
            let answer = machine.answer(&line)?;
            let logs = answer["logs"].as_array().map_or(&[][..], Vec::as_slice);
            let follows = |log: &Value, of: &Value| log["follows"][0]["origin"] == of["origin"];
            if let [one, other] = logs
                && (follows(one, other) || follows(other, one))
            {
                let entries = answer["entries"].as_u64().unwrap_or_default();
                return Ok(usize::try_from(entries).unwrap_or(usize::MAX));
            }
            // The new one reaches the vaults a second after the node has begun it.
            if began.elapsed() > LEDGER_WAIT {
                return Err(Failure::Answer { of: "audit verify", member: "logs" });
            }
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn url(&self, vault: &str) -> String {
        format!("dir://{}", self.at(vault).display())
    }
}

const LEDGER_WAIT: Duration = Duration::from_secs(60);
const KIT: &str = "safe/recovery.kit";
const KIT_PASSPHRASE: &str = "custodian/kit-passphrase";
const PRINTED_SECRET: &str = "drawer/printed-secret.txt";

fn flag(name: &str, path: &Path) -> [String; 2] {
    [name.to_owned(), path.display().to_string()]
}

fn access(of: &'static str, answer: &Value) -> Result<Access, Failure> {
    Access::of(answer).ok_or(Failure::Answer { of, member: "secret_access_key" })
}

fn count_files(folder: &Path) -> Result<usize, Failure> {
    let mut files = 0;
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let path = entry.map_err(Failure::file(folder))?.path();
        files += if path.is_dir() { count_files(&path)? } else { 1 };
    }
    Ok(files)
}
