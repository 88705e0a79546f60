//! The exit codes, and what every error must be able to say about itself.
//!
//! Invariant: the codes are documented in `docs/reference/exit-codes.md` and in `--help`; scripts
//! depend on them, so a code never changes its meaning.

use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed, or a promise is broken.
    Failed,
    /// The command line, the configuration or a given value is wrong.
    Usage,
    /// Not now.
    Unavailable,
    /// Not for this caller.
    Denied,
    /// There is no such thing.
    NotFound,
    /// Its state, or another change, does not allow it.
    WrongState,
    /// Bytes are not what was written, or vaults contradict each other.
    Corrupt,
    /// Done, and something was found that a person has to look at.
    Found,
}

impl Exit {
    /// The code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
            Self::Denied => 4,
            Self::NotFound => 5,
            Self::WrongState => 6,
            Self::Corrupt => 7,
            Self::Found => 8,
        }
    }
}

/// What to do with bytes that a later program wrote: they are neither corrupt nor lost.
pub(crate) const NEWER_HINT: &str = "nothing was changed: run it with the keystead that wrote it";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error that says how the process ends and what its reader can do next.
pub(crate) trait Explained: std::error::Error {
    /// How the process ends.
    fn exit(&self) -> Exit;

    /// What to do next, where we know: without a final period.
    fn hint(&self) -> Option<String>;
}
