//! Why an export is not taken, with the records that it is about.

use keystead_archive::ObjectRefused;
use keystead_crypto::bytes::PROGRAM;
use thiserror::Error;

use crate::exit::{Exit, Explained, NEWER_HINT};

/// Why an export is not whole, or not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ExportRefused {
    /// A line is not in the format.
    #[error("line {line} is no line of a wrap export: {fault}")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The format is of a later program.
    #[error("the wrap export has format version {found}; {PROGRAM} reads up to 1: use a newer one")]
    Newer {
        /// Its version.
        found: u64,
    },
    /// The statement does not hold.
    #[error("the statement is refused: {0}")]
    Statement(#[from] ObjectRefused),
    /// A record is not the tenant's.
    #[error("record {record} is of another tenant than the statement")]
    OtherTenant {
        /// Its sequence.
        record: u64,
    },
    /// A record comes again.
    #[error("record {record} stands there twice")]
    Twice {
        /// Its sequence.
        record: u64,
    },
    /// A record is above the statement's count.
    #[error("record {record} is not among the {count} that the statement counts")]
    Uncounted {
        /// Its sequence.
        record: u64,
        /// How many there are.
        count: u64,
    },
    /// Records are not there.
    #[error("{}", missing(*.from, *.to))]
    Missing {
        /// The first that is not there.
        from: u64,
        /// The last of them in a row.
        to: u64,
    },
    /// A record is there, and not in its place.
    #[error("record {record} is out of order: record {before} stands before it")]
    OutOfOrder {
        /// Its sequence.
        record: u64,
        /// What stands in its place.
        before: u64,
    },
    /// A record is not what it was.
    #[error("record {record} was altered")]
    Altered {
        /// Its sequence.
        record: u64,
    },
    /// The records are chained, and not to what was stated.
    #[error("records were replaced: their chain is not the one that was stated")]
    OtherChain,
}

impl Explained for ExportRefused {
    fn exit(&self) -> Exit {
        if self.is_newer() { Exit::Usage } else { Exit::Corrupt }
    }

    fn hint(&self) -> Option<String> {
        match self {
            _ if self.is_newer() => Some(NEWER_HINT.to_owned()),
            Self::Statement(ObjectRefused::BadSignature { .. }) => {
                Some("is it of the instance whose root public key was given?".to_owned())
            }
            _ => None,
        }
    }
}

impl ExportRefused {
    /// Whether a later program may well take it.
    fn is_newer(&self) -> bool {
        match self {
            Self::Newer { .. } => true,
            Self::Statement(refused) => refused.is_newer(),
            _ => false,
        }
    }
}

fn missing(from: u64, to: u64) -> String {
    match from == to {
        true => format!("record {from} is missing"),
        false => format!("records {from} to {to} are missing"),
    }
}
