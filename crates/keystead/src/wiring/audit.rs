//! `audit verify`: whether the ledgers in a vault are whole, with nothing but a root public key.
//!
//! Invariant: no server is asked and nothing is written.

use std::{fs, io, path::PathBuf};

use keystead_crypto::VerifyingKey;
use keystead_domain::to_hex;
use keystead_ledger::Head;
use keystead_service::logs::{LogRead, LogsRefused, read_logs};
use keystead_targets::{VaultError, VaultOpener, VaultUrl};
use serde::Serialize;
use thiserror::Error;

use super::{serve::runtime, world::Adapters};
use crate::{
    cli::{AuditVerifyArgs, RootPublicKey},
    client::{Client, ProfileRefused},
    exit::{Exit, Explained},
    failed::Failed,
    output::{
        Form, Table,
        progress::{Progress, Total},
    },
};

/// Why the ledgers of a vault are not verified.
#[derive(Debug, Error)]
pub(crate) enum AuditFailed {
    /// The vault cannot be opened.
    #[error("vault `{url}`: {source}")]
    Vault {
        /// Which.
        url: Box<VaultUrl>,
        /// Why.
        source: VaultError,
    },
    /// The ledgers are not as they must be.
    #[error("vault `{url}`: {refused}")]
    Ledgers {
        /// Which vault.
        url: Box<VaultUrl>,
        /// What is wrong.
        refused: Box<LogsRefused>,
    },
    /// The kept checkpoint cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// There is nothing to verify them with.
    #[error("no root public key was given, and {0}")]
    NoRoot(ProfileRefused),
}

impl Explained for AuditFailed {
    fn exit(&self) -> Exit {
        match self {
            Self::Vault { .. } => Exit::Unavailable,
            Self::Ledgers { refused, .. } => match **refused {
                LogsRefused::Vault(_) => Exit::Unavailable,
                LogsRefused::NoInstance => Exit::NotFound,
                _ => Exit::Corrupt,
            },
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Exit::NotFound
            }
            Self::Unreadable { .. } => Exit::Failed,
            Self::NoRoot(refused) => refused.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Ledgers { refused, .. } => match **refused {
                LogsRefused::Vault(_) | LogsRefused::NoInstance | LogsRefused::OlderUnknown => {
                    return None;
                }
                _ => "verify the other vaults too: each holds the same ledgers",
            },
            Self::NoRoot(_) => "give `--root-public-key HEX`, as `init` and `status` print it",
            Self::Vault { .. } | Self::Unreadable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

#[derive(Serialize)]
struct Verified {
    vault: String,
    entries: u64,
    logs: Vec<Log>,
}

#[derive(Serialize)]
struct Log {
    origin: String,
    entries: u64,
    root: String,
    follows: Vec<Followed>,
}

#[derive(Serialize)]
struct Followed {
    origin: String,
    entries: u64,
    root: String,
    /// Whether more may have been recorded after it than anybody knows.
    tail_unknown: bool,
}

/// Verifies under the key that was given, or the profile's.
pub(crate) fn verify(
    args: &AuditVerifyArgs,
    client: Result<Client, ProfileRefused>,
    form: Form,
) -> Result<Exit, Failed> {
    let root = match args.root_public_key {
        Some(RootPublicKey(root)) => root,
        None => *client.map_err(AuditFailed::NoRoot)?.root_public_key(),
    };
    let logs = read(args, &VerifyingKey(root))?;
    let verified = Verified {
        vault: args.vault.to_string(),
        entries: logs.iter().map(|log| log.head.size).sum(),
        logs: logs.iter().map(log).collect(),
    };
    form.answer(&verified, || text(&verified))?;
    Ok(Exit::Done)
}

fn read(args: &AuditVerifyArgs, root: &VerifyingKey) -> Result<Vec<LogRead>, Failed> {
    let older = args.checkpoint.as_ref().map(|path| {
        fs::read(path).map_err(|source| AuditFailed::Unreadable { path: path.clone(), source })
    });
    let older = older.transpose()?;
    let (runtime, url) = (runtime()?, || Box::new(args.vault.clone()));
    let opener = Adapters(runtime.handle().clone());
    let opened = runtime.block_on(opener.open(&args.vault));
    let vault = opened.map_err(|source| AuditFailed::Vault { url: url(), source })?;
    let progress = Progress::new();
    progress.phase("verifying the ledgers", Total::Unknown);
    let mut each = |_: &_, _, leaf: &keystead_ledger::Leaf| {
        progress.advance(leaf.as_bytes().len() as u64);
    };
    let read = runtime.block_on(read_logs(&*vault, root, older.as_deref(), &mut each));
    let refused = |refused| AuditFailed::Ledgers { url: url(), refused: Box::new(refused) };
    let logs = read.map_err(refused)?;
    progress.done();
    Ok(logs)
}

fn log(read: &LogRead) -> Log {
    let follows = read.follows.iter().map(|(head, tail_unknown)| {
        let (origin, entries, root) = parts(head);
        Followed { origin, entries, root, tail_unknown: *tail_unknown }
    });
    let (origin, entries, root) = parts(&read.head);
    Log { origin, entries, root, follows: follows.collect() }
}

fn parts(head: &Head) -> (String, u64, String) {
    (head.origin.to_string(), head.size, to_hex(&head.root))
}

fn text(verified: &Verified) -> String {
    let mut table = Table::new(["LOG", "ENTRIES", "ROOT"]);
    for log in &verified.logs {
        table.row([&log.origin, &log.entries.to_string(), &log.root]);
    }
    format!("{} entries, none missing, none altered\n\n{}", verified.entries, table.text())
}
