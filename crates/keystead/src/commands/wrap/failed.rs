//! Why wrap records are not exported or not verified.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::client::ProfileRefused;
use crate::exit::{Exit, Explained};
use crate::wrap_export::ExportRefused;

/// Why a `wrap` command failed, beside what every command fails of.
#[derive(Debug, Error)]
pub(crate) enum WrapFailed {
    /// The server's answer cannot be used.
    #[error("the server's answer has no usable `{what}`")]
    Answer {
        /// Which part.
        what: &'static str,
    },
    /// The server's records are not those that it stated.
    #[error("the server's records are not those that it stated: {0}")]
    Stated(ExportRefused),
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The file is not a whole export.
    #[error("`{}`: {refused}", .path.display())]
    Export {
        /// Which.
        path: PathBuf,
        /// Why.
        refused: ExportRefused,
    },
    /// There is nothing to verify it with.
    #[error("no root public key was given, and {0}")]
    NoRoot(ProfileRefused),
}

impl Explained for WrapFailed {
    fn exit(&self) -> Exit {
        match self {
            Self::Stated(refused) | Self::Export { refused, .. } => refused.exit(),
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Exit::NotFound
            }
            Self::Answer { .. } | Self::Unreadable { .. } => Exit::Failed,
            Self::NoRoot(refused) => refused.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Answer { .. } | Self::Unreadable { .. } => None,
            Self::Stated(_) => Some("`keystead kit verify` tells what the vaults hold".to_owned()),
            Self::Export { refused, .. } => refused.hint(),
            Self::NoRoot(_) => {
                Some("give `--root-public-key HEX`, as `init` and `status` print it".to_owned())
            }
        }
    }
}
