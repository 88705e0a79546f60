//! Why an export does not hold.

use keystead_ledger::{Origin, ProofRefused};
use keystead_service::logs::SignedRefused;
use thiserror::Error;

/// What is wrong with an export, by its line and by the event that it holds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ExportRefused {
    /// A line that is none.
    #[error("line {line} is no line of an export: {fault}")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        fault: &'static str,
    },
    /// Of a later program.
    #[error("the export is of version {found}, and this program reads version 1")]
    Newer {
        /// Its version.
        found: u64,
    },
    /// The file ends too early.
    #[error("the export ends after line {lines}, before its last line")]
    Cut {
        /// How many lines there are.
        lines: u64,
    },
    /// A checkpoint that no node of this root signed.
    #[error("line {line}: {refused}")]
    Signed {
        /// Counted from 1.
        line: u64,
        /// Why not.
        refused: SignedRefused,
    },
    /// An event in the wrong place.
    #[error("log `{log}`: entry {found} stands where entry {due} is due")]
    OutOfOrder {
        /// Which log.
        log: Origin,
        /// Which one is next.
        due: u64,
        /// Which one came.
        found: u64,
    },
    /// Something readable that the leaf does not say.
    #[error("log `{log}`: what stands readable of entry {index} is not what was recorded")]
    OtherEvent {
        /// Which log.
        log: Origin,
        /// Which entry.
        index: u64,
    },
    /// An event that is not in the log.
    #[error("log `{log}`: entry {index} is not shown to be in it: {refused}")]
    Inclusion {
        /// Which log.
        log: Origin,
        /// Which entry.
        index: u64,
        /// Why.
        refused: ProofRefused,
    },
    /// The events together are not the log.
    #[error("log `{log}`: its {entries} events do not give the root of the checkpoint")]
    OtherRoot {
        /// Which log.
        log: Origin,
        /// How many.
        entries: u64,
    },
    /// What was kept is no checkpoint.
    #[error("what you kept is no checkpoint")]
    KeptMalformed,
    /// What was kept cannot be compared.
    #[error("the checkpoint that you kept is of no log that is whole in this export")]
    KeptUnknown,
    /// What was kept is not in the log.
    #[error("log `{log}` does not contain what the checkpoint of {size} entries covers")]
    Rewritten {
        /// Which log.
        log: Origin,
        /// How many entries it covers.
        size: u64,
    },
}
