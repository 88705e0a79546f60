//! Why no plan can be made.
//!
//! Invariant: each refusal names the flag or the path, and nothing was done before it.

use std::io;
use std::path::PathBuf;

use keystead_targets::{UrlInvalid, VaultUrl};
use thiserror::Error;

use crate::client::ProfileRefused;
use crate::exit::{Exit, Explained};
use crate::secrets::IntakeRefused;

/// Why no plan can be made.
#[derive(Debug, Error)]
pub(crate) enum PlanRefused {
    /// Flags without which nothing can be done here.
    #[error("missing: {}", .flags.join(", "))]
    Missing {
        /// Which.
        flags: Vec<&'static str>,
    },
    /// A number of vaults that is no majority of them.
    #[error("--vaults-min {given} is not more than half of the {vaults} vaults and at most all")]
    VaultsMin {
        /// What was given.
        given: usize,
        /// How many vaults there are.
        vaults: usize,
    },
    /// A vault in the data folder, or in another vault, or twice.
    #[error("vault `{vault}` lies in `{}`", .within.display())]
    VaultWithin {
        /// Which.
        vault: VaultUrl,
        /// In what.
        within: PathBuf,
    },
    /// A vault whose folder is not there.
    #[error("vault `{vault}` has no folder")]
    VaultMissing {
        /// Which.
        vault: VaultUrl,
    },
    /// A kit, a secret or a passphrase where it would be lost or found together with a vault or the
    /// data folder.
    #[error("`{}` lies in `{}`", .path.display(), .within.display())]
    OutputWithin {
        /// What would be written.
        path: PathBuf,
        /// The vault or data folder.
        within: PathBuf,
    },
    /// Kit and printed secret side by side.
    #[error("kit and printed secret would lie in one folder, `{}`", .folder.display())]
    KitBesideSecret {
        /// Which.
        folder: PathBuf,
    },
    /// Something is there already.
    #[error("`{}` exists", .path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// A folder cannot be looked at or made.
    #[error("cannot use `{}`: {source}", .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// An answer that is no place of a vault.
    #[error(transparent)]
    Url(#[from] UrlInvalid),
    /// An answer that does not name two folders.
    #[error("`{answer}` does not name two folders, separated by a comma")]
    TwoFolders {
        /// The answer.
        answer: String,
    },
    /// A profile that a new instance would replace.
    #[error("`{}` is the profile of an instance", .path.display())]
    ProfileTaken {
        /// Which.
        path: PathBuf,
    },
    /// Nobody confirmed.
    #[error("not confirmed, nothing was done")]
    NotConfirmed,
    /// A secret.
    #[error(transparent)]
    Secret(#[from] IntakeRefused),
    /// The profile's place.
    #[error(transparent)]
    Profile(#[from] ProfileRefused),
}

impl Explained for PlanRefused {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => {
                "give them as flags (data folder and passphrase also in the configuration), or run \
                 the command on a terminal to be asked"
                    .to_owned()
            }
            Self::VaultsMin { vaults, .. } => {
                format!("leave it out for {}", smallest_majority(*vaults))
            }
            Self::VaultWithin { .. } => {
                "a vault must survive what takes the data folder or another vault: use another \
                 folder, best on another disk"
                    .to_owned()
            }
            Self::VaultMissing { .. } => {
                "mount the disk that holds it, or make the folder: an absent one never counts as \
                 a new vault"
                    .to_owned()
            }
            Self::OutputWithin { .. } => {
                "whoever steals that folder must not find it there, and who loses it must not \
                 lose both: write it elsewhere"
                    .to_owned()
            }
            Self::KitBesideSecret { .. } => {
                "whoever finds both needs only the passphrase: write them to two folders, and \
                 bring them to two places"
                    .to_owned()
            }
            Self::Exists { .. } => "name a new file, or move the old one away".to_owned(),
            Self::Secret(refused) => return refused.hint(),
            Self::Profile(refused) => return refused.hint(),
            Self::NotConfirmed => "answer `yes`, or give `--yes`".to_owned(),
            Self::ProfileTaken { .. } => "keep both: name another with `--profile FILE`".to_owned(),
            Self::Folder { .. } | Self::Url(_) | Self::TwoFolders { .. } => return None,
        })
    }
}

/// The fewest vaults that are more than half of them.
pub(super) fn smallest_majority(vaults: usize) -> usize {
    vaults / 2 + 1
}
