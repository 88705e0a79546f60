//! Ed25519 signatures (RFC 8032) by roots, nodes and tenants.
//!
//! Invariant: a signature covers `label ‖ what ‖ bytes`, so a signed kit header can never pass for
//! a signed segment. Keys are made from 32-byte seeds, which are what key copies and seals hold.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use thiserror::Error;

use crate::{Secret, labels};

/// A signature by a key of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// The bytes are not signed by that key for that purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature is not by the expected key")]
pub struct BadSignature;

/// A private signing key.
pub struct SigningKey {
    seed: Secret<32>,
    public: VerifyingKey,
}

impl SigningKey {
    /// From its seed.
    #[must_use]
    pub fn from_seed(seed: Secret<32>) -> Self {
        let pair = key_pair(&seed);
        let public = pair.public_key().as_ref().try_into().expect("Ed25519 keys have 32 bytes");
        Self { seed, public: VerifyingKey(public) }
    }

    /// Its seed, to be sealed or copied.
    #[must_use]
    pub fn seed(&self) -> &Secret<32> {
        &self.seed
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        self.public
    }

    /// Signs `bytes` as a `what`.
    #[must_use]
    pub fn sign(&self, what: &str, bytes: &[u8]) -> Signature {
        let made = key_pair(&self.seed).sign(&message(what, bytes));
        Signature(made.as_ref().try_into().expect("Ed25519 signatures have 64 bytes"))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({:?})", self.public)
    }
}

/// A public verification key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifyingKey(pub [u8; 32]);

impl VerifyingKey {
    /// Checks that `bytes` were signed as a `what`.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, what: &str, bytes: &[u8], by: &Signature) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(&message(what, bytes), &by.0)
            .map_err(|_| BadSignature)
    }
}

fn key_pair(seed: &Secret<32>) -> Ed25519KeyPair {
    seed.expose(|seed| Ed25519KeyPair::from_seed_unchecked(seed)).expect("a seed has 32 bytes")
}

fn message(what: &str, bytes: &[u8]) -> Vec<u8> {
    [labels::SIGNATURE.as_bytes(), what.as_bytes(), b"/", bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entropy;

    #[test]
    fn a_signature_holds_for_its_purpose_and_bytes_alone() {
        let key = SigningKey::from_seed(Entropy::os().secret());
        let by = key.sign("segment", b"bytes");
        assert_eq!(key.public().verify("segment", b"bytes", &by), Ok(()));
        assert!(key.public().verify("kit", b"bytes", &by).is_err());
        assert!(key.public().verify("segment", b"byteS", &by).is_err());
        let other = SigningKey::from_seed(Entropy::os().secret());
        assert!(other.public().verify("segment", b"bytes", &by).is_err());
    }
}
