//! One vault's part of the ledger: where it stands, and what it gets next.
//!
//! Invariant: a vault's own tiles say where it stands, never this node's memory of them; the root
//! over them and our leaves must come out as our own, or somebody else wrote there.

use std::sync::Arc;

use keystead_archive::object_hash;
use keystead_domain::to_hex;
use keystead_ledger::{Note, TileRows, checkpoint_size};
use keystead_targets::{PutNew, VaultError};
use thiserror::Error;

use super::{
    LedgerShipper, SHIPPED_EVERY_MS,
    batch::BatchFailed,
    standing::{CERTIFICATES, COSIGNED, LogIn},
};
use crate::{
    FenceReason,
    vaults::{Member, NotUsable, Put, object_name},
};

const RETRY_MAX_MS: u64 = 30_000;
/// How long the pause between two of many batches is at most, in milliseconds.
const BREATH_MAX_MS: u64 = 50;

/// Why a vault did not get its part at present.
#[derive(Debug, Error)]
pub(super) enum FeedFailed {
    #[error(transparent)]
    Vault(#[from] NotUsable),
    #[error(transparent)]
    Batch(#[from] BatchFailed),
}

impl From<VaultError> for FeedFailed {
    fn from(failed: VaultError) -> Self {
        Self::Vault(failed.into())
    }
}

impl LedgerShipper {
    pub(super) async fn feed(self: Arc<Self>, number: usize) {
        let mut stands = None;
        let mut retry_ms = SHIPPED_EVERY_MS;
        while self.set.fence.reason().is_none() {
            let began_ms = self.ports.clock.monotonic_ms();
            let mut pause_ms = retry_ms;
            match self.bring_up(number, &mut stands).await {
                Ok(()) => {
                    retry_ms = SHIPPED_EVERY_MS;
                    let took_ms = self.ports.clock.monotonic_ms().saturating_sub(began_ms);
                    pause_ms = SHIPPED_EVERY_MS.saturating_sub(took_ms).max(1);
                }
                Err(FeedFailed::Batch(BatchFailed::Forked { size })) => {
                    self.set.fence.set(FenceReason::ForkedLedger { size });
                }
                Err(failed) => {
                    let vault = self.set.members[number].vault.url();
                    tracing::debug!(%vault, %failed, "the ledger waits for a vault");
                    // It may be another vault, or an emptied one, when it comes back.
                    stands = None;
                    retry_ms = (retry_ms * 2).min(RETRY_MAX_MS);
                    pause_ms = retry_ms;
                }
            }
            let pause = self.ports.clock.sleep_ms(pause_ms);
            futures_util::future::select(std::pin::pin!(self.hurry.notified()), pause).await;
        }
    }

    /// Puts batches until the vault holds what the journal held when it began: what comes meanwhile
    /// goes with the next second's, since each batch costs the same few objects however small it
    /// is. Only where answers wait for the vaults it goes on.
    async fn bring_up(
        &self,
        number: usize,
        stands: &mut Option<TileRows>,
    ) -> Result<(), FeedFailed> {
        let member = &self.set.members[number];
        let came_back = stands.is_none();
        if came_back {
            self.check(member).await?;
            *stands = Some(self.stands_at(member).await?);
        }
        let at = stands.as_mut().expect("it was just found out");
        self.holds(number, at.size());
        let held = self.size();
        while at.size() < held || (self.is_waited_for() && at.size() < self.size()) {
            let began_ms = self.ports.clock.monotonic_ms();
            self.check(member).await?;
            let batch = self.batch(at).await?;
            let (path, bytes) = &batch.checkpoint;
            self.put_tiles(member, &batch.tiles).await?;
            self.put(member, path, bytes).await?;
            *at = batch.to.clone();
            self.holds(number, at.size());
            if at.size() < held {
                self.breathe(began_ms).await;
            }
        }
        if came_back {
            self.bring_elders(number).await;
        }
        Ok(())
    }

    /// Leaves disk and processor to the answers for a while before the next of many batches, unless
    /// an answer waits for the vaults.
    async fn breathe(&self, began_ms: u64) {
        let took_ms = self.ports.clock.monotonic_ms().saturating_sub(began_ms);
        let pause_ms = (took_ms * 2).min(BREATH_MAX_MS);
        if pause_ms > 0 && !self.is_waited_for() {
            self.ports.clock.sleep_ms(pause_ms).await;
        }
    }

    /// Where the vault stands; the beginning where it holds nothing of this log, or not the tiles
    /// that its checkpoint needs: all of them are put anew then.
    async fn stands_at(&self, member: &Member) -> Result<TileRows, FeedFailed> {
        // Whoever verifies a checkpoint of this process needs its certificate.
        let certificate = self.signer.certificate_bytes();
        let path = format!("{CERTIFICATES}{}", to_hex(&object_hash(certificate)));
        self.put(member, &path, certificate).await?;
        let log = LogIn { vault: &*member.vault, root: &self.set.root(), place: self.place };
        let Some(checkpoint) = log.largest().await? else { return Ok(TileRows::new()) };
        if checkpoint.size() > self.size() {
            return Err(BatchFailed::Forked { size: checkpoint.size() }.into());
        }
        Ok(log.edge(&checkpoint).await?.unwrap_or_default())
    }

    /// A folder without its vault's record gets nothing.
    async fn check(&self, member: &Member) -> Result<(), FeedFailed> {
        let (instance, root) = (self.set.lineage.instance, self.set.root());
        Ok(member.check_record(instance, &root).await?)
    }

    /// All at once: none of them is looked at before the checkpoint that needs them is there.
    async fn put_tiles(
        &self,
        member: &Member,
        tiles: &[(String, Arc<[u8]>)],
    ) -> Result<(), FeedFailed> {
        let named = |(path, bytes): &(String, Arc<[u8]>)| {
            (object_name(&self.place.name(path)), bytes.clone())
        };
        let objects: Vec<_> = tiles.iter().map(named).collect();
        let puts = member.vault.put_all(&objects).await?;
        let taken = objects.iter().zip(puts).filter(|(_, put)| *put == PutNew::Exists);
        for ((name, bytes), _) in taken {
            if member.vault.read(name).await?.as_deref() != Some(&**bytes) {
                return Err(NotUsable::Damaged { name: name.clone() }.into());
            }
        }
        Ok(())
    }

    pub(super) async fn put(
        &self,
        member: &Member,
        path: &str,
        bytes: &[u8],
    ) -> Result<(), FeedFailed> {
        let name = object_name(&self.place.name(path));
        match member.put(&name, bytes).await? {
            Put::Ours => Ok(()),
            Put::Theirs(there) if says_the_same(path, &there, bytes) => Ok(()),
            // Damage, or another node's: what is signed there tells, when it is looked at anew.
            Put::Theirs(_) => Err(NotUsable::Damaged { name }.into()),
        }
    }
}

/// Two checkpoints of one log at one size, signed by two processes of one node or cosigned by
/// others.
fn says_the_same(path: &str, there: &[u8], ours: &[u8]) -> bool {
    let text = |bytes| Note::parse(bytes).ok().map(|note| note.text().to_owned());
    let is_note = checkpoint_size(path).is_some() || path.starts_with(COSIGNED);
    is_note && text(there).is_some_and(|there| Some(there) == text(ours))
}
