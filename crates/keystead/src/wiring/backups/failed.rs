//! Why a `backup` command stopped, with exit code and hint.

use std::path::PathBuf;

use keystead_domain::PointId;
use keystead_service::backups::BackupsRefused;
use thiserror::Error;

use crate::{
    client::ProfileRefused,
    exit::{Exit, Explained},
};

/// Why a `backup` command stopped.
#[derive(Debug, Error)]
pub(crate) enum BackupFailed {
    /// Two files for one point.
    #[error("FILE and --output name two files")]
    TwoFiles,
    /// Nothing says where the vaults are.
    #[error("no vault was named")]
    NoVaults,
    /// A vault cannot be opened with a kit as one thing.
    #[error("a vault is opened as a whole by `kit verify`, not by `backup test-decrypt`")]
    VaultNotOpened,
    /// There is nothing to verify with.
    #[error("no root public key was given, and {0}")]
    NoRoot(ProfileRefused),
    /// A file is not what it should be.
    #[error("`{}`: {what}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The vaults hold another object than the server made.
    #[error("the vaults hold another `{point}` than the server made")]
    OtherPoint {
        /// Which.
        point: PointId,
    },
    /// The vaults cannot be verified at all.
    #[error(transparent)]
    Vaults(#[from] BackupsRefused),
}

impl Explained for BackupFailed {
    fn exit(&self) -> Exit {
        match self {
            Self::TwoFiles | Self::NoVaults | Self::VaultNotOpened => Exit::Usage,
            Self::NoRoot(refused) => refused.exit(),
            Self::File { .. } | Self::OtherPoint { .. } => Exit::Corrupt,
            Self::Vaults(refused) => match refused {
                BackupsRefused::Vault { .. } => Exit::Unavailable,
                BackupsRefused::NoInstance | BackupsRefused::NoPoint { .. } => Exit::NotFound,
                BackupsRefused::Chain(_) => Exit::Corrupt,
            },
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::TwoFiles => "give one of them",
            Self::NoVaults => "name them with `--vault URL`, or the folder with `--data-dir`",
            Self::VaultNotOpened => "name a recovery point of it, as `backup list` shows them",
            Self::NoRoot(_) => "give `--root-public-key HEX`, as `init` and `status` print it",
            Self::File { .. } => "take the point from a vault again: `backup list` names it",
            Self::OtherPoint { .. } => "run `backup verify` to see which vault is damaged",
            Self::Vaults(BackupsRefused::NoPoint { .. }) => {
                "name the other vaults too, or see `backup list` for what there is"
            }
            Self::Vaults(BackupsRefused::NoInstance) => {
                "check that vaults and root public key belong to the same instance"
            }
            Self::Vaults(_) => return None,
        };
        Some(hint.to_owned())
    }
}
