//! Says why a vault did not do what it was asked, and what the operator does next.
//!
//! Invariant: every variant but [`VaultError::Unknown`] means that the operation changed nothing
//! that a later read could see. After `Unknown` and [`VaultError::Crashed`] a put may have
//! happened: the caller puts the same bytes again, or reads back.

use crate::{NameInvalid, ObjectName, VaultUrl};
use std::io;

/// Why an operation on a vault failed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The vault cannot be reached, or what is at its place is not the vault that was opened.
    /// It is never taken for an empty one.
    #[error("vault `{url}` is away")]
    Away {
        /// The vault.
        url: VaultUrl,
        /// What was found instead.
        source: Absence,
    },
    /// No space is left. No part of the object is visible.
    #[error("vault `{url}` is full")]
    Full {
        /// The vault.
        url: VaultUrl,
        /// What the vault answered.
        source: io::Error,
    },
    /// The vault refuses this process.
    #[error("vault `{url}` denies access")]
    Denied {
        /// The vault.
        url: VaultUrl,
        /// What the vault answered.
        source: io::Error,
    },
    /// Something that is no object has the object's name.
    #[error("`{name}` in vault `{url}` is no plain object")]
    Corrupt {
        /// The vault.
        url: VaultUrl,
        /// The object.
        name: ObjectName,
    },
    /// The name is a folder of other objects, or lies under a name that is an object.
    #[error("`{name}` in vault `{url}` would be both an object and a folder")]
    Clash {
        /// The vault.
        url: VaultUrl,
        /// The object.
        name: ObjectName,
    },
    /// The file system has no hard links, so nothing in it can be created exactly once.
    #[error("the file system of vault `{url}` has no hard links")]
    Unlinkable {
        /// The vault.
        url: VaultUrl,
        /// What the vault answered.
        source: io::Error,
    },
    /// The operation failed for another reason and changed nothing.
    #[error("vault `{url}` failed")]
    Failed {
        /// The vault.
        url: VaultUrl,
        /// What the vault answered.
        source: io::Error,
    },
    /// The outcome of a put is unknown: the object may exist.
    #[error("whether `{name}` reached vault `{url}` is unknown")]
    Unknown {
        /// The vault.
        url: VaultUrl,
        /// The object.
        name: ObjectName,
        /// What the vault answered.
        source: io::Error,
    },
    /// The simulated process has crashed; only the faulty wrapper says so.
    #[error("the process that used vault `{url}` has crashed")]
    Crashed {
        /// The vault.
        url: VaultUrl,
    },
    /// The caller asked to list a prefix that is none.
    #[error("`{prefix}` is no prefix of object names")]
    PrefixInvalid {
        /// What was asked for.
        prefix: String,
        /// What is wrong with it.
        source: NameInvalid,
    },
}

/// How a vault is away.
#[derive(Debug, thiserror::Error)]
pub enum Absence {
    /// It does not answer, or its folder cannot be opened.
    #[error("it cannot be reached")]
    Unreachable(#[source] io::Error),
    /// Another folder or file system is now at its path.
    #[error("another folder is at its path now")]
    Replaced,
    /// Its folder is the same but what we keep in it is gone.
    #[error("its folder was emptied")]
    Emptied,
}

impl VaultError {
    /// What to do next, as one clause for the line `hint:`.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            VaultError::Away { source: Absence::Unreachable(_), .. } => {
                "mount or reconnect it; Keystead then sends what is missing"
            }
            VaultError::Away { source: Absence::Replaced, .. } => {
                "mount the vault that was there before, or restart to take up a remounted one"
            }
            VaultError::Away { source: Absence::Emptied, .. } => {
                "find out who emptied it; then put its content back from another vault"
            }
            VaultError::Full { .. } => "free space in it; the put is then repeated",
            VaultError::Denied { .. } => {
                "give the user that runs Keystead read and write access to it"
            }
            VaultError::Corrupt { .. } => {
                "move away what has this name; the object is then copied from another vault"
            }
            VaultError::Clash { .. } => "move away what is in the way; no object of ours is",
            VaultError::Unlinkable { .. } => {
                "put the vault on a file system with hard links, such as ext4, XFS, Btrfs or ZFS"
            }
            VaultError::Failed { .. } => "look for disk errors in the system log, then try again",
            VaultError::Unknown { .. } => "put the same bytes again: an equal object is adopted",
            VaultError::Crashed { .. } => "reopen it",
            VaultError::PrefixInvalid { .. } => "end the prefix with `/`, or leave it empty",
        }
    }
}
