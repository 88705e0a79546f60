//! How a node ends: what is running ends first, then what was acknowledged goes where it belongs.
//!
//! Invariant: bounded in time. Nothing that was acknowledged waits for this: a change was in the
//! vaults before its answer, and what is left behind here goes out at the next start. But a machine
//! that is switched off for good loses its last second of use events, unless they were shipped.

use keystead_ledger::Attributes;

use crate::{
    Service,
    audit::{node_act, record_node},
};

/// How long the end of a node may take, in milliseconds.
const STOP_MS: u64 = 10_000;
/// How often is looked whether something has ended, in milliseconds.
const LOOK_MS: u64 = 5;

/// What a node left behind on this disk when it ended; all of it goes out at the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftBehind {
    /// Requests that were still running.
    pub requests: u64,
    /// Committed changes that too few vaults confirmed.
    pub changes: u64,
    /// Entries of the ledger that too few vaults hold.
    pub entries: u64,
}

impl LeftBehind {
    /// Whether it is nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Service {
    /// Ends a node in order: requests, changes, its last event, the ledger, its status record, its
    /// journal. The fronts must take no request any more.
    pub async fn stop(&self) -> LeftBehind {
        self.begin_stop();
        let until_ms = self.ports.clock.monotonic_ms().saturating_add(STOP_MS);
        self.end_requests(until_ms).await;
        if self.may_act().is_ok() {
            self.ship_changes(until_ms).await;
        }
        self.record_end().await;
        if self.may_act().is_ok() {
            self.ship_ledger(until_ms).await;
        }
        let mut report = self.report().await;
        report.state = "stopped: by its operator".to_owned();
        self.write_status(&report).await;
        self.ports.journal.stop();
        LeftBehind {
            requests: self.metrics().in_flight(),
            changes: report.commit_seq.saturating_sub(report.watermark),
            entries: report.ledger_size.saturating_sub(report.ledger_shipped),
        }
    }

    /// Operations run on when their clients go, so that connections that ended say nothing of them.
    async fn end_requests(&self, until_ms: u64) {
        while self.metrics().in_flight() > 0 && self.left_ms(until_ms) > 0 {
            self.ports.clock.sleep_ms(LOOK_MS).await;
        }
    }

    async fn ship_changes(&self, until_ms: u64) {
        let committed = self.progress.committed.at();
        let clock = &*self.ports.clock;
        self.progress.journaled.wait(clock, committed, self.left_ms(until_ms)).await;
        let mut vaulted = self.set.vaulted();
        let there = std::pin::pin!(vaulted.wait_for(|at| *at >= committed));
        let out_of_time = clock.sleep_ms(self.left_ms(until_ms));
        futures_util::future::select(there, out_of_time).await;
    }

    async fn record_end(&self) {
        if let Err(failed) = self.audit.flush_unproven(&self.ports).await {
            tracing::warn!(%failed, "the last counted refusals are not in the ledger");
        }
        let stopped = node_act(self.ports.clock.now(), "NodeStopped", Attributes::new());
        if let Err(failed) = record_node(&self.ports, stopped).await {
            tracing::warn!(%failed, "the node's end is not in the ledger");
        }
    }

    async fn ship_ledger(&self, until_ms: u64) {
        let size = self.ports.journal.head().size;
        while self.left_ms(until_ms) > 0 {
            // A feeder that was busy did not hear it the last time.
            self.ledger.hurry();
            if self.ledger.wait(&*self.ports.clock, size, LOOK_MS).await {
                return;
            }
        }
    }

    fn left_ms(&self, until_ms: u64) -> u64 {
        until_ms.saturating_sub(self.ports.clock.monotonic_ms())
    }
}
