//! Checkpoints (C2SP tlog-checkpoint): the head of a log as text, signed by its node, cosigned by
//! witnesses.
//!
//! Invariant: a [`Checkpoint`] has one text of three lines, a size that a log can have, and for
//! the empty log the one root there is. Extension lines are refused: nothing audits them.

use keystead_crypto::{NoteKey, NotePublic, hash::sha256};
use thiserror::Error;

use crate::{
    Hash, Head, KeyName, KeyType, Note, NoteRefused, NoteSignature, Origin, VerifierKey, Vouched,
    base64,
};

/// The most leaves of a log: 2^63 − 1, which programs with signed numbers can count.
pub const LOG_LEAVES: u64 = u64::MAX >> 1;

/// Why something is not a checkpoint, or not one of this log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointRefused {
    /// The note, or a signature of it.
    #[error(transparent)]
    Note(#[from] NoteRefused),
    /// A line that is not what it should be, or one too many or too few.
    #[error("line {line} of the checkpoint is not what it should be")]
    Line {
        /// 1 origin, 2 size, 3 root, 4 for anything behind them.
        line: usize,
    },
    /// More leaves than a log can have.
    #[error("the checkpoint is of {size} leaves; a log has at most {LOG_LEAVES}")]
    Size {
        /// What it says.
        size: u64,
    },
    /// A root of the empty log that is not SHA-256 of nothing.
    #[error("the checkpoint is of an empty log and has the root of another")]
    EmptyRoot,
    /// It belongs to another log.
    #[error("the checkpoint is of `{found}`, not of `{wanted}`")]
    OtherOrigin {
        /// Whose it is.
        found: Origin,
        /// Whose it should be.
        wanted: Origin,
    },
}

/// The head of a log, as it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint(Head);

impl Checkpoint {
    /// Of a head.
    ///
    /// # Errors
    /// [`CheckpointRefused::Size`], [`CheckpointRefused::EmptyRoot`].
    pub fn new(head: Head) -> Result<Self, CheckpointRefused> {
        match head.size {
            0 if head.root != sha256(&[]) => Err(CheckpointRefused::EmptyRoot),
            size if size > LOG_LEAVES => Err(CheckpointRefused::Size { size }),
            _ => Ok(Self(head)),
        }
    }

    /// The head.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.0
    }

    /// Which log.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// How many leaves, at most [`LOG_LEAVES`].
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// The root over them.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.0.root
    }

    /// The three lines that are signed.
    #[must_use]
    pub fn text(&self) -> String {
        let Head { origin, size, root } = &self.0;
        format!("{origin}\n{size}\n{}\n", base64::encode(root))
    }

    /// Takes the text of one. Nothing is known of it until its note has verified.
    ///
    /// # Errors
    /// [`CheckpointRefused`], all but [`CheckpointRefused::Note`] and
    /// [`CheckpointRefused::OtherOrigin`].
    pub fn parse(text: &str) -> Result<Self, CheckpointRefused> {
        let mut lines = text.split('\n');
        let bad = |line| CheckpointRefused::Line { line };
        let mut next = || lines.next().unwrap_or_default();
        let origin = Origin::new(next()).map_err(|_| bad(1))?;
        let size = parse_number(next()).ok_or(bad(2))?;
        let root = base64::decode(next()).and_then(|root| root.try_into().ok()).ok_or(bad(3))?;
        match (lines.next(), lines.next()) {
            (Some(""), None) => Self::new(Head { origin, size, root }),
            _ => Err(bad(4)),
        }
    }

    /// Signs it as the node whose log it is.
    #[must_use]
    pub fn sign(&self, key: &NoteKey) -> Note {
        let text = self.text();
        let line = NoteSignature::sign(&text, self.origin().into(), key);
        Note::new(&text, line).expect("a checkpoint's text is short, plain and ends its lines")
    }

    /// The checkpoint in a note, where it is of `origin` and signed by that log's `key`.
    ///
    /// # Errors
    /// [`CheckpointRefused`].
    pub fn verify(
        note: &Note,
        origin: &Origin,
        key: NotePublic,
    ) -> Result<Self, CheckpointRefused> {
        let found = Self::parse(note.text())?;
        if found.origin() != origin {
            let (found, wanted) = (found.0.origin, origin.clone());
            return Err(CheckpointRefused::OtherOrigin { found, wanted });
        }
        note.verify(&VerifierKey::of_log(origin, key))?;
        Ok(found)
    }

    /// The line of a witness that saw this checkpoint and found it to follow from all it saw
    /// before; `time_s` seconds after the Unix epoch, at most 2^63 − 1.
    ///
    /// # Errors
    /// [`NoteRefused::Time`].
    pub fn cosign(
        &self,
        witness: KeyName,
        key: &NoteKey,
        time_s: u64,
    ) -> Result<NoteSignature, NoteRefused> {
        NoteSignature::cosign(&self.text(), witness, key, time_s)
    }

    /// When a witness cosigned the checkpoint in a note: seconds since the Unix epoch. Whether the
    /// log signed it too is for [`Checkpoint::verify`].
    ///
    /// # Errors
    /// [`CheckpointRefused`], all but [`CheckpointRefused::OtherOrigin`].
    pub fn cosigned_at(
        note: &Note,
        witness: &KeyName,
        key: NotePublic,
    ) -> Result<u64, CheckpointRefused> {
        Self::parse(note.text())?;
        let by = VerifierKey::new(witness.clone(), KeyType::Witness, key);
        match note.verify(&by)? {
            Vouched::Cosigned { time_s } => Ok(time_s),
            Vouched::Signed => unreachable!("a witness's line has a time"),
        }
    }

    /// Its name in a vault, below the folder of the log: `checkpoint/<size>`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{CHECKPOINTS}{}", self.size())
    }
}

const CHECKPOINTS: &str = "checkpoint/";

/// The size of the checkpoint with that name; `None` where it is the name of none.
#[must_use]
pub fn checkpoint_size(name: &str) -> Option<u64> {
    parse_number(name.strip_prefix(CHECKPOINTS)?).filter(|size| *size <= LOG_LEAVES)
}

pub(crate) fn parse_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests;
