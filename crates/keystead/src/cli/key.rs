//! The flags of `key …`.
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
    /// Use a key again
    Enable(KeyArgs),
    /// Let a key do nothing
    ///
    /// In force at once, also while too few vaults answer: the command then fails as unavailable
    /// and says so. Repeated, it succeeds once they are back.
    Disable(KeyArgs),
    /// Destroy a key after some days
    ///
    /// It does nothing from now on, and can be taken back until then. Once it is destroyed nothing
    /// that it encrypted opens again, and no restore brings it back.
    Delete(KeyDeleteArgs),
    /// Do not destroy a key that is to be destroyed
    ///
    /// It stays disabled: see `key enable`.
    CancelDeletion(KeyArgs),
    /// Give a key a new version
    ///
    /// New data is encrypted under it; what older versions encrypted opens as before. At most 25
    /// times for one key.
    Rotate(KeyArgs),
    /// Give a key a new version every so many days, or no longer
    Rotation(KeyRotationArgs),
    /// Add tags to a key, or give them other values
    Tag(KeyTagArgs),
    /// Remove tags from a key
    Untag(KeyUntagArgs),
    /// Say something else of a key
    Describe(KeyDescribeArgs),
}

/// A command that names a key and no more.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
}

/// `keystead key delete`.
#[derive(Debug, Args)]
pub(crate) struct KeyDeleteArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// Destroy it after so many days: 7 to 30
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) window_days: u16,
}

/// `keystead key rotation`.
#[derive(Debug, Args)]
#[group(required = true, args = ["every_days", "off"])]
pub(crate) struct KeyRotationArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// Rotate it every so many days: 90 to 2,560
    #[arg(long, value_name = "DAYS")]
    pub(crate) every_days: Option<u16>,

    /// Rotate it no longer by itself
    #[arg(long)]
    pub(crate) off: bool,
}

/// `keystead key tag`.
#[derive(Debug, Args)]
pub(crate) struct KeyTagArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// A tag (repeatable); a key has at most 50
    #[arg(value_name = "NAME=VALUE", required = true)]
    pub(crate) tags: Vec<Tag>,
}

/// `keystead key untag`.
#[derive(Debug, Args)]
pub(crate) struct KeyUntagArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// The name of a tag (repeatable)
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
}

/// `keystead key describe`.
#[derive(Debug, Args)]
pub(crate) struct KeyDescribeArgs {
    /// The key's id, ARN, alias or alias ARN
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// What it is, for people; at most 8,192 characters
    #[arg(value_name = "TEXT")]
    pub(crate) description: String,
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
