//! Who touched a vault, by the log that its storage writes.
//!
//! Invariant: nothing is left out for being strange: an access whose object cannot be named is one
//! all the same, and a line that cannot be read is counted. What is ours and what is foreign is the
//! caller's to say.

mod linux;
mod record;
#[cfg(test)]
mod tests;

pub use linux::LinuxAudit;

/// What was done to an object of a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessKind {
    /// Read, or listed.
    Read,
    /// Opened for writing.
    Write,
    /// Made.
    Create,
    /// Removed, or moved away.
    Delete,
    /// Its owner, mode or attributes were asked for or altered.
    Attributes,
    /// The watch over the vault was taken away: what came after it is not known.
    WatchEnded,
}

impl AccessKind {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Create, Self::Delete, Self::Attributes, Self::WatchEnded];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Attributes => "attributes",
            Self::WatchEnded => "watch-ended",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who did something, as far as the log knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Accessor {
    /// The user that the program ran as.
    pub uid: Option<u32>,
    /// The user who logged in, whoever the program ran as.
    pub login_uid: Option<u32>,
    /// The program's file.
    pub program: Option<String>,
}

impl std::fmt::Display for Accessor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = |of: Option<u32>| of.map_or_else(|| "unknown".into(), |of| of.to_string());
        let program = self.program.as_deref().unwrap_or("unknown");
        write!(f, "uid={} login={} {program}", number(self.uid), number(self.login_uid))
    }
}

/// One access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedAccess {
    /// When, in microseconds since 1970.
    pub at_micros: i64,
    /// The number that the log gave it; with the time, its name in that log.
    pub serial: u64,
    /// Who.
    pub by: Accessor,
    /// What.
    pub kind: AccessKind,
    /// Whether the storage let it happen.
    pub succeeded: bool,
    /// Names below the vault, or as the log has them where they cannot be placed.
    pub objects: Vec<String>,
}
