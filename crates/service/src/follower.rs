//! Follows committed changes: their events into the journal, what they take away into the keyring
//! at once, and, below the watermark, all their effects.
//!
//! Invariant: state events enter the journal in commit order, each once (the journal knows its
//! place); the keyring applies a change only when it is both journaled and vaulted, so that
//! whatever a caller relied on survives the loss of this machine. What a change takes away waits
//! for neither: nobody relies on being allowed less.

use std::sync::Arc;

use keystead_crypto::bytes::Malformed;
use keystead_domain::{Kind, VersionId};
use keystead_store::{CommittedChange, StoreFailed};
use thiserror::Error;

use crate::{
    keyring::Keyring,
    ports::Ports,
    progress::Progress,
    replay::{apply, taken},
    taken::Layers,
    tenants::Tenants,
    vaults::VaultSet,
};

const BATCH: usize = 1000;
const RETRY_MS: u64 = 1_000;
/// How often the database is asked although nobody announced a change.
const LOOK_MS: u64 = 5_000;

/// Why following stopped for a moment.
#[derive(Debug, Error)]
pub(crate) enum FollowFailed {
    #[error(transparent)]
    Store(#[from] StoreFailed),
    #[error(transparent)]
    Journal(#[from] keystead_journal::JournalFailed),
    #[error(transparent)]
    Newer(Malformed),
    #[error("{kind} of change {commit_seq} does not open or read")]
    Corrupt { kind: Kind, commit_seq: u64 },
}

impl From<FollowFailed> for crate::Fault {
    fn from(failed: FollowFailed) -> Self {
        match failed {
            FollowFailed::Store(failed) => Self::Store(failed),
            other => Self::Corrupt { what: other.to_string() },
        }
    }
}

/// The follower of one node.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) ports: Ports,
    pub(crate) set: Arc<VaultSet>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) keyring: Arc<Keyring>,
}

impl Follower {
    /// Starts both halves; the keyring's goes on from `layers`.
    pub(crate) fn start(self: &Arc<Self>, layers: Layers) {
        let (journal, keyring) = (self.clone(), self.clone());
        self.ports.tasks.spawn("journal-changes", Box::pin(journal.follow_journal()));
        self.ports.tasks.spawn("apply-changes", Box::pin(keyring.follow_keyring(layers)));
    }

    async fn follow_journal(self: Arc<Self>) {
        let mut committed = self.progress.committed.watch();
        loop {
            match self.journal_next().await {
                Ok(true) => {}
                Ok(false) => {
                    // A commit whose outcome nobody heard is announced by nobody.
                    let changed = std::pin::pin!(committed.changed());
                    futures_util::future::select(changed, self.ports.clock.sleep_ms(LOOK_MS)).await;
                }
                Err(failed) => {
                    tracing::error!(%failed, "changes are committed and not yet in the ledger");
                    self.ports.clock.sleep_ms(RETRY_MS).await;
                }
            }
        }
    }

    async fn journal_next(&self) -> Result<bool, FollowFailed> {
        let Some(last) = feed_journal(&self.ports).await? else { return Ok(false) };
        self.progress.committed.reach(last);
        self.progress.journaled.reach(last);
        Ok(true)
    }

    async fn follow_keyring(self: Arc<Self>, mut layers: Layers) {
        let mut committed = self.progress.committed.watch();
        let mut journaled = self.progress.journaled.watch();
        let mut vaulted = self.set.vaulted();
        loop {
            let head = *committed.borrow_and_update();
            let upto = (*journaled.borrow_and_update()).min(*vaulted.borrow_and_update());
            let step = if layers.tail.looked_at() < head {
                self.take_away(&mut layers).await
            } else if layers.base.revision < upto {
                self.apply_up_to(&mut layers, upto).await
            } else {
                let (one, other, third) = (
                    std::pin::pin!(journaled.changed()),
                    std::pin::pin!(vaulted.changed()),
                    std::pin::pin!(committed.changed()),
                );
                let either = futures_util::future::select(one, other);
                futures_util::future::select(either, third).await;
                continue;
            };
            if let Err(failed) = step {
                tracing::error!(%failed, "changes are committed and not yet in force");
                self.ports.clock.sleep_ms(RETRY_MS).await;
            }
        }
    }

    /// Lays what the next committed changes take away over what is in force.
    async fn take_away(&self, layers: &mut Layers) -> Result<(), FollowFailed> {
        let changes = self.ports.store.changes_after(layers.tail.looked_at(), BATCH).await?;
        let mut destroyed = Vec::new();
        for change in &changes {
            let taken = taken(&self.tenants, change)?;
            destroyed.extend(change.set.erase.iter().copied());
            layers.tail.add(change.commit_seq, taken);
        }
        self.publish(layers, &destroyed);
        Ok(())
    }

    async fn apply_up_to(&self, layers: &mut Layers, upto: u64) -> Result<(), FollowFailed> {
        let mut next = layers.base.clone();
        let changes = self.ports.store.changes_after(next.revision, BATCH).await?;
        let mut destroyed = Vec::new();
        for change in changes.iter().take_while(|change| change.commit_seq <= upto) {
            apply(&self.ports, &self.tenants, &mut next, change).await?;
            destroyed.extend(change.set.erase.iter().copied());
            next.revision = change.commit_seq;
        }
        layers.tail.drop_up_to(next.revision);
        layers.base = next;
        self.publish(layers, &destroyed);
        Ok(())
    }

    fn publish(&self, layers: &Layers, destroyed: &[VersionId]) {
        self.keyring.publish(layers.laid());
        destroyed.iter().for_each(|version| self.keyring.forget(*version));
        self.progress.effective.reach(layers.tail.looked_at());
        self.progress.applied.reach(layers.base.revision);
    }
}

/// Records the events of the next committed changes; the last of them, once it is durable, or
/// nothing where there are none.
pub(crate) async fn feed_journal(ports: &Ports) -> Result<Option<u64>, FollowFailed> {
    let after = ports.journal.next_commit_seq() - 1;
    let changes = ports.store.changes_after(after, BATCH).await?;
    let record = |change: &CommittedChange| {
        ports.journal.record_state(change.commit_seq, &change.set.events)
    };
    let tickets: Vec<_> = changes.iter().map(record).collect();
    for ticket in tickets {
        ticket.await?;
    }
    Ok(changes.last().map(|change| change.commit_seq))
}
