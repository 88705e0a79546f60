//! From vaults to the state at the head: the chain, the newest recovery point in it, the segments
//! behind that point.
//!
//! Invariant: a point counts only where it stands on a segment of the chosen chain and opens;
//! where none does, the incarnation's base is always there. All of the chain is verified by its
//! headers, whatever the state begins from.

use std::sync::Arc;

use keystead_archive::{
    OpenedSegment, SegmentHeader, SegmentKind, names, names::ObjectKind, read_segment_header,
};
use keystead_crypto::VerifyingKey;
use keystead_domain::{Instance, InstanceId, PointId, Timestamp};
use keystead_targets::{VaultOpener, VaultUrl};

use super::{
    Freshness, Loss, RestoreFailed, RestorePlan, Watcher,
    chain::Chain,
    keys::Opener,
    sources::{Source, Sources},
    state::State,
};
use crate::start::head_text;

/// The state and where it comes from.
#[derive(Debug)]
pub(super) struct Rebuilt {
    pub(super) chain: Chain,
    pub(super) state: State,
    pub(super) instance: Instance,
    pub(super) head_at: Timestamp,
    pub(super) freshness: Freshness,
    /// The last change in it.
    pub(super) commit_seq: u64,
    /// The number of the point that it begins from; 1 is the base.
    pub(super) point: u64,
}

/// What the state begins from.
struct Base {
    header: SegmentHeader,
    opened: OpenedSegment,
}

/// Opens the chain up to its head.
pub(super) async fn rebuild(
    opener: &mut Opener<'_>,
    plan: &RestorePlan,
    watcher: &dyn Watcher,
) -> Result<Rebuilt, RestoreFailed> {
    let (sources, root) = (opener.sources, opener.root);
    let chain = chosen(sources, &root, watcher).await?;
    let base = newest_base(opener, &chain, plan.to, watcher).await?;
    let behind = chain.segments.iter().filter(|link| link.header.sequence > base.header.follows);
    let bytes = behind.clone().map(|link| link.bytes.len() as u64).sum();
    watcher.phase_bytes("open segments", bytes);
    let mut state = State::default();
    state.apply(base.opened, None);
    for link in behind {
        let (of, sequence) = (chain.opening.incarnation, link.header.sequence);
        let name = names::segment(sources.instance, of, sequence);
        state.apply(opener.open(&name, &link.bytes, link.header.epoch).await?, plan.to);
        watcher.advance(link.bytes.len() as u64);
    }
    state.settle();
    check_destructions(&state, &chain)?;
    if state.skipped > 0 {
        watcher.warn(format!("{} entries belong to erased tenants and stay closed", state.skipped));
    }
    let instance = state.instance()?;
    let newest = chain.segments.last().map_or(&base.header, |link| &link.header);
    let (head_at, commit_seq) = (newest.at, newest.last_commit_seq);
    let freshness = judge(sources, &chain, &instance, plan, head_at).await?;
    let point = base.header.sequence;
    Ok(Rebuilt { chain, state, instance, head_at, freshness, commit_seq, point })
}

/// The chain, unless a later program wrote a part of it.
async fn chosen(
    sources: &Sources,
    root: &VerifyingKey,
    watcher: &dyn Watcher,
) -> Result<Chain, RestoreFailed> {
    let chain = Chain::choose(sources, root, watcher).await;
    sources.refuse_newer()?;
    let nothing = || RestoreFailed::NothingHere { instance: sources.instance.to_string() };
    chain?.ok_or_else(nothing)
}

/// The head names every destruction that the state knows, and no other.
fn check_destructions(state: &State, chain: &Chain) -> Result<(), RestoreFailed> {
    let named = chain.segments.last().map(|link| link.header.destruction_set_hash);
    match named.is_none_or(|named| named == state.destructions()) {
        true => Ok(()),
        false => Err(RestoreFailed::State { what: "the chain of destructions".to_owned() }),
    }
}

/// The newest full point on the chain that opens, not later than `to`; else the base.
async fn newest_base(
    opener: &mut Opener<'_>,
    chain: &Chain,
    to: Option<Timestamp>,
    watcher: &dyn Watcher,
) -> Result<Base, RestoreFailed> {
    for number in point_numbers(opener.sources, chain).into_iter().rev() {
        match open_point(opener, chain, number, to).await {
            Ok(Some(base)) => return Ok(base),
            Ok(None) => {}
            Err(refused) => {
                watcher.warn(format!("recovery point {number} is passed over: {refused}"));
            }
        }
    }
    let found = open_point(opener, chain, 1, None).await?;
    found.ok_or_else(|| RestoreFailed::State {
        what: format!(
            "the base of incarnation `{}` is in no vault that was read",
            chain.opening.incarnation
        ),
    })
}

/// The numbers of all points behind the base, ascending.
fn point_numbers(sources: &Sources, chain: &Chain) -> Vec<u64> {
    let own = chain.opening.incarnation;
    let number = |kind: &ObjectKind| match kind {
        ObjectKind::Point { incarnation, number, .. } if *incarnation == own && *number > 1 => {
            Some(*number)
        }
        _ => None,
    };
    let mut numbers: Vec<u64> = sources.kinds().values().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

async fn open_point(
    opener: &mut Opener<'_>,
    chain: &Chain,
    number: u64,
    to: Option<Timestamp>,
) -> Result<Option<Base>, RestoreFailed> {
    let name = names::point(opener.sources.instance, chain.opening.incarnation, number);
    let root = opener.root;
    let is_early = |header: &SegmentHeader| to.is_none_or(|to| header.at <= to);
    // A metadata point and a later one are passed over; one of another chain is no answer, since
    // another vault may hold ours.
    let fits = |bytes: &[u8]| {
        let header = read_segment_header(bytes, &root).ok()?;
        let is_base = standing(&header, chain, number)?;
        Some((is_base && is_early(&header)).then(|| (header, bytes.to_vec())))
    };
    let found = opener.sources.read_first(&name, fits).await;
    let Some((header, bytes)) = found.flatten() else { return Ok(None) };
    let opened = opener.open(&name, &bytes, header.epoch).await?;
    Ok(Some(Base { header, opened }))
}

/// Whether a restore can begin from a point; nothing where it is none of this number and chain.
fn standing(header: &SegmentHeader, chain: &Chain, number: u64) -> Option<bool> {
    let (hash, commit) = match header.follows {
        0 => (chain.opening_hash, None),
        follows => {
            let link = chain.segments.get(usize::try_from(follows - 1).ok()?)?;
            (link.hash, Some(link.header.last_commit_seq))
        }
    };
    let is_ours = header.kind != SegmentKind::Segment
        && header.sequence == number
        && header.instance == chain.opening.instance
        && header.incarnation == chain.opening.incarnation
        && header.predecessor_hash == hash
        && commit.is_none_or(|commit| commit == header.last_commit_seq);
    is_ours.then_some(header.kind == SegmentKind::FullPoint)
}

/// How sure is it that nothing acknowledged is missing?
async fn judge(
    sources: &Sources,
    chain: &Chain,
    instance: &Instance,
    plan: &RestorePlan,
    head_at: Timestamp,
) -> Result<Freshness, RestoreFailed> {
    let configured = instance.vaults.len();
    let needed = needed(instance);
    let own = |source: &&Source| instance.vaults.iter().any(|vault| vault.id == source.id);
    let read = sources.all.iter().filter(own).count();
    if let Some(expected) = &plan.expect_head
        && !chain.contains(sources, expected).await
    {
        return Err(RestoreFailed::HeadMissing { ends: ends(sources, chain) });
    }
    match (read >= needed, &plan.expect_head, plan.loss) {
        (true, ..) => Ok(Freshness::ProvenByVaults),
        (false, Some(_), Loss::Accepted) => Ok(Freshness::ProvenByExpectedHead),
        (false, None, Loss::Accepted) => Ok(Freshness::Unproven { alive_until: head_at }),
        (false, _, Loss::Refused) => Err(RestoreFailed::TooFewVaults { read, configured, needed }),
    }
}

/// So many vaults that every acknowledged change is in at least one of them.
pub(super) fn needed(instance: &Instance) -> usize {
    instance.vaults.len() + 1 - instance.vaults_min as usize
}

fn ends(sources: &Sources, chain: &Chain) -> String {
    let incarnation = chain.opening.incarnation;
    let end = |source: &Source| {
        let last = crate::vaults::contiguous(&source.names, sources.instance, incarnation);
        format!("vault `{}` ends at segment {last} of `{incarnation}`", source.vault.url())
    };
    sources.all.iter().map(end).collect::<Vec<_>>().join("; ")
}

/// Where the chain of an instance ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainEnd {
    /// As `--expect-head` takes it.
    pub head: String,
    /// When the newest segment was made; nothing where there is none behind the base.
    pub at: Option<Timestamp>,
    /// The last change in it; 0 where there is no segment behind the base.
    pub commit_seq: u64,
    /// Segments of abandoned incarnations.
    pub abandoned: Vec<String>,
}

/// Chooses the chain that vaults make together and verifies it by its headers; names the points on
/// it, ascending, that a restore could begin from.
///
/// # Errors
/// [`RestoreFailed`].
pub async fn chain_end(
    opener: &Arc<dyn VaultOpener>,
    vaults: &[VaultUrl],
    instance: InstanceId,
    root: &VerifyingKey,
    watcher: &dyn Watcher,
) -> Result<(ChainEnd, Vec<PointId>), RestoreFailed> {
    let sources = Sources::open(opener, vaults, instance, root, watcher).await?;
    let chain = chosen(&sources, root, watcher).await?;
    let incarnation = chain.opening.incarnation;
    let mut points = Vec::new();
    for number in std::iter::once(1).chain(point_numbers(&sources, &chain)) {
        let fits = |bytes: &[u8]| standing(&read_segment_header(bytes, root).ok()?, &chain, number);
        let name = names::point(instance, incarnation, number);
        if sources.read_first(&name, fits).await == Some(true) {
            points.push(PointId { incarnation, number });
        }
    }
    let newest = chain.segments.last().map(|link| &link.header);
    let end = ChainEnd {
        head: head_text(incarnation, chain.end_sequence(), &chain.end_hash()),
        at: newest.map(|header| header.at),
        commit_seq: newest.map_or(0, |header| header.last_commit_seq),
        abandoned: chain.abandoned.clone(),
    };
    Ok((end, points))
}
