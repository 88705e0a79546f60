//! The flags of `wrap put`, `show`, `unwrap`, `list`, `export` and `verify`.
//!
//! Invariant: a data key comes from a file and goes into a new one, never through an argument or
//! standard output; what the server decides (how long a subject may be) is not decided here.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::values::{RootPublicKey, secret_file};
use crate::secrets::Reference;

/// `keystead wrap …`.
#[derive(Debug, Subcommand)]
pub(crate) enum WrapCommand {
    /// Give a subject its data key, or find the one it has
    ///
    /// Repeating it is harmless: it finds the record and its data key. Another data key for the
    /// same subject is refused (exit code 6). Answers once enough vaults hold the record.
    Put(WrapPutArgs),
    /// Show a subject's record; its data key stays wrapped
    Show(WrapShowArgs),
    /// Write a subject's data key into a new file
    Unwrap(WrapUnwrapArgs),
    /// List all records, in the order in which they were made
    List,
    /// Write all records into a file that shows whether one is missing
    ///
    /// The file holds wrapped data keys and no other. The server's signed count of the records is
    /// its first line, and every record is verified while it is written.
    Export(WrapExportArgs),
    /// Verify an export without a server
    ///
    /// Names the first record that is missing, altered, doubled or out of order, and exits with 7.
    Verify(WrapVerifyArgs),
}

/// `keystead wrap put`.
#[derive(Debug, Args)]
pub(crate) struct WrapPutArgs {
    /// What the data key encrypts: your own name for a document, a row, a file; 1 to 512 bytes
    #[arg(value_name = "SUBJECT")]
    pub(crate) subject: String,

    /// Take the data key from this file: 16 to 1,024 raw bytes
    ///
    /// `-` is standard input, fd:N an open descriptor. Without the flag the server makes one.
    #[arg(long, value_name = "FILE", value_parser = secret_file)]
    #[arg(conflicts_with_all = ["bytes", "data_key_out"])]
    pub(crate) data_key_file: Option<Reference>,

    /// Let the server make a data key of so many bytes, 16 to 1,024 [default: 32]
    #[arg(long, value_name = "N")]
    pub(crate) bytes: Option<u32>,

    /// Write the data key, as raw bytes, into this new file
    ///
    /// Mode 0600. The data key is never printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) data_key_out: Option<PathBuf>,
}

/// `keystead wrap show`.
#[derive(Debug, Args)]
pub(crate) struct WrapShowArgs {
    /// What the data key encrypts
    #[arg(value_name = "SUBJECT")]
    pub(crate) subject: String,
}

/// `keystead wrap unwrap`.
#[derive(Debug, Args)]
pub(crate) struct WrapUnwrapArgs {
    /// What the data key encrypts
    #[arg(value_name = "SUBJECT")]
    pub(crate) subject: String,

    /// Write the data key, as raw bytes, into this new file
    ///
    /// Mode 0600. The data key is never printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) data_key_out: PathBuf,
}

/// `keystead wrap export`.
#[derive(Debug, Args)]
pub(crate) struct WrapExportArgs {
    /// The new file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// `keystead wrap verify`.
#[derive(Debug, Args)]
pub(crate) struct WrapVerifyArgs {
    /// The export
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The root public key of the instance, as `init` and `status` print it
    ///
    /// Default: the profile's.
    #[arg(long, value_name = "HEX")]
    pub(crate) root_public_key: Option<RootPublicKey>,
}
