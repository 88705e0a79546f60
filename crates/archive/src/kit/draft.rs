//! Makes a kit in the client: the seed is born here and leaves only inside slots.
//!
//! Invariant: what goes to the server is the public half, the kit id, the proof key and a proof
//! over the server's challenge; what comes back is the root's signature on the statement. No
//! passphrase, factor or seed crosses the wire, and a kit counts only when it was opened again.

use keystead_crypto::{
    Argon2Cost, Entropy, KdfFailed, RecipientKey, RecipientSeed, Signature, VerifyingKey,
    bytes::{Malformed, Writer},
    hash::sha256,
};
use keystead_domain::{KitId, SlotId};
use thiserror::Error;

use super::{
    Factor, FactorBinding, FactorFailed, FactorKind, KitSlot, KitStatement,
    slot::{self, Binding, NewSlot},
};
use crate::{ObjectRefused, ObjectType, frame::Frame};

const PROOF: &str = "kit-proof";

/// A kit in the making.
#[derive(Debug)]
pub struct KitDraft {
    kit: KitId,
    seed: RecipientSeed,
}

/// What the server learns about a kit in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitRequest {
    /// Which kit.
    pub kit: KitId,
    /// Its public half.
    pub public: RecipientKey,
    /// Verifies proofs that somebody holds its seed.
    pub proof_key: VerifyingKey,
}

/// Why a kit is not finished.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KitUnfinished {
    /// The statement is not signed by the expected root, or not in the format.
    #[error(transparent)]
    Statement(#[from] ObjectRefused),
    /// The statement is of another kit than the draft, or pins another root than its signer.
    #[error("the signed statement is not about this kit")]
    OtherStatement,
    /// The passphrase is empty.
    #[error("a kit needs a passphrase")]
    NoPassphrase,
    /// The factor only works online.
    #[error("a {kind} without bits in the key does not guard an offline kit")]
    NotCryptographic {
        /// What it is.
        kind: FactorKind,
    },
    /// No slot, too many, one token alone, or parameters that are too long.
    #[error(transparent)]
    Slots(#[from] Malformed),
    /// A factor did not answer.
    #[error(transparent)]
    Factor(#[from] FactorFailed),
    /// The key derivation could not run here.
    #[error(transparent)]
    Kdf(#[from] KdfFailed),
}

impl KitDraft {
    /// A kit with a fresh seed.
    #[must_use]
    pub fn new(entropy: &Entropy, kit: KitId) -> Self {
        Self { kit, seed: RecipientSeed::random(entropy) }
    }

    /// What the server needs to know of it.
    #[must_use]
    pub fn request(&self) -> KitRequest {
        let proof_key = super::proof_key(self.kit, &self.seed).public();
        KitRequest { kit: self.kit, public: self.seed.public(), proof_key }
    }

    /// Proves over the server's challenge that this client holds the seed.
    #[must_use]
    pub fn prove(&self, challenge: &[u8; 32]) -> Signature {
        prove(self.kit, &self.seed, challenge)
    }

    /// Makes one slot for each factor and gives the kit's file. Open it before it counts.
    ///
    /// # Errors
    /// [`KitUnfinished`].
    pub fn finish(
        &self,
        entropy: &Entropy,
        statement: &[u8],
        passphrase: &[u8],
        factors: &[&dyn Factor],
        cost: Argon2Cost,
    ) -> Result<Vec<u8>, KitUnfinished> {
        let header_hash = self.check_statement(statement)?;
        if passphrase.is_empty() {
            return Err(KitUnfinished::NoPassphrase);
        }
        let binding = Binding { kit: self.kit, header_hash };
        let mut slots = Vec::with_capacity(factors.len());
        for factor in factors {
            slots.push(self.slot(entropy, &binding, passphrase, *factor, cost)?);
        }
        slots.sort_by_key(|slot| slot.slot);
        slot::check_slots(&slots)?;
        Ok(self.assemble(statement, &slots, &header_hash))
    }

    /// The header hash of a statement that is about this kit and signed by the root it pins.
    fn check_statement(&self, bytes: &[u8]) -> Result<[u8; 32], KitUnfinished> {
        let frame = Frame::parse_as(bytes, ObjectType::Kit)?;
        let read: KitStatement =
            crate::record::parse_header(frame.header).map_err(ObjectRefused::from)?;
        let KitStatement { root, .. } = read;
        let read = KitStatement::verify(bytes, &root)?;
        let about = KitRequest { kit: read.kit, public: read.public, proof_key: read.proof_key };
        match about == self.request() && frame.body.is_empty() {
            true => Ok(sha256(frame.signed())),
            false => Err(KitUnfinished::OtherStatement),
        }
    }

    fn slot(
        &self,
        entropy: &Entropy,
        binding: &Binding,
        passphrase: &[u8],
        factor: &dyn Factor,
        cost: Argon2Cost,
    ) -> Result<KitSlot, KitUnfinished> {
        let kind = factor.kind();
        if factor.binding() != FactorBinding::Cryptographic {
            return Err(KitUnfinished::NotCryptographic { kind });
        }
        let (slot, parameters) = (SlotId::random(entropy), factor.parameters());
        let challenge =
            super::SlotChallenge { kit: self.kit, slot, parameters: &parameters.clone() };
        let answer = &factor.respond(&challenge)?;
        let new = NewSlot { slot, factor: kind, parameters, cost, answer };
        Ok(KitSlot::make(entropy, binding, &self.seed, passphrase, new)?)
    }

    fn assemble(&self, statement: &[u8], slots: &[KitSlot], header_hash: &[u8; 32]) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(statement);
        w.list(slots.iter(), |w, slot| slot.write(w));
        let mac = super::mac(&self.seed, header_hash, w.as_slice());
        w.raw(&mac);
        let checksum = sha256(w.as_slice());
        w.raw(&checksum).finish()
    }
}

impl KitRequest {
    /// Verifies a proof over the challenge that this server gave.
    ///
    /// # Errors
    /// [`keystead_crypto::BadSignature`].
    pub fn verify(
        &self,
        challenge: &[u8; 32],
        proof: &Signature,
    ) -> Result<(), keystead_crypto::BadSignature> {
        self.proof_key.verify(PROOF, &proof_bytes(self.kit, &self.public, challenge), proof)
    }
}

/// Proves over a challenge with an open kit's seed.
pub(crate) fn prove(kit: KitId, seed: &RecipientSeed, challenge: &[u8; 32]) -> Signature {
    super::proof_key(kit, seed).sign(PROOF, &proof_bytes(kit, &seed.public(), challenge))
}

fn proof_bytes(kit: KitId, public: &RecipientKey, challenge: &[u8; 32]) -> Vec<u8> {
    [&kit.as_bytes()[..], &public.fingerprint(), challenge].concat()
}
