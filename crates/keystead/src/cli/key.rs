//! The flags of `key list`, `key show`, `key create` and `key public-key`.
//!
//! Invariant: what the server decides (how long a description may be, which keys exist) is not
//! decided a second time here.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystead_domain::Timestamp;

use crate::cli::values::Tag;

/// `keystead key …`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List all keys
    List,
    /// Show one key with its versions and tags
    Show(KeyShowArgs),
    /// Make a key
    ///
    /// Answers once enough vaults hold the key's copy. Prints the key's id.
    Create(KeyCreateArgs),
    /// Print the public half of a key
    ///
    /// As PEM, for whoever verifies its signatures without Keystead.
    PublicKey(KeyPublicArgs),
}

/// `keystead key show`.
#[derive(Debug, Args)]
pub(crate) struct KeyShowArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
}

/// `keystead key create`.
#[derive(Debug, Args)]
pub(crate) struct KeyCreateArgs {
    /// What it computes, and so what it is for
    ///
    /// SYMMETRIC_DEFAULT encrypts, ECC_NIST_P256 and ECC_NIST_EDWARDS25519 sign, HMAC_256 makes
    /// MACs. Default: SYMMETRIC_DEFAULT.
    #[arg(long, value_name = "SPEC")]
    pub(crate) spec: Option<String>,

    /// What it is, for people; at most 8,192 characters
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) description: String,

    /// What it is for: PHI, AUDIT, BACKUP, RECOVERY or a word of your own
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) purpose: String,

    /// Tag it (repeatable, at most 50)
    #[arg(long = "tag", value_name = "NAME=VALUE")]
    pub(crate) tags: Vec<Tag>,

    /// Refuse new encryption and signatures from this time on; decryption and verification go on
    ///
    /// RFC 3339, as in 2026-11-22T03:00:00Z. Default: never.
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<Timestamp>,
}

/// `keystead key public-key`.
#[derive(Debug, Args)]
pub(crate) struct KeyPublicArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// Write it into this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
