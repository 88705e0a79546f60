//! Puts on record that a command of ours read vaults, or what was taken from them, by itself.
//!
//! Invariant: what the command found counts whether or not a server can be told: a reading in the
//! hour in which there is no server must not wait for one, nor fail for want of one.

use std::path::Path;

use keystead_service::OBJECTS_MAX;
use keystead_targets::VaultUrl;
use serde_json::{Value, json};

use super::record::{record_in, vaults_of};
use crate::{
    cli::{AuditCommand, BackupCommand, Target},
    client::{Client, ProfileRefused},
    exit::{Exit, Explained},
    failed::Failed,
    output::warn,
};

/// A command that reads without asking the server.
#[derive(Debug)]
pub(crate) struct Reading {
    command: &'static str,
    vaults: Vec<String>,
}

impl Reading {
    /// What a `backup` command reads by itself; `data_dir` is the configuration's.
    pub(crate) fn of_backup(command: &BackupCommand, data_dir: Option<&Path>) -> Option<Self> {
        let (name, target) = match command {
            BackupCommand::Create(_) | BackupCommand::List => return None,
            BackupCommand::Verify(args) => ("backup verify", args.target.as_ref()?),
            BackupCommand::Info(args) => ("backup info", &args.target),
            BackupCommand::CheckFormat(args) => ("backup check-format", &args.target),
            BackupCommand::TestDecrypt(args) => ("backup test-decrypt", &args.target),
        };
        let places = command.places();
        let named = places.map(|places| &places.vaults[..]).unwrap_or_default();
        let mut vaults: Vec<String> = named.iter().map(ToString::to_string).collect();
        match target {
            Target::Vault(url) => vaults.insert(0, url.to_string()),
            // Its vaults are those of the data folder's record, as for the command itself.
            Target::Point(_) if vaults.is_empty() => {
                let given = places.and_then(|places| places.data_dir.as_deref());
                let folder = given.map(Path::new).or(data_dir);
                let record = folder.and_then(|folder| record_in(folder).ok());
                let urls = record.map(|record| vaults_of(&record)).unwrap_or_default();
                vaults.extend(urls.iter().map(ToString::to_string));
            }
            Target::Point(_) | Target::File(_) => {}
        }
        Some(Self { command: name, vaults })
    }

    /// What an `audit` command reads by itself.
    pub(crate) fn of_audit(command: &AuditCommand) -> Option<Self> {
        let (name, vaults) = match command {
            AuditCommand::Verify(args) => ("audit verify", &args.vaults),
            AuditCommand::List(args) => ("audit list", &args.ledgers.vaults),
            AuditCommand::Export(args) => ("audit export", &args.ledgers.vaults),
            AuditCommand::Prove(args) => ("audit prove", &args.ledgers.vaults),
            AuditCommand::Import(_) => return None,
        };
        Some(Self { command: name, vaults: vaults.iter().map(ToString::to_string).collect() })
    }

    /// What somebody tried who could not open the kit; nothing where it ended otherwise, for then
    /// it leaves events of its own, or nobody was refused.
    pub(crate) fn of_refusal(
        command: &'static str,
        vaults: &[VaultUrl],
        outcome: &Result<Exit, Failed>,
    ) -> Option<Self> {
        let refused = outcome.as_ref().err().filter(|failed| failed.exit() == Exit::Denied);
        refused.map(|_| Self { command, vaults: vaults.iter().map(ToString::to_string).collect() })
    }

    /// Tells the server of the profile, where there is one; the outcome stays what it is.
    pub(crate) fn on_record(
        this: Option<Self>,
        client: Result<Client, ProfileRefused>,
        outcome: Result<Exit, Failed>,
    ) -> Result<Exit, Failed> {
        // Who has no profile reads as a stranger, whom the storage's own log shows.
        if let (Some(reading), Ok(client)) = (this, client) {
            reading.tell(&client, matches!(outcome, Ok(Exit::Done)));
        }
        outcome
    }

    fn tell(mut self, client: &Client, succeeded: bool) {
        self.vaults.truncate(OBJECTS_MAX);
        let told = json!({
            "command": self.command, "vaults": self.vaults, "succeeded": succeeded,
        });
        let recorded: Result<Value, _> = client.create("/v1/vault-readings", &told);
        if let Err(failed) = recorded {
            warn(&format!("this reading is not on record: {failed}"));
        }
    }
}
