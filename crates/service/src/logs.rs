//! Reads the ledgers in a vault as a stranger with the root's public key does: every log whole,
//! against its largest signed checkpoint, and against what the next one says of it.
//!
//! Invariant: nothing is believed that the root did not sign or that a signed checkpoint does not
//! cover; the first wrong file or entry is named by the log and by its place in it.

mod walk;

use std::collections::BTreeMap;

use keystead_archive::{VaultRecord, names, names::ObjectKind};
use keystead_crypto::VerifyingKey;
use keystead_domain::InstanceId;
use keystead_ledger::{Checkpoint, Head, Leaf, LogRefused, Origin, SuccessionRefused};
use keystead_targets::{Vault, VaultError};
use thiserror::Error;

pub(crate) use walk::through;

use crate::{
    tiles::{LogIn, LogPlace},
    vaults::object_name,
};

/// One log that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRead {
    /// Its origin, size and root: what the checkpoint signs.
    pub head: Head,
    /// The last known heads of the logs that it follows, and whether each one's tail is unknown.
    pub follows: Vec<(Head, bool)>,
    /// How many entries more a later log knows of: lost with the node before they reached a vault,
    /// in a vault that was not read, or cut off.
    pub missing: u64,
}

/// Why the ledgers of a vault are not as they must be.
#[derive(Debug, Error)]
pub enum LogsRefused {
    /// The vault does not answer.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No instance of this root has a record there.
    #[error("the vault holds no instance that this root key signed")]
    NoInstance,
    /// A log without one signed checkpoint.
    #[error("log `{origin}`: no checkpoint is signed by a certified key")]
    NoCheckpoint {
        /// Which log.
        origin: Origin,
    },
    /// A file that the checkpoint needs is not there.
    #[error("log `{origin}`: `{path}` is missing")]
    Missing {
        /// Which log.
        origin: Origin,
        /// Which file, below the log's folder.
        path: String,
    },
    /// A file or entry is not what the checkpoint says.
    #[error("log `{origin}`: {refused}")]
    Log {
        /// Which log.
        origin: Origin,
        /// What is wrong.
        refused: LogRefused,
    },
    /// The first entry says nothing lawful of the logs before.
    #[error("log `{origin}`: {refused}")]
    Succession {
        /// Which log.
        origin: Origin,
        /// What is wrong.
        refused: SuccessionRefused,
    },
    /// What an older checkpoint covers is not there to its end.
    #[error("log `{origin}` ends before the {size} entries that the older checkpoint covers")]
    Short {
        /// Which log.
        origin: Origin,
        /// How many it had.
        size: u64,
    },
    /// A later log names a head of this one that it does not have.
    #[error("log `{origin}` is not the one that `{next}` follows at {size} entries")]
    NotFollowed {
        /// The earlier log.
        origin: Origin,
        /// The later one.
        next: Origin,
        /// At which size.
        size: u64,
    },
    /// A checkpoint that was kept is of a log that is not there, or is no checkpoint of it.
    #[error("the older checkpoint is of no log in this vault, or not signed by its node")]
    OlderUnknown,
    /// The log has no such history.
    #[error("log `{origin}` does not contain what the older checkpoint of {size} entries covers")]
    Rewritten {
        /// Which log.
        origin: Origin,
        /// The older checkpoint's size.
        size: u64,
    },
}

/// What a reader does with each entry, in order.
pub type EachEntry<'e> = &'e mut (dyn FnMut(&Origin, u64, &Leaf) + Send);

/// Reads every log of the instance whole, each from the vault that holds most of it: a node that
/// was killed has not brought its last second to all alike. `older` is a checkpoint that was kept
/// elsewhere: it must be contained.
///
/// # Errors
/// [`LogsRefused`], at the first thing that is wrong.
pub async fn read_logs(
    vaults: &[&dyn Vault],
    root: &VerifyingKey,
    older: Option<&[u8]>,
    each: EachEntry<'_>,
) -> Result<Vec<LogRead>, LogsRefused> {
    let logs = longest(vaults, root).await?;
    let older = match older {
        Some(bytes) => Some(kept(&logs, bytes).await?),
        None => None,
    };
    let mut read = Vec::new();
    for log in &logs {
        read.push(walk::whole(log, each).await?);
    }
    for (at, of) in walk::wanted(&read, older.as_ref()) {
        let log = logs.iter().find(|log| log.place.origin() == at.origin);
        // A log before the vault's time is in none of its folders.
        let Some(log) = log else { continue };
        match walk::root_at(log, at.size).await? {
            Some(root) if root == at.root => {}
            Some(_) => return Err(of),
            None => match of {
                LogsRefused::NotFollowed { .. } => note_missing(&mut read, &at),
                _ => return Err(LogsRefused::Short { origin: at.origin, size: at.size }),
            },
        }
    }
    Ok(read)
}

fn note_missing(read: &mut [LogRead], known: &Head) {
    for log in read.iter_mut().filter(|log| log.head.origin == known.origin) {
        log.missing = log.missing.max(known.size - log.head.size);
    }
}

/// Every log, in the vault that has most of it, in order of its origin.
async fn longest<'v>(
    vaults: &[&'v dyn Vault],
    root: &'v VerifyingKey,
) -> Result<Vec<LogIn<'v>>, LogsRefused> {
    let mut found = BTreeMap::new();
    for vault in vaults.iter().copied() {
        for place in places(vault, root).await? {
            let (origin, log) = (place.origin(), LogIn { vault, root, place });
            let size = log.largest().await?.map_or(0, |checkpoint| checkpoint.size());
            if found.get(&origin).is_none_or(|(most, _)| *most < size) {
                found.insert(origin, (size, log));
            }
        }
    }
    Ok(found.into_values().map(|(_, log)| log).collect())
}

/// Every log that has a folder.
async fn places(vault: &dyn Vault, root: &VerifyingKey) -> Result<Vec<LogPlace>, LogsRefused> {
    let instance = instance(vault, root).await?;
    let listed = vault.list_apart(&format!("{instance}/"), names::LEDGER_FOLDER).await?;
    let openings = listed.iter().filter_map(|listed| match names::parse(listed.name.as_str()) {
        Some(ObjectKind::Opening { incarnation, .. }) => Some(incarnation),
        _ => None,
    });
    let mut found = BTreeMap::new();
    for incarnation in openings {
        let folder = format!("{instance}/{incarnation}/{}/", names::LEDGER_FOLDER);
        for listed in vault.list(&folder).await? {
            if let Some(ObjectKind::Ledger { node, .. }) = names::parse(listed.name.as_str()) {
                let place = LogPlace { instance, incarnation, node };
                found.insert(place.origin(), place);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// The instance whose record in the vault this root signed.
async fn instance(vault: &dyn Vault, root: &VerifyingKey) -> Result<InstanceId, LogsRefused> {
    for listed in vault.list_apart("", names::LEDGER_FOLDER).await? {
        let Some(ObjectKind::Vault { instance }) = names::parse(listed.name.as_str()) else {
            continue;
        };
        let name = object_name(&names::vault_record(instance));
        let record = vault.read(&name).await?.unwrap_or_default();
        if VaultRecord::verify(&record, root).is_ok_and(|record| record.instance == instance) {
            return Ok(instance);
        }
    }
    Err(LogsRefused::NoInstance)
}

/// The checkpoint in a note that somebody kept, under the keys of the log that it names.
async fn kept(logs: &[LogIn<'_>], note: &[u8]) -> Result<Checkpoint, LogsRefused> {
    for log in logs {
        if let Some(checkpoint) = log.verify(note).await? {
            return Ok(checkpoint);
        }
    }
    Err(LogsRefused::OlderUnknown)
}
