//! Why a step that should have worked did not, with what the program said.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::CallFailed;

/// Why a step failed.
#[derive(Debug, Error)]
pub enum Failed {
    /// There is no binary to drive.
    #[error("`{}` does not exist: `cargo xtask test` and `cargo xtask demo` build it", .path.display())]
    NoBinary {
        /// Where it should be.
        path: PathBuf,
    },
    /// A file or folder cannot be used.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program does not start.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// Which.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ended otherwise than it should.
    #[error("`{line}` ended with {code:?}:\n{stderr}")]
    Ended {
        /// The program and its arguments.
        line: String,
        /// Its exit code; none where a signal ended it.
        code: Option<i32>,
        /// What it said.
        stderr: String,
    },
    /// What a program printed is not what it documents.
    #[error("`{line}` printed `{printed}`")]
    Printed {
        /// The program and its arguments.
        line: String,
        /// What.
        printed: String,
    },
    /// A request has no good answer.
    #[error(transparent)]
    Call(#[from] CallFailed),
}

impl Failed {
    /// Turns an IO error on `path` into a failure.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
