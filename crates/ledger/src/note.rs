//! Signed notes (C2SP signed-note): a text, and lines of those who signed it.
//!
//! Invariant: what parses prints back to the same bytes, and its text vouches for nothing until a
//! key that the caller brought has verified. Lines of unknown keys are kept and passed over, so
//! that witnesses and algorithms to come need no new reader (`docs/formats/ledger.md`).

mod key;
mod line;

use std::fmt;

use thiserror::Error;

pub use key::{KeyName, KeyType, VerifierKey};
pub use line::{NoteSignature, Vouched};

/// The longest note.
pub const NOTE_BYTES: usize = 131_072;
/// The most signatures of a note.
pub const NOTE_SIGNATURES: usize = 64;

/// Why bytes are not a note, or a note not by a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteRefused {
    /// Above [`NOTE_BYTES`].
    #[error("the note has {len_bytes} bytes; one has at most {NOTE_BYTES}")]
    TooLong {
        /// Its length.
        len_bytes: usize,
    },
    /// Above [`NOTE_SIGNATURES`].
    #[error("the note has {count} signatures; one has at most {NOTE_SIGNATURES}")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// No UTF-8, or a control character other than the newline.
    #[error("the note is no plain text at byte {at}")]
    NotText {
        /// Where the first such byte is.
        at: usize,
    },
    /// No text, empty line and signatures that end with a newline.
    #[error("the note has no signatures behind an empty line")]
    Unparted,
    /// A signature line that is none.
    #[error("signature line {line} is not `— <name> <base64>`")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// Not the name of a key.
    #[error("`{name}` is not the name of a key")]
    Name {
        /// What was given.
        name: String,
    },
    /// Not a verifier key, or one of an unknown type.
    #[error("`{text}` is not a verifier key of Ed25519")]
    VerifierKey {
        /// What was given.
        text: String,
    },
    /// A time that no cosignature has.
    #[error("a cosignature cannot be of {time_s} s after 1970")]
    Time {
        /// Seconds since the Unix epoch.
        time_s: u64,
    },
    /// No line by the key.
    #[error("the note has no signature by `{name}` with key id {id:08x}")]
    NotSigned {
        /// The key's name.
        name: KeyName,
        /// The key's id.
        id: u32,
    },
    /// Two lines by one key.
    #[error("the note has two signatures by `{name}` with key id {id:08x}")]
    Repeated {
        /// The key's name.
        name: KeyName,
        /// The key's id.
        id: u32,
    },
    /// A line that names the key and does not verify under it.
    #[error("the signature by `{name}` with key id {id:08x} does not verify")]
    BadSignature {
        /// The key's name.
        name: KeyName,
        /// The key's id.
        id: u32,
    },
}

/// A text and who signed it. It prints as the note that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A note with its first signature.
    ///
    /// # Errors
    /// [`NoteRefused::NotText`], [`NoteRefused::Unparted`] where the text does not end with a
    /// newline, [`NoteRefused::TooLong`].
    pub fn new(text: &str, first: NoteSignature) -> Result<Self, NoteRefused> {
        check_text(text.as_bytes())?;
        if !text.ends_with('\n') {
            return Err(NoteRefused::Unparted);
        }
        Self { text: text.to_owned(), signatures: Vec::new() }.with(first)
    }

    /// The same with one signature more.
    ///
    /// # Errors
    /// [`NoteRefused::Repeated`] where a key of that name and id has signed already,
    /// [`NoteRefused::TooMany`], [`NoteRefused::TooLong`].
    pub fn with(mut self, signature: NoteSignature) -> Result<Self, NoteRefused> {
        let (name, id) = (signature.name.clone(), signature.id);
        if self.lines(&name, id).next().is_some() {
            return Err(NoteRefused::Repeated { name, id });
        }
        self.signatures.push(signature);
        check_count(self.signatures.len())?;
        check_length(self.to_string().len())?;
        Ok(self)
    }

    /// Takes a note apart; nothing is verified yet.
    ///
    /// # Errors
    /// [`NoteRefused`]: what is wrong, and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteRefused> {
        check_length(bytes.len())?;
        let all = check_text(bytes)?;
        let end = all.rfind("\n\n").ok_or(NoteRefused::Unparted)? + 1;
        let (text, lines) = (&all[..end], &all[end + 1..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteRefused::Unparted)?;
        check_count(lines.split('\n').count())?;
        let read =
            |(at, line)| NoteSignature::parse(line).ok_or(NoteRefused::Line { line: at + 1 });
        let signatures = lines.split('\n').enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, with its last newline. Nothing is known of it until a key has verified.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines, in the order in which they stand; from 1 to [`NOTE_SIGNATURES`].
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Checks the one line by a key.
    ///
    /// # Errors
    /// [`NoteRefused::NotSigned`], [`NoteRefused::Repeated`], [`NoteRefused::BadSignature`].
    pub fn verify(&self, by: &VerifierKey) -> Result<Vouched, NoteRefused> {
        let (name, id) = (by.name(), by.id());
        let mut lines = self.lines(name, id);
        match (lines.next(), lines.next()) {
            (None, _) => Err(NoteRefused::NotSigned { name: name.clone(), id }),
            (Some(_), Some(_)) => Err(NoteRefused::Repeated { name: name.clone(), id }),
            (Some(line), None) => line
                .verify(&self.text, by)
                .ok_or_else(|| NoteRefused::BadSignature { name: name.clone(), id }),
        }
    }

    fn lines<'a>(
        &'a self,
        name: &'a KeyName,
        id: u32,
    ) -> impl Iterator<Item = &'a NoteSignature> + 'a {
        self.signatures.iter().filter(move |line| line.name == *name && line.id == id)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn check_length(len_bytes: usize) -> Result<(), NoteRefused> {
    if len_bytes > NOTE_BYTES { Err(NoteRefused::TooLong { len_bytes }) } else { Ok(()) }
}

fn check_count(count: usize) -> Result<(), NoteRefused> {
    if count > NOTE_SIGNATURES { Err(NoteRefused::TooMany { count }) } else { Ok(()) }
}

fn check_text(bytes: &[u8]) -> Result<&str, NoteRefused> {
    let refused = |at| NoteRefused::NotText { at };
    let text = std::str::from_utf8(bytes).map_err(|error| refused(error.valid_up_to()))?;
    match bytes.iter().position(|byte| *byte < b' ' && *byte != b'\n') {
        Some(at) => Err(refused(at)),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests;
