//! Whether this node may still act: fenced for good, or unseen for too long.
//!
//! Invariant: a fence once set stays for the life of the process. Without one, uses go on while the
//! vaults are away for at most `max_unfenced`, since until then nobody can have taken over unseen
//! for longer than the operator chose.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{Fault, FenceReason};

/// The node's fence.
#[derive(Debug)]
pub(crate) struct Fence {
    reason: OnceLock<FenceReason>,
    seen_ms: AtomicU64,
    started_unseen: AtomicBool,
    max_unfenced_ms: u64,
}

impl Fence {
    /// As of `now_ms` (monotonic) enough vaults were seen to name no other node.
    pub(crate) fn new(now_ms: u64, max_unfenced_ms: u64) -> Self {
        Self {
            reason: OnceLock::new(),
            seen_ms: AtomicU64::new(now_ms),
            started_unseen: AtomicBool::new(false),
            max_unfenced_ms,
        }
    }

    /// Not enough vaults answered at start: nothing is answered until they do.
    pub(crate) fn unseen(&self) {
        self.started_unseen.store(true, Ordering::Release);
    }

    /// Stops this node for good.
    pub(crate) fn set(&self, reason: FenceReason) {
        if self.reason.set(reason).is_ok() {
            tracing::error!(%reason, "this node is fenced and serves no more");
        }
    }

    /// Enough vaults were seen at `at_ms`.
    pub(crate) fn seen(&self, at_ms: u64) {
        self.seen_ms.fetch_max(at_ms, Ordering::AcqRel);
        self.started_unseen.store(false, Ordering::Release);
    }

    /// How long ago enough vaults were last seen.
    pub(crate) fn unseen_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.seen_ms.load(Ordering::Acquire))
    }

    /// For how long uses go on without seeing them.
    pub(crate) fn max_unfenced_ms(&self) -> u64 {
        self.max_unfenced_ms
    }

    pub(crate) fn reason(&self) -> Option<&FenceReason> {
        self.reason.get()
    }

    /// May this node act at `now_ms`?
    pub(crate) fn check(&self, now_ms: u64) -> Result<(), Fault> {
        let unseen_ms = self.unseen_ms(now_ms);
        match self.reason.get() {
            Some(reason) => Err(Fault::Fenced { reason: *reason }),
            None if unseen_ms > self.max_unfenced_ms
                || self.started_unseen.load(Ordering::Acquire) =>
            {
                Err(Fault::Fenced { reason: FenceReason::Unseen })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_for_too_long_refuses_until_seen_again_and_a_fence_stays() {
        let fence = Fence::new(0, 100);
        assert!(fence.check(100).is_ok());
        assert!(fence.check(101).is_err());
        fence.seen(101);
        assert!(fence.check(150).is_ok());
        fence.set(FenceReason::Closed);
        fence.set(FenceReason::Unseen);
        fence.seen(160);
        assert!(matches!(fence.check(160), Err(Fault::Fenced { reason: FenceReason::Closed })));
    }
}
