//! One task for each vault: it brings the vault up to date, then puts each segment as it is built.
//!
//! Invariant: a segment's bytes come from the outbox or byte-identical from another vault; *exists
//! and different* means that another node writes, and fences this one. A vault that does not answer
//! is tried again, ever more slowly, and holds nobody else up.

use std::sync::Arc;

use keystead_archive::{Closing, names};
use keystead_crypto::VerifyingKey;

use super::{
    Health, Member, VaultSet,
    catch_up::{NotUsable, check_record, contiguous, held, object_name},
    member::Put,
};
use crate::{FenceReason, outbox::Outbox, ports::Ports};

/// How often a vault is asked although nothing is to be put, in milliseconds.
const PROBE_MS: u64 = 30_000;
const RETRY_FIRST_MS: u64 = 1_000;
const RETRY_LAST_MS: u64 = 30_000;

/// What a feeder works with.
#[derive(Debug, Clone)]
pub(crate) struct Feeder {
    pub(crate) ports: Ports,
    pub(crate) set: Arc<VaultSet>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) root: VerifyingKey,
}

impl Feeder {
    /// Starts a task for each vault.
    pub(crate) fn start(&self) {
        for member in &self.set.members {
            let (feeder, member) = (self.clone(), member.clone());
            let task = async move { feeder.feed(&member).await };
            self.ports.tasks.spawn("vault-feeder", Box::pin(task));
        }
    }

    async fn feed(&self, member: &Member) {
        let mut built = self.set.built();
        let mut retry_ms = RETRY_FIRST_MS;
        while self.set.fence.reason().is_none() {
            let asked_ms = self.ports.clock.monotonic_ms();
            match self.bring_up_to_date(member).await {
                Ok(()) => {
                    self.saw(member, asked_ms);
                    retry_ms = RETRY_FIRST_MS;
                    let probe = self.ports.clock.sleep_ms(PROBE_MS);
                    let changed = std::pin::pin!(built.changed());
                    futures_util::future::select(changed, probe).await;
                }
                Err(reason) => {
                    member.lacks_objects();
                    member.set_health(Health::Away(reason.to_string()));
                    self.ports.clock.sleep_ms(retry_ms).await;
                    retry_ms = (retry_ms * 2).min(RETRY_LAST_MS);
                }
            }
        }
    }

    /// The vault answered and names no other node: enough such answers keep the fence down.
    fn saw(&self, member: &Member, at_ms: u64) {
        member.seen(at_ms.max(1));
        let mut seen: Vec<u64> = self.set.members.iter().map(|m| m.seen_ms()).collect();
        seen.sort_unstable_by(|a, b| b.cmp(a));
        // A vault that never answered counts as never, not as the start of time.
        if let Some(enough) = seen.get(self.set.need - 1).filter(|at| **at > 0) {
            self.set.fence.seen(*enough);
        }
    }

    async fn bring_up_to_date(&self, member: &Member) -> Result<(), NotUsable> {
        if member.take_lack() {
            self.compare(member).await?;
        }
        let built = *self.set.built().borrow();
        while member.confirmed() < built {
            let sequence = member.confirmed() + 1;
            member.set_health(Health::Behind(built - member.confirmed()));
            self.put_segment(member, sequence).await?;
            if self.set.fence.reason().is_some() {
                return Ok(());
            }
        }
        self.probe_next(member, built + 1).await?;
        member.set_health(Health::Current);
        Ok(())
    }

    /// After an absence: is it the same vault, what does it lack, and how far did it confirm?
    async fn compare(&self, member: &Member) -> Result<(), NotUsable> {
        let set = &self.set;
        check_record(&*member.vault, set.instance, member.id, &self.root).await?;
        let copied = set.copy_missing(member).await?;
        if copied > 0 {
            tracing::info!(vault = %member.vault.url(), copied, "a vault caught up");
        }
        let own = held(&*member.vault, set.instance).await?;
        let built = *set.built().borrow();
        // What lies beyond our own last segment is not ours: the probe tells whose it is.
        member.confirm(contiguous(&own, set.instance, set.incarnation).min(built));
        set.settle();
        Ok(())
    }

    async fn put_segment(&self, member: &Member, sequence: u64) -> Result<(), NotUsable> {
        let set = &self.set;
        let name = object_name(&names::segment(set.instance, set.incarnation, sequence));
        let found = self.segment(sequence, &name).await;
        let bytes = found.ok_or(NotUsable::NothingToGive { sequence })?;
        match member.put(&name, &bytes).await? {
            Put::Ours => {
                member.confirm(sequence);
                set.settle();
            }
            Put::Theirs(there) => set.fence.set(self.whose(sequence, &there)),
        }
        Ok(())
    }

    async fn segment(
        &self,
        sequence: u64,
        name: &keystead_targets::ObjectName,
    ) -> Option<Arc<[u8]>> {
        if let Some(bytes) = self.outbox.read(&self.ports, sequence).await {
            return Some(bytes);
        }
        for peer in self.set.members.iter().filter(|peer| peer.confirmed() >= sequence) {
            if let Ok(Some(bytes)) = peer.vault.read(name).await {
                return Some(bytes.into());
            }
        }
        None
    }

    /// Looks at the place of the segment after our last: whatever lies there is another node's.
    async fn probe_next(&self, member: &Member, sequence: u64) -> Result<(), NotUsable> {
        let set = &self.set;
        let name = object_name(&names::segment(set.instance, set.incarnation, sequence));
        if let Some(there) = member.vault.read(&name).await?
            && *set.built().borrow() < sequence
        {
            set.fence.set(self.whose(sequence, &there));
        }
        Ok(())
    }

    fn whose(&self, sequence: u64, there: &[u8]) -> FenceReason {
        match Closing::verify(there, &self.root) {
            Ok(_) => FenceReason::Closed,
            Err(_) => FenceReason::Diverged { sequence },
        }
    }
}
