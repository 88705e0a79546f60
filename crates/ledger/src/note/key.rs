//! Who may sign a note: a name, a type and a public key, and the id that stands for them.
//!
//! Invariant: the id follows from the three and is never stored apart from them. It finds a line
//! and proves nothing: anybody can make a key with the same id.

use std::{fmt, str::FromStr};

use keystead_crypto::{NotePublic, hash::sha256_parts};

use super::NoteRefused;
use crate::{Origin, base64};

const NAME_BYTES: usize = 255;

/// The name of a key: of a log its origin, of a witness what it calls itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// From its text: 1 to 255 bytes without `+`, Unicode spaces and control characters (C2SP
    /// signed-note, *Format*).
    ///
    /// # Errors
    /// [`NoteRefused::Name`].
    pub fn new(name: &str) -> Result<Self, NoteRefused> {
        let is_bad = |c: char| c == '+' || c < ' ' || c.is_whitespace();
        if name.is_empty() || name.len() > NAME_BYTES || name.contains(is_bad) {
            return Err(NoteRefused::Name { name: name.to_owned() });
        }
        Ok(Self(name.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Origin> for KeyName {
    fn from(origin: &Origin) -> Self {
        Self(origin.as_str().to_owned())
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key signs (C2SP signed-note, *Signature types*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// 0x01: the text of its own log, in Ed25519.
    Log,
    /// 0x04: what it saw of the logs of others, with a time, in Ed25519.
    Witness,
}

impl KeyType {
    /// The byte that stands for it.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Witness => 4,
        }
    }

    fn of_byte(byte: u8) -> Option<Self> {
        [Self::Log, Self::Witness].into_iter().find(|known| known.byte() == byte)
    }
}

/// A key that a verifier trusts. It prints as C2SP's verifier key:
/// `<name>+<8 hex digits>+<base64>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    key_type: KeyType,
    public: NotePublic,
}

impl VerifierKey {
    /// From its parts.
    #[must_use]
    pub fn new(name: KeyName, key_type: KeyType, public: NotePublic) -> Self {
        Self { name, key_type, public }
    }

    /// The checkpoints key of a log, whose name is the origin.
    #[must_use]
    pub fn of_log(origin: &Origin, public: NotePublic) -> Self {
        Self::new(origin.into(), KeyType::Log, public)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> NotePublic {
        self.public
    }

    /// The first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), big-endian.
    #[must_use]
    pub fn id(&self) -> u32 {
        let name = self.name.as_str().as_bytes();
        let digest = sha256_parts(&[name, b"\n", &[self.key_type.byte()], &self.public.0]);
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }

    pub(super) fn into_name(self) -> KeyName {
        self.name
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = [&[self.key_type.byte()][..], &self.public.0].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id(), base64::encode(&data))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteRefused;

    /// Takes one of type 0x01 or 0x04, whose id must be the one that its parts call for.
    fn from_str(text: &str) -> Result<Self, NoteRefused> {
        let read = || {
            let (name, rest) = text.split_once('+')?;
            let data = base64::decode(rest.split_once('+')?.1)?;
            let (byte, public) = data.split_first()?;
            let public = NotePublic(public.try_into().ok()?);
            Some(Self::new(KeyName::new(name).ok()?, KeyType::of_byte(*byte)?, public))
        };
        read()
            .filter(|key| key.to_string() == text)
            .ok_or_else(|| NoteRefused::VerifierKey { text: text.to_owned() })
    }
}
