//! Ships the ledger: every second, where it grew, its tiles and a signed checkpoint go into each
//! vault.
//!
//! Invariant: what is shipped was synced here before; each vault gets everything before the
//! checkpoint that needs it, at its own pace, and one that was away goes on from the checkpoint it
//! has. Another log in the place of ours means that two nodes write: this one stops.

mod batch;
mod elders;
mod feed;
mod standing;
mod witnesses;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use keystead_archive::NodeSigner;
use keystead_domain::NodeId;
use keystead_ledger::TileRows;
use tokio::sync::{Notify, watch};

use crate::{
    ports::{Clock, Ports, blocking_behind},
    vaults::{Lineage, VaultSet},
};
use batch::{Batch, BatchFailed};
pub(crate) use standing::{LogIn, LogPlace, Signed, tile_at};
pub(crate) use witnesses::{Cosigned, FRESH_MS, Witnesses};

/// How often a grown ledger is shipped, in milliseconds: the audit RPO.
pub(crate) const SHIPPED_EVERY_MS: u64 = 1_000;

/// The shipper of one node's ledger.
#[derive(Debug)]
pub(crate) struct LedgerShipper {
    ports: Ports,
    set: Arc<VaultSet>,
    place: LogPlace,
    signer: Arc<NodeSigner>,
    /// How many entries each vault holds under a checkpoint, in the order of the set's members.
    sizes: Vec<AtomicU64>,
    /// How many entries enough vaults hold.
    shipped: watch::Sender<u64>,
    /// Who is asked to cosign what was shipped.
    pub(crate) witnesses: Witnesses,
    /// The last batch: vaults that keep pace share it, and wait for each other's while it is made.
    last: tokio::sync::Mutex<Option<Arc<Batch>>>,
    /// A size that the ledger had, and when: since then at least what lies below it waits.
    waiting: Mutex<(u64, u64)>,
    /// Ends the pause between two batches.
    hurry: Notify,
}

impl LedgerShipper {
    pub(crate) fn new(
        ports: Ports,
        set: Arc<VaultSet>,
        node: NodeId,
        signer: Arc<NodeSigner>,
    ) -> Self {
        let sizes = set.members.iter().map(|_| AtomicU64::new(0)).collect();
        let (shipped, last) = (watch::Sender::new(0), tokio::sync::Mutex::new(None));
        let Lineage { instance, incarnation, .. } = set.lineage;
        let place = LogPlace { instance, incarnation, node };
        let (waiting, hurry) = (Mutex::new((0, 0)), Notify::new());
        let witnesses = Witnesses::new(&ports.witnesses);
        Self { ports, set, place, signer, sizes, shipped, witnesses, last, waiting, hurry }
    }

    /// Starts one feeder a vault, and what asks the witnesses where there are any.
    pub(crate) fn start(self: &Arc<Self>) {
        for number in 0..self.set.members.len() {
            let feeder = self.clone();
            self.ports.tasks.spawn("ledger-feeder", Box::pin(feeder.feed(number)));
        }
        if !self.ports.witnesses.is_empty() {
            self.ports.tasks.spawn("witnesses", Box::pin(self.clone().keep_asking()));
        }
    }

    /// How many entries enough vaults hold under a checkpoint.
    pub(crate) fn shipped(&self) -> u64 {
        *self.shipped.borrow()
    }

    /// How many entries one vault holds under a checkpoint.
    pub(crate) fn shipped_to(&self, number: usize) -> u64 {
        self.sizes[number].load(Ordering::Acquire)
    }

    /// Waits until enough vaults hold `size` entries, at most `ms` milliseconds; says whether they
    /// do.
    pub(crate) async fn wait(&self, clock: &dyn Clock, size: u64, ms: u64) -> bool {
        let mut at = self.shipped.subscribe();
        let reached = std::pin::pin!(at.wait_for(|at| *at >= size));
        let out_of_time = clock.sleep_ms(ms);
        matches!(
            futures_util::future::select(reached, out_of_time).await,
            futures_util::future::Either::Left((Ok(_), _))
        )
    }

    /// For how long at least the oldest entry that is not shipped has waited.
    pub(crate) fn waits_ms(&self, now_ms: u64) -> u64 {
        let waiting = &mut *self.waiting.lock().expect("no code panics while it holds this lock");
        if self.shipped() >= waiting.0 {
            *waiting = (self.ports.journal.head().size, now_ms);
        }
        now_ms.saturating_sub(waiting.1)
    }

    /// Ships what there is without waiting for the next second.
    pub(crate) fn hurry(&self) {
        self.hurry.notify_waiters();
    }

    /// Whether an answer waits for the vaults at this moment.
    fn is_waited_for(&self) -> bool {
        self.shipped.receiver_count() > 0
    }

    /// How many entries the journal holds.
    fn size(&self) -> u64 {
        self.ports.journal.head().size
    }

    fn holds(&self, number: usize, size: u64) {
        self.sizes[number].store(size, Ordering::Release);
        let mut sizes: Vec<u64> = (0..self.sizes.len()).map(|at| self.shipped_to(at)).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let enough = sizes.get(self.set.need - 1).copied().unwrap_or(0);
        self.shipped.send_if_modified(|at| {
            let moved = enough > *at;
            *at = (*at).max(enough);
            moved
        });
    }

    /// What brings a vault from the edge `from` towards the head.
    async fn batch(&self, from: &TileRows) -> Result<Arc<Batch>, BatchFailed> {
        let mut last = self.last.lock().await;
        if let Some(known) = last.as_ref().filter(|known| known.from == *from) {
            return Ok(known.clone());
        }
        let head = self.ports.journal.head();
        let (journal, signer, from) =
            (self.ports.journal.clone(), self.signer.clone(), from.clone());
        let build = move || Batch::build(&journal, signer.checkpoints(), &from, &head);
        let built = blocking_behind(&*self.ports.tasks, build).await;
        let built = Arc::new(built.unwrap_or(Err(BatchFailed::Short { found: 0, wanted: 0 }))?);
        *last = Some(built.clone());
        Ok(built)
    }
}
