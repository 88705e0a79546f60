//! Whether a proof of one event holds, with nothing but the root's public key
//! (`docs/formats/audit-proof.md`).
//!
//! Invariant: no vault and no server is asked; each part of the file is believed only for what it
//! proves.

use keystead_archive::{NodeCertificate, ObjectRefused};
use keystead_crypto::{VerifyingKey, bytes::Malformed};
use keystead_ledger::{
    Checkpoint, CheckpointRefused, Head, Leaf, LogProof, LogProofRefused, LogRefused, Note,
    NoteRefused, OlderProof, ProofExtra, ProofRefused, verify_growth, verify_inclusion,
};
use thiserror::Error;

use crate::tiles::LogPlace;

/// Why a checkpoint is not by a node of this root.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignedRefused {
    /// The root did not sign the certificate.
    #[error("the certificate: {0}")]
    Certificate(#[from] ObjectRefused),
    /// No note.
    #[error("the checkpoint: {0}")]
    Note(#[from] NoteRefused),
    /// Not of the certificate's log, or not by its key.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointRefused),
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotProven {
    /// The file is none.
    #[error(transparent)]
    File(#[from] LogProofRefused),
    /// It carries no entry.
    #[error("the proof does not carry its entry")]
    NoExtra,
    /// What it carries does not read.
    #[error("what the proof carries is not what it should be: {0}")]
    Extra(#[from] Malformed),
    /// Its checkpoint.
    #[error(transparent)]
    Signed(#[from] SignedRefused),
    /// The entry is not in the log.
    #[error("entry {index} is not shown to be in the log: {refused}")]
    Inclusion {
        /// Its place.
        index: u64,
        /// Why.
        refused: ProofRefused,
    },
    /// The older checkpoint is of another log.
    #[error("the older checkpoint is of another log")]
    OtherLog,
    /// The log did not grow out of the older checkpoint.
    #[error("the log is not shown to have grown out of the older checkpoint: {0}")]
    Growth(LogRefused),
    /// It is not the older checkpoint that the verifier has.
    #[error("the proof does not go on from the checkpoint that you kept")]
    OtherOlder,
}

/// What a proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The log, as of the checkpoint.
    pub head: Head,
    /// The checkpoint with all its lines.
    pub checkpoint: Note,
    /// The entry's place in it.
    pub index: u64,
    /// The entry.
    pub leaf: Leaf,
    /// What the log had grown out of.
    pub older: Option<Head>,
}

/// The checkpoint in a note, where the node that a certificate names signed it for its own log.
///
/// # Errors
/// [`SignedRefused`].
pub fn signed_checkpoint(
    note: &Note,
    certificate: &[u8],
    root: &VerifyingKey,
) -> Result<Checkpoint, SignedRefused> {
    let of = NodeCertificate::verify(certificate, root)?;
    let NodeCertificate { instance, incarnation, node, checkpoints_key, .. } = of;
    let origin = LogPlace { instance, incarnation, node }.origin();
    Ok(Checkpoint::verify(note, &origin, checkpoints_key)?)
}

/// Verifies a proof; `kept` is an older checkpoint that the proof must go on from.
///
/// # Errors
/// [`NotProven`].
pub fn proven(bytes: &[u8], root: &VerifyingKey, kept: Option<&[u8]>) -> Result<Proven, NotProven> {
    let LogProof { extra, index, hashes, checkpoint: note } = LogProof::parse(bytes)?;
    let ProofExtra { leaf, certificate, older } =
        ProofExtra::decode(&extra.ok_or(NotProven::NoExtra)?)?;
    let newer = signed_checkpoint(&note, &certificate, root)?;
    let leaf = Leaf::from_bytes(leaf)?;
    let head = newer.head().clone();
    verify_inclusion(&leaf.hash(), index, head.size, &head.root, &hashes)
        .map_err(|refused| NotProven::Inclusion { index, refused })?;
    let older = older.map(|older| grown(&newer, &older, root)).transpose()?;
    if let Some(kept) = kept {
        let text = |note: &Note| note.text().to_owned();
        let kept = Note::parse(kept).map_err(SignedRefused::from)?;
        if older.as_ref().map(|(_, older)| text(older)) != Some(text(&kept)) {
            return Err(NotProven::OtherOlder);
        }
    }
    let older = older.map(|(head, _)| head);
    Ok(Proven { head, checkpoint: note, index, leaf, older })
}

fn grown(
    newer: &Checkpoint,
    older: &OlderProof,
    root: &VerifyingKey,
) -> Result<(Head, Note), NotProven> {
    let note = Note::parse(&older.checkpoint).map_err(SignedRefused::from)?;
    let was = signed_checkpoint(&note, &older.certificate, root)?;
    if was.origin() != newer.origin() {
        return Err(NotProven::OtherLog);
    }
    verify_growth(&was, newer, &older.growth).map_err(NotProven::Growth)?;
    Ok((was.head().clone(), note))
}
