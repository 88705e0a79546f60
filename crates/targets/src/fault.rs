//! The three ways in which one durable write can go wrong: the axis of every crash matrix.
//!
//! Invariant: the vocabulary is closed. A port that survives these three at each of its durable
//! writes survives a crash at any instruction, for between two writes nothing durable changes.

/// What happens to one durable write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing is persisted, and the caller is told that the write failed.
    NotPersisted,
    /// The write is persisted, and the caller is told that it failed.
    PersistedButReported,
    /// The write is persisted, and the process ends before it hears so.
    CrashAfter,
}

impl Fault {
    /// All faults, for a matrix.
    pub const ALL: [Fault; 3] =
        [Fault::NotPersisted, Fault::PersistedButReported, Fault::CrashAfter];
}
