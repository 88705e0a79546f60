//! The flags of `audit …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystead_targets::VaultUrl;

use crate::cli::values::RootPublicKey;

/// `keystead audit …`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify the ledgers in vaults without a server
    ///
    /// Reads every ledger of the instance whole: each against its largest signed checkpoint, each
    /// against what the one after a restore says of it. Names the first file or entry that is
    /// missing, altered, doubled or out of order, and exits with 7. Entries that a later ledger
    /// knows of and that reached no vault are counted, with a warning.
    Verify(AuditVerifyArgs),
}

/// `keystead audit verify`.
#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArgs {
    /// Read this vault (repeatable)
    ///
    /// Of the form dir:///FOLDER or dir:///FOLDER?domain=NAME. Of several, the one that holds most
    /// of a ledger counts for it: a node that was killed had not brought its last second to all.
    #[arg(long = "vault", value_name = "URL", required = true)]
    pub(crate) vaults: Vec<VaultUrl>,

    /// The root public key of the instance, as `init` and `status` print it
    ///
    /// Default: the profile's.
    #[arg(long, value_name = "HEX")]
    pub(crate) root_public_key: Option<RootPublicKey>,

    /// Refuse where the ledgers do not contain what this checkpoint covers
    ///
    /// A checkpoint that was copied out of a vault before, and kept where nobody who can write into
    /// the vault can write. Without it a ledger whose end was cut off looks like one that was
    /// shorter.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
}
