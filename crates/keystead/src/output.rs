//! The one place that writes to standard output and standard error.
//!
//! Invariant: standard output holds the answer of the command and nothing else (text, or exactly
//! one JSON object with `--json`); warnings, errors, hints, questions and progress go to standard
//! error. A reader that closes the pipe early ends the command quietly.

mod escaped;
pub(crate) mod progress;
pub(crate) mod status;
mod table;

use std::io::{self, Write};

use serde::Serialize;

use crate::exit::Explained;

pub(crate) use escaped::{moment, shown};
pub(crate) use table::Table;

/// In which form the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Form {
    /// As the flag `--json` says.
    pub(crate) fn of_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// Writes the answer: `value` as one JSON object, or what `text` makes.
    pub(crate) fn answer(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match self {
            Self::Json => {
                let mut line = serde_json::to_vec(value)?;
                line.push(b'\n');
                write_out(&line)
            }
            Self::Text => write_out(text().as_bytes()),
        }
    }
}

/// Writes to standard output, at once.
pub(crate) fn write_out(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    match written {
        Err(closed) if closed.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a warning.
pub(crate) fn warn(text: &str) {
    line("warning", text);
}

/// Writes an error with its hint.
pub(crate) fn fail(failed: &dyn Explained) {
    line("error", &failed.to_string());
    if let Some(hint) = failed.hint() {
        line("hint", &hint);
    }
}

/// Where standard error is gone there is nobody left to tell.
pub(crate) fn line(kind: &str, text: &str) {
    let _ = writeln!(io::stderr().lock(), "{kind}: {}", shown(text));
}
