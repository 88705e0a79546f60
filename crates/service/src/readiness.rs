//! Whether this node should get requests, and why not.
//!
//! Invariant: a closed list of reasons, each in words that name no vault, path or caller, because a
//! probe is answered to anybody who reaches the port.

use crate::{Fault, FenceReason, Service, vaults::Health};

/// Why a node should get no requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotReady {
    /// It has not yet agreed with its vaults.
    Starting,
    /// It was told to stop.
    Stopping,
    /// Another node took over, or vaults contradict this one.
    Fenced,
    /// For too long too few vaults answered to exclude that another node took over.
    Unseen,
    /// The ledger's disk failed.
    JournalStopped,
    /// The ledger's disk is full.
    JournalFull,
    /// Too few vaults answer to confirm a change.
    VaultsAway,
}

impl NotReady {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Starting,
        Self::Stopping,
        Self::Fenced,
        Self::Unseen,
        Self::JournalStopped,
        Self::JournalFull,
        Self::VaultsAway,
    ];

    /// Its name, for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Fenced => "fenced",
            Self::Unseen => "vaults-unseen",
            Self::JournalStopped => "journal-stopped",
            Self::JournalFull => "journal-full",
            Self::VaultsAway => "vaults-away",
        }
    }

    /// What it means.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Starting => "the node has not yet agreed with its vaults",
            Self::Stopping => "the node was told to stop",
            Self::Fenced => "another node took over: this one answers nothing any more",
            Self::Unseen => {
                "for too long too few vaults answered to know that no other node took over"
            }
            Self::JournalStopped => "the ledger's disk failed: nothing is answered any more",
            Self::JournalFull => {
                "the ledger's disk is full: nothing is answered until there is room"
            }
            Self::VaultsAway => "too few vaults answer to confirm a change; uses go on for now",
        }
    }

    /// Whether uses of keys go on all the same: only changes wait.
    #[must_use]
    pub const fn lets_uses_go_on(self) -> bool {
        matches!(self, Self::VaultsAway)
    }
}

impl Service {
    /// Why this node should get no requests; nothing where it should.
    #[must_use]
    pub fn not_ready(&self) -> Vec<NotReady> {
        let now_ms = self.ports.clock.monotonic_ms();
        let fence = match self.set.fence.check(now_ms) {
            Ok(()) => None,
            Err(Fault::Fenced { reason: FenceReason::Unseen }) => Some(NotReady::Unseen),
            Err(_) => Some(NotReady::Fenced),
        };
        let answering = self.set.members.iter();
        let answering =
            answering.filter(|m| matches!(m.health(), Health::Current | Health::Behind(_)));
        let is = |so: bool, reason| so.then_some(reason);
        let reasons = [
            is(self.is_stopping(), NotReady::Stopping),
            fence,
            is(self.ports.journal.failure().is_some(), NotReady::JournalStopped),
            is(self.metrics().journal_full(now_ms), NotReady::JournalFull),
            is(answering.count() < self.set.need, NotReady::VaultsAway),
        ];
        reasons.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = NotReady::ALL.map(NotReady::name).into();
        assert_eq!(names.len(), NotReady::ALL.len());
    }
}
