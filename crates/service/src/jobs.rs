//! What a node does beside answering: the public status record, counted refusals, forgetting;
//! destroying and rotating what is due.
//!
//! Invariant: each job is idempotent and starts from what is stored, so that killing it loses
//! nothing.

use std::sync::Arc;

use crate::{Service, found::file, ports::blocking, status::StatusReport};

const RECORD_MS: u64 = 5_000;
const FLUSH_MS: u64 = 10_000;
const CHECK_AFTER_MS: u64 = 60_000;
const CHECK_MS: u64 = 24 * 60 * 60 * 1000;
/// The public status record in the data folder.
const STATUS_FILE: &str = "status.json";

impl Service {
    pub(crate) fn start_jobs(self: &Arc<Self>) {
        let (record, flush, forget) = (self.clone(), self.clone(), self.clone());
        let (destroy, rotate) = (self.clone(), self.clone());
        let (points, proofs) = (self.clone(), self.clone());
        self.ports.tasks.spawn("status-record", Box::pin(record.keep_status_record()));
        self.ports.tasks.spawn("counted-refusals", Box::pin(flush.keep_flushing()));
        self.ports.tasks.spawn("idempotency-keys", Box::pin(forget.keep_forgetting()));
        self.ports.tasks.spawn("destructions", Box::pin(destroy.keep_destroying()));
        self.ports.tasks.spawn("rotations", Box::pin(rotate.keep_rotating()));
        self.ports.tasks.spawn("recovery-points", Box::pin(points.keep_making_points()));
        self.ports.tasks.spawn("verifications", Box::pin(proofs.keep_verifying()));
        self.ports.tasks.spawn("journal-check", Box::pin(self.clone().keep_checking()));
    }

    async fn keep_status_record(self: Arc<Self>) {
        loop {
            let census = self.take_census().await;
            self.write_status(&census.report).await;
            self.ports.clock.sleep_ms(RECORD_MS).await;
        }
    }

    async fn keep_flushing(self: Arc<Self>) {
        loop {
            self.ports.clock.sleep_ms(FLUSH_MS).await;
            if let Err(failed) = self.audit.flush_unproven(&self.ports).await {
                tracing::warn!(%failed, "counted refusals wait for the ledger");
            }
        }
    }

    /// Reads the whole journal back, soon after the start and once a day. A start reads no more of
    /// a closed file than its ends.
    async fn keep_checking(self: Arc<Self>) {
        self.ports.clock.sleep_ms(CHECK_AFTER_MS).await;
        while self.journal_damage.get().is_none() {
            let journal = self.ports.journal.clone();
            let found = blocking(&*self.ports.tasks, move || journal.verify()).await;
            if let Some(Err(damage)) = found {
                tracing::error!(%damage, "the journal is not as it was written");
                let _ = self.journal_damage.set(damage.to_string());
            }
            self.ports.clock.sleep_ms(CHECK_MS).await;
        }
    }

    /// Writes the signed record that `status` shows while no server answers.
    pub(crate) async fn write_status(&self, report: &StatusReport) {
        let signed = report.sign(&self.sealing().signer);
        let disk = self.ports.disk.clone();
        let write = move || disk.replace(&file(STATUS_FILE), signed.as_bytes());
        if let Some(Err(failed)) = blocking(&*self.ports.tasks, write).await {
            tracing::warn!(%failed, "the status record could not be written");
        }
    }
}
