//! Puts a recovered key beside the one in service and lets each do what the other undoes.
//!
//! Invariant: a copy counts as proven only where the material in it does what the running key does:
//! what one encrypts the other decrypts, what one signs the other verifies. Nothing of it leaves.

use std::collections::BTreeMap;

use keystead_crypto::{CipherContext, CipherKind, Entropy};
use keystead_domain::TenantId;

use crate::keyring::OpenedKey;

/// Whether the two are the same key, shown by use.
pub(crate) fn agree(
    entropy: &Entropy,
    tenant: TenantId,
    running: &OpenedKey,
    recovered: &OpenedKey,
) -> bool {
    let message: [u8; 32] = entropy.array();
    match (running, recovered) {
        (OpenedKey::Cipher(one), OpenedKey::Cipher(other)) => {
            let context = CipherContext::new(
                CipherKind::Message,
                tenant.as_bytes(),
                &BTreeMap::from([("purpose".to_owned(), "proof of recovery".to_owned())]),
            );
            let opens = |by: &[u8], with: &keystead_crypto::CipherKey| {
                with.decrypt(&context, by).is_ok_and(|plain| *plain == message)
            };
            opens(&one.encrypt(entropy, &context, &message), other)
                && opens(&other.encrypt(entropy, &context, &message), one)
        }
        (OpenedKey::Ed25519(one), OpenedKey::Ed25519(other)) => {
            one.public_der() == other.public_der()
                && one.verify(&message, &other.sign(&message)).is_ok()
        }
        (OpenedKey::P256(one), OpenedKey::P256(other)) => {
            one.public_der() == other.public_der()
                && one.verify(&message, &other.sign(&message)).is_ok()
        }
        (OpenedKey::Mac(one), OpenedKey::Mac(other)) => {
            one.verify(&message, &other.mac(&message)).is_ok()
        }
        _ => false,
    }
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
