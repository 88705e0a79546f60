//! The MAC keys of tenants: HMAC-SHA-256 (RFC 2104, FIPS 198-1).
//!
//! Invariant: the material stays in the arena; a MAC is compared whole and in constant time, so
//! that no answer tells how much of a forged one was right.

use crate::{
    Secret,
    hash::{hmac_sha256, same},
};

/// An HMAC-SHA-256 key.
#[derive(Debug)]
pub struct MacKey {
    key: Secret<32>,
}

/// The MAC is not this key's over these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the MAC is not by the expected key")]
pub struct BadMac;

impl MacKey {
    /// Every 32 bytes are a key.
    #[must_use]
    pub fn new(key: Secret<32>) -> Self {
        Self { key }
    }

    /// The MAC of a message.
    #[must_use]
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.key.expose(|key| hmac_sha256(key, &[message]))
    }

    /// Checks a MAC of a message; one that was cut is wrong.
    ///
    /// # Errors
    /// [`BadMac`].
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> Result<(), BadMac> {
        if same(&self.mac(message), mac) { Ok(()) } else { Err(BadMac) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key shorter than a block is followed by zeros (RFC 2104, 2), so these are equal keys.
    fn key(bytes: &[u8]) -> MacKey {
        MacKey::new(Secret::init_with(|place| place[..bytes.len()].copy_from_slice(bytes)))
    }

    fn hex(mac: [u8; 32]) -> String {
        mac.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn macs_are_those_of_rfc_4231() {
        let counted: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], &str); 4] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                &counted,
                &[0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
        ];
        for (bytes, message, mac) in cases {
            assert_eq!(hex(key(bytes).mac(message)), mac);
            assert_eq!(key(bytes).verify(message, &key(bytes).mac(message)), Ok(()));
        }
    }

    #[test]
    fn an_altered_cut_or_lengthened_mac_is_refused() {
        let key = key(&[7; 32]);
        let mac = key.mac(b"message");
        for bit in 0..256 {
            let mut altered = mac;
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.verify(b"message", &altered), Err(BadMac), "bit {bit}");
        }
        // RFC 4231, case 5 cuts a MAC; we give and take whole ones.
        for len in 0..32 {
            assert_eq!(key.verify(b"message", &mac[..len]), Err(BadMac), "{len} bytes");
        }
        assert_eq!(key.verify(b"message", &[&mac[..], &[0]].concat()), Err(BadMac));
        assert_eq!(key.verify(b"messagE", &mac), Err(BadMac));
        assert_eq!(key.verify(b"", &mac), Err(BadMac));
    }

    #[test]
    fn a_key_prints_nothing_of_its_material() {
        assert_eq!(format!("{:?}", key(&[7; 32])), "MacKey { key: Secret<32>(…) }");
    }
}
