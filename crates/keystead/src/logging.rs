//! Sets up the log: to standard error, text on a terminal and JSON elsewhere.
//!
//! Invariant: standard output stays the command's own. The log is for whoever looks for a fault;
//! the audit record is the ledger.

use std::io::{self, IsTerminal};

use crate::config::{Config, LogFormat};

/// Starts the log for the rest of the process.
pub(crate) fn start(config: &Config) {
    let builder = tracing_subscriber::fmt()
        .with_max_level(config.log_level)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    let json = match config.log_format {
        LogFormat::Auto => !io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    if json { builder.json().flatten_event(true).init() } else { builder.init() }
}
