//! The vaults as the service sees them: who has confirmed what, and whether we may still write.
//!
//! Invariant: *confirmed* is a local fact, rebuilt by listing; a vault confirms a segment only when
//! it holds every earlier one of the incarnation. A change is vaulted when `vaults_min` vaults have
//! confirmed its segment: a comparison, never a stored state.

mod catch_up;
mod feeder;
mod fence;
mod member;
mod quorum;

use std::{collections::BTreeMap, sync::Mutex};

use keystead_crypto::VerifyingKey;
use keystead_domain::{IncarnationId, Instance, InstanceId};
use tokio::sync::watch;

pub(crate) use catch_up::{NotUsable, check_record, contiguous, held, object_name};
pub(crate) use feeder::Feeder;
pub(crate) use fence::Fence;
pub(crate) use member::{Health, Member};
pub(crate) use quorum::put_quorum;

use std::sync::Arc;

/// All configured vaults of one running node.
#[derive(Debug)]
pub(crate) struct VaultSet {
    pub(crate) instance: InstanceId,
    pub(crate) incarnation: IncarnationId,
    pub(crate) members: Vec<Arc<Member>>,
    /// How many must confirm.
    pub(crate) need: usize,
    pub(crate) fence: Fence,
    /// Under which each vault's record is checked before an object goes there; none while the
    /// records themselves are being made.
    root: Option<VerifyingKey>,
    /// The last segment that was built here.
    built: watch::Sender<u64>,
    /// Segments that wait for confirmation: sequence → last `commit_seq`.
    waiting: Mutex<BTreeMap<u64, u64>>,
    /// The last `commit_seq` that enough vaults confirmed.
    vaulted: watch::Sender<u64>,
}

impl VaultSet {
    pub(crate) fn new(
        instance: &Instance,
        members: Vec<Arc<Member>>,
        fence: Fence,
        built: u64,
        vaulted: u64,
    ) -> Self {
        Self {
            instance: instance.id,
            incarnation: instance.incarnation,
            members,
            need: instance.vaults_min as usize,
            fence,
            root: None,
            built: watch::Sender::new(built),
            waiting: Mutex::new(BTreeMap::new()),
            vaulted: watch::Sender::new(vaulted),
        }
    }

    /// The same, whose vaults must each show their record, signed by `root`.
    #[must_use]
    pub(crate) fn checked_under(self, root: VerifyingKey) -> Self {
        Self { root: Some(root), ..self }
    }

    /// Says that a segment lies in the outbox and may be put.
    pub(crate) fn segment_built(&self, sequence: u64, last_commit_seq: u64) {
        self.waiting
            .lock()
            .expect("no code panics while it holds this lock")
            .insert(sequence, last_commit_seq);
        self.built.send_replace(sequence);
    }

    pub(crate) fn built(&self) -> watch::Receiver<u64> {
        self.built.subscribe()
    }

    pub(crate) fn vaulted(&self) -> watch::Receiver<u64> {
        self.vaulted.subscribe()
    }

    /// The segment that enough vaults have confirmed with all before it.
    pub(crate) fn confirmed_sequence(&self) -> u64 {
        let mut confirmed: Vec<u64> = self.members.iter().map(|m| m.confirmed()).collect();
        confirmed.sort_unstable_by(|a, b| b.cmp(a));
        confirmed.get(self.need - 1).copied().unwrap_or(0)
    }

    /// Moves the watermark up to what the members have confirmed.
    pub(crate) fn settle(&self) {
        let confirmed = self.confirmed_sequence();
        let waiting = &mut *self.waiting.lock().expect("no code panics while it holds this lock");
        let later = waiting.split_off(&(confirmed + 1));
        let Some(last) = std::mem::replace(waiting, later).into_values().next_back() else {
            return;
        };
        self.vaulted.send_if_modified(|seq| {
            let moved = last > *seq;
            *seq = (*seq).max(last);
            moved
        });
    }
}
