//! What a segment or recovery point says in the clear: its place in the chain, and no key needed.
//!
//! Invariant: kind and type agree, the range of commits is one that the kind may have, and the
//! first link points at the incarnation's opening.

use std::ops::RangeInclusive;

use keystead_crypto::{
    SealContext,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{EpochId, IncarnationId, InstanceId, TenantId, Timestamp};

use super::{ChangeImage, MAX_POINT_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENT_CHANGES};
use crate::{ObjectType, frame, record, slot_table::SEALED_SECRET_BYTES};

const MAX_LEDGER_HEADS: usize = 256;

/// What kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SegmentKind {
    /// The after-images of consecutive commits.
    Segment = 1,
    /// The whole state at one commit.
    FullPoint = 2,
    /// The whole state without any secret value.
    MetadataPoint = 3,
}

/// A ledger's head when the segment was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerHead {
    /// The log's origin; 1 to 255 bytes.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// Their RFC 6962 root.
    pub root: [u8; 32],
}

/// The header of a segment or recovery point, without certificate and content key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    /// What kind of link.
    pub kind: SegmentKind,
    /// Of which instance.
    pub instance: InstanceId,
    /// Of which life.
    pub incarnation: IncarnationId,
    /// The segment's sequence or the point's number, from 1.
    pub sequence: u64,
    /// The sequence of the segment that it follows; 0 where there is none yet.
    pub follows: u64,
    /// The object hash of that segment; of the incarnation's opening where `follows` is 0.
    pub predecessor_hash: [u8; 32],
    /// The first commit; for a point 1; for an empty segment one more than the last.
    pub first_commit_seq: u64,
    /// The last commit, or the one before where it is empty.
    pub last_commit_seq: u64,
    /// When it was made.
    pub at: Timestamp,
    /// At most 256, each origin once.
    pub ledger_heads: Vec<LedgerHead>,
    /// The recipient set in force.
    pub recipient_set_hash: [u8; 32],
    /// The chain over every destruction so far.
    pub destruction_set_hash: [u8; 32],
    /// The epoch that the content key is sealed to.
    pub epoch: EpochId,
}

impl SegmentKind {
    /// The object type in the frame.
    #[must_use]
    pub const fn object(self) -> ObjectType {
        match self {
            Self::Segment => ObjectType::Segment,
            Self::FullPoint | Self::MetadataPoint => ObjectType::RecoveryPoint,
        }
    }

    /// Bound of the changes, uncompressed, in bytes.
    pub(crate) const fn max_bytes(self) -> usize {
        match self {
            Self::Segment => MAX_SEGMENT_BYTES,
            Self::FullPoint | Self::MetadataPoint => MAX_POINT_BYTES,
        }
    }

    /// Whether an entry's commits are in an order that this kind may have.
    pub(crate) fn orders(self, changes: &[ChangeImage]) -> bool {
        changes.windows(2).all(|two| match self {
            Self::Segment => two[0].commit_seq < two[1].commit_seq,
            Self::FullPoint | Self::MetadataPoint => two[0].commit_seq <= two[1].commit_seq,
        })
    }

    fn from_number(number: u8) -> Result<Self, Malformed> {
        match number {
            1 => Ok(Self::Segment),
            2 => Ok(Self::FullPoint),
            3 => Ok(Self::MetadataPoint),
            _ => Err(Malformed::BadValue { field: "segment kind" }),
        }
    }
}

impl SegmentHeader {
    /// How many commits it covers.
    #[must_use]
    pub fn commits(&self) -> u64 {
        (self.last_commit_seq + 1).saturating_sub(self.first_commit_seq)
    }

    /// The commits that its changes may name.
    pub(crate) fn lawful_commits(&self) -> RangeInclusive<u64> {
        match self.kind {
            SegmentKind::Segment => self.first_commit_seq..=self.last_commit_seq,
            SegmentKind::FullPoint | SegmentKind::MetadataPoint => 1..=self.last_commit_seq,
        }
    }

    /// Where a tenant's entry is sealed for.
    pub(crate) fn entry_context(&self, tenant: TenantId) -> SealContext {
        let kind = match self.kind {
            SegmentKind::Segment => "segment",
            SegmentKind::FullPoint | SegmentKind::MetadataPoint => "point",
        };
        let mut id = Writer::new();
        self.instance.write(&mut id);
        self.incarnation.write(&mut id);
        id.u64(self.sequence);
        SealContext::new(tenant.as_bytes(), kind, id.as_slice(), 0)
    }

    /// The fields up to the sealed content key, checked as a reader would.
    pub(crate) fn write(&self, certificate: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut heads: Vec<&LedgerHead> = self.ledger_heads.iter().collect();
        heads.sort();
        let mut w = Writer::new();
        w.u8(self.kind as u8);
        self.instance.write(&mut w);
        self.incarnation.write(&mut w);
        w.u64(self.sequence).u64(self.follows).raw(&self.predecessor_hash);
        w.u64(self.first_commit_seq).u64(self.last_commit_seq);
        record::write_time(&mut w, self.at);
        w.list(heads.iter(), |w, head| {
            w.text(&head.origin).u64(head.size).raw(&head.root);
        });
        w.raw(&self.recipient_set_hash).raw(&self.destruction_set_hash);
        self.epoch.write(&mut w);
        w.bytes(certificate);
        Self::read(&mut Reader::new(w.as_slice()))?;
        Ok(w.finish())
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let header = Self {
            kind: SegmentKind::from_number(r.u8()?)?,
            instance: InstanceId::read(r)?,
            incarnation: IncarnationId::read(r)?,
            sequence: record::from_one(r.u64()?, "sequence")?,
            follows: r.u64()?,
            predecessor_hash: r.array()?,
            first_commit_seq: record::from_one(r.u64()?, "first commit")?,
            last_commit_seq: r.u64()?,
            at: record::read_time(r)?,
            ledger_heads: r.list(read_head)?,
            recipient_set_hash: r.array()?,
            destruction_set_hash: r.array()?,
            epoch: EpochId::read(r)?,
        };
        record::ascending(&header.ledger_heads, MAX_LEDGER_HEADS, "ledger heads", |head| {
            head.origin.clone()
        })?;
        header.check_place()?;
        Ok(header)
    }

    fn check_place(&self) -> Result<(), Malformed> {
        let bad = |field| Err(Malformed::BadValue { field });
        if self.last_commit_seq == u64::MAX || self.first_commit_seq > self.last_commit_seq + 1 {
            return bad("last commit");
        }
        match self.kind {
            SegmentKind::Segment if self.follows != self.sequence - 1 => bad("follows"),
            SegmentKind::Segment if self.commits() > MAX_SEGMENT_CHANGES => bad("last commit"),
            SegmentKind::Segment => Ok(()),
            _ if self.first_commit_seq != 1 => bad("first commit"),
            _ => Ok(()),
        }
    }
}

/// A header as bytes hold it, before the body's digest.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) header: SegmentHeader,
    pub(crate) certificate: Vec<u8>,
    pub(crate) sealed_key: Vec<u8>,
    /// Where the sealed content key's length begins.
    pub(crate) key_at: usize,
}

impl Parsed {
    pub(crate) fn read(fields: &[u8], object: ObjectType) -> Result<Self, Malformed> {
        frame::bounded(fields, frame::MAX_HEADER_BYTES, "header length")?;
        let mut r = Reader::new(fields);
        let header = SegmentHeader::read(&mut r)?;
        let certificate = r.bytes()?.to_vec();
        let key_at = r.position();
        let sealed_key = r.bytes()?.to_vec();
        r.finish()?;
        if header.kind.object() != object {
            return Err(Malformed::BadValue { field: "segment kind" });
        }
        match sealed_key.len() {
            SEALED_SECRET_BYTES => Ok(Self { header, certificate, sealed_key, key_at }),
            _ => Err(Malformed::BadValue { field: "sealed content key" }),
        }
    }
}

/// Appends the sealed content key to the fields before it.
pub(crate) fn append_sealed_key(fields: &mut Vec<u8>, sealed_key: &[u8]) {
    let mut w = Writer::new();
    w.bytes(sealed_key);
    fields.extend_from_slice(w.as_slice());
}

fn read_head(r: &mut Reader<'_>) -> Result<LedgerHead, Malformed> {
    Ok(LedgerHead {
        origin: record::read_text(r, 1, "ledger origin")?,
        size: r.u64()?,
        root: r.array()?,
    })
}
