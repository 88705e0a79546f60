//! One way into a kit: passphrase and factor make the key that wraps the seed.
//!
//! Invariant: both inputs enter one derivation, each with its length before it, so neither can be
//! tried without the other; the commitment is compared in constant time before anything is opened;
//! a cost beyond floor or ceiling is refused when it is read.

use keystead_crypto::{
    Argon2Cost, Entropy, KdfFailed, OpenFailed, Prk, RecipientSeed, Secret,
    bytes::{Malformed, Reader, Writer},
    hash::same,
    labels, open_stream, seal_stream,
};
use keystead_domain::{KitId, SlotId};

use super::{FactorKind, SlotChallenge};
use crate::{frame, record};

const MAX_SLOTS: usize = 16;
const MAX_PARAMETER_BYTES: usize = 1024;
const WRAPPED_BYTES: usize = 32 + 16;

/// One slot of a kit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitSlot {
    /// Which slot.
    pub slot: SlotId,
    /// What it asks for beside the passphrase.
    pub factor: FactorKind,
    /// What the factor needs to find its answer again.
    pub parameters: Vec<u8>,
    /// What deriving the passphrase costs.
    pub cost: Argon2Cost,
    pub(crate) salt: [u8; 32],
    pub(crate) commitment: [u8; 32],
    pub(crate) wrapped: [u8; WRAPPED_BYTES],
}

/// What a slot key is bound to.
pub(crate) struct Binding {
    pub(crate) kit: KitId,
    pub(crate) header_hash: [u8; 32],
}

/// A derived slot key with its commitment.
pub(crate) struct SlotKey {
    key: Secret<32>,
    commitment: [u8; 32],
}

impl KitSlot {
    /// Wraps a seed under passphrase and factor.
    pub(crate) fn make(
        entropy: &Entropy,
        binding: &Binding,
        seed: &RecipientSeed,
        passphrase: &[u8],
        new: NewSlot<'_>,
    ) -> Result<Self, KdfFailed> {
        let mut made = Self {
            slot: new.slot,
            factor: new.factor,
            parameters: new.parameters,
            cost: new.cost,
            salt: entropy.array(),
            commitment: [0; 32],
            wrapped: [0; WRAPPED_BYTES],
        };
        let key = made.derive(binding, passphrase, new.answer)?;
        made.commitment = key.commitment;
        let wrapped =
            seed.secret().expose(|seed| seal_stream(&key.key, &binding.header_hash, seed));
        made.wrapped = wrapped.try_into().expect("one chunk of 32 bytes seals to 48");
        Ok(made)
    }

    /// What the factor is asked.
    pub(crate) fn challenge(&self, kit: KitId) -> SlotChallenge<'_> {
        SlotChallenge { kit, slot: self.slot, parameters: &self.parameters }
    }

    /// Derives the slot key: the one place where Argon2id runs.
    pub(crate) fn derive(
        &self,
        binding: &Binding,
        passphrase: &[u8],
        answer: &Secret<32>,
    ) -> Result<SlotKey, KdfFailed> {
        let stretched = self.cost.derive(passphrase, &self.salt)?;
        let salt = [&binding.kit.as_bytes()[..], self.slot.as_bytes()].concat();
        let len = 32u32.to_be_bytes();
        let prk = stretched.expose(|stretched| {
            answer.expose(|answer| Prk::extract(&salt, &[&len, stretched, &len, answer]))
        });
        let okm: Secret<64> =
            prk.expand_secret(&[labels::KIT_SLOT.as_bytes(), &binding.header_hash]);
        Ok(okm.expose(SlotKey::from_okm))
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        self.slot.write(w);
        w.u8(self.factor as u8).bytes(&self.parameters);
        self.cost.write(w);
        w.raw(&self.salt).raw(&self.commitment).raw(&self.wrapped);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            slot: SlotId::read(r)?,
            factor: FactorKind::from_number(r.u8()?)?,
            parameters: frame::bounded(r.bytes()?, MAX_PARAMETER_BYTES, "parameters")?.to_vec(),
            cost: Argon2Cost::read(r)?,
            salt: r.array()?,
            commitment: r.array()?,
            wrapped: r.array()?,
        })
    }
}

/// What a slot to be made is for.
pub(crate) struct NewSlot<'a> {
    pub(crate) slot: SlotId,
    pub(crate) factor: FactorKind,
    pub(crate) parameters: Vec<u8>,
    pub(crate) cost: Argon2Cost,
    pub(crate) answer: &'a Secret<32>,
}

impl SlotKey {
    pub(crate) fn from_okm(okm: &[u8; 64]) -> Self {
        Self {
            key: Secret::from_slice(&okm[..32]).expect("32 of 64 bytes"),
            commitment: okm[32..].try_into().expect("32 of 64 bytes"),
        }
    }

    #[cfg(test)]
    pub(crate) fn okm(&self) -> [u8; 64] {
        let key = self.key.expose(|key| *key);
        [key, self.commitment].concat().try_into().expect("64 bytes")
    }

    /// Whether it is the key of that slot, in constant time.
    pub(crate) fn commits_to(&self, slot: &KitSlot) -> bool {
        same(&self.commitment, &slot.commitment)
    }

    /// Unwraps the seed.
    pub(crate) fn unwrap(
        &self,
        slot: &KitSlot,
        header_hash: &[u8; 32],
    ) -> Result<RecipientSeed, OpenFailed> {
        let seed = open_stream(&self.key, header_hash, &slot.wrapped)?;
        Secret::from_slice(&seed).map(RecipientSeed::new).ok_or(OpenFailed)
    }
}

/// Refuses slots that no kit may have.
pub(crate) fn check_slots(slots: &[KitSlot]) -> Result<(), Malformed> {
    record::ascending(slots, MAX_SLOTS, "slots", |slot| slot.slot)?;
    let bad_parameters = slots.iter().any(|slot| {
        slot.parameters.len() > MAX_PARAMETER_BYTES
            || slot.factor == FactorKind::PrintedSecret && !slot.parameters.is_empty()
    });
    match slots.iter().filter(|slot| slot.factor.is_token()).count() {
        _ if slots.is_empty() => Err(Malformed::BadValue { field: "slots" }),
        _ if bad_parameters => Err(Malformed::BadValue { field: "parameters" }),
        1 => Err(Malformed::BadValue { field: "token slots" }),
        _ => Ok(()),
    }
}
