//! Verifies whatever lies under a name in a vault, without any private key.
//!
//! Invariant: an object passes only where its signature holds under the root, or under a node that
//! the root certified, every byte of it is covered, and its own header says the place that its name
//! says. So a byte that changed, and an object that was put elsewhere, are both found.

use keystead_crypto::VerifyingKey;
use thiserror::Error;

use crate::{
    Closing, EpochRecord, KeyCopy, ObjectRefused, ObjectType, Opening, RecipientSet, SegmentHeader,
    SegmentKind, SlotTable, VaultRecord, frame::Frame, names::ObjectKind, read_segment_header,
    segment::read_unsigned_header,
};

/// Why an object does not pass.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InspectRefused {
    /// It does not verify.
    #[error(transparent)]
    Object(#[from] ObjectRefused),
    /// It verifies and belongs elsewhere.
    #[error("it is a signed object of another place")]
    Misplaced,
}

/// What an object turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inspected {
    /// A segment or a recovery point, with its header.
    Link(Box<SegmentHeader>),
    /// Another object that archive verifies.
    Object,
    /// A part of a ledger: its own tree verifies it, not a signature of its own.
    Ledger,
}

/// What bytes say of themselves, without any key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The type of the object.
    pub object: ObjectType,
    /// How many bytes it has.
    pub bytes: usize,
    /// The header of a segment or recovery point.
    pub link: Option<SegmentHeader>,
}

/// Reads the form of an object: type, version, lengths, digest of the body. No signature is
/// verified: whoever made the bytes may have made all of it up.
///
/// # Errors
/// [`ObjectRefused`], by its name where the version is newer than this program.
pub fn outline(bytes: &[u8]) -> Result<Outline, ObjectRefused> {
    let object = Frame::parse(bytes)?.object;
    let link = match object {
        ObjectType::Segment | ObjectType::RecoveryPoint => Some(read_unsigned_header(bytes)?),
        _ => None,
    };
    Ok(Outline { object, bytes: bytes.len(), link })
}

/// Verifies `bytes` as the object that a name stands for.
///
/// # Errors
/// [`InspectRefused`].
pub fn inspect(
    kind: &ObjectKind,
    bytes: &[u8],
    root: &VerifyingKey,
) -> Result<Inspected, InspectRefused> {
    let in_place = match kind {
        ObjectKind::Ledger { .. } => return Ok(Inspected::Ledger),
        ObjectKind::Segment { .. } | ObjectKind::Point { .. } => return link(kind, bytes, root),
        ObjectKind::Vault { instance } => VaultRecord::verify(bytes, root)?.instance == *instance,
        ObjectKind::Epoch { instance, epoch } => {
            let found = EpochRecord::verify(bytes, root)?;
            (found.instance, found.epoch) == (*instance, *epoch)
        }
        ObjectKind::Recipients { instance, number } => {
            let found = RecipientSet::verify(bytes, root)?;
            (found.instance, found.number) == (*instance, *number)
        }
        ObjectKind::Slots { instance, epoch, number } => {
            let found = SlotTable::verify(bytes, root)?.place;
            (found.instance, found.epoch, found.number) == (*instance, *epoch, *number)
        }
        ObjectKind::KeyCopy { instance, key, version, epoch } => {
            let found = KeyCopy::read(bytes, root)?.fields;
            (found.instance, found.key, found.version, found.epoch)
                == (*instance, *key, *version, *epoch)
        }
        ObjectKind::Opening { instance, incarnation } => {
            let found = Opening::verify(bytes, root)?;
            (found.instance, found.incarnation) == (*instance, *incarnation)
        }
    };
    in_place.then_some(Inspected::Object).ok_or(InspectRefused::Misplaced)
}

/// A segment, a point, or the closing that lies in a segment's place.
fn link(kind: &ObjectKind, bytes: &[u8], root: &VerifyingKey) -> Result<Inspected, InspectRefused> {
    if let ObjectKind::Segment { instance, incarnation, sequence } = kind
        && ObjectType::of(bytes).is_ok_and(|found| found == ObjectType::Closing)
    {
        let found = Closing::verify(bytes, root)?;
        let place = (found.instance, found.incarnation, found.sequence);
        let in_place = place == (*instance, *incarnation, *sequence);
        return in_place.then_some(Inspected::Object).ok_or(InspectRefused::Misplaced);
    }
    let header = read_segment_header(bytes, root)?;
    let found = (header.instance, header.incarnation, header.sequence);
    let in_place = match *kind {
        ObjectKind::Segment { instance, incarnation, sequence } => {
            header.kind == SegmentKind::Segment && found == (instance, incarnation, sequence)
        }
        ObjectKind::Point { instance, incarnation, number } => {
            header.kind != SegmentKind::Segment && found == (instance, incarnation, number)
        }
        _ => false,
    };
    in_place.then(|| Inspected::Link(Box::new(header))).ok_or(InspectRefused::Misplaced)
}
