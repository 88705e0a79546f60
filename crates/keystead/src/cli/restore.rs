//! The flags of `restore run`.
//!
//! Invariant: a flag that accepts a loss or leaves something out says which; none of them has a
//! short form, so that nobody gives one by accident.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use keystead_domain::{PointId, Timestamp, VersionId};
use keystead_targets::VaultUrl;

use crate::cli::instance::NewPassphraseArgs;
use crate::cli::values::{Head, secret_file};
use crate::secrets::Reference;

/// `keystead restore …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RestoreCommand {
    /// Make an instance again from its vaults and a kit
    ///
    /// Reads every vault that answers, verifies all of it under what the kit pins, closes the old
    /// incarnation, opens a new one, and only then puts the new data folder in its place. Shows
    /// phase, bytes, rate and time left on standard error. Access keys of before are refused from
    /// then on; the new pair is printed and written to the profile. A restore that was interrupted
    /// goes on when it is run again.
    Run(Box<RestoreArgs>),
    /// Bring one key, or one version of it, back to what a recovery point has
    ///
    /// Asks the server, which opens the point and the key's copies with its seal. Shows what
    /// differs first: description, tags, rotation, expiry, state, and for each version whether the
    /// material in the database does what its copy does. Destroyed keys do not come back, doomed
    /// and compromised ones keep their state.
    Key(RestoreKeyArgs),
}

/// `keystead restore key`.
#[derive(Debug, Args)]
pub(crate) struct RestoreKeyArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// Bring back the material of this version alone, and nothing else of the key
    #[arg(long, value_name = "VERSION")]
    pub(crate) key_version: Option<VersionId>,

    /// From this recovery point, as `backup list` shows it
    ///
    /// Default: the newest full one. Where that does not have the key yet, only its materials are
    /// looked at.
    #[arg(long, value_name = "POINT")]
    pub(crate) from: Option<PointId>,

    /// Show what differs and do nothing
    #[arg(long, conflicts_with = "yes")]
    pub(crate) diff: bool,

    /// Do not ask whether this is meant; needed without a terminal
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `keystead restore run`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Recover from this vault (repeatable)
    ///
    /// Of the form dir:///FOLDER or dir:///FOLDER?domain=NAME. Name all that are left.
    #[arg(long = "vault", value_name = "URL", required = true)]
    pub(crate) vaults: Vec<VaultUrl>,

    #[command(flatten)]
    pub(crate) kit: UsedKitArgs,

    /// Put the recovered instance into this folder, which must be empty or absent
    ///
    /// Default: the configuration's `instance.data_dir`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<String>,

    #[command(flatten)]
    pub(crate) passphrase: NewPassphraseArgs,

    /// Make a new kit, write it to this new file, and revoke the used one
    ///
    /// Without it the used kit stays valid for the new incarnation.
    #[arg(long, value_name = "FILE")]
    pub(crate) kit_out: Option<PathBuf>,

    /// Read the new kit's passphrase from this file
    ///
    /// A path, `-` for standard input, or `fd:N` for an open descriptor.
    #[arg(long, value_name = "FILE", value_parser = secret_file, requires = "kit_out")]
    pub(crate) kit_out_passphrase_file: Option<Reference>,

    /// Make the new kit's passphrase and write it to this new file
    #[arg(long, value_name = "FILE", requires = "kit_out")]
    #[arg(conflicts_with = "kit_out_passphrase_file")]
    pub(crate) kit_out_passphrase_out: Option<PathBuf>,

    /// Write the new kit's printed secret to this new file, in another folder than the kit
    #[arg(long, value_name = "FILE", requires = "kit_out")]
    pub(crate) kit_secret_out: Option<PathBuf>,

    /// Recover the state as it was at this time
    ///
    /// RFC 3339, as in 2026-11-22T03:00:00Z. Destructions and revocations up to the newest change
    /// still apply. Default: the newest change.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Timestamp>,

    /// Refuse where the vaults do not contain this head
    ///
    /// Of the form INCARNATION.SEQUENCE.32-HEX-DIGITS, as `status`, `init` and the last restore
    /// printed it.
    #[arg(long, value_name = "HEAD")]
    pub(crate) expect_head: Option<Head>,

    /// Go on where too few vaults answer to know the newest change
    ///
    /// Changes that only the missing vaults hold are lost for good.
    #[arg(long)]
    pub(crate) accept_loss: bool,

    /// Leave this vault out of the recovered instance's configuration (repeatable)
    #[arg(long = "without-vault", value_name = "URL")]
    pub(crate) without_vaults: Vec<VaultUrl>,

    /// Rehearse: write no vault, send nothing, rotate and revoke nothing
    ///
    /// The folder that it makes is for looking and testing, never for serving in production.
    #[arg(long)]
    pub(crate) isolated: bool,

    /// The address that `serve` will listen on, for the profile's endpoint
    ///
    /// Default: the configuration's `serve.listen`, 127.0.0.1:7700.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

/// A kit that is to be opened, as `restore run` and `kit verify` take it.
#[derive(Debug, Args)]
pub(crate) struct UsedKitArgs {
    /// The recovery kit
    #[arg(long, value_name = "FILE")]
    pub(crate) kit: PathBuf,

    /// Read the kit's passphrase from this file
    ///
    /// A path, `-` for standard input, or `fd:N` for an open descriptor. On a terminal it is asked
    /// for where the flag is not given.
    #[arg(long, value_name = "FILE", value_parser = secret_file)]
    pub(crate) kit_passphrase_file: Option<Reference>,

    /// Read the kit's printed secret from this file
    ///
    /// A path, `-` for standard input, or `fd:N` for an open descriptor; the words as they are on
    /// the sheet. On a terminal they are asked for where the flag is not given.
    #[arg(long, value_name = "FILE", value_parser = secret_file)]
    pub(crate) kit_secret_file: Option<Reference>,
}
