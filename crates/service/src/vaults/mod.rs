//! The vaults as the service sees them: who has confirmed what, and whether we may still write.
//!
//! Invariant: *confirmed* is a local fact, rebuilt by listing; a vault confirms a segment only when
//! it holds every earlier one of the incarnation. A change is vaulted when `vaults_min` vaults have
//! confirmed its segment: a comparison, never a stored state.

mod catch_up;
mod feeder;
mod fence;
mod key_copies;
mod member;
mod quorum;
mod rival;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use keystead_crypto::VerifyingKey;
use keystead_domain::Instance;
use tokio::sync::watch;

use crate::shipper::ChainEnd;

pub(crate) use catch_up::{NotUsable, contiguous, held_chain, listed, object_name};
pub(crate) use feeder::Feeder;
pub(crate) use fence::Fence;
pub(crate) use member::{Health, Member, Put};
pub(crate) use quorum::put_quorum;
pub(crate) use rival::{Lineage, Rival, whose};

/// All configured vaults of one running node.
#[derive(Debug)]
pub(crate) struct VaultSet {
    pub(crate) lineage: Lineage,
    pub(crate) members: Vec<Arc<Member>>,
    /// How many must confirm.
    pub(crate) need: usize,
    pub(crate) fence: Fence,
    /// Under which each vault's record is checked before an object goes there; none while the
    /// records themselves are being made.
    root: Option<VerifyingKey>,
    /// The last segment that was built here.
    built: watch::Sender<u64>,
    /// The confirmed end of the chain, and the segments behind it by their sequence.
    chain: Mutex<(ChainEnd, BTreeMap<u64, ChainEnd>)>,
    /// The last `commit_seq` that enough vaults confirmed.
    vaulted: watch::Sender<u64>,
}

impl VaultSet {
    /// A set whose chain is known to be confirmed up to `confirmed`.
    pub(crate) fn new(
        instance: &Instance,
        members: Vec<Arc<Member>>,
        fence: Fence,
        confirmed: ChainEnd,
    ) -> Self {
        Self {
            lineage: Lineage::of(instance),
            members,
            need: instance.vaults_min as usize,
            fence,
            root: None,
            built: watch::Sender::new(confirmed.sequence),
            chain: Mutex::new((confirmed, BTreeMap::new())),
            vaulted: watch::Sender::new(confirmed.commit_seq),
        }
    }

    /// The same, whose vaults must each show their record, signed by `root`.
    #[must_use]
    pub(crate) fn checked_under(self, root: VerifyingKey) -> Self {
        Self { root: Some(root), ..self }
    }

    /// Under which the vaults' records are checked.
    ///
    /// # Panics
    /// For a set that is not yet checked: a mistake in the program.
    pub(crate) fn root(&self) -> VerifyingKey {
        self.root.expect("a serving node checks its vaults")
    }

    /// Says that a segment lies in the outbox and may be put.
    pub(crate) fn segment_built(&self, end: ChainEnd) {
        let (_, waiting) = &mut *self.chain();
        waiting.insert(end.sequence, end);
        self.built.send_replace(end.sequence);
    }

    /// The end of the chain as enough vaults have confirmed it.
    pub(crate) fn confirmed_end(&self) -> ChainEnd {
        self.chain().0
    }

    fn chain(&self) -> std::sync::MutexGuard<'_, (ChainEnd, BTreeMap<u64, ChainEnd>)> {
        self.chain.lock().expect("no code panics while it holds this lock")
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
        let sequence = self.confirmed_sequence();
        let (confirmed, waiting) = &mut *self.chain();
        let later = waiting.split_off(&(sequence + 1));
        let Some(last) = std::mem::replace(waiting, later).into_values().next_back() else {
            return;
        };
        *confirmed = last;
        self.vaulted.send_if_modified(|seq| {
            let moved = last.commit_seq > *seq;
            *seq = (*seq).max(last.commit_seq);
            moved
        });
    }
}
