//! What joins of files, database, vaults and kits may meet, with exit code and hint.

use std::{io, path::PathBuf};

use keystead_archive::{KitRefused, KitUnfinished, PrintedRefused};
use keystead_arena::InitFailed;
use keystead_crypto::bytes::Malformed;
use keystead_journal::{DiskFailed, JournalUnreadable};
use keystead_service::{
    FoundFailed, StartFailed, restore::RestoreFailed, witness::WitnessUnusable,
};
use keystead_store_sqlite::OpenFailed;
use thiserror::Error;

use crate::exit::{Exit, Explained, NEWER_HINT};

/// Why a command that touches files stopped.
#[derive(Debug, Error)]
pub(crate) enum WiringRefused {
    /// A folder cannot be read or made.
    #[error("the folder `{}` cannot be used: {source}", .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The place for a new instance is taken.
    #[error("the folder `{}` is not empty", .path.display())]
    Occupied {
        /// Which.
        path: PathBuf,
    },
    /// Another process uses the folder.
    #[error("another process uses the folder `{}`", .path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// There is no instance.
    #[error("the folder `{}` holds no instance", .path.display())]
    NoInstance {
        /// Which.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("the file `{}` cannot be used: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that should be text is not.
    #[error("the file `{}` is not text", .path.display())]
    NotText {
        /// Which.
        path: PathBuf,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The runtime or its listener failed.
    #[error("the server stopped: {0}")]
    Server(#[source] io::Error),
    /// The locked memory cannot be had.
    #[error(transparent)]
    Arena(#[from] InitFailed),
    /// The database does not open.
    #[error(transparent)]
    Database(#[from] OpenFailed),
    /// The data folder's files do not open.
    #[error(transparent)]
    Disk(#[from] DiskFailed),
    /// A drill is shown to the server, and nobody says where that is.
    #[error("a drill is shown to the server, and {why}")]
    NoServer {
        /// What is missing.
        why: String,
    },
    /// The server's answer cannot be used.
    #[error("the server's answer has no usable `{what}`")]
    Answer {
        /// Which part.
        what: &'static str,
    },
    /// The server's challenge does not open with this kit.
    #[error("the kit does not open what the server sealed to it: {refused}")]
    Challenge {
        /// Why.
        refused: keystead_archive::ObjectRefused,
    },
    /// The status record cannot be used.
    #[error("the record `{}` is not of this kit's instance or is damaged", .path.display())]
    NoRecord {
        /// Where it lies.
        path: PathBuf,
    },
    /// A later program wrote the status record.
    #[error("the record `{}` cannot be used: {newer}", .path.display())]
    NewerRecord {
        /// Where it lies.
        path: PathBuf,
        /// Which version.
        newer: Malformed,
    },
    /// A kit does not open.
    #[error(transparent)]
    Kit(#[from] KitRefused),
    /// A kit cannot be made.
    #[error(transparent)]
    KitUnfinished(#[from] KitUnfinished),
    /// The printed secret does not read.
    #[error(transparent)]
    Printed(#[from] PrintedRefused),
    /// The instance could not be founded.
    #[error(transparent)]
    Found(#[from] FoundFailed),
    /// The node does not start.
    #[error(transparent)]
    Start(#[from] StartFailed),
    /// The witness does not begin.
    #[error(transparent)]
    Witness(#[from] WitnessUnusable),
    /// The restore stopped.
    #[error(transparent)]
    Restore(#[from] RestoreFailed),
}

impl WiringRefused {
    /// Whether a later program wrote what this one does not read: it is not corrupt, and a restore
    /// would not mend it.
    fn is_newer(&self) -> bool {
        match self {
            Self::Kit(KitRefused::Newer { .. })
            | Self::NewerRecord { .. }
            | Self::Database(OpenFailed::Newer { .. }) => true,
            Self::Start(failed) => failed.is_newer(),
            Self::Restore(failed) => failed.is_newer(),
            Self::Challenge { refused } => refused.is_newer(),
            _ => false,
        }
    }
}

impl Explained for WiringRefused {
    fn exit(&self) -> Exit {
        match self {
            _ if self.is_newer() => Exit::Usage,
            // A journal that cannot be reached may be as it was; one that does not read is not.
            Self::Start(StartFailed::Journal(JournalUnreadable::Disk(_))) => Exit::Failed,
            Self::Occupied { .. } | Self::NotText { .. } | Self::Printed(_) => Exit::Usage,
            Self::InUse { .. } => Exit::WrongState,
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NotFound,
            Self::NoInstance { .. }
            | Self::Start(StartFailed::NoInstance)
            | Self::Restore(RestoreFailed::NothingHere { .. }) => Exit::NotFound,
            Self::Kit(KitRefused::WrongPassphraseOrFactor | KitRefused::Factor(_))
            | Self::Restore(RestoreFailed::KitOpensNothing { .. })
            | Self::Start(StartFailed::Seal(keystead_crypto::SealFailed::Refused)) => Exit::Denied,
            Self::Kit(_)
            | Self::Challenge { .. }
            | Self::NoRecord { .. }
            | Self::NewerRecord { .. }
            | Self::Restore(
                RestoreFailed::Chain(_)
                | RestoreFailed::HeadMissing { .. }
                | RestoreFailed::CopyMissing { .. }
                | RestoreFailed::Object { .. }
                | RestoreFailed::State { .. },
            )
            | Self::Start(
                StartFailed::Corrupt { .. }
                | StartFailed::Journal(_)
                | StartFailed::OtherInstance
                | StartFailed::RolledBack { .. }
                | StartFailed::DatabaseBehind { .. }
                | StartFailed::JournalBehind { .. }
                | StartFailed::JournalDiffers { .. }
                | StartFailed::OtherJournal { .. }
                | StartFailed::Superseded { .. },
            ) => Exit::Corrupt,
            Self::Witness(refused) => refused.exit(),
            Self::Restore(
                RestoreFailed::NoVault { .. }
                | RestoreFailed::TooFewVaults { .. }
                | RestoreFailed::NotClosed { .. },
            )
            | Self::Listen { .. }
            | Self::NoServer { .. } => Exit::Unavailable,
            Self::Restore(_)
            | Self::Folder { .. }
            | Self::File { .. }
            | Self::Server(_)
            | Self::Answer { .. }
            | Self::Arena(_)
            | Self::Database(_)
            | Self::Disk(_)
            | Self::KitUnfinished(_)
            | Self::Found(_)
            | Self::Start(_) => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            _ if self.is_newer() => NEWER_HINT,
            Self::Occupied { .. } => "name a folder that is absent or empty",
            Self::InUse { .. } => {
                "stop the `keystead serve` that runs there, or name another folder"
            }
            Self::NoInstance { .. } => {
                "make one with `keystead init`, or bring one back with `keystead restore run`"
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                "name a file that does not exist: nothing is ever overwritten"
            }
            Self::File { .. } | Self::Folder { .. } => "check the path and its permissions",
            Self::Listen { .. } => {
                "choose another port with --listen or --metrics-listen, or 0 for a free one"
            }
            Self::Kit(KitRefused::WrongPassphraseOrFactor | KitRefused::Factor(_)) => {
                "check the passphrase, and that the printed secret is the one of this kit"
            }
            Self::Kit(KitRefused::Damaged) => "use another copy of the kit: this file is damaged",
            Self::Printed(_) => "copy the words again from the sheet, line by line",
            Self::NoRecord { .. } => "name the vaults with --vault",
            Self::NoServer { .. } => "name the profile with --profile, or leave --drill out",
            Self::Start(failed) => return failed.hint().map(str::to_owned),
            Self::Restore(failed) => failed.hint(),
            Self::Witness(refused) => return refused.hint(),
            Self::Found(_) => "bring the vaults back and run the same command again",
            Self::Disk(DiskFailed::Full { .. }) => "free space under the data folder",
            _ => return None,
        };
        Some(text.to_owned())
    }
}
