//! `audit verify`: whether the ledgers in a vault are whole, with nothing but a root public key.
//!
//! Invariant: no server is asked and nothing is written.

use std::{fs, io, path::PathBuf, sync::Arc};

use keystead_crypto::VerifyingKey;
use keystead_domain::to_hex;
use keystead_ledger::Head;
use keystead_service::logs::{LogRead, LogsRefused, read_logs};
use keystead_targets::{Vault, VaultError, VaultOpener, VaultUrl};
use serde::Serialize;
use thiserror::Error;

use super::{serve::runtime, world::Adapters};
use crate::{
    cli::{AuditVerifyArgs, RootPublicKey},
    client::{Client, ProfileRefused},
    exit::{Exit, Explained, NEWER_HINT},
    failed::Failed,
    output::{
        Form, Table,
        progress::{Progress, Total},
        warn,
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
    #[error(transparent)]
    Ledgers(Box<LogsRefused>),
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
            Self::Ledgers(refused) => match **refused {
                LogsRefused::Vault(_) => Exit::Unavailable,
                LogsRefused::NoInstance => Exit::NotFound,
                ref refused if refused.is_newer() => Exit::Usage,
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
            Self::Ledgers(refused) => match **refused {
                ref refused if refused.is_newer() => NEWER_HINT,
                LogsRefused::Short { .. } => "name the other vaults too: one may hold the rest",
                LogsRefused::Vault(_) | LogsRefused::NoInstance | LogsRefused::OlderUnknown => {
                    return None;
                }
                _ => "verify each of the other vaults alone: it holds the same ledgers",
            },
            Self::NoRoot(_) => "give `--root-public-key HEX`, as `init` and `status` print it",
            Self::Vault { .. } | Self::Unreadable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

#[derive(Serialize)]
struct Verified {
    vaults: Vec<String>,
    entries: u64,
    logs: Vec<Log>,
}

#[derive(Serialize)]
struct Log {
    origin: String,
    entries: u64,
    /// Entries that a later log knows of and that are not here.
    missing: u64,
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
        vaults: args.vaults.iter().map(ToString::to_string).collect(),
        entries: logs.iter().map(|log| log.head.size).sum(),
        logs: logs.iter().map(log).collect(),
    };
    let missing: u64 = logs.iter().map(|log| log.missing).sum();
    if missing > 0 {
        warn(&format!(
            "{missing} entries more are known of and not in these vaults: lost with a node before \
             they reached a vault, in another vault, or cut off"
        ));
    }
    form.answer(&verified, || text(&verified))?;
    Ok(Exit::Done)
}

fn read(args: &AuditVerifyArgs, root: &VerifyingKey) -> Result<Vec<LogRead>, Failed> {
    let older = args.checkpoint.as_ref().map(|path| {
        fs::read(path).map_err(|source| AuditFailed::Unreadable { path: path.clone(), source })
    });
    let older = older.transpose()?;
    let runtime = runtime()?;
    let opener = Adapters(runtime.handle().clone());
    let opened = args.vaults.iter().map(|url| {
        let vault = |source| AuditFailed::Vault { url: Box::new(url.clone()), source };
        runtime.block_on(opener.open(url)).map_err(vault)
    });
    let vaults: Vec<Arc<dyn Vault>> = opened.collect::<Result<_, _>>()?;
    let vaults: Vec<&dyn Vault> = vaults.iter().map(|vault| &**vault).collect();
    let progress = Progress::new();
    progress.phase("verifying the ledgers", Total::Unknown);
    let mut each = |_: &_, _, leaf: &keystead_ledger::Leaf| {
        progress.advance(leaf.as_bytes().len() as u64);
    };
    let read = runtime.block_on(read_logs(&vaults, root, older.as_deref(), &mut each));
    let logs = read.map_err(|refused| AuditFailed::Ledgers(Box::new(refused)))?;
    progress.done();
    Ok(logs)
}

fn log(read: &LogRead) -> Log {
    let follows = read.follows.iter().map(|(head, tail_unknown)| {
        let (origin, entries, root) = parts(head);
        Followed { origin, entries, root, tail_unknown: *tail_unknown }
    });
    let (origin, entries, root) = parts(&read.head);
    Log { origin, entries, missing: read.missing, root, follows: follows.collect() }
}

fn parts(head: &Head) -> (String, u64, String) {
    (head.origin.to_string(), head.size, to_hex(&head.root))
}

fn text(verified: &Verified) -> String {
    let mut table = Table::new(["LOG", "ENTRIES", "MISSING", "ROOT"]);
    for log in &verified.logs {
        table.row([&log.origin, &log.entries.to_string(), &log.missing.to_string(), &log.root]);
    }
    format!("{} entries, none altered\n\n{}", verified.entries, table.text())
}
