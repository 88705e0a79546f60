//! Which chain is the instance's: the highest root-signed incarnation, its longest valid segments.
//!
//! Invariant: a segment counts only if a node that the root certified signed it and it names the
//! one before by hash. Two valid segments in one place, or two openings from one predecessor, mean
//! that two nodes wrote: nothing is chosen, everything is reported.

use std::collections::BTreeMap;

use keystead_archive::{
    Closing, Opening, Predecessor, SegmentHeader, SegmentKind, names, names::ObjectKind,
    newer_format, object_hash, read_segment_header,
};
use keystead_crypto::VerifyingKey;
use keystead_domain::IncarnationId;
use thiserror::Error;

use super::{ExpectedHead, Watcher, sources::Sources};

/// Why no chain can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainRefused {
    /// Two incarnations continue the same one.
    #[error("incarnations `{one}` and `{other}` both continue `{from}`: two restores diverged")]
    DivergingOpenings {
        /// One.
        one: IncarnationId,
        /// The other.
        other: IncarnationId,
        /// What both continue.
        from: String,
    },
    /// Two vaults hold different valid segments in one place.
    #[error("vaults `{one}` and `{other}` hold different segments {sequence}: two nodes wrote")]
    DivergingSegments {
        /// One vault.
        one: String,
        /// The other.
        other: String,
        /// Where they differ.
        sequence: u64,
    },
    /// A segment is in no vault and later ones are.
    #[error("segment {missing} is in no vault that was read, and segment {later} is")]
    Gap {
        /// The missing one.
        missing: u64,
        /// A later one.
        later: u64,
    },
}

/// The chosen chain.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) opening: Opening,
    pub(super) opening_hash: [u8; 32],
    /// In order from sequence 1: header, object hash, bytes.
    pub(super) segments: Vec<Link>,
    /// Whether a closing lies behind the last segment.
    pub(super) closed: bool,
    /// Incarnations that the chain does not continue from, by name.
    pub(super) abandoned: Vec<String>,
    openings: BTreeMap<IncarnationId, Opening>,
}

/// One segment of the chain.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) header: SegmentHeader,
    pub(super) hash: [u8; 32],
    pub(super) bytes: Vec<u8>,
}

/// What lies in one place of the chain.
enum Place {
    Segment(Box<Link>),
    Closing,
    Nothing,
}

impl Chain {
    /// Chooses the chain, or nothing where no vault holds an opening that the root signed.
    pub(super) async fn choose(
        sources: &Sources,
        root: &VerifyingKey,
        watcher: &dyn Watcher,
    ) -> Result<Option<Self>, ChainRefused> {
        let openings = openings(sources, root).await;
        refuse_forks(&openings)?;
        let Some((opening, opening_hash)) =
            openings.values().max_by_key(|(opening, _)| opening.number).cloned()
        else {
            return Ok(None);
        };
        let last = last_sequence(sources, opening.incarnation);
        watcher.phase("read segments", last);
        let mut chain = Self {
            abandoned: abandoned(&openings, &opening, sources),
            openings: openings.into_iter().map(|(id, (opening, _))| (id, opening)).collect(),
            opening,
            opening_hash,
            segments: Vec::new(),
            closed: false,
        };
        loop {
            match chain.next(sources, root, watcher).await? {
                Place::Segment(link) => chain.segments.push(*link),
                Place::Closing => {
                    chain.closed = true;
                    return Ok(Some(chain));
                }
                Place::Nothing => break,
            }
            watcher.advance(1);
        }
        let missing = chain.end_sequence() + 1;
        match last > missing {
            true => Err(ChainRefused::Gap { missing, later: last }),
            false => Ok(Some(chain)),
        }
    }

    /// The sequence of the last segment; 0 where there is none.
    pub(super) fn end_sequence(&self) -> u64 {
        self.segments.len() as u64
    }

    /// The hash of the last segment, or of the opening.
    pub(super) fn end_hash(&self) -> [u8; 32] {
        self.segments.last().map_or(self.opening_hash, |link| link.hash)
    }

    /// How the incarnation after this one names it.
    pub(super) fn as_predecessor(&self) -> Predecessor {
        Predecessor {
            incarnation: self.opening.incarnation,
            sequence: self.end_sequence(),
            segment_hash: self.end_hash(),
        }
    }

    /// Is that point in the chain, in this incarnation or in one that it continues?
    pub(super) async fn contains(&self, sources: &Sources, expected: &ExpectedHead) -> bool {
        let fits = |hash: &[u8; 32]| keystead_domain::to_hex(&hash[..16]) == expected.hash_prefix;
        if expected.incarnation == self.opening.incarnation {
            return match expected.sequence {
                0 => fits(&self.opening_hash),
                sequence => usize::try_from(sequence - 1)
                    .ok()
                    .and_then(|at| self.segments.get(at))
                    .is_some_and(|link| fits(&link.hash)),
            };
        }
        let mut before = self.opening.predecessor;
        while let Some(link) = before {
            if link.incarnation == expected.incarnation {
                return expected.sequence <= link.sequence && self.earlier(sources, expected).await;
            }
            before = self.openings.get(&link.incarnation).and_then(|opening| opening.predecessor);
        }
        false
    }

    async fn earlier(&self, sources: &Sources, expected: &ExpectedHead) -> bool {
        let name = match expected.sequence {
            0 => names::opening(sources.instance, expected.incarnation),
            sequence => names::segment(sources.instance, expected.incarnation, sequence),
        };
        let fits = |bytes: &[u8]| {
            let hash = keystead_domain::to_hex(&object_hash(bytes)[..16]);
            (hash == expected.hash_prefix).then_some(())
        };
        sources.read_first(&name, fits).await.is_some()
    }

    async fn next(
        &self,
        sources: &Sources,
        root: &VerifyingKey,
        watcher: &dyn Watcher,
    ) -> Result<Place, ChainRefused> {
        let sequence = self.end_sequence() + 1;
        let name = names::segment(sources.instance, self.opening.incarnation, sequence);
        let mut found: Option<(String, Link)> = None;
        let (mut closed, mut newer) = (false, None);
        for (source, bytes) in sources.read_all(&name).await {
            let url = source.vault.url().to_string();
            if Closing::verify(&bytes, root).is_ok() {
                closed = true;
                continue;
            }
            newer = newer.or_else(|| newer_format(&bytes));
            let Some(link) = self.fitting(sequence, bytes, root) else {
                watcher.warn(format!("vault `{url}`: segment {sequence} is not of this chain"));
                continue;
            };
            match &found {
                Some((one, other)) if other.hash != link.hash => {
                    let (one, other) = (one.clone(), url);
                    return Err(ChainRefused::DivergingSegments { one, other, sequence });
                }
                Some(_) => {}
                None => found = Some((url, link)),
            }
        }
        Ok(match found {
            // A segment in one vault and a closing in another: the node won that race there, and
            // what it had acknowledged counts.
            Some((_, link)) => Place::Segment(Box::new(link)),
            None if closed => Place::Closing,
            None => {
                sources.note_newer(&name, newer);
                Place::Nothing
            }
        })
    }

    fn fitting(&self, sequence: u64, bytes: Vec<u8>, root: &VerifyingKey) -> Option<Link> {
        let header = read_segment_header(&bytes, root).ok()?;
        let fits = header.kind == SegmentKind::Segment
            && header.instance == self.opening.instance
            && header.incarnation == self.opening.incarnation
            && header.sequence == sequence
            && header.predecessor_hash == self.end_hash();
        fits.then(|| Link { header, hash: object_hash(&bytes), bytes })
    }
}

/// Every opening that the root signed, with its hash.
async fn openings(
    sources: &Sources,
    root: &VerifyingKey,
) -> BTreeMap<IncarnationId, (Opening, [u8; 32])> {
    let mut found = BTreeMap::new();
    for (name, kind) in sources.kinds() {
        let ObjectKind::Opening { incarnation, .. } = kind else { continue };
        let read = |bytes: &[u8]| {
            let opening = Opening::verify(bytes, root).ok()?;
            let fits = opening.instance == sources.instance && opening.incarnation == incarnation;
            fits.then(|| (opening, object_hash(bytes)))
        };
        if let Some(opening) = sources.read_first(name.as_ref(), read).await {
            found.insert(incarnation, opening);
        }
    }
    found
}

fn refuse_forks(
    openings: &BTreeMap<IncarnationId, (Opening, [u8; 32])>,
) -> Result<(), ChainRefused> {
    let mut by_number = BTreeMap::<u64, &Opening>::new();
    for (opening, _) in openings.values() {
        if let Some(other) = by_number.insert(opening.number, opening) {
            let from =
                opening.predecessor.map_or("nothing".to_owned(), |p| p.incarnation.to_string());
            let (one, other) = (other.incarnation, opening.incarnation);
            return Err(ChainRefused::DivergingOpenings { one, other, from });
        }
    }
    Ok(())
}

fn last_sequence(sources: &Sources, of: IncarnationId) -> u64 {
    let sequence = |kind: &ObjectKind| match kind {
        ObjectKind::Segment { incarnation, sequence, .. } if *incarnation == of => Some(*sequence),
        _ => None,
    };
    sources.kinds().values().filter_map(sequence).max().unwrap_or(0)
}

/// Segments that lie behind the point from which a later incarnation went on.
fn abandoned(
    openings: &BTreeMap<IncarnationId, (Opening, [u8; 32])>,
    head: &Opening,
    sources: &Sources,
) -> Vec<String> {
    let mut ends = BTreeMap::new();
    for (opening, _) in openings.values() {
        if let Some(before) = opening.predecessor {
            ends.insert(before.incarnation, before.sequence);
        }
    }
    let kinds = sources.kinds();
    let beyond = kinds.iter().filter(|(_, kind)| match kind {
        ObjectKind::Segment { incarnation, sequence, .. } if *incarnation != head.incarnation => {
            // One behind the end is the closing.
            ends.get(incarnation).is_none_or(|end| *sequence > end + 1)
        }
        _ => false,
    });
    beyond.map(|(name, _)| name.to_string()).collect()
}
