//! The signing keys of tenants: Ed25519 (RFC 8032) and ECDSA over P-256 with SHA-256 (FIPS 186-5).
//!
//! Invariant: a key is made from its 32 bytes of material and from nothing else, since the library
//! would take its own randomness where it generates one; the material stays in the arena, and the
//! library's form of it lives for one signature. What is signed is the caller's bytes, without a
//! label: anybody may verify it with the public key alone. (Signatures by keys of ours that are
//! nobody's to use are those of `sign`, under a label.)

use aws_lc_rs::{
    agreement, digest,
    encoding::{AsDer, PublicKeyX509Der},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair, UnparsedPublicKey,
    },
};

use crate::{BadSignature, Entropy, Secret, hash::sha256};

/// An Ed25519 key, from its seed.
#[derive(Debug)]
pub struct Ed25519Key {
    seed: Secret<32>,
    public: [u8; 32],
}

/// A P-256 key, from its private scalar: 32 bytes, big-endian, 1 to n - 1.
#[derive(Debug)]
pub struct P256Key {
    scalar: Secret<32>,
    /// SEC 1, uncompressed.
    public: Vec<u8>,
}

impl Ed25519Key {
    /// Every 32 bytes are a seed.
    #[must_use]
    pub fn new(seed: Secret<32>) -> Self {
        let pair = pair_of(&seed);
        let public = pair.public_key().as_ref().try_into().expect("Ed25519 keys have 32 bytes");
        Self { seed, public }
    }

    /// Signs a message: 64 bytes, always the same ones.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        pair_of(&self.seed).sign(message).as_ref().to_vec()
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`BadSignature`], whatever is wrong.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let public = UnparsedPublicKey::new(&ED25519, &self.public);
        public.verify(message, signature).map_err(|_| BadSignature)
    }

    /// The public half as a DER SubjectPublicKeyInfo (RFC 8410).
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        der(pair_of(&self.seed).public_key())
    }
}

impl P256Key {
    /// `None` where the bytes are 0 or not below the order of the group.
    #[must_use]
    pub fn new(scalar: Secret<32>) -> Option<Self> {
        let public = public_of(&scalar)?;
        Some(Self { scalar, public })
    }

    /// Whether a key can be made of these bytes.
    #[must_use]
    pub fn is_scalar(bytes: &Secret<32>) -> bool {
        public_of(bytes).is_some()
    }

    /// A scalar for a new key. About one draw in 2^32 is none and is drawn again (FIPS 186-5,
    /// A.2.2), so that all scalars are equally likely.
    #[must_use]
    pub fn draw(entropy: &Entropy) -> Secret<32> {
        loop {
            let drawn = entropy.secret();
            if Self::is_scalar(&drawn) {
                return drawn;
            }
        }
    }

    /// Signs a message: the DER of (r, s), another one each time.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_digest(&sha256(message))
    }

    /// Signs what somebody else hashed.
    #[must_use]
    pub fn sign_digest(&self, sha256: &[u8; 32]) -> Vec<u8> {
        let made = self.pair().sign_digest(&imported(sha256));
        made.expect("a lawful key signs any digest").as_ref().to_vec()
    }

    /// Checks a signature of a message.
    ///
    /// # Errors
    /// [`BadSignature`], whatever is wrong.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.verify_digest(&sha256(message), signature)
    }

    /// Checks a signature of what somebody else hashed.
    ///
    /// # Errors
    /// [`BadSignature`], whatever is wrong.
    pub fn verify_digest(&self, sha256: &[u8; 32], signature: &[u8]) -> Result<(), BadSignature> {
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.public);
        public.verify_digest(&imported(sha256), signature).map_err(|_| BadSignature)
    }

    /// The public half as a DER SubjectPublicKeyInfo (RFC 5480), its point uncompressed.
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        der(self.pair().public_key())
    }

    fn pair(&self) -> EcdsaKeyPair {
        let kind = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = self
            .scalar
            .expose(|raw| EcdsaKeyPair::from_private_key_and_public_key(kind, raw, &self.public));
        pair.expect("the public half was computed from this scalar")
    }
}

fn pair_of(seed: &Secret<32>) -> Ed25519KeyPair {
    seed.expose(|seed| Ed25519KeyPair::from_seed_unchecked(seed)).expect("a seed has 32 bytes")
}

/// The point that belongs to a scalar, uncompressed; none where it is no scalar.
fn public_of(scalar: &Secret<32>) -> Option<Vec<u8>> {
    scalar.expose(|raw| {
        let key = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, raw).ok()?;
        key.compute_public_key().ok().map(|public| public.as_ref().to_vec())
    })
}

fn imported(sha256: &[u8; 32]) -> digest::Digest {
    digest::Digest::import_less_safe(sha256, &digest::SHA256).expect("SHA-256 has 32 bytes")
}

fn der(public: &impl AsDer<PublicKeyX509Der<'static>>) -> Vec<u8> {
    public.as_der().expect("a public key of ours has a DER form").as_ref().to_vec()
}

#[cfg(test)]
mod tests;
