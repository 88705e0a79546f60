//! Every way in which a command fails, as one value for `main`.
//!
//! Invariant: it adds nothing to what the families of errors say; each says its own exit code and
//! hint.

use std::io;
use std::path::PathBuf;

use keystead_arena::HardenFailed;
use thiserror::Error;

use crate::client::{CallFailed, ProfileRefused};
use crate::commands::{StatusUnknown, WrapFailed};
use crate::config::ConfigRefused;
use crate::exit::{Exit, Explained};
use crate::new_file::Unwritten;
use crate::plan::PlanRefused;
use crate::secrets::IntakeRefused;
use crate::wiring::{AuditFailed, BackupFailed, WiringRefused};

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failed {
    /// The process could not be closed to dumps.
    #[error(transparent)]
    Harden(#[from] HardenFailed),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigRefused),
    /// A secret.
    #[error(transparent)]
    Secret(#[from] IntakeRefused),
    /// What `init`, `serve`, `restore run` or `kit` were told to do.
    #[error(transparent)]
    Plan(#[from] PlanRefused),
    /// Files, vaults, kits, the server.
    #[error(transparent)]
    Wiring(#[from] WiringRefused),
    /// The profile.
    #[error(transparent)]
    Profile(#[from] ProfileRefused),
    /// A call to the server.
    #[error(transparent)]
    Call(#[from] CallFailed),
    /// Neither the server nor its record says how things stand.
    #[error(transparent)]
    Status(#[from] StatusUnknown),
    /// Wrap records, or an export of them.
    #[error(transparent)]
    Wrap(#[from] WrapFailed),
    /// Ledgers in a vault.
    #[error(transparent)]
    Audit(#[from] AuditFailed),
    /// Recovery points, and vaults as a whole.
    #[error(transparent)]
    Backup(#[from] BackupFailed),
    /// A new file.
    #[error(transparent)]
    NewFile(#[from] Unwritten),
    /// Output that cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// A file that cannot be made.
    #[error("cannot write `{}`: {source}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// Manual pages that cannot be written.
    #[error("cannot write the manual pages into `{}`: {source}", .folder.display())]
    Pages {
        /// Where.
        folder: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

impl Explained for Failed {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(refused) => refused.exit(),
            Self::Secret(refused) => refused.exit(),
            Self::Plan(refused) => refused.exit(),
            Self::Wiring(refused) => refused.exit(),
            Self::Profile(refused) => refused.exit(),
            Self::Call(failed) => failed.exit(),
            Self::Status(unknown) => unknown.exit(),
            Self::Wrap(failed) => failed.exit(),
            Self::Audit(failed) => failed.exit(),
            Self::Backup(failed) => failed.exit(),
            Self::NewFile(unwritten) => unwritten.exit(),
            Self::Harden(_) | Self::Output(_) | Self::File { .. } | Self::Pages { .. } => {
                Exit::Failed
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Config(refused) => refused.hint(),
            Self::Secret(refused) => refused.hint(),
            Self::Plan(refused) => refused.hint(),
            Self::Wiring(refused) => refused.hint(),
            Self::Profile(refused) => refused.hint(),
            Self::Call(failed) => failed.hint(),
            Self::Status(unknown) => unknown.hint(),
            Self::Wrap(failed) => failed.hint(),
            Self::Audit(failed) => failed.hint(),
            Self::Backup(failed) => failed.hint(),
            Self::NewFile(unwritten) => unwritten.hint(),
            Self::Harden(_) | Self::Output(_) | Self::File { .. } | Self::Pages { .. } => None,
        }
    }
}
