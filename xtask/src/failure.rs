//! Why a subcommand ended with code 1, in words that say what to do next.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What went wrong. Nothing here is recovered from, so one enum serves all subcommands.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A variable that cargo or a login shell sets is absent.
    Environment { variable: &'static str },
    /// A file or folder could not be read or written.
    File { path: PathBuf, source: io::Error },
    /// A program could not be started.
    Start { line: String, source: io::Error },
    /// A program ended with another code than 0; its words are above or in the log.
    Program { line: String, code: Option<i32>, log: Option<PathBuf> },
    /// A program printed something else than it documents.
    Output { line: String, problem: String },
    /// Debian packages are missing and this user may not install them.
    Packages { missing: Vec<&'static str> },
    /// A requirement without an exact version would make two runs differ.
    Unpinned { file: &'static str, requirement: String },
    /// A check found something; each finding is printed already.
    Findings { check: &'static str, count: usize },
    /// A background job ended by a panic.
    Panicked { job: &'static str },
    /// All steps ran, these failed.
    Steps { failed: Vec<&'static str> },
    /// All steps held, but too slowly.
    TooSlow { minutes: f64, limit_minutes: f64 },
}

impl Failure {
    /// Turns an IO error on `path` into a failure.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { variable } => {
                write!(f, "`{variable}` is not set: start this as `cargo xtask`")
            }
            Self::File { path, source } => write!(f, "`{}`: {source}", path.display()),
            Self::Start { line, source } => write!(f, "cannot start `{line}`: {source}"),
            Self::Program { line, code, log } => {
                match code {
                    Some(code) => write!(f, "`{line}` ended with code {code}")?,
                    None => write!(f, "`{line}` was ended by a signal")?,
                }
                log.iter().try_for_each(|log| write!(f, ", log in `{}`", log.display()))
            }
            Self::Output { line, problem } => write!(f, "`{line}` printed {problem}"),
            Self::Packages { missing } => {
                write!(f, "missing, run: sudo apt-get install {}", missing.join(" "))
            }
            Self::Unpinned { file, requirement } => {
                write!(f, "`{file}` does not pin `{requirement}`: write `name==version`")
            }
            Self::Findings { check, count } => write!(f, "{check}: {count} finding(s), see above"),
            Self::Panicked { job } => write!(f, "the background job `{job}` panicked"),
            Self::Steps { failed } => write!(f, "failed: {}", failed.join(", ")),
            Self::TooSlow { minutes, limit_minutes } => {
                write!(f, "took {minutes:.1} minutes, the limit is {limit_minutes:.0}")
            }
        }
    }
}
