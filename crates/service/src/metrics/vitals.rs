//! How this node stands at one moment, as numbers: what `/metrics` shows beside the counters.
//!
//! Invariant: reading it costs a few loads, however often it is asked: what needs the database or a
//! walk over all keys is a census that a job takes every few seconds.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    AuditDurability, Service,
    readiness::NotReady,
    status::StatusReport,
    tiles::SHIPPED_EVERY_MS,
    vaults::{Health, Member},
};

/// One node at one moment. Times are in milliseconds.
#[derive(Debug, Clone)]
pub struct Vitals {
    /// The instance.
    pub instance: String,
    /// Its present incarnation.
    pub incarnation: String,
    /// The node.
    pub node: String,
    /// The last committed change.
    pub committed: u64,
    /// The last one whose events are in the ledger.
    pub journaled: u64,
    /// The last one that enough vaults confirmed.
    pub vaulted: u64,
    /// The last one wholly in force.
    pub applied: u64,
    /// The last segment that was built.
    pub segments_built: u64,
    /// The last one that enough vaults confirmed with all before it.
    pub segments_confirmed: u64,
    /// Entries of the ledger on this disk.
    pub ledger_entries: u64,
    /// Entries that enough vaults hold under a signed checkpoint.
    pub ledger_shipped: u64,
    /// For how long at least the oldest entry that is not shipped has waited.
    pub ledger_waits_ms: u64,
    /// The audit RPO while the vaults answer.
    pub audit_rpo_ms: u64,
    /// Each configured vault.
    pub vaults: Vec<VaultVitals>,
    /// How many must confirm.
    pub vaults_min: usize,
    /// How long ago enough vaults were last seen to name no other node.
    pub unseen_ms: u64,
    /// After how long without that the node answers nothing more.
    pub max_unfenced_ms: u64,
    /// Whether the node is fenced for good.
    pub fenced: bool,
    /// Why it is not ready; nothing where it is.
    pub not_ready: Vec<NotReady>,
    /// What was last counted, and how long ago; none in the first moment.
    pub census: Option<(Arc<Census>, u64)>,
}

/// One vault.
#[derive(Debug, Clone)]
pub struct VaultVitals {
    /// Its id: neither URL nor domain, which are addresses.
    pub vault: String,
    /// `unasked`, `current`, `behind` or `away`.
    pub state: &'static str,
    /// The last segment that it holds with all before it.
    pub confirmed: u64,
    /// How many segments it lacks.
    pub missing: u64,
    /// How many entries of the ledger it holds.
    pub ledger_entries: u64,
    /// How long ago it last answered; none where it never did.
    pub seen_ms: Option<u64>,
}

/// What a job counts.
#[derive(Debug, Clone)]
pub struct Census {
    /// The status report.
    pub report: StatusReport,
    /// Keys by the name of their state, each state shown.
    pub keys: BTreeMap<&'static str, u64>,
    /// Each kit that is not revoked.
    pub kits: Vec<KitVitals>,
    /// When it was taken, in monotonic milliseconds.
    pub(crate) at_ms: u64,
}

/// One kit.
#[derive(Debug, Clone)]
pub struct KitVitals {
    /// Its id.
    pub kit: String,
    /// When it was last seen to open, in seconds since 1970; none where never.
    pub proven_at_s: Option<i64>,
}

impl Service {
    /// How the node stands now.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        let now_ms = self.ports.clock.monotonic_ms();
        let (built, size) = (*self.set.built().borrow(), self.ports.journal.head().size);
        let members = &self.set.members;
        Vitals {
            instance: self.instance.id.to_string(),
            incarnation: self.instance.incarnation.to_string(),
            node: self.node.to_string(),
            committed: self.progress.committed.at(),
            journaled: self.progress.journaled.at(),
            vaulted: *self.set.vaulted().borrow(),
            applied: self.progress.applied.at(),
            segments_built: built,
            segments_confirmed: self.set.confirmed_sequence(),
            ledger_entries: size,
            ledger_shipped: self.ledger.shipped(),
            ledger_waits_ms: self.ledger.waits_ms(now_ms),
            audit_rpo_ms: self.audit_rpo_ms(),
            vaults: (0..).zip(members).map(|(at, of)| self.vault(at, of, built, now_ms)).collect(),
            vaults_min: self.set.need,
            unseen_ms: self.set.fence.unseen_ms(now_ms),
            max_unfenced_ms: self.set.fence.max_unfenced_ms(),
            fenced: self.set.fence.reason().is_some(),
            not_ready: self.not_ready(),
            census: self.census().map(|of| (of.clone(), now_ms.saturating_sub(of.at_ms))),
        }
    }

    pub(crate) fn audit_rpo_ms(&self) -> u64 {
        match self.durability {
            AuditDurability::Local => SHIPPED_EVERY_MS,
            AuditDurability::Vaulted => 0,
        }
    }

    fn vault(&self, number: usize, member: &Member, built: u64, now_ms: u64) -> VaultVitals {
        let seen = Some(member.seen_ms()).filter(|at| *at > 0);
        VaultVitals {
            vault: member.id.to_string(),
            state: health_name(&member.health()),
            confirmed: member.confirmed(),
            missing: built.saturating_sub(member.confirmed()),
            ledger_entries: self.ledger.shipped_to(number),
            seen_ms: seen.map(|at| now_ms.saturating_sub(at)),
        }
    }

    /// Counts what takes a walk over everything.
    pub(crate) async fn take_census(&self) -> Arc<Census> {
        let report = self.report().await;
        let census = Arc::new(Census {
            keys: self.keys_by_state(),
            kits: report.kits.iter().map(kit_vitals).collect(),
            at_ms: self.ports.clock.monotonic_ms(),
            report,
        });
        *self.census.write().expect("no code panics while it holds this lock") =
            Some(census.clone());
        census
    }

    fn census(&self) -> Option<Arc<Census>> {
        self.census.read().expect("no code panics while it holds this lock").clone()
    }

    fn keys_by_state(&self) -> BTreeMap<&'static str, u64> {
        self.keyring.snapshot().tally().states().collect()
    }
}

/// The word for how a vault was last found.
pub(crate) fn health_name(health: &Health) -> &'static str {
    match health {
        Health::Unasked => "unasked",
        Health::Current => "current",
        Health::Behind(_) => "behind",
        Health::Away(_) => "away",
    }
}

fn kit_vitals(kit: &crate::status::KitStatus) -> KitVitals {
    let proven = kit.proven_at.as_ref().and_then(|at| at.parse().ok());
    let seconds = |at: keystead_domain::Timestamp| at.as_micros() / 1_000_000;
    KitVitals { kit: kit.kit.clone(), proven_at_s: proven.map(seconds) }
}
