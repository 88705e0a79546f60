//! HPKE base mode (RFC 9180) with KEM 0x647A (MLKEM768-X25519, "X-Wing"), HKDF-SHA-256 and
//! AES-256-GCM: how anything is sealed to an epoch or a kit.
//!
//! Invariant: a private half is its 32-byte seed (SHAKE-256 expands it to ML-KEM d ‖ z and the
//! X25519 key); the sealed bytes are 1,120 bytes of encapsulation, then ciphertext and tag; the
//! info names what is inside, the AAD binds the header around it.

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::XWing, rand_core,
};
use zeroize::Zeroizing;

use crate::{Entropy, OpenFailed, Secret, bytes::Malformed};

/// Length of a public half, in bytes.
pub const PUBLIC_BYTES: usize = 1216;
/// Length of an encapsulation, in bytes.
pub const ENCAPSULATION_BYTES: usize = 1120;

/// The public half of a recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct RecipientKey(Vec<u8>);

impl RecipientKey {
    /// From its bytes.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] where they are no X-Wing public key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        <XWing as Kem>::PublicKey::from_bytes(bytes)
            .map(|_| Self(bytes.to_vec()))
            .map_err(|_| Malformed::BadValue { field: "X-Wing public key" })
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The SHA-256 of its bytes, for people and headers to name it by.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        crate::hash::sha256(&self.0)
    }

    /// Seals `plaintext` to this recipient.
    #[must_use]
    pub fn seal(&self, entropy: &Entropy, info: &str, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let public = <XWing as Kem>::PublicKey::from_bytes(&self.0).expect("checked when made");
        let (encapped, sealed) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
            &OpModeS::Base,
            &public,
            info.as_bytes(),
            plaintext,
            aad,
            &mut Stream(entropy),
        )
        .expect("a checked public key always encapsulates");
        [encapped.to_bytes().as_slice(), &sealed].concat()
    }
}

impl std::fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecipientKey({:02x?}…)", &self.fingerprint()[..4])
    }
}

/// The private half of a recipient: a 32-byte X-Wing seed.
#[derive(Debug)]
pub struct RecipientSeed(Secret<32>);

impl RecipientSeed {
    /// From its seed.
    #[must_use]
    pub fn new(seed: Secret<32>) -> Self {
        Self(seed)
    }

    /// A new random one.
    #[must_use]
    pub fn random(entropy: &Entropy) -> Self {
        Self(entropy.secret())
    }

    /// The seed, to be sealed.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> RecipientKey {
        RecipientKey(XWing::sk_to_pk(&self.private()).to_bytes().as_slice().to_vec())
    }

    /// Opens what was sealed to the public half with the same info and AAD.
    ///
    /// # Errors
    /// [`OpenFailed`].
    pub fn open(
        &self,
        info: &str,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenFailed> {
        let (encapped, sealed) = sealed.split_at_checked(ENCAPSULATION_BYTES).ok_or(OpenFailed)?;
        let encapped = <XWing as Kem>::EncappedKey::from_bytes(encapped).map_err(|_| OpenFailed)?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.private(),
            &encapped,
            info.as_bytes(),
            sealed,
            aad,
        )
        .map(Zeroizing::new)
        .map_err(|_| OpenFailed)
    }

    fn private(&self) -> <XWing as Kem>::PrivateKey {
        self.0
            .expose(|seed| <XWing as Kem>::PrivateKey::from_bytes(seed))
            .expect("a seed has 32 bytes")
    }
}

/// Hands our entropy to the library.
struct Stream<'a>(&'a Entropy);

impl rand_core::TryRng for Stream<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_le_bytes(self.0.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_le_bytes(self.0.array()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(out);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Stream<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_the_same_info_and_aad_alone() {
        let entropy = Entropy::os();
        let seed = RecipientSeed::random(&entropy);
        let public = RecipientKey::from_bytes(seed.public().as_bytes()).unwrap();
        assert_eq!(public.as_bytes().len(), PUBLIC_BYTES);
        let sealed = public.seal(&entropy, "info", b"aad", b"content key");
        assert_eq!(sealed.len(), ENCAPSULATION_BYTES + 11 + 16);
        assert_eq!(&**seed.open("info", b"aad", &sealed).unwrap(), b"content key");
        assert!(seed.open("other", b"aad", &sealed).is_err());
        assert!(seed.open("info", b"", &sealed).is_err());
        assert!(seed.open("info", b"aad", &sealed[..1000]).is_err());
        assert!(RecipientSeed::random(&entropy).open("info", b"aad", &sealed).is_err());
        assert!(RecipientKey::from_bytes(&[0; 12]).is_err());
    }
}
