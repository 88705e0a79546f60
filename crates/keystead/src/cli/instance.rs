//! The flags of `dev`, `init`, `serve` and `status`.
//!
//! Invariant: whatever `init` asks on a terminal has a flag here, so that it runs without one.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use keystead_domain::Account;
use keystead_targets::VaultUrl;

use crate::cli::values::secret_file;
use crate::config::loopback;
use crate::secrets::Reference;

/// `keystead dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Listen here, on loopback; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7700")]
    #[arg(value_parser = loopback)]
    pub(crate) listen: SocketAddr,
}

/// `keystead init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Keep the instance in this folder, which must be empty or absent
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<String>,

    /// Back up into this vault (repeatable)
    ///
    /// Of the form dir:///FOLDER or dir:///FOLDER?domain=NAME, where NAME says with what the folder
    /// would be lost (a disk, a room). Give it once for each vault.
    #[arg(long = "vault", value_name = "URL")]
    pub(crate) vaults: Vec<VaultUrl>,

    /// How many vaults must confirm a change before it is acknowledged
    ///
    /// More than half of the vaults. Default: the smallest such number.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) vaults_min: Option<usize>,

    #[command(flatten)]
    pub(crate) passphrase: NewPassphraseArgs,

    #[command(flatten)]
    pub(crate) kit: NewKitArgs,

    /// The 12-digit account number that ARNs show
    ///
    /// Default: a random one.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) account: Option<Account>,

    /// The address that `serve` will listen on, for the profile's endpoint
    ///
    /// Default: the configuration's `serve.listen`, 127.0.0.1:7700.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

/// The instance's passphrase, where it is new.
#[derive(Debug, Args)]
pub(crate) struct NewPassphraseArgs {
    /// Read the instance's new passphrase from this file
    ///
    /// A path, `-` for standard input, or `fd:N` for an open descriptor. One newline at the end is
    /// dropped. At least 12 characters and 10^12 guesses by the estimator zxcvbn. Default: the
    /// configuration's `instance.passphrase`.
    #[arg(long, value_name = "FILE", value_parser = secret_file)]
    pub(crate) passphrase_file: Option<Reference>,

    /// Make the instance's passphrase and write it to this new file
    ///
    /// Seven random words (77 bits), mode 0600. The file must not exist.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    pub(crate) passphrase_out: Option<PathBuf>,
}

/// A kit that is to be made, as `init` and `kit create` take it.
#[derive(Debug, Args)]
pub(crate) struct NewKitArgs {
    /// Write the recovery kit to this new file
    ///
    /// Its printable sheet goes beside it (the same name with .html). It must lie in no vault and
    /// in no data folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) kit_out: Option<PathBuf>,

    /// Read the kit's new passphrase from this file
    ///
    /// A path, `-` for standard input, or `fd:N` for an open descriptor. The same floor as the
    /// instance's passphrase.
    #[arg(long, value_name = "FILE", value_parser = secret_file)]
    pub(crate) kit_passphrase_file: Option<Reference>,

    /// Make the kit's passphrase and write it to this new file
    ///
    /// Seven random words (77 bits), mode 0600. The file must not exist.
    #[arg(long, value_name = "FILE", conflicts_with = "kit_passphrase_file")]
    pub(crate) kit_passphrase_out: Option<PathBuf>,

    /// Write the kit's printed secret to this new file, in another folder than the kit
    ///
    /// Whoever has kit, passphrase and printed secret is root: keep them apart.
    #[arg(long, value_name = "FILE")]
    pub(crate) kit_secret_out: Option<PathBuf>,
}

/// `keystead serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Serve the instance in this folder
    ///
    /// Default: the configuration's `instance.data_dir`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<String>,

    /// Read the instance's passphrase from this file
    ///
    /// A path, `-` for standard input, or `fd:N` for an open descriptor. Default: the
    /// configuration's `instance.passphrase`; on a terminal it is asked for.
    #[arg(long, value_name = "FILE", value_parser = secret_file)]
    pub(crate) passphrase_file: Option<Reference>,

    /// Listen here; port 0 takes a free one
    ///
    /// Loopback only, until the server speaks TLS. Default: the configuration's `serve.listen`,
    /// 127.0.0.1:7700.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// Answer /metrics, /livez and /readyz here, without a signature
    ///
    /// Loopback only: whoever is on this machine may read them. It answers from the first moment,
    /// before the node has started. Default: the configuration's `serve.metrics_listen`; where that
    /// is not set either, nothing serves metrics.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,
}

/// `keystead status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Where the server does not answer, show the record in this data folder
    ///
    /// Default: the configuration's `instance.data_dir`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<String>,
}
