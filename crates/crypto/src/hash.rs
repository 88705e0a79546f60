//! Digests and MACs over public bytes: names of objects, tree hashes, checks that two readers
//! agree.
//!
//! Invariant: a digest is never taken of a secret that somebody could guess; such values get a
//! MAC under a key ([`hmac_sha256`]) instead, since a plain hash can be searched.

use aws_lc_rs::{digest, hmac};
use subtle::ConstantTimeEq;

/// SHA-256 (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    to_array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// SHA-256 of the concatenation of `parts`.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> [u8; 32] {
    // Nodes of trees and most events are short. Put side by side they are hashed in one call, which
    // needs no context on the heap.
    let mut joined = [0; JOINED_BYTES];
    let mut len = 0;
    for part in parts {
        match joined.get_mut(len..len + part.len()) {
            Some(place) => place.copy_from_slice(part),
            None => return sha256_stepwise(parts),
        }
        len += part.len();
    }
    sha256(&joined[..len])
}

/// How long parts may be that are put side by side.
const JOINED_BYTES: usize = 512;

fn sha256_stepwise(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::default();
    parts.iter().for_each(|part| hash.update(part));
    hash.finish()
}

/// SHA-256 of bytes that come piece by piece.
pub struct Sha256(digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Sha256 {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        to_array(self.0.finish().as_ref())
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

/// SHA-512 (FIPS 180-4).
#[must_use]
pub fn sha512(bytes: &[u8]) -> [u8; 64] {
    to_array(digest::digest(&digest::SHA512, bytes).as_ref())
}

/// HMAC-SHA-256 (RFC 2104) over the concatenation of `parts`.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    to_array(hmac_tag(hmac::HMAC_SHA256, key, parts).as_ref())
}

/// HMAC-SHA-512 (RFC 2104) over the concatenation of `parts`.
#[must_use]
pub fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    to_array(hmac_tag(hmac::HMAC_SHA512, key, parts).as_ref())
}

/// Compares in time that depends on the lengths alone.
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

fn hmac_tag(algorithm: hmac::Algorithm, key: &[u8], parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

fn to_array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the algorithm's output has this length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_abc_is_fips_180_4_b_1() {
        let hex: String = sha256(b"abc").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256(b"abc"), sha256_parts(&[b"a", b"", b"bc"]));
        for len in [0, 1, JOINED_BYTES - 1, JOINED_BYTES, JOINED_BYTES + 1, 9_000] {
            let bytes = vec![b'x'; len];
            let (left, right) = bytes.split_at(len / 3);
            assert_eq!(sha256(&bytes), sha256_parts(&[left, right]), "{len}");
        }
    }

    #[test]
    fn hmac_sha256_is_rfc_4231_case_2() {
        let tag = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(tag[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert!(same(&tag, &tag));
        assert!(!same(&tag, &tag[..31]));
    }
}
