//! Why a measurement could not be made.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why.
#[derive(Debug, Error)]
pub(crate) enum Failed {
    /// The command line does not read.
    #[error("{problem}\n\n{usage}", usage = crate::options::USAGE)]
    Usage {
        /// What is wrong.
        problem: String,
    },
    /// A server or command of Keystead.
    #[error(transparent)]
    Driver(#[from] keystead_driver::Failed),
    /// A request outside the rounds has no good answer.
    #[error(transparent)]
    Call(#[from] keystead_driver::CallFailed),
    /// A file or folder cannot be used.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused something that has no path.
    #[error("{doing}: {source}")]
    System {
        /// What was done.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// OpenBao did not do what it was asked.
    #[error("OpenBao, {doing}: {problem}")]
    OpenBao {
        /// What.
        doing: String,
        /// How it went.
        problem: String,
    },
    /// A server's answer is not the one that would count as speed.
    #[error("{subject}, {operation}: {problem}")]
    Answer {
        /// Whose.
        subject: String,
        /// To what.
        operation: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A file has no place for what is to be written.
    #[error("`{}` lacks the line `{line}`", .path.display())]
    NoPlace {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: &'static str,
    },
}

impl Failed {
    /// Turns an IO error on `path` into a failure.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// Turns an IO error into a failure of `doing`.
    pub(crate) fn system<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System { doing, source: source.into() }
    }
}
