//! The flags of `config explain` and `config check`.
//!
//! Invariant: they take the flags that set configuration fields, so that what `explain` shows is
//! what a command with the same flags would use.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use crate::cli::values::secret_file;
use crate::secrets::Reference;

/// `keystead config …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show each value with its source
    ///
    /// Shows references to secrets, never a secret. Takes the flags of `serve` that set a value.
    Explain(SettingArgs),
    /// Say whether the configuration can be used
    ///
    /// Exits with 2 and names file, line and field where it cannot.
    Check(SettingArgs),
}

/// Flags that set a configuration field.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SettingArgs {
    /// As `serve` takes it
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<String>,

    /// As `serve` takes it
    #[arg(long, value_name = "FILE", value_parser = secret_file)]
    pub(crate) passphrase_file: Option<Reference>,

    /// As `serve` takes it
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// As `serve` takes it
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,
}
