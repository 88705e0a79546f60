//! The flags of `backup …`.
//!
//! Invariant: what is looked at is named in one grammar everywhere: a vault by its URL, a recovery
//! point by its name, and everything else is a file.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use clap::{Args, Subcommand};
use keystead_domain::PointId;
use keystead_targets::VaultUrl;

use crate::cli::restore::UsedKitArgs;
use crate::cli::values::RootPublicKey;

/// `keystead backup …`.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Make a recovery point now
    ///
    /// It is in enough vaults before the command ends. Without --full it holds no value and no
    /// digest of one: names, states and dates, for planning; nothing can be restored from it.
    Create(BackupCreateArgs),
    /// List the recovery points, oldest first
    ///
    /// Those that the server's inventory names. The base of each incarnation, which is always
    /// there, is not among them.
    List,
    /// Show what a recovery point or a vault holds, as far as no key is needed
    Info(BackupTargetArgs),
    /// Verify a recovery point, a vault, or on the server everything
    ///
    /// With a TARGET it asks no server and needs the root public key alone: every signature, every
    /// byte, every place. Without one the server verifies every object in all its vaults, then
    /// walks the whole way back: each key copy is opened and must do what the running key does.
    /// Exits with 7 where anything is found.
    Verify(BackupVerifyArgs),
    /// Check that a file is in a format that this program reads
    ///
    /// No key is needed: types, versions, lengths and digests; no signature.
    CheckFormat(BackupTargetArgs),
    /// Open a recovery point and its key copies with a kit, in memory alone
    ///
    /// Writes nothing. Exits with 7 where a copy is missing or does not open.
    TestDecrypt(Box<BackupDecryptArgs>),
}

/// What a `backup` command looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A vault.
    Vault(VaultUrl),
    /// A recovery point.
    Point(PointId),
    /// A file.
    File(PathBuf),
}

impl FromStr for Target {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let vault = text.contains("://").then(|| text.parse().ok()).flatten();
        let point = text.parse().ok().map(Self::Point);
        Ok(vault.map(Self::Vault).or(point).unwrap_or_else(|| Self::File(text.into())))
    }
}

/// Where to look, and what to trust.
#[derive(Debug, Args)]
pub(crate) struct PlacesArgs {
    /// Look into this vault (repeatable)
    ///
    /// Of the form dir:///FOLDER or dir:///FOLDER?domain=NAME. Default: those that the data folder
    /// names.
    #[arg(long = "vault", value_name = "URL")]
    pub(crate) vaults: Vec<VaultUrl>,

    /// Take the vaults' URLs from the record in this folder
    ///
    /// Default: the configuration's `instance.data_dir`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<String>,

    /// The root public key of the instance, as `init` and `status` print it
    ///
    /// Default: the profile's.
    #[arg(long, value_name = "HEX")]
    pub(crate) root_public_key: Option<RootPublicKey>,
}

/// `keystead backup create`.
#[derive(Debug, Args)]
pub(crate) struct BackupCreateArgs {
    /// Write the point to this new file too
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// The same as FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Hold the whole state, so that a restore can begin from it
    #[arg(long)]
    pub(crate) full: bool,

    /// Hold no value and no digest of one; the default
    #[arg(long, conflicts_with = "full")]
    pub(crate) metadata_only: bool,

    #[command(flatten)]
    pub(crate) places: PlacesArgs,
}

/// `keystead backup info` and `check-format`.
#[derive(Debug, Args)]
pub(crate) struct BackupTargetArgs {
    /// A file, a recovery point as `backup list` shows it, or a vault's URL
    #[arg(value_name = "TARGET")]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) places: PlacesArgs,
}

/// `keystead backup verify`.
#[derive(Debug, Args)]
pub(crate) struct BackupVerifyArgs {
    /// A file, a recovery point as `backup list` shows it, or a vault's URL
    ///
    /// Default: everything, by the server.
    #[arg(value_name = "TARGET")]
    pub(crate) target: Option<Target>,

    #[command(flatten)]
    pub(crate) places: PlacesArgs,
}

/// `keystead backup test-decrypt`.
#[derive(Debug, Args)]
pub(crate) struct BackupDecryptArgs {
    /// A file, or a recovery point as `backup list` shows it
    #[arg(value_name = "TARGET")]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) kit: UsedKitArgs,

    #[command(flatten)]
    pub(crate) places: PlacesArgs,
}

impl BackupCommand {
    /// Where it looks.
    pub(crate) fn places(&self) -> Option<&PlacesArgs> {
        match self {
            Self::Create(args) => Some(&args.places),
            Self::List => None,
            Self::Info(args) | Self::CheckFormat(args) => Some(&args.places),
            Self::Verify(args) => Some(&args.places),
            Self::TestDecrypt(args) => Some(&args.places),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_grammar_tells_vaults_points_and_files_apart() {
        let point = format!("inc_{}.p3", "ab".repeat(16));
        let of = |text: &str| text.parse::<Target>().unwrap();
        assert_eq!(of(&point), Target::Point(point.parse().unwrap()));
        assert_eq!(of("dir:///a"), Target::Vault("dir:///a".parse().unwrap()));
        for file in ["point.keystead", "./dir", "inc_00.p1", "nowhere://x"] {
            assert_eq!(of(file), Target::File(file.into()), "{file}");
        }
    }
}
