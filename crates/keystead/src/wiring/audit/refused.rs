//! Why the record is not verified, listed, exported or proved, with exit code and hint.

use std::{io, path::PathBuf};

use keystead_domain::RequestId;
use keystead_ledger::{CheckpointRefused, Origin};
use keystead_service::logs::{LogsRefused, NotProven};
use keystead_targets::{VaultError, VaultUrl};
use thiserror::Error;

use crate::{
    audit_export::ExportRefused,
    client::ProfileRefused,
    exit::{Exit, Explained, NEWER_HINT},
};

/// Why nothing can be said of the ledgers, or nothing good.
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
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A proof does not hold.
    #[error("`{}`: {refused}", .path.display())]
    Proof {
        /// Which file.
        path: PathBuf,
        /// Why not.
        refused: Box<NotProven>,
    },
    /// A proof that was just made does not hold.
    #[error("the vault's files give no proof: {0}")]
    NoProof(Box<NotProven>),
    /// An export does not hold.
    #[error("`{}`: {refused}", .path.display())]
    Export {
        /// Which file.
        path: PathBuf,
        /// Why not.
        refused: Box<ExportRefused>,
    },
    /// A witness's line that does not verify.
    #[error("log `{log}`: {refused}")]
    Cosignature {
        /// Which log.
        log: Origin,
        /// Why not.
        refused: Box<CheckpointRefused>,
    },
    /// A witness that was named has not cosigned.
    #[error("the newest ledger has no checkpoint that the witness `{name}` cosigned")]
    NotCosigned {
        /// Which witness.
        name: String,
    },
    /// No event of that request.
    #[error("no ledger in these vaults has an event of request `{request}`")]
    NoEvent {
        /// Which.
        request: RequestId,
    },
    /// Several events of that request.
    #[error("request `{request}` has {count} events")]
    Several {
        /// Which.
        request: RequestId,
        /// How many.
        count: usize,
    },
    /// There is no such log, or several.
    #[error("these vaults hold {count} ledgers that --index could mean")]
    WhichLog {
        /// How many.
        count: usize,
    },
    /// A file that should say how far an import came does not.
    #[error("`{}` does not say how far an import came", .path.display())]
    Cursor {
        /// Which file.
        path: PathBuf,
    },
    /// How far an import came cannot be noted.
    #[error("all is on record, but `{}` cannot be written: {source}", .path.display())]
    CursorUnwritten {
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
                LogsRefused::NoInstance | LogsRefused::NoEntry { .. } => Exit::NotFound,
                ref refused if refused.is_newer() => Exit::Usage,
                _ => Exit::Corrupt,
            },
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Exit::NotFound
            }
            Self::Unreadable { .. } | Self::CursorUnwritten { .. } => Exit::Failed,
            Self::Export { refused, .. } => match **refused {
                ExportRefused::KeptMalformed | ExportRefused::KeptUnknown => Exit::Usage,
                _ => Exit::Corrupt,
            },
            Self::Proof { .. }
            | Self::NoProof(_)
            | Self::Cosignature { .. }
            | Self::NotCosigned { .. } => Exit::Corrupt,
            Self::NoEvent { .. } => Exit::NotFound,
            Self::WhichLog { .. } | Self::Several { .. } | Self::Cursor { .. } => Exit::Usage,
            Self::NoRoot(refused) => refused.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Ledgers(refused) => match **refused {
                ref refused if refused.is_newer() => NEWER_HINT,
                LogsRefused::Short { .. } | LogsRefused::Cut { .. } => {
                    "name the other vaults too: one may hold the rest"
                }
                LogsRefused::Vault(_)
                | LogsRefused::NoInstance
                | LogsRefused::NoEntry { .. }
                | LogsRefused::OlderUnknown => return None,
                LogsRefused::Forked { .. } => {
                    "keep both vaults as they are: two signed histories are evidence"
                }
                _ => "verify each of the other vaults alone: it holds the same ledgers",
            },
            Self::NoEvent { .. } => {
                "events reach a vault a second after their answer; name every vault and try again"
            }
            Self::Several { .. } => "see `audit list --request`, and name one with --index",
            Self::WhichLog { .. } => "name one with --log, as `audit list` shows them",
            Self::NoRoot(_) => "give `--root-public-key HEX`, as `init` and `status` print it",
            Self::Cursor { .. } => "name the file that an earlier import made, or a new one",
            Self::CursorUnwritten { .. } => "the next import with it will report the same again",
            Self::NoProof(_) => "`audit verify` says which file is not as it must be",
            Self::Vault { .. }
            | Self::Unreadable { .. }
            | Self::Proof { .. }
            | Self::Cosignature { .. }
            | Self::NotCosigned { .. }
            | Self::Export { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
