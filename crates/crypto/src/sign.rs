//! Ed25519 signatures (RFC 8032) by roots, nodes and tenants.
//!
//! Invariant: a signature covers `label ‖ what ‖ bytes`, so a signed kit header can never pass for
//! a signed segment. Keys are made from 32-byte seeds, which are what key copies and seals hold.
//! The one exception are notes ([`NoteKey`]), whose message others have fixed: they have keys of
//! their own type, so that neither kind of signature is ever made or checked as the other.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Secret, hash::hmac_sha256, labels};

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

/// The private key of a ledger's checkpoints, or of a witness.
///
/// It signs a text as it is, for the world's verifiers of signed notes expect that
/// (C2SP signed-note, *Ed25519 signatures*), and no label of ours tells what the signature is for.
/// Hence a type of its own: a [`SigningKey`] has no way to sign bare bytes, this key has no way to
/// sign an object, and the public halves check only their own kind. What would be both a text and
/// a labelled message is neither signed nor verified here, so that even a seed that somebody used
/// for both yields no signature of one kind that passes for the other.
pub struct NoteKey {
    seed: Secret<32>,
    public: NotePublic,
}

impl NoteKey {
    /// From its seed.
    #[must_use]
    pub fn from_seed(seed: Secret<32>) -> Self {
        let pair = key_pair(&seed);
        let public = pair.public_key().as_ref().try_into().expect("Ed25519 keys have 32 bytes");
        Self { seed, public: NotePublic(public) }
    }

    /// The key of the ledger with this origin under a root: each process of its node has the same
    /// one, so that a witness who was given the public half once knows the log for ever.
    #[must_use]
    pub fn of_ledger(root: &SigningKey, origin: &str) -> Self {
        let label = labels::CHECKPOINTS_KEY.as_bytes();
        let seed =
            root.seed.expose(|root| Zeroizing::new(hmac_sha256(root, &[label, origin.as_bytes()])));
        Self::from_seed(Secret::from_slice(&*seed).expect("a MAC has 32 bytes"))
    }

    /// Its seed, to be sealed.
    #[must_use]
    pub fn seed(&self) -> &Secret<32> {
        &self.seed
    }

    /// The public half, as a node's certificate names it.
    #[must_use]
    pub fn public(&self) -> NotePublic {
        self.public
    }

    /// Signs a text, the text alone (RFC 8032, section 5.1.6).
    ///
    /// # Panics
    /// Where the text begins as a labelled message does; no note of ours can.
    #[must_use]
    pub fn sign(&self, text: &str) -> Signature {
        assert!(!is_labelled(text), "a note never begins with the label of objects");
        let made = key_pair(&self.seed).sign(text.as_bytes());
        Signature(made.as_ref().try_into().expect("Ed25519 signatures have 64 bytes"))
    }
}

impl std::fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NoteKey({:?})", self.public)
    }
}

/// The public half of a [`NoteKey`], 32 bytes (RFC 8032, section 5.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotePublic(pub [u8; 32]);

impl NotePublic {
    /// Checks that this very text was signed.
    ///
    /// # Errors
    /// [`BadSignature`]; also for every text that begins as a labelled message does.
    pub fn verify(&self, text: &str, by: &Signature) -> Result<(), BadSignature> {
        if is_labelled(text) {
            return Err(BadSignature);
        }
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(text.as_bytes(), &by.0)
            .map_err(|_| BadSignature)
    }
}

fn is_labelled(text: &str) -> bool {
    text.starts_with(labels::SIGNATURE)
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

    #[test]
    fn a_note_holds_for_its_text_and_key_alone() {
        let key = NoteKey::from_seed(Entropy::os().secret());
        let by = key.sign("a/b/c\n1\n");
        assert_eq!(key.public().verify("a/b/c\n1\n", &by), Ok(()));
        assert!(key.public().verify("a/b/c\n2\n", &by).is_err());
        assert!(key.public().verify("a/b/c\n1", &by).is_err());
        let other = NoteKey::from_seed(Entropy::os().secret());
        assert!(other.public().verify("a/b/c\n1\n", &by).is_err());
    }

    #[test]
    fn one_seed_in_both_roles_yields_no_signature_that_passes_for_the_other() {
        let seed = || Secret::from_slice(&[7; 32]).unwrap();
        let (object, note) = (SigningKey::from_seed(seed()), NoteKey::from_seed(seed()));
        assert_eq!(object.public().0, note.public().0);
        let by = object.sign("a/b", b"c\n1\n");
        let signed = String::from_utf8(message("a/b", b"c\n1\n")).unwrap();
        assert_eq!(note.public().verify(&signed, &by), Err(BadSignature));
        assert_eq!(note.public().verify("c\n1\n", &by), Err(BadSignature));
        let by = note.sign("c\n1\n");
        assert_eq!(object.public().verify("a/b", b"c\n1\n", &by), Err(BadSignature));
    }

    #[test]
    #[should_panic(expected = "label of objects")]
    fn a_labelled_message_is_not_signed_as_a_note() {
        let note = NoteKey::from_seed(Entropy::os().secret());
        let _ = note.sign("keystead/v1/signature/segment/x");
    }
}
