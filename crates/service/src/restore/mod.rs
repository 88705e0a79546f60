//! Restore: from vaults and one kit to a new incarnation, on an empty machine.
//!
//! Invariant: only what the kit pins is trusted (instance id, root key); everything else is
//! verified under it. All reading and opening comes before the first write; the first write closes
//! the old incarnation, so that an old node that still runs is fenced; nothing is ever deleted.

mod chain;
mod finish;
mod keys;
mod ledgers;
mod rebuild;
mod rehearse;
mod single;
mod sources;
mod state;
mod wraps;

use keystead_archive::{ObjectRefused, OpenedKit};
use keystead_crypto::bytes::Malformed;
use keystead_domain::{IncarnationId, Timestamp, to_hex};
use keystead_targets::VaultUrl;
use thiserror::Error;

use crate::{FirstAccess, FoundFailed};

pub use chain::ChainRefused;
pub use finish::{Closed, Staged};
pub use rebuild::{ChainEnd, chain_end};
pub(crate) use rehearse::{Exercise, Held, Rehearsed, rehearse};
pub(crate) use single::{KeyInVaults, key_in_vaults};
pub use single::{PointOpened, PointSource, open_point};

/// What `restore run` was asked for.
#[derive(Debug, Clone, Default)]
pub struct RestorePlan {
    /// Where to read.
    pub vaults: Vec<VaultUrl>,
    /// Vaults to drop from the new configuration.
    pub without: Vec<VaultUrl>,
    /// Restore the state of this instant; destructions and revocations count up to the head.
    pub to: Option<Timestamp>,
    /// This point of the chain must be contained in what is found.
    pub expect_head: Option<ExpectedHead>,
    /// Go on although acknowledged changes may be missing.
    pub loss: Loss,
}

/// Whether a restore may go on where it cannot prove that nothing is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loss {
    /// It stops and says what is missing.
    #[default]
    Refused,
    /// The operator accepts it.
    Accepted,
}

/// `<incarnation>.<sequence>.<first 32 hex digits of the segment's SHA-256>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedHead {
    /// The incarnation.
    pub incarnation: IncarnationId,
    /// The sequence; 0 is the opening.
    pub sequence: u64,
    /// The first 32 hex digits.
    pub hash_prefix: String,
}

/// A text is not a head.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a head like `inc_….17.0123456789abcdef0123456789abcdef`")]
pub struct BadHead {
    /// What was given.
    pub text: String,
}

impl std::str::FromStr for ExpectedHead {
    type Err = BadHead;

    fn from_str(text: &str) -> Result<Self, BadHead> {
        let bad = || BadHead { text: text.to_owned() };
        let mut parts = text.split('.');
        let incarnation = parts.next().and_then(|part| part.parse().ok()).ok_or_else(bad)?;
        let plain = |(number, text): &(u64, &str)| number.to_string() == **text;
        let sequence = parts.next().and_then(|part| Some((part.parse().ok()?, part)));
        let (sequence, _) = sequence.filter(plain).ok_or_else(bad)?;
        let hash = parts.next().and_then(keystead_domain::parse_hex::<16>).ok_or_else(bad)?;
        match parts.next() {
            None => Ok(Self { incarnation, sequence, hash_prefix: to_hex(&hash) }),
            Some(_) => Err(bad()),
        }
    }
}

impl std::fmt::Display for ExpectedHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.incarnation, self.sequence, self.hash_prefix)
    }
}

/// How a restore tells what it is doing.
pub trait Watcher: Send + Sync {
    /// A phase begins; `total` counts what [`Watcher::advance`] counts, 0 where it is not known.
    fn phase(&self, name: &'static str, total: u64);

    /// A phase begins whose amount is bytes.
    fn phase_bytes(&self, name: &'static str, total_bytes: u64);

    /// So many more bytes or items of the phase are done.
    fn advance(&self, by: u64);

    /// Something that the reader must know and that stops nothing.
    fn warn(&self, text: String);
}

/// What the reading found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The end of the chain, as `--expect-head` takes it.
    pub head: String,
    /// When its newest segment was made.
    pub head_at: Timestamp,
    /// Why it is the newest state that was acknowledged, or that this is not proven.
    pub freshness: Freshness,
    /// How many vaults were read, of how many that the instance has.
    pub vaults_read: usize,
    /// How many the instance has.
    pub vaults_configured: usize,
    /// The number of the recovery point that the state begins from; 1 is the incarnation's base.
    pub point: u64,
    /// Segments of abandoned incarnations: seen, never merged.
    pub abandoned: Vec<String>,
    /// Keys brought back.
    pub keys: usize,
    /// Versions whose copies were opened and checked.
    pub versions: usize,
    /// Wrap records whose data keys were opened and checked; none is missing.
    pub wraps: usize,
    /// Bytes read from vaults.
    pub bytes: u64,
}

/// Whether what was found is the newest that was ever acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// So many vaults were read that every acknowledged change must be among what they hold.
    ProvenByVaults,
    /// The expected head is contained.
    ProvenByExpectedHead,
    /// Changes after this instant may be missing: the server was alive until then at least.
    Unproven {
        /// When the newest segment found was made.
        alive_until: Timestamp,
    },
}

/// A restored instance.
#[derive(Debug)]
pub struct Restored {
    /// What was read.
    pub reading: Reading,
    /// The new incarnation.
    pub incarnation: IncarnationId,
    /// The new credential; those of before are refused.
    pub access: FirstAccess,
    /// The head of the new incarnation.
    pub head: String,
}

/// Why a restore stopped. The target folder and every vault's old objects are as they were.
#[derive(Debug, Error)]
pub enum RestoreFailed {
    /// No vault that was named can be read.
    #[error("no vault could be read: {reasons}")]
    NoVault {
        /// Why, vault by vault.
        reasons: String,
    },
    /// The vaults hold no incarnation that the kit's root signed.
    #[error("the vaults hold nothing of instance `{instance}` that this kit's root signed")]
    NothingHere {
        /// The kit's instance.
        instance: String,
    },
    /// The chain cannot be trusted.
    #[error(transparent)]
    Chain(#[from] ChainRefused),
    /// Too few vaults were read to know that nothing is missing.
    #[error("{read} of {configured} vaults were read; {needed} prove that nothing is missing")]
    TooFewVaults {
        /// How many were read.
        read: usize,
        /// How many there are.
        configured: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The expected head is not in the chain.
    #[error("the expected head is not in the chain: {ends}")]
    HeadMissing {
        /// Where each vault ends.
        ends: String,
    },
    /// The kit opens no epoch that is needed.
    #[error("this kit does not open epoch `{epoch}`: it was revoked or never got it")]
    KitOpensNothing {
        /// Which epoch.
        epoch: String,
    },
    /// A key copy that a key needs is nowhere, or is not the one that the state names.
    #[error("the copy of `{key}` version `{version}` is missing or not the one that was made")]
    CopyMissing {
        /// Which key.
        key: String,
        /// Which version.
        version: String,
    },
    /// An object does not verify or open.
    #[error("`{name}`: {refused}")]
    Object {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        refused: ObjectRefused,
    },
    /// A later program wrote it.
    #[error(transparent)]
    Newer(Malformed),
    /// The state does not read.
    #[error("the restored state is corrupt: {what}")]
    State {
        /// What.
        what: String,
    },
    /// Other nodes kept writing while the old incarnation was being closed.
    #[error("the old incarnation still grows: a node is running that could not be closed")]
    StillGrowing,
    /// The old incarnation could not be closed in enough vaults.
    #[error("the old incarnation was closed in {closed} vaults and {needed} are needed")]
    NotClosed {
        /// In how many.
        closed: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The new incarnation could not be written.
    #[error(transparent)]
    Found(#[from] FoundFailed),
}

impl RestoreFailed {
    /// Whether a later program wrote what this one does not read: nothing is wrong with it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        match self {
            Self::Newer(_) => true,
            Self::Object { refused, .. } => refused.is_newer(),
            _ => false,
        }
    }

    /// What the reader can do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoVault { .. } => "check that the vaults are mounted and their paths are right",
            Self::NothingHere { .. } => "check that kit and vaults belong to the same instance",
            Self::Chain(_) => {
                "keep all vaults as they are; read each alone to see which one differs"
            }
            Self::TooFewVaults { .. } => {
                "name more vaults with --vault, or accept the loss with --accept-loss"
            }
            Self::HeadMissing { .. } => "name the vault that holds it, or leave --expect-head out",
            Self::KitOpensNothing { .. } => "use a kit that is not revoked",
            Self::CopyMissing { .. } => "name more vaults with --vault: another may hold the copy",
            Self::Newer(_) => "run it with the keystead that wrote it",
            Self::Object { .. } | Self::State { .. } => "name more vaults with --vault",
            Self::StillGrowing => "stop the old server, then restore again",
            Self::NotClosed { .. } => "name more vaults with --vault, or --accept-loss",
            Self::Found(_) => {
                "bring enough vaults back or drop lost ones with --without-vault, then run it again"
            }
        }
    }
}

/// Reads the vaults, verifies, opens and stages everything, and writes nothing.
///
/// # Errors
/// [`RestoreFailed`].
pub async fn read(
    site: crate::RestoreSite,
    kit: &OpenedKit,
    plan: RestorePlan,
    watcher: &dyn Watcher,
) -> Result<Staged, RestoreFailed> {
    finish::read(site, kit, plan, watcher).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_other_texts_are_refused() {
        let text = format!("inc_{}.17.{}", "ab".repeat(16), "01".repeat(16));
        let head: ExpectedHead = text.parse().unwrap();
        assert_eq!(head.sequence, 17);
        assert_eq!(head.to_string(), text);
        let spelt = [text.replace(".17.", ".+17."), text.replace(".17.", ".017.")];
        let cut = [&text[..text.len() - 1], &text[4..], &format!("{text}.1")].map(str::to_owned);
        for bad in [String::new(), "inc_00.1.00".to_owned()].into_iter().chain(spelt).chain(cut) {
            assert!(bad.parse::<ExpectedHead>().is_err(), "{bad}");
        }
    }
}
