//! The three ways in which a durable write goes wrong: the columns of the crash matrix.

/// What happens to one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is committed, and the caller is told so.
    NotPersisted,
    /// It is committed, and the caller is told that this is not known.
    PersistedButReported,
    /// It is committed, then the process dies: the caller hears nothing, every later call fails.
    CrashAfter,
}
