//! What a log asks of a witness and what a witness makes of it (C2SP tlog-witness).
//!
//! Invariant: a witness says yes only to a checkpoint that the log signed and that follows from the
//! last one it said yes to; whoever holds the state must have written the new one down before a
//! cosignature leaves. What parses prints back to the same bytes.

use std::fmt;

use thiserror::Error;

use crate::{
    Checkpoint, CheckpointRefused, Hash, Head, KeyType, Note, NoteRefused, NoteSignature, Origin,
    PROOF_HASHES, ProofRefused, VerifierKey, base64, checkpoint::parse_number, verify_consistency,
};

/// The longest body: a note, its proof, and the old size.
const BODY_BYTES: usize = crate::NOTE_BYTES + 64 * 64;

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WitnessRefused {
    /// The body is not in the form of the protocol.
    #[error("line {line} of the request is not what it should be")]
    Malformed {
        /// Counted from 1; 0 for the whole of it.
        line: usize,
    },
    /// The checkpoint is no note.
    #[error(transparent)]
    Note(#[from] NoteRefused),
    /// The note is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointRefused),
    /// This log is not witnessed.
    #[error("`{origin}` is not witnessed here")]
    UnknownOrigin {
        /// Whose checkpoint it is.
        origin: Origin,
    },
    /// Not signed by a key of the log.
    #[error("the checkpoint is not signed by a known key of its log")]
    NotSigned,
    /// The old size is above the new one.
    #[error("the old size {old} is above the checkpoint's {size}")]
    Shrunk {
        /// What was said to be the old size.
        old: u64,
        /// The checkpoint's.
        size: u64,
    },
    /// The proof begins at another size than that of the last checkpoint.
    #[error("the last checkpoint that was cosigned has {latest} entries")]
    Conflict {
        /// How many.
        latest: u64,
    },
    /// Another root of the same size: the log has signed two histories.
    #[error("another checkpoint of {latest} entries was cosigned before")]
    OtherRoot {
        /// How many.
        latest: u64,
    },
    /// The log is not shown to have grown out of the last checkpoint.
    #[error("the proof does not hold: {0}")]
    Proof(#[from] ProofRefused),
}

/// A request to cosign a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the last checkpoint that the witness cosigned.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<Hash>,
    /// The new checkpoint.
    pub checkpoint: Note,
}

impl AddCheckpoint {
    /// Takes a request apart; nothing is verified yet.
    ///
    /// # Errors
    /// [`WitnessRefused::Malformed`], [`WitnessRefused::Note`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WitnessRefused> {
        let bad = |line| WitnessRefused::Malformed { line };
        if bytes.len() > BODY_BYTES {
            return Err(bad(0));
        }
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").ok_or(bad(0))?;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| bad(0))?;
        let mut lines = (1..).zip(head.split('\n'));
        let old = lines.next().and_then(|(_, line)| parse_number(line.strip_prefix("old ")?));
        let proof: Vec<Hash> = lines
            .map(|(line, text)| {
                base64::decode(text).and_then(|hash| hash.try_into().ok()).ok_or(bad(line))
            })
            .collect::<Result<_, _>>()?;
        if proof.len() > PROOF_HASHES {
            return Err(bad(PROOF_HASHES + 2));
        }
        Ok(Self { old: old.ok_or(bad(1))?, proof, checkpoint: Note::parse(&bytes[end + 2..])? })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", base64::encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The signature lines of a witness's answer; nothing of them is verified yet.
///
/// # Errors
/// [`NoteRefused::Line`], [`NoteRefused::TooMany`], [`NoteRefused::NotText`].
pub fn read_cosignatures(bytes: &[u8]) -> Result<Vec<NoteSignature>, NoteRefused> {
    let text =
        std::str::from_utf8(bytes).map_err(|bad| NoteRefused::NotText { at: bad.valid_up_to() })?;
    let lines = text.strip_suffix('\n').ok_or(NoteRefused::Line { line: 1 })?;
    let count = lines.split('\n').count();
    if count > crate::NOTE_SIGNATURES {
        return Err(NoteRefused::TooMany { count });
    }
    let read = |(at, line)| NoteSignature::parse(line).ok_or(NoteRefused::Line { line: at + 1 });
    lines.split('\n').enumerate().map(read).collect()
}

/// What a witness decides, by the keys of the logs it knows and the last head of each that it
/// cosigned. The order of checks is that of the protocol.
///
/// # Errors
/// [`WitnessRefused`].
pub fn witnessed(
    asked: &AddCheckpoint,
    keys: &[VerifierKey],
    latest: impl FnOnce(&Origin) -> Option<Head>,
) -> Result<Checkpoint, WitnessRefused> {
    let found = Checkpoint::parse(asked.checkpoint.text())?;
    let origin = found.origin().clone();
    let of_log = |key: &&VerifierKey| {
        key.key_type() == KeyType::Log && key.name().as_str() == origin.as_str()
    };
    let mut known = keys.iter().filter(of_log).peekable();
    if known.peek().is_none() {
        return Err(WitnessRefused::UnknownOrigin { origin });
    }
    if !known.any(|key| asked.checkpoint.verify(key).is_ok()) {
        return Err(WitnessRefused::NotSigned);
    }
    let (old, size) = (asked.old, found.size());
    if old > size {
        return Err(WitnessRefused::Shrunk { old, size });
    }
    let was = latest(&origin);
    let latest = was.as_ref().map_or(0, |head| head.size);
    if old != latest {
        return Err(WitnessRefused::Conflict { latest });
    }
    match was {
        Some(was) if size == latest && was.root != *found.root() => {
            Err(WitnessRefused::OtherRoot { latest })
        }
        Some(was) => {
            verify_consistency(old, &was.root, size, found.root(), &asked.proof)?;
            Ok(found)
        }
        None if asked.proof.is_empty() => Ok(found),
        None => {
            let (found, wanted) = (asked.proof.len(), 0);
            Err(ProofRefused::Length { found, wanted }.into())
        }
    }
}

#[cfg(test)]
mod tests;
