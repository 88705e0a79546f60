//! One signature line of a note: made, parsed, and checked under a key.
//!
//! Invariant: a log signs the text, a witness the text behind its own header and time, and the two
//! are never taken for each other: the type is in the key id and in the length.

use std::fmt;

use keystead_crypto::{NoteKey, Signature};

use super::{KeyName, KeyType, NoteRefused, VerifierKey};
use crate::base64;

const DASH: &str = "— ";
const LATEST_TIME: u64 = u64::MAX >> 1;

/// What a verified line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouched {
    /// The log signed the text.
    Signed,
    /// A witness saw the text.
    Cosigned {
        /// When: seconds since the Unix epoch, at most 2^63 − 1.
        time_s: u64,
    },
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    pub(super) name: KeyName,
    pub(super) id: u32,
    pub(super) bytes: Vec<u8>,
}

impl NoteSignature {
    /// Signs a text as the log of that name (type 0x01).
    #[must_use]
    pub fn sign(text: &str, name: KeyName, key: &NoteKey) -> Self {
        let by = VerifierKey::new(name, KeyType::Log, key.public());
        Self { id: by.id(), name: by.into_name(), bytes: key.sign(text).0.to_vec() }
    }

    /// Cosigns a text as the witness of that name (type 0x04; C2SP tlog-cosignature, *Ed25519
    /// signed message*), `time_s` seconds after the Unix epoch.
    ///
    /// # Errors
    /// [`NoteRefused::Time`] above 2^63 − 1.
    pub fn cosign(
        text: &str,
        name: KeyName,
        key: &NoteKey,
        time_s: u64,
    ) -> Result<Self, NoteRefused> {
        if time_s > LATEST_TIME {
            return Err(NoteRefused::Time { time_s });
        }
        let by = VerifierKey::new(name, KeyType::Witness, key.public());
        let made = key.sign(&cosigned(text, time_s));
        let bytes = [&time_s.to_be_bytes()[..], &made.0].concat();
        Ok(Self { id: by.id(), name: by.into_name(), bytes })
    }

    /// A line out of its text: `— <name> <base64>`, without its newline.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (name, data) = line.strip_prefix(DASH)?.split_once(' ')?;
        let data = base64::decode(data)?;
        let (id, bytes) = data.split_first_chunk().filter(|(_, bytes)| !bytes.is_empty())?;
        Some(Self {
            name: KeyName::new(name).ok()?,
            id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        })
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What follows the key id; at least one byte.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn verify(&self, text: &str, by: &VerifierKey) -> Option<Vouched> {
        match by.key_type() {
            KeyType::Log => {
                let signature = Signature(self.bytes.as_slice().try_into().ok()?);
                by.public().verify(text, &signature).ok()?;
                Some(Vouched::Signed)
            }
            KeyType::Witness => {
                let (time, rest) = self.bytes.split_first_chunk()?;
                let time_s = u64::from_be_bytes(*time);
                let signature = Signature(rest.try_into().ok()?);
                by.public().verify(&cosigned(text, time_s), &signature).ok()?;
                (time_s <= LATEST_TIME).then_some(Vouched::Cosigned { time_s })
            }
        }
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = [&self.id.to_be_bytes()[..], &self.bytes].concat();
        write!(f, "{DASH}{} {}", self.name, base64::encode(&data))
    }
}

fn cosigned(text: &str, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}
