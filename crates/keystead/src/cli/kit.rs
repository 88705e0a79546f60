//! The flags of `kit create`, `kit verify`, `kit list` and `kit revoke`.
//!
//! Invariant: a kit that is made is named by the same flags as in `init`, one that is opened by the
//! same as in `restore run`, so that nobody learns two vocabularies.

use clap::{Args, Subcommand};
use keystead_domain::KitId;
use keystead_targets::VaultUrl;

use crate::cli::instance::NewKitArgs;
use crate::cli::restore::UsedKitArgs;

/// `keystead kit …`.
#[derive(Debug, Subcommand)]
pub(crate) enum KitCommand {
    /// Make another kit and test that it opens
    ///
    /// The kit is made and opened on this machine; its passphrase and its seed never reach the
    /// server.
    Create(KitCreateArgs),
    /// Open a kit and say what it can recover
    ///
    /// Touches files only and asks no server. Exits with 1 where the kit does not open the backups
    /// that are made today.
    Verify(Box<KitVerifyArgs>),
    /// List the kits that are not revoked, with when each was last proven
    List,
    /// Revoke a kit
    ///
    /// Starts a new backup epoch that the kit cannot open and names what it could still open:
    /// whatever was sealed before.
    Revoke(KitRevokeArgs),
}

/// `keystead kit create`.
#[derive(Debug, Args)]
pub(crate) struct KitCreateArgs {
    #[command(flatten)]
    pub(crate) kit: NewKitArgs,
}

/// `keystead kit verify`.
#[derive(Debug, Args)]
pub(crate) struct KitVerifyArgs {
    #[command(flatten)]
    pub(crate) kit: UsedKitArgs,

    /// Check against this vault (repeatable)
    ///
    /// Of the form dir:///FOLDER or dir:///FOLDER?domain=NAME. Default: those that the data folder
    /// names.
    #[arg(long = "vault", value_name = "URL")]
    pub(crate) vaults: Vec<VaultUrl>,

    /// Check against the instance in this folder
    ///
    /// Default: the configuration's `instance.data_dir`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<String>,

    /// Show to the server that the recovered keys are the running ones
    ///
    /// An attended drill: the server hands out tasks for up to a hundred keys drawn at random, the
    /// keys that came out of the backups do them here, and the result goes on record with how long
    /// the way back took. Needs the server; fails where it takes no result.
    #[arg(long)]
    pub(crate) drill: bool,
}

/// `keystead kit revoke`.
#[derive(Debug, Args)]
pub(crate) struct KitRevokeArgs {
    /// Which kit, as `kit list` shows it
    #[arg(value_name = "KIT")]
    pub(crate) kit: KitId,

    /// Do not ask whether this is meant; needed without a terminal
    #[arg(long)]
    pub(crate) yes: bool,
}
