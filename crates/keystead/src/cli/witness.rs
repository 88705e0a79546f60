//! The flags of `witness …`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystead_ledger::{KeyName, NoteRefused, VerifierKey};

/// `keystead witness …`.
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Cosign the checkpoints of other instances' ledgers
    ///
    /// Speaks C2SP tlog-witness. Cosigns a checkpoint only where its log signed it and it follows
    /// from the last one that was cosigned, and writes that down first: never a fork, never a
    /// smaller tree. Prints its verifier key once it answers. Run it where nobody who runs the
    /// instance can write.
    Serve(WitnessServeArgs),
}

/// `keystead witness serve`.
#[derive(Debug, Args)]
pub(crate) struct WitnessServeArgs {
    /// The folder of its key and of what it cosigned; it is made where it does not exist
    ///
    /// Never bring an older copy of it back: the witness would cosign what it must not.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state_dir: PathBuf,

    /// Its name, best a domain of yours with a path, like witness.example.org/w1
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: KeyName,

    /// Where it answers, HOST:PORT; port 0 takes a free one
    ///
    /// Nothing secret crosses the wire, so it may be an address that others reach.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7710")]
    pub(crate) listen: SocketAddr,

    /// The verifier key of a ledger to witness (repeatable)
    ///
    /// As `audit verify` prints it. A restore begins a new ledger, with a new key.
    #[arg(long = "log", value_name = "KEY", required = true)]
    pub(crate) logs: Vec<VerifierKey>,
}

fn name(text: &str) -> Result<KeyName, NoteRefused> {
    KeyName::new(text)
}
