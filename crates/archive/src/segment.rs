//! Segments and recovery points: what was committed, sealed per tenant and again per epoch, in a
//! chain that nobody can cut or reorder unseen.
//!
//! Invariant: the header alone, under the root's public key, shows every altered byte and every
//! missing link; the content opens only with the epoch's private half *and* each tenant's backup
//! key, so that erasing a tenant's backup key erases its entries in every vault at once.
//! See `docs/formats/segment.md`.

mod change;
mod entry;
mod header;
mod point;

use std::{collections::BTreeMap, ops::Deref};

use keystead_crypto::{
    BackupWrap, Entropy, KeyVersion, RecipientKey, RecipientSeed, SealKey, Sealed, Secret,
    VerifyingKey,
    bytes::{Malformed, Writer},
    labels, open_stream, seal_stream,
};
use keystead_domain::{ChangeId, TenantId};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    NodeSigner, ObjectRefused, ObjectType,
    certificate::verify_by_node,
    frame::{self, Frame},
};

pub use change::{ChangeImage, CopyRef, Image, RowRef, Sensitivity};
pub use header::{LedgerHead, SegmentHeader, SegmentKind};
pub use point::PointState;

/// Bound of a segment's changes, uncompressed, in bytes.
pub const MAX_SEGMENT_BYTES: usize = 1 << 20;
/// Bound of a segment's commits.
pub const MAX_SEGMENT_CHANGES: u64 = 1000;
/// Bound of a recovery point's changes, uncompressed, in bytes.
pub const MAX_POINT_BYTES: usize = 1 << 30;

/// The changes of one tenant, ascending by commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantChanges {
    /// Whose.
    pub tenant: TenantId,
    /// What changed.
    pub changes: Vec<ChangeImage>,
}

/// An entry whose backup key was not to be had: its tenant was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedEntry {
    /// Whose.
    pub tenant: TenantId,
    /// The version of the backup key that would open it.
    pub sealed_under: KeyVersion,
}

/// What a segment or recovery point held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSegment {
    /// The verified header.
    pub header: SegmentHeader,
    /// By tenant, ascending.
    pub entries: Vec<TenantChanges>,
    /// Entries that crypto-erasure left closed.
    pub skipped: Vec<SkippedEntry>,
}

/// Why a segment cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildRefused {
    /// A field that no reader would take.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The node's certificate is of another instance or incarnation.
    #[error("the node's certificate is of another instance or incarnation")]
    OtherNode,
    /// No backup key was given for a tenant.
    #[error("there is no backup key for `{tenant}`")]
    NoBackupKey {
        /// Whose.
        tenant: TenantId,
    },
    /// The changes are too large.
    #[error("the changes have {len} bytes, over the bound of {bound}")]
    TooLarge {
        /// Their length in bytes.
        len: usize,
        /// The bound in bytes.
        bound: usize,
    },
    /// The changes do not fit the header.
    #[error(transparent)]
    Changes(ObjectRefused),
}

/// Seals changes to the epoch and signs as the node. `backup_key` gives a tenant's current key.
///
/// # Errors
/// [`BuildRefused`]; nothing that this builds is refused by [`open_segment`].
pub fn build_segment<K: Deref<Target = SealKey<BackupWrap>>>(
    entropy: &Entropy,
    signer: &NodeSigner,
    epoch_public: &RecipientKey,
    header: &SegmentHeader,
    mut changes: Vec<TenantChanges>,
    backup_key: impl Fn(TenantId) -> Option<K>,
) -> Result<Vec<u8>, BuildRefused> {
    require_own(signer, header)?;
    changes.sort_by_key(|entry| entry.tenant);
    check_commits(header, &changes, &[]).map_err(BuildRefused::Changes)?;
    // A state may be large: each form goes before the next one is made.
    let entries = changes.into_iter().map(|TenantChanges { tenant, changes }| {
        let written = entry::write(&changes, header.kind);
        (tenant, written)
    });
    let content = seal_entries(entropy, header, entries, backup_key)?;
    seal_content(entropy, signer, epoch_public, header, content)
}

/// The same for a recovery point whose rows were written one by one: each tenant's as one change.
///
/// # Errors
/// As [`build_segment`].
pub fn build_point<K: Deref<Target = SealKey<BackupWrap>>>(
    entropy: &Entropy,
    signer: &NodeSigner,
    epoch_public: &RecipientKey,
    header: &SegmentHeader,
    (change, states): (ChangeId, BTreeMap<TenantId, PointState>),
    backup_key: impl Fn(TenantId) -> Option<K>,
) -> Result<Vec<u8>, BuildRefused> {
    require_own(signer, header)?;
    let (commit_seq, at) = (header.last_commit_seq, header.at);
    if let Some(tenant) = states.keys().next()
        && !header.lawful_commits().contains(&commit_seq)
    {
        let bad = ObjectRefused::BadEntry { tenant: *tenant, field: "commit" };
        return Err(BuildRefused::Changes(bad));
    }
    let entries = states.into_iter().map(|(tenant, state)| {
        let mut head = Writer::new();
        head.u32(1);
        ChangeImage::write_head(&mut head, commit_seq, change, at);
        (tenant, entry::write_state(head, state))
    });
    let content = seal_entries(entropy, header, entries, backup_key)?;
    seal_content(entropy, signer, epoch_public, header, content)
}

fn require_own(signer: &NodeSigner, header: &SegmentHeader) -> Result<(), BuildRefused> {
    let node = signer.certificate();
    match (node.instance, node.incarnation) == (header.instance, header.incarnation) {
        true => Ok(()),
        false => Err(BuildRefused::OtherNode),
    }
}

fn seal_content(
    entropy: &Entropy,
    signer: &NodeSigner,
    epoch_public: &RecipientKey,
    header: &SegmentHeader,
    content: Zeroizing<Vec<u8>>,
) -> Result<Vec<u8>, BuildRefused> {
    let object = header.kind.object();
    let content_key: Secret<32> = entropy.secret();
    let mut fields = header.write(signer.certificate_bytes())?;
    let info = content_info(object, &fields);
    let sealed_key = content_key.expose(|key| epoch_public.seal(entropy, &info, &[], key));
    header::append_sealed_key(&mut fields, &sealed_key);
    let body = seal_stream(&content_key, &frame::binding_hash(object, &fields), &content);
    drop(content);
    Ok(frame::sign_with_body(object, &fields, &body, signer.objects()))
}

/// Verifies a segment or recovery point without any private key: signature, certificate, body.
///
/// # Errors
/// [`ObjectRefused`].
pub fn read_segment_header(
    bytes: &[u8],
    root: &VerifyingKey,
) -> Result<SegmentHeader, ObjectRefused> {
    verified(bytes, root).map(|segment| segment.header)
}

/// Reads what a segment or recovery point says of itself: form, lengths and the digest of its body
/// are checked, no signature is. Whoever made the bytes may have made all of it up.
///
/// # Errors
/// [`ObjectRefused`].
pub(crate) fn read_unsigned_header(bytes: &[u8]) -> Result<SegmentHeader, ObjectRefused> {
    let frame = Frame::parse(bytes)?;
    let fields = frame.header_of_body()?;
    Ok(header::Parsed::read(fields, frame.object)?.header)
}

/// Verifies and opens a segment or recovery point. `backup_key` answers `None` only for a key that
/// was destroyed with its tenant: the entry is skipped and reported.
///
/// # Errors
/// [`ObjectRefused`].
pub fn open_segment<K: Deref<Target = SealKey<BackupWrap>>>(
    bytes: &[u8],
    root: &VerifyingKey,
    epoch_seed: &RecipientSeed,
    backup_key: impl Fn(TenantId, KeyVersion) -> Option<K>,
) -> Result<OpenedSegment, ObjectRefused> {
    let Verified { header, sealed_key, info, binding, body } = verified(bytes, root)?;
    let key = epoch_seed.open(&info, &[], &sealed_key)?;
    let key = Secret::from_slice(&key).ok_or(keystead_crypto::OpenFailed)?;
    let content = open_stream(&key, &binding, body)?;
    let mut budget = header.kind.max_bytes();
    let (mut entries, mut skipped) = (Vec::new(), Vec::new());
    let sealed = entry::read_list(&content)?;
    // A point may be large: what was read is held in one form at a time.
    drop(content);
    for (tenant, sealed) in sealed {
        let sealed_under = sealed.sealed_under();
        let Some(key) = backup_key(tenant, sealed_under) else {
            skipped.push(SkippedEntry { tenant, sealed_under });
            continue;
        };
        let plain = key.open(&header.entry_context(tenant), &sealed)?;
        drop(sealed);
        let changes = entry::read(&plain, header.kind, tenant, &mut budget)?;
        entries.push(TenantChanges { tenant, changes });
    }
    check_commits(&header, &entries, &skipped)?;
    Ok(OpenedSegment { header, entries, skipped })
}

fn seal_entries<K: Deref<Target = SealKey<BackupWrap>>>(
    entropy: &Entropy,
    header: &SegmentHeader,
    entries: impl Iterator<Item = (TenantId, Result<Written, Malformed>)>,
    backup_key: impl Fn(TenantId) -> Option<K>,
) -> Result<Zeroizing<Vec<u8>>, BuildRefused> {
    let mut sealed = Vec::new();
    let mut total = 0;
    for (tenant, written) in entries {
        let (plain, len) = written?;
        total += len;
        let bound = header.kind.max_bytes();
        if total > bound {
            return Err(BuildRefused::TooLarge { len: total, bound });
        }
        let key = backup_key(tenant).ok_or(BuildRefused::NoBackupKey { tenant })?;
        sealed.push((tenant, key.seal(entropy, &header.entry_context(tenant), &plain)));
    }
    Ok(entry::write_list(&sealed)?)
}

/// In a segment every commit of the range is in an entry, unless entries were skipped.
fn check_commits(
    header: &SegmentHeader,
    entries: &[TenantChanges],
    skipped: &[SkippedEntry],
) -> Result<(), ObjectRefused> {
    let mut seen = std::collections::BTreeSet::new();
    for TenantChanges { tenant, changes } in entries {
        let bad = |field| ObjectRefused::BadEntry { tenant: *tenant, field };
        if !header.kind.orders(changes) {
            return Err(bad("order of commits"));
        }
        let range = header.lawful_commits();
        if changes.iter().any(|change| !range.contains(&change.commit_seq)) {
            return Err(bad("commit"));
        }
        seen.extend(changes.iter().map(|change| change.commit_seq));
    }
    if header.kind != SegmentKind::Segment || !skipped.is_empty() {
        return Ok(());
    }
    match header.lawful_commits().find(|commit| !seen.contains(commit)) {
        Some(commit) => Err(ObjectRefused::MissingCommit { commit }),
        None => Ok(()),
    }
}

struct Verified<'a> {
    header: SegmentHeader,
    sealed_key: Vec<u8>,
    info: String,
    binding: [u8; 32],
    body: &'a [u8],
}

/// Binds the content key to all header fields before it.
fn content_info(object: ObjectType, fields: &[u8]) -> String {
    frame::box_info(labels::HPKE_CONTENT, &frame::binding_hash(object, fields))
}

fn verified<'a>(bytes: &'a [u8], root: &VerifyingKey) -> Result<Verified<'a>, ObjectRefused> {
    let frame = Frame::parse(bytes)?;
    let object = match frame.object {
        ObjectType::Segment | ObjectType::RecoveryPoint => frame.object,
        found => return Err(ObjectRefused::OtherType { found, wanted: ObjectType::Segment }),
    };
    let fields = frame.header_of_body()?;
    let header::Parsed { header, certificate, sealed_key, key_at } =
        header::Parsed::read(fields, object)?;
    let node = verify_by_node(&frame, &certificate, header.instance, root)?;
    if node.incarnation != header.incarnation {
        return Err(ObjectRefused::OtherNode { object });
    }
    let info = content_info(object, &fields[..key_at]);
    let binding = frame::binding_hash(object, fields);
    Ok(Verified { header, sealed_key, info, binding, body: frame.body })
}

/// What a header writes back to; for the oracle of `fuzz`.
pub(crate) fn rewritten_header(fields: &[u8], object: ObjectType) -> Option<Vec<u8>> {
    let parsed = header::Parsed::read(fields, object).ok()?;
    let mut written = parsed.header.write(&parsed.certificate).ok()?;
    header::append_sealed_key(&mut written, &parsed.sealed_key);
    Some(written)
}

/// Reads bytes as an entry and as a list of them; for the oracle of `fuzz`.
pub(crate) fn entry_survives(bytes: &[u8]) {
    let mut budget = MAX_SEGMENT_BYTES;
    let tenant = TenantId::from_bytes([0; 16]);
    if let Ok(changes) = entry::read(bytes, SegmentKind::Segment, tenant, &mut budget) {
        let (plain, weight) =
            entry::write(&changes, SegmentKind::Segment).expect("what was read can be written");
        let mut again = MAX_SEGMENT_BYTES;
        let read = entry::read(&plain, SegmentKind::Segment, tenant, &mut again);
        assert_eq!(read.as_ref(), Ok(&changes), "an entry reads back");
        assert_eq!(
            (MAX_SEGMENT_BYTES - again, again),
            (weight, budget),
            "an entry weighs the same"
        );
    }
    if let Ok(entries) = entry::read_list(bytes) {
        let written = entry::write_list(&entries).expect("what was read can be written");
        assert_eq!(&**written, bytes, "a list of entries writes back");
    }
}

/// An entry's plaintext, and how many bytes it takes of the bound.
type Written = (Zeroizing<Vec<u8>>, usize);

/// A sealed entry as the list holds it.
type SealedEntry = (TenantId, Sealed<keystead_crypto::Entry>);

#[cfg(test)]
mod tests;
