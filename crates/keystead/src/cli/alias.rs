//! The flags of `alias …`.
//!
//! Invariant: which names an alias may have, and which keys exist, is the server's to say.

use clap::{Args, Subcommand};

/// `keystead alias …`.
#[derive(Debug, Subcommand)]
pub(crate) enum AliasCommand {
    /// Give a key a name
    Create(AliasTargetArgs),
    /// Let an alias name another key
    ///
    /// What was encrypted under the old key still opens.
    Update(AliasTargetArgs),
    /// Delete an alias
    ///
    /// In force at once, also while too few vaults answer; the key stays.
    Delete(AliasNameArgs),
    /// List aliases
    List(AliasListArgs),
}

/// `keystead alias create` and `alias update`.
#[derive(Debug, Args)]
pub(crate) struct AliasTargetArgs {
    /// The alias, as in alias/records
    #[arg(value_name = "ALIAS")]
    pub(crate) alias: String,

    /// The key that it names: an id, an ARN, or another alias of it
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
}

/// `keystead alias delete`.
#[derive(Debug, Args)]
pub(crate) struct AliasNameArgs {
    /// The alias, as in alias/records
    #[arg(value_name = "ALIAS")]
    pub(crate) alias: String,
}

/// `keystead alias list`.
#[derive(Debug, Args)]
pub(crate) struct AliasListArgs {
    /// Only those of this key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
}
