//! User ciphertexts, version 1: what Encrypt and GenerateDataKey hand out.
//!
//! Invariant: the bytes are those of `docs/formats/ciphertext.md`: they name key and version,
//! commit to key and context, and stay readable for as long as the key's material exists. The
//! context is bound exactly: pairs sorted by their UTF-8 bytes, no normalisation, empty equals
//! absent.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::{
    Entropy, KeyVersion, OpenFailed, Secret, bytes::Writer, envelope, hash::sha512, kdf::Prk,
    labels,
};

/// What a ciphertext is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherContext([u8; 64]);

/// Which kind of ciphertext: the first byte of the AAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CipherKind {
    /// Made by Encrypt or GenerateDataKey under an encryption context.
    Message = 1,
    /// A data key that is opened through a lease.
    LeasedDataKey = 2,
}

impl CipherContext {
    /// Kind byte, owning tenant's random id, count, then length-prefixed pairs in byte order.
    #[must_use]
    pub fn new(kind: CipherKind, tenant: &[u8; 16], pairs: &BTreeMap<String, String>) -> Self {
        let mut w = Writer::new();
        w.u8(kind as u8).raw(tenant);
        w.list(pairs.iter(), |w, (name, value)| {
            w.text(name).text(value);
        });
        Self(sha512(w.as_slice()))
    }
}

/// One version of a tenant key, ready to encrypt and decrypt.
#[derive(Debug)]
pub struct CipherKey {
    prk: Prk,
    id: KeyVersion,
}

impl CipherKey {
    /// From the raw key of that version.
    #[must_use]
    pub fn new(id: KeyVersion, key: &Secret<32>) -> Self {
        Self { prk: key.expose(|key| Prk::extract(labels::CIPHERTEXT.as_bytes(), &[key])), id }
    }

    /// Encrypts user data.
    #[must_use]
    pub fn encrypt(&self, entropy: &Entropy, context: &CipherContext, plaintext: &[u8]) -> Vec<u8> {
        envelope::encrypt(&self.prk, labels::MESSAGE, self.id, entropy, &context.0, plaintext)
    }

    /// Decrypts user data.
    ///
    /// # Errors
    /// [`OpenFailed`].
    pub fn decrypt(
        &self,
        context: &CipherContext,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenFailed> {
        envelope::decrypt(&self.prk, labels::MESSAGE, self.id, &context.0, ciphertext)
    }
}

/// A key version's check value: HMAC-SHA-256 under a key derived from the material, so that two
/// holders can compare without either showing it.
#[must_use]
pub fn key_check_value(id: KeyVersion, material: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    Prk::extract(labels::KEY_CHECK.as_bytes(), &[material])
        .expand(&[labels::KEY_CHECK.as_bytes(), &id.key, &id.version], &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: KeyVersion = KeyVersion { key: [1; 16], version: [2; 8] };

    fn context(pairs: &[(&str, &str)]) -> CipherContext {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        CipherContext::new(CipherKind::Message, &[9; 16], &pairs)
    }

    #[test]
    fn a_message_opens_in_its_own_context_alone() {
        let entropy = Entropy::os();
        let key = CipherKey::new(ID, &entropy.secret());
        let made = key.encrypt(&entropy, &context(&[("a", "1"), ("b", "2")]), b"hello");
        assert_eq!(made.len(), 5 + envelope::OVERHEAD_BYTES);
        assert_eq!(envelope::OVERHEAD_BYTES, 107);
        assert_eq!(&**key.decrypt(&context(&[("b", "2"), ("a", "1")]), &made).unwrap(), b"hello");
        for other in [&[][..], &[("a", "1")], &[("a", "12"), ("b", "")], &[("A", "1"), ("b", "2")]]
        {
            assert!(key.decrypt(&context(other), &made).is_err());
        }
        assert!(CipherKey::new(ID, &entropy.secret()).decrypt(&context(&[]), &made).is_err());
    }

    #[test]
    fn two_messages_share_neither_id_nor_bytes() {
        let entropy = Entropy::os();
        let key = CipherKey::new(ID, &entropy.secret());
        let one = key.encrypt(&entropy, &context(&[]), b"same");
        let two = key.encrypt(&entropy, &context(&[]), b"same");
        assert_ne!(one[27..59], two[27..59]);
        assert_ne!(one[59..], two[59..]);
    }
}
