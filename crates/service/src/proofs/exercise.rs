//! Puts a recovered key beside the one in service and lets each do what the other undoes.
//!
//! Invariant: a copy counts as proven only where the material in it does what the running key does:
//! what one encrypts the other decrypts, what one signs the other verifies. Nothing of it leaves.

use std::collections::BTreeMap;

use keystead_crypto::{CipherContext, CipherKind, Entropy, hash::same};
use keystead_domain::TenantId;

use crate::keyring::OpenedKey;

/// Whether the two are the same key, shown by use: each does what the other undoes.
pub(crate) fn agree(
    entropy: &Entropy,
    tenant: TenantId,
    running: &OpenedKey,
    recovered: &OpenedKey,
) -> bool {
    let undoes = |one: &OpenedKey, other: &OpenedKey| {
        let task = Task::new(entropy, tenant, one);
        let answer = answer(tenant, other, &task.given);
        answer.is_some_and(|answer| task.is_done(one, &answer))
    };
    same_kind(running, recovered) && undoes(running, recovered) && undoes(recovered, running)
}

fn same_kind(one: &OpenedKey, other: &OpenedKey) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Something that only the holder of a key can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// What the holder is given: a ciphertext, or a message.
    pub(crate) given: Vec<u8>,
    message: [u8; 32],
}

impl Task {
    /// A task for the holder of `key`.
    pub(crate) fn new(entropy: &Entropy, tenant: TenantId, key: &OpenedKey) -> Self {
        let message: [u8; 32] = entropy.array();
        let given = match key {
            OpenedKey::Cipher(key) => key.encrypt(entropy, &context(tenant), &message),
            OpenedKey::Ed25519(_) | OpenedKey::Mac(_) | OpenedKey::P256(_) => message.to_vec(),
        };
        Self { given, message }
    }

    /// Whether `answer` is what the holder of `key` answers.
    pub(crate) fn is_done(&self, key: &OpenedKey, answer: &[u8]) -> bool {
        match key {
            OpenedKey::Cipher(_) => same_bytes(&self.message, answer),
            OpenedKey::Ed25519(key) => key.verify(&self.message, answer).is_ok(),
            OpenedKey::P256(key) => key.verify(&self.message, answer).is_ok(),
            OpenedKey::Mac(key) => key.verify(&self.message, answer).is_ok(),
        }
    }
}

/// What the holder of `key` answers to what it is given; nothing where it cannot.
pub(crate) fn answer(tenant: TenantId, key: &OpenedKey, given: &[u8]) -> Option<Vec<u8>> {
    match key {
        OpenedKey::Cipher(key) => {
            key.decrypt(&context(tenant), given).ok().map(|plain| plain.to_vec())
        }
        OpenedKey::Ed25519(key) => Some(key.sign(given)),
        OpenedKey::P256(key) => Some(key.sign(given)),
        OpenedKey::Mac(key) => Some(key.mac(given).to_vec()),
    }
}

fn same_bytes(message: &[u8; 32], answer: &[u8]) -> bool {
    answer.try_into().is_ok_and(|answer: &[u8; 32]| same(message, answer))
}

/// No caller of Encrypt or Decrypt names a context so by chance.
fn context(tenant: TenantId) -> CipherContext {
    let of = BTreeMap::from([("keystead".to_owned(), "proof of recovery".to_owned())]);
    CipherContext::new(CipherKind::Message, tenant.as_bytes(), &of)
}

#[cfg(test)]
mod tests {
    use keystead_crypto::{KeyVersion, P256Key, Secret};
    use keystead_domain::KeySpec;

    use super::*;

    fn opened(spec: KeySpec, material: [u8; 32]) -> OpenedKey {
        let id = KeyVersion { key: [1; 16], version: [2; 8] };
        let secret = Secret::from_slice(&material).unwrap();
        OpenedKey::new(spec, id, secret).unwrap()
    }

    #[test]
    fn a_key_agrees_with_itself_and_with_no_other() {
        let entropy = Entropy::os();
        let tenant = TenantId::from_bytes([3; 16]);
        let scalar = || P256Key::draw(&entropy).expose(|raw| *raw);
        let (one, other) = (scalar(), scalar());
        for spec in [KeySpec::Symmetric, KeySpec::Ed25519, KeySpec::Hmac256, KeySpec::P256] {
            let agrees = |a: [u8; 32], b: [u8; 32]| {
                agree(&entropy, tenant, &opened(spec, a), &opened(spec, b))
            };
            assert!(agrees(one, one), "{spec}");
            assert!(!agrees(one, other), "{spec}");
        }
        let mixed = (opened(KeySpec::Symmetric, one), opened(KeySpec::Hmac256, one));
        assert!(!agree(&entropy, tenant, &mixed.0, &mixed.1));
    }
}
