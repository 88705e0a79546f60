//! Keystead: the released binary, an instance that `init` made, two vaults that are folders.
//!
//! Invariant: nothing is set that a user would not set: log level, audit durability and limits are
//! the defaults.

use std::{net::SocketAddr, rc::Rc};

use keystead_driver::{Access, Kms, Machine, Serving, make_private};
use rustix::process::Pid;
use serde_json::{Value, json};

use super::{
    Subject,
    kms::{KmsEndpoint, new_key, same},
};
use crate::{disk::Place, failed::Failed, machine::Cores, operation::Operation};

const PASSPHRASE: &str = "gravel-otter-lunar-sphinx-mend";
const KIT_PASSPHRASE: &str = "quartz-meadow-tulip-ember-falcon";

/// An instance on a machine of its own.
#[derive(Debug)]
pub(crate) struct Instance {
    machine: Machine,
    pub(crate) access: Access,
}

impl Instance {
    /// `keystead init` with two vaults, both of which must confirm.
    pub(crate) fn new(place: &Place, name: &str) -> Result<Self, Failed> {
        let machine = Machine::new(place.at(name))?;
        for folder in ["a", "b", "kit", "secret"] {
            let folder = machine.at(folder);
            std::fs::create_dir(&folder).map_err(Failed::file(&folder))?;
        }
        make_private(&machine.at("passphrase"), PASSPHRASE)?;
        make_private(&machine.at("kit-passphrase"), KIT_PASSPHRASE)?;
        let mut flags = vec!["init".to_owned()];
        flags.extend(["--data-dir".to_owned(), text(&machine, "data")]);
        flags.extend(["--passphrase-file".to_owned(), text(&machine, "passphrase")]);
        flags.extend(["--kit-out".to_owned(), text(&machine, "kit/k.kit")]);
        flags.extend(["--kit-passphrase-file".to_owned(), text(&machine, "kit-passphrase")]);
        flags.extend(["--kit-secret-out".to_owned(), text(&machine, "secret/s.txt")]);
        flags.extend(vaults(&machine));
        let made = machine.answer(&flags)?;
        let access = Access::of(&made).ok_or_else(|| no_access("init"))?;
        Ok(Self { machine, access })
    }

    /// Serves it on the servers' core.
    pub(crate) fn serve(&self, cores: Cores) -> Result<Serving, Failed> {
        let none: [&str; 0] = [];
        let (data, passphrase) = (self.machine.at("data"), self.machine.at("passphrase"));
        cores.start(|| Ok(self.machine.serve(&data, &passphrase, &none)?))
    }

    /// `keystead restore run` from its vaults onto another machine, on the servers' core.
    pub(crate) fn restore(&self, place: &Place, name: &str, cores: Cores) -> Result<Self, Failed> {
        let machine = Machine::new(place.at(name))?;
        make_private(&machine.at("passphrase"), PASSPHRASE)?;
        let mut flags = ["restore", "run"].map(str::to_owned).to_vec();
        flags.extend(["--kit".to_owned(), text(&self.machine, "kit/k.kit")]);
        flags.extend(["--kit-passphrase-file".to_owned(), text(&self.machine, "kit-passphrase")]);
        flags.extend(["--kit-secret-file".to_owned(), text(&self.machine, "secret/s.txt")]);
        flags.extend(["--data-dir".to_owned(), text(&machine, "data")]);
        flags.extend(["--passphrase-file".to_owned(), text(&machine, "passphrase")]);
        flags.extend(vaults(&self.machine));
        let answer = cores.start(|| Ok(machine.answer(&flags)?))?;
        let access = Access::of(&answer).ok_or_else(|| no_access("restore run"))?;
        Ok(Self { machine, access })
    }

    /// A new key for encryption.
    pub(crate) fn new_cipher_key(&self, serving: &Serving) -> Result<String, Failed> {
        new_key(&Kms::new(serving.endpoint(), &self.access), &json!({}))
    }
}

fn vaults(machine: &Machine) -> impl Iterator<Item = String> + use<> {
    let urls = ["a", "b"].map(|vault| format!("dir://{}", text(machine, vault)));
    urls.into_iter().flat_map(|url| ["--vault".to_owned(), url])
}

fn text(machine: &Machine, name: &str) -> String {
    machine.at(name).display().to_string()
}

fn no_access(line: &str) -> Failed {
    let (line, printed) = (format!("keystead {line}"), "no access key".to_owned());
    keystead_driver::Failed::Printed { line, printed }.into()
}

/// Keystead under load.
#[derive(Debug)]
pub(crate) struct KeysteadServer {
    serving: Serving,
    kms: KmsEndpoint,
}

impl KeysteadServer {
    /// A new instance with a key of each kind.
    pub(crate) fn start(place: &Place, cores: Cores) -> Result<Self, Failed> {
        let instance = Instance::new(place, "keystead")?;
        let serving = instance.serve(cores)?;
        let client = Kms::new(serving.endpoint(), &instance.access);
        let signing = json!({ "KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY" });
        let keys = (new_key(&client, &json!({}))?, new_key(&client, &signing)?);
        let kms = KmsEndpoint::new(serving.endpoint(), same(&instance.access), keys)?;
        Ok(Self { serving, kms })
    }
}

impl Subject for KeysteadServer {
    fn name(&self) -> &'static str {
        "Keystead"
    }

    fn address(&self) -> SocketAddr {
        self.kms.address
    }

    fn process(&self) -> Pid {
        self.serving.process()
    }

    fn requests(&self, operation: Operation) -> Result<Rc<[Vec<u8>]>, Failed> {
        Ok(self.kms.requests(operation))
    }

    fn check(&self, operation: Operation, number: usize, answer: &Value) -> Result<(), Failed> {
        match self.kms.fault(operation, number, answer)? {
            Some(fault) => Err(self.wrong(operation, fault)),
            None => Ok(()),
        }
    }
}
