//! Reads the ledgers in vaults as a stranger with the root's public key does: every log whole,
//! against its largest signed checkpoint, and against what the next one says of it.
//!
//! Invariant: nothing is believed that the root did not sign or that a signed checkpoint does not
//! cover; the first wrong file or entry is named by the log and by its place in it.

mod find;
mod found;
mod proof;
mod walk;

use keystead_crypto::VerifyingKey;
use keystead_ledger::{Head, Leaf, LogRefused, Origin, ProofRefused, SuccessionRefused};
use keystead_targets::{Vault, VaultError};
use thiserror::Error;

pub use find::Ledgers;
pub(crate) use find::places;
pub use found::{FoundLog, ProofTiles};
pub use proof::{NotProven, Proven, SignedRefused, proven, signed_checkpoint};
pub use walk::Entries;

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
    /// A later log says that this one ended there, and it is shorter.
    #[error("log `{origin}` ends before the {size} entries with which `{next}` says that it ended")]
    Cut {
        /// The earlier log.
        origin: Origin,
        /// The later one.
        next: Origin,
        /// How many it had.
        size: u64,
    },
    /// Two vaults hold two logs under one origin: who holds the node's key signed both.
    #[error("log `{origin}` is another one at {size} entries in `{vault}`: both are signed")]
    Forked {
        /// Which log.
        origin: Origin,
        /// At which size.
        size: u64,
        /// The vault that holds the other one.
        vault: String,
    },
    /// There is no such entry.
    #[error("log `{origin}` has {size} entries and no entry {index}")]
    NoEntry {
        /// Which log.
        origin: Origin,
        /// How many it has.
        size: u64,
        /// Which was wanted.
        index: u64,
    },
    /// No proof comes out of the tiles.
    #[error("log `{origin}`: {refused}")]
    NoProof {
        /// Which log.
        origin: Origin,
        /// Why.
        refused: ProofRefused,
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

impl LogsRefused {
    /// Whether a later program wrote what this one does not read.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        match self {
            Self::Log { refused: LogRefused::NotLeaf { source, .. }, .. } => source.is_newer(),
            _ => false,
        }
    }
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
    Ledgers::find(vaults, root).await?.verify(older, each).await
}
