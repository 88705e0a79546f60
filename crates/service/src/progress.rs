//! How far each step of a change has come, as numbers that anybody can wait for.
//!
//! Invariant: each number only grows, and `applied` is never ahead of `journaled` or of the vaults'
//! watermark; `effective` is, since what a change takes away waits for neither. Whoever waits holds
//! nothing.

use tokio::sync::watch;

use crate::ports::Clock;

/// The last `commit_seq` that has come so far.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Committed in the database.
    pub(crate) committed: Mark,
    /// Its events are durable in the journal.
    pub(crate) journaled: Mark,
    /// What it takes away is in force.
    pub(crate) effective: Mark,
    /// In the keyring: below the watermark and wholly in force.
    pub(crate) applied: Mark,
}

/// One number that grows.
#[derive(Debug)]
pub(crate) struct Mark(watch::Sender<u64>);

impl Progress {
    pub(crate) fn new(committed: u64, journaled: u64, applied: u64) -> Self {
        Self {
            committed: Mark::new(committed),
            journaled: Mark::new(journaled),
            effective: Mark::new(committed),
            applied: Mark::new(applied),
        }
    }
}

impl Mark {
    fn new(at: u64) -> Self {
        Self(watch::Sender::new(at))
    }

    pub(crate) fn at(&self) -> u64 {
        *self.0.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }

    pub(crate) fn reach(&self, seq: u64) {
        self.0.send_if_modified(|at| {
            let moved = seq > *at;
            *at = (*at).max(seq);
            moved
        });
    }

    /// Waits until `seq` is reached, at most `ms` milliseconds; says whether it was.
    pub(crate) async fn wait(&self, clock: &dyn Clock, seq: u64, ms: u64) -> bool {
        let mut at = self.0.subscribe();
        let reached = std::pin::pin!(at.wait_for(|at| *at >= seq));
        let out_of_time = clock.sleep_ms(ms);
        matches!(
            futures_util::future::select(reached, out_of_time).await,
            futures_util::future::Either::Left((Ok(_), _))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_never_goes_back() {
        let mark = Mark::new(3);
        mark.reach(5);
        mark.reach(4);
        assert_eq!(mark.at(), 5);
    }
}
