//! Why the demo could not be played to its end.

use std::{io, path::PathBuf};

use keystead_driver::{CallFailed, Failed};
use thiserror::Error;

/// Why the demo stopped.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// A step of the program under test.
    #[error(transparent)]
    Step(#[from] Failed),
    /// A request.
    #[error(transparent)]
    Call(#[from] CallFailed),
    /// A file.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A variable that `cargo xtask demo` sets.
    #[error("`{variable}` is not set: start this as `cargo xtask demo`")]
    Environment {
        /// Which.
        variable: &'static str,
    },
    /// A helping program.
    #[error("`{program}` failed: {said}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// An answer lacks something.
    #[error("the answer of `{of}` has no `{member}`")]
    Answer {
        /// Whose.
        of: &'static str,
        /// What.
        member: &'static str,
    },
    /// Too little to show anything.
    #[error("{documents} documents are too few for {keys} keys")]
    TooFew {
        /// How many there are.
        documents: usize,
        /// How many keys there are.
        keys: usize,
    },
    /// The cipher on the client's side refused.
    #[error("the document `{path}` does not open")]
    Open {
        /// Which.
        path: String,
    },
}

impl Failure {
    /// Turns an IO error on `path` into a failure.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
