//! One task for each vault: it brings the vault up to date, then puts each segment as it is built.
//!
//! Invariant: a vault confirms only what was compared with ours: a segment's bytes come from the
//! outbox or byte-identical from another vault, and *exists and different* means that another node
//! writes, and fences this one. A vault that does not answer is tried again, ever more slowly, and
//! holds nobody else up.

use std::{collections::BTreeSet, sync::Arc};

use keystead_archive::{names, object_hash, read_segment_header};
use keystead_crypto::VerifyingKey;
use keystead_targets::ObjectName;

use super::{
    Health, Member, Rival, VaultSet,
    catch_up::{Copied, NotUsable, contiguous, held_chain, object_name},
    member::Put,
    rival::whose,
};
use crate::{FenceReason, outbox::Outbox, ports::Ports, tenants::Tenants};

/// How often a vault is asked and listed although nothing is to be put, in milliseconds.
pub(super) const PROBE_MS: u64 = 30_000;
const RETRY_FIRST_MS: u64 = 1_000;
const RETRY_LAST_MS: u64 = 30_000;

/// What a feeder works with.
#[derive(Debug, Clone)]
pub(crate) struct Feeder {
    pub(crate) ports: Ports,
    pub(crate) set: Arc<VaultSet>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) root: VerifyingKey,
    pub(crate) tenants: Arc<Tenants>,
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
            match self.visit(member).await {
                Ok(()) => {
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

    /// One visit: is it still our vault and nobody else's, what does it lack, what is new?
    async fn visit(&self, member: &Member) -> Result<(), NotUsable> {
        let asked_ms = self.ports.clock.monotonic_ms();
        let record = member.check_record(self.set.lineage.instance, &self.root).await;
        if matches!(record, Err(NotUsable::NotOurs { .. })) {
            // Emptied or exchanged: whatever it confirmed once, it holds no more.
            member.recount(0);
        }
        record?;
        let lacks = member.take_lack();
        if lacks || asked_ms >= member.listed_ms().saturating_add(PROBE_MS) {
            self.compare(member, lacks).await?;
            member.listed(asked_ms);
        }
        self.go_on(member, asked_ms).await
    }

    /// Does anybody else write, and what is new?
    pub(super) async fn go_on(&self, member: &Member, asked_ms: u64) -> Result<(), NotUsable> {
        self.probe_next(member).await?;
        if self.set.fence.reason().is_none() {
            self.saw(member, asked_ms);
            self.put_new_segments(member).await?;
            member.set_health(Health::Current);
        }
        Ok(())
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

    async fn put_new_segments(&self, member: &Member) -> Result<(), NotUsable> {
        let mut built = *self.set.built().borrow();
        while member.confirmed() < built && self.set.fence.reason().is_none() {
            let sequence = member.confirmed() + 1;
            member.set_health(Health::Behind(built - member.confirmed()));
            self.put_segment(member, sequence).await?;
            built = *self.set.built().borrow();
        }
        Ok(())
    }

    /// Lists the vault: does it show another node, what does it lack, how far did it confirm?
    async fn compare(&self, member: &Member, lacks: bool) -> Result<(), NotUsable> {
        let set = &self.set;
        let own = held_chain(&*member.vault, set.lineage.instance).await?;
        let built = *set.built().borrow();
        let rival = set.lineage.rival(&*member.vault, &own, built, &self.root).await?;
        // A segment that was built while we listed is no rival's.
        if let Some(rival) = rival.filter(|rival| !self.is_mine(rival)) {
            set.fence.set(rival.into());
            return Ok(());
        }
        let upto = contiguous(&own, set.lineage.instance, set.lineage.incarnation).min(built);
        let stale = upto < member.confirmed();
        let proven = self.proven(member, upto).await?;
        member.recount(proven);
        set.settle();
        if lacks || stale || member.is_incomplete() {
            self.copy_missing(member, &own).await?;
        }
        // Thousands of names, which the long way through all keys needs no more.
        drop(own);
        let now_ms = self.ports.clock.monotonic_ms();
        if lacks || stale || now_ms >= member.copies_due_ms() {
            self.copy_keys(member).await?;
        }
        Ok(())
    }

    fn is_mine(&self, rival: &Rival) -> bool {
        matches!(rival, Rival::Segment(sequence) if *sequence <= *self.set.built().borrow())
    }

    async fn copy_missing(
        &self,
        member: &Member,
        own: &BTreeSet<ObjectName>,
    ) -> Result<(), NotUsable> {
        let Copied { objects, complete } = self.set.copy_missing(member, own).await?;
        caught_up(member, objects);
        // What a peer that is away holds alone comes with a later listing.
        member.set_complete(complete);
        Ok(())
    }

    /// How far the vault holds this very chain, where names alone say `upto`.
    async fn proven(&self, member: &Member, upto: u64) -> Result<u64, NotUsable> {
        if upto == 0 || upto == member.confirmed() {
            return Ok(upto);
        }
        let name = self.name(upto);
        let there = member.vault.read(&name).await?.unwrap_or_default();
        if self.is_ours(upto, &there).await? {
            return Ok(upto);
        }
        match whose(&there, upto, &self.root) {
            Some(rival) => {
                self.set.fence.set(rival.into());
                Ok(0)
            }
            None => Err(NotUsable::Damaged { name }),
        }
    }

    /// Is this the segment that we built? By its bytes, or by its hash in the one that follows it.
    async fn is_ours(&self, sequence: u64, there: &[u8]) -> Result<bool, NotUsable> {
        if let Some(own) = self.outbox.read(&self.ports, sequence).await {
            return Ok(*own == *there);
        }
        let unknown = || NotUsable::Incomparable { sequence };
        let next = self.segment(sequence + 1).await.ok_or_else(unknown)?;
        let header = read_segment_header(&next, &self.root).map_err(|_| unknown())?;
        Ok(header.predecessor_hash == object_hash(there))
    }

    async fn put_segment(&self, member: &Member, sequence: u64) -> Result<(), NotUsable> {
        let missing = || NotUsable::NothingToGive { sequence };
        let name = self.name(sequence);
        let bytes = self.segment(sequence).await.ok_or_else(missing)?;
        match member.put(&name, &bytes).await? {
            Put::Ours => {
                member.confirm(sequence);
                self.set.settle();
            }
            Put::Theirs(there) => self.set.fence.set(self.reason(sequence, &there)),
        }
        Ok(())
    }

    /// A segment of ours: from the outbox, or from a vault that has confirmed it.
    async fn segment(&self, sequence: u64) -> Option<Arc<[u8]>> {
        if let Some(bytes) = self.outbox.read(&self.ports, sequence).await {
            return Some(bytes);
        }
        let name = self.name(sequence);
        for peer in self.set.members.iter().filter(|peer| peer.confirmed() >= sequence) {
            if let Ok(Some(bytes)) = peer.vault.read(&name).await {
                return Some(bytes.into());
            }
        }
        None
    }

    /// Looks at the place of the segment after our last: whatever lies there is another node's.
    async fn probe_next(&self, member: &Member) -> Result<(), NotUsable> {
        let sequence = *self.set.built().borrow() + 1;
        if let Some(there) = member.vault.read(&self.name(sequence)).await?
            && *self.set.built().borrow() < sequence
        {
            self.set.fence.set(self.reason(sequence, &there));
        }
        Ok(())
    }

    /// What lies in our place is not ours, whoever made it: we stop.
    fn reason(&self, sequence: u64, there: &[u8]) -> FenceReason {
        whose(there, sequence, &self.root).unwrap_or(Rival::Segment(sequence)).into()
    }

    fn name(&self, sequence: u64) -> ObjectName {
        let lineage = &self.set.lineage;
        object_name(&names::segment(lineage.instance, lineage.incarnation, sequence))
    }
}

/// Says so where a vault got something from the others.
pub(super) fn caught_up(member: &Member, objects: u64) {
    if objects > 0 {
        tracing::info!(vault = %member.vault.url(), objects, "a vault caught up");
    }
}

impl From<Rival> for FenceReason {
    fn from(rival: Rival) -> Self {
        match rival {
            Rival::LaterIncarnation => Self::LaterIncarnation,
            Rival::Closing => Self::Closed,
            Rival::Segment(sequence) | Rival::Diverged(sequence) => Self::Diverged { sequence },
        }
    }
}
