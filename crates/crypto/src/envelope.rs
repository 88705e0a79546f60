//! The one authenticated construct below ciphertexts and sealed values: a key of its own for each
//! message, derived, committed and used once.
//!
//! Invariant: layout and derivation are those of `docs/formats/ciphertext.md`. AES-256-GCM runs
//! with a key and nonce that come from HKDF over a random 32-byte message id, so neither repeats;
//! the commitment is compared first and in constant time, so no ciphertext opens under two keys or
//! two contexts; GCM's own AAD is empty because the context is already in the key.

use crate::bytes::Malformed;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::{Entropy, hash::same, kdf::Prk};

/// Which version of which key: both parts are random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersion {
    /// The key's id.
    pub key: [u8; 16],
    /// The version's id.
    pub version: [u8; 8],
}

/// Wrong key, wrong context or altered bytes: which of them is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the bytes do not open under this key and context")]
pub struct OpenFailed;

const VERSION: u8 = 1;
const SUITE: u16 = 1;
const PREFIX_BYTES: usize = 1 + 2 + 16 + 8;
const HEADER_BYTES: usize = PREFIX_BYTES + 32;
const COMMITMENT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// What an envelope adds to its plaintext, in bytes.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + COMMITMENT_BYTES + TAG_BYTES;

/// Reads which key version an envelope names, without opening it.
#[must_use]
pub fn named_key(bytes: &[u8]) -> Option<KeyVersion> {
    let lawful =
        bytes.len() >= OVERHEAD_BYTES && bytes[0] == VERSION && bytes[1..3] == SUITE.to_be_bytes();
    lawful.then(|| KeyVersion {
        key: bytes[3..19].try_into().expect("16 bytes"),
        version: bytes[19..27].try_into().expect("8 bytes"),
    })
}

/// What a later program made: whole in length, of a version above ours. Higher numbers than a few
/// above ours are no versions, but bytes that never were an envelope.
#[must_use]
pub fn newer_envelope(bytes: &[u8]) -> Option<Malformed> {
    let found = *bytes.first().filter(|_| bytes.len() >= OVERHEAD_BYTES)?;
    let version =
        Malformed::Version { what: "ciphertext", found: found.into(), known: VERSION.into() };
    (VERSION + 1..VERSION + 16).contains(&found).then_some(version)
}

/// Reads an envelope's random message id, without opening it.
#[must_use]
pub fn message_id(bytes: &[u8]) -> Option<[u8; 32]> {
    named_key(bytes)?;
    Some(bytes[PREFIX_BYTES..HEADER_BYTES].try_into().expect("32 bytes"))
}

/// Encrypts `plaintext`; `context` is the SHA-512 of the AAD.
pub(crate) fn encrypt(
    prk: &Prk,
    label: &str,
    id: KeyVersion,
    entropy: &Entropy,
    context: &[u8; 64],
    plaintext: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
    out.push(VERSION);
    out.extend_from_slice(&SUITE.to_be_bytes());
    out.extend_from_slice(&id.key);
    out.extend_from_slice(&id.version);
    out.extend_from_slice(&entropy.array::<32>());
    let derived = Derived::new(prk, label, &out, context);
    out.extend_from_slice(derived.commitment());
    out.extend_from_slice(plaintext);
    let (key, nonce) = derived.key_and_nonce();
    let tag = key
        .seal_in_place_separate_tag(
            nonce,
            Aad::empty(),
            &mut out[HEADER_BYTES + COMMITMENT_BYTES..],
        )
        .expect("messages are far below the bound of AES-GCM");
    out.extend_from_slice(tag.as_ref());
    out
}

/// Decrypts what [`encrypt`] made under the same PRK, label and context.
pub(crate) fn decrypt(
    prk: &Prk,
    label: &str,
    id: KeyVersion,
    context: &[u8; 64],
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenFailed> {
    if named_key(bytes) != Some(id) {
        return Err(OpenFailed);
    }
    let (header, rest) = bytes.split_at(HEADER_BYTES);
    let (commitment, sealed) = rest.split_at(COMMITMENT_BYTES);
    let derived = Derived::new(prk, label, header, context);
    if !same(derived.commitment(), commitment) {
        return Err(OpenFailed);
    }
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let (key, nonce) = derived.key_and_nonce();
    key.open_in_place(nonce, Aad::empty(), &mut buffer).map_err(|_| OpenFailed)?;
    let len = buffer.len() - TAG_BYTES;
    buffer[len..].zeroize();
    buffer.truncate(len);
    Ok(buffer)
}

/// One Expand: 32 bytes of key, 12 of nonce, 32 of commitment.
struct Derived(Zeroizing<[u8; 76]>);

impl Derived {
    fn new(prk: &Prk, label: &str, header: &[u8], context: &[u8; 64]) -> Self {
        let mut out = Zeroizing::new([0; 76]);
        prk.expand(&[label.as_bytes(), header, context], &mut *out);
        Self(out)
    }

    fn commitment(&self) -> &[u8] {
        &self.0[44..]
    }

    fn key_and_nonce(&self) -> (LessSafeKey, Nonce) {
        let key = UnboundKey::new(&AES_256_GCM, &self.0[..32]).expect("the key has 32 bytes");
        let nonce = Nonce::try_assume_unique_for_key(&self.0[32..44]).expect("12 bytes");
        (LessSafeKey::new(key), nonce)
    }
}
