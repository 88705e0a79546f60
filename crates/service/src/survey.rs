//! Before a node starts: where its own chain stands, and what every vault shows of it and of
//! others.
//!
//! Invariant: a vault counts only with the record that the root signed; one that holds more than
//! this folder has written, or another's object in a place of ours, refuses the start. A folder's
//! own outbox says up to where its chain is confirmed, so that absent vaults make nobody a
//! stranger.

use std::sync::Arc;

use keystead_archive::{names, object_hash, read_segment_header};
use keystead_crypto::{
    VerifyingKey,
    bytes::{Malformed, Reader},
};
use keystead_domain::{Instance, InstanceId};
use keystead_targets::ReopeningVault;

use crate::{
    StartFailed, StartOptions,
    found::{BASE_FILE, file},
    outbox::{Outbox, read_pending},
    own_ledger,
    ports::{Ports, blocking},
    shipper::ChainEnd,
    start::{OpenedInstance, corrupt},
    vaults::{
        Fence, Lineage, Member, NotUsable, Rival, VaultSet, contiguous, held_chain, object_name,
        whose,
    },
};

/// Where this incarnation began, and each segment of it that the data folder still holds.
#[derive(Debug)]
pub(crate) struct Chain {
    base: ChainEnd,
    /// Ascending.
    pending: Vec<ChainEnd>,
}

impl Chain {
    /// Where the incarnation began.
    pub(crate) fn base(&self) -> ChainEnd {
        self.base
    }

    /// Its newest segment, or the base.
    pub(crate) fn end(&self) -> ChainEnd {
        self.pending.last().copied().unwrap_or(self.base)
    }

    /// The newest segment of ours that a vault with all up to `sequence` can be compared by.
    fn at_most(&self, sequence: u64) -> Option<ChainEnd> {
        self.pending.iter().rev().find(|segment| segment.sequence <= sequence).copied()
    }

    /// Up to where it is known to be confirmed, and the segments behind. A segment leaves the
    /// outbox only when a later one is confirmed, so where any has left, the oldest one here is.
    fn split(&self) -> (ChainEnd, &[ChainEnd]) {
        match self.pending.split_first() {
            Some((oldest, rest)) if oldest.sequence > 1 => (*oldest, rest),
            _ => (self.base, &self.pending),
        }
    }
}

/// Reads what the data folder holds of the chain.
pub(crate) async fn chain(
    ports: &Ports,
    instance: InstanceId,
    root: VerifyingKey,
) -> Result<Chain, StartFailed> {
    let (disk, journal) = (ports.disk.clone(), ports.journal.clone());
    let read = blocking(&*ports.tasks, move || -> Result<Chain, StartFailed> {
        let base = disk.read(&file(BASE_FILE))?.ok_or(StartFailed::NoInstance)?;
        let base = base_end(&base).map_err(|bad| corrupt("the base mark", &bad))?;
        let mut pending = Vec::new();
        for sequence in Outbox::pending(&*disk)? {
            let bytes = read_pending(&*disk, sequence)?.ok_or(StartFailed::NoInstance)?;
            let bad = |bad| StartFailed::Corrupt { what: format!("segment {sequence}: {bad}") };
            let header = read_segment_header(&bytes, &root).map_err(bad)?;
            if header.instance != instance {
                return Err(StartFailed::OtherInstance);
            }
            own_ledger::against_segment(&journal, sequence, &header.ledger_heads)?;
            let commit_seq = header.last_commit_seq;
            pending.push(ChainEnd { sequence, hash: object_hash(&bytes), commit_seq });
        }
        Ok(Chain { base, pending })
    });
    read.await.ok_or(StartFailed::Internal)?
}

fn base_end(bytes: &[u8]) -> Result<ChainEnd, Malformed> {
    let mut r = Reader::new(bytes);
    let end = ChainEnd { sequence: 0, hash: r.array()?, commit_seq: r.u64()? };
    r.finish().map(|()| end)
}

/// Asks every vault what it holds; refuses where one shows that this node is not the one.
pub(crate) async fn vault_set(
    ports: &Ports,
    opened: &OpenedInstance,
    chain: &Chain,
    options: StartOptions,
) -> Result<VaultSet, StartFailed> {
    let instance = &opened.instance;
    let mut members = Vec::new();
    let mut answered = 0;
    for configured in &instance.vaults {
        let vault = ReopeningVault::new(configured.url.parse()?, ports.vaults.clone());
        let member = Arc::new(Member::new(configured.id, Arc::new(vault)));
        match survey(&member, opened, chain).await? {
            Some(confirmed) => {
                answered += 1;
                member.confirm(confirmed);
            }
            None => tracing::warn!(vault = configured.url, "a vault is away at start"),
        }
        members.push(member);
    }
    let need = instance.vaults_min as usize;
    let now_ms = ports.clock.monotonic_ms();
    let fence = Fence::new(now_ms, options.max_unfenced_ms);
    if answered < need {
        fence.unseen();
    }
    let (confirmed, pending) = chain.split();
    let set = VaultSet::new(instance, members, fence, confirmed);
    let set = set.checked_under(opened.root.public());
    // All that may still be on its way: else those before the last would confirm nothing, and
    // their keys and access keys would be unknown here until the last one is confirmed.
    pending.iter().for_each(|segment| set.segment_built(*segment));
    set.settle();
    Ok(set)
}

/// What a vault confirmed of ours, or nothing where it is away. A vault that lags counts up to
/// where it comes: what it confirmed was acknowledged, and is served from the first answer on.
async fn survey(
    member: &Member,
    opened: &OpenedInstance,
    chain: &Chain,
) -> Result<Option<u64>, StartFailed> {
    let (instance, root, end) = (&opened.instance, opened.root.public(), chain.end());
    match look(member, instance, chain, &root).await {
        Ok((_, Some(Rival::Segment(there)))) => {
            let url = member.vault.url().to_string();
            Err(StartFailed::RolledBack { url, there, here: end.sequence })
        }
        Ok((_, Some(rival))) => Err(StartFailed::Superseded { reason: rival.into() }),
        Ok((confirmed, None)) => Ok(Some(confirmed)),
        Err(away) => {
            tracing::warn!(vault = %member.vault.url(), %away, "a vault cannot be used");
            Ok(None)
        }
    }
}

async fn look(
    member: &Member,
    instance: &Instance,
    chain: &Chain,
    root: &VerifyingKey,
) -> Result<(u64, Option<Rival>), NotUsable> {
    let (lineage, end) = (Lineage::of(instance), chain.end());
    let vault = &*member.vault;
    member.check_record(instance.id, root).await?;
    let names = held_chain(vault, instance.id).await?;
    if let Some(rival) = lineage.rival(vault, &names, end.sequence, root).await? {
        return Ok((0, Some(rival)));
    }
    let reaches = contiguous(&names, instance.id, instance.incarnation);
    // One that ends before all that the outbox holds counts from the feeder's comparison on.
    let Some(last) = chain.at_most(reaches) else { return Ok((0, None)) };
    let name = object_name(&names::segment(instance.id, instance.incarnation, last.sequence));
    let there = vault.read(&name).await?.unwrap_or_default();
    if object_hash(&there) == last.hash {
        return Ok((last.sequence, None));
    }
    match whose(&there, last.sequence, root) {
        Some(Rival::Segment(sequence)) => Ok((0, Some(Rival::Diverged(sequence)))),
        other => Ok((0, other)),
    }
}
