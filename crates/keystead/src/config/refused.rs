//! Why a configuration cannot be used.
//!
//! Invariant: every refusal names the place (file and line, variable or flag) and the field.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::config::Source;
use crate::config::values::ValueInvalid;
use crate::exit::{Exit, Explained};

/// Why a configuration was refused.
#[derive(Debug, Error)]
pub(crate) enum ConfigRefused {
    /// A file cannot be read.
    #[error("cannot read the configuration `{}`: {source}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A file is no TOML.
    #[error("{}:{line}: {message}", .path.display())]
    NotToml {
        /// Which file.
        path: PathBuf,
        /// In which line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A section or field that does not exist.
    #[error("{at}: `{name}` is not known")]
    Unknown {
        /// Where it stands.
        at: Source,
        /// What stands there.
        name: String,
        /// What may have been meant.
        meant: Option<String>,
    },
    /// A value that is no text.
    #[error("{at}: `{name}` must be a text in quotes, not {found}")]
    NotText {
        /// Where it stands.
        at: Source,
        /// The field.
        name: String,
        /// What stands there.
        found: &'static str,
    },
    /// A variable that is not UTF-8.
    #[error("the environment variable `{variable}` is not UTF-8")]
    VariableNotText {
        /// Which.
        variable: String,
    },
    /// A value that its field does not take.
    #[error("{at}: `{name}`: {fault}")]
    Value {
        /// Where it stands.
        at: Source,
        /// The field.
        name: &'static str,
        /// What is wrong with it.
        fault: ValueInvalid,
    },
}

impl Explained for ConfigRefused {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { meant: Some(meant), .. } => Some(format!("did you mean `{meant}`?")),
            Self::Unknown { meant: None, .. } => {
                Some("`keystead config explain` lists every field".to_owned())
            }
            Self::NotText { .. } => Some("durations and sizes too: \"48h\", \"64MiB\"".to_owned()),
            Self::Value { fault: ValueInvalid::NotLoopback { .. }, .. } => {
                Some("listen on 127.0.0.1 and put a TLS proxy in front of it".to_owned())
            }
            _ => None,
        }
    }
}
