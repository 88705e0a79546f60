//! What a key computes and what it is for (AWS: KeySpec, KeyUsage, SigningAlgorithm, MacAlgorithm).
//!
//! Invariant: one key has one use. A spec says what for: the same curve for another purpose would
//! be another spec with another number, so that no key ever signs *and* agrees or encrypts.

use std::fmt;

use keystead_crypto::bytes::Malformed;

/// What a key can compute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeySpec {
    /// AES-256-GCM with derived keys (AWS: SYMMETRIC_DEFAULT).
    #[default]
    Symmetric = 1,
    /// Ed25519 (AWS: ECC_NIST_EDWARDS25519 for SIGN_VERIFY).
    Ed25519 = 2,
    /// HMAC-SHA-256 (AWS: HMAC_256).
    Hmac256 = 3,
    /// ECDSA over P-256 (AWS: ECC_NIST_P256 for SIGN_VERIFY).
    P256 = 4,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUsage {
    /// Encrypt, decrypt, data keys.
    EncryptDecrypt,
    /// Sign and verify.
    SignVerify,
    /// Make and check MACs.
    GenerateVerifyMac,
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA over SHA-256 (FIPS 186-5), signatures in DER.
    EcdsaSha256,
    /// Ed25519 (RFC 8032), 64 bytes; the message is never a digest.
    Ed25519Sha512,
    /// One that AWS names and no spec of ours has.
    Other(&'static str),
}

/// How a MAC is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacAlgorithm {
    /// HMAC-SHA-256 (RFC 2104), 32 bytes.
    HmacSha256,
    /// One that AWS names and no spec of ours has.
    Other(&'static str),
}

impl KeySpec {
    /// Every spec that a key can have.
    pub const ALL: &[Self] = &[Self::Symmetric, Self::P256, Self::Ed25519, Self::Hmac256];

    /// The name in the AWS KMS protocol.
    #[must_use]
    pub const fn aws_name(self) -> &'static str {
        match self {
            Self::Symmetric => "SYMMETRIC_DEFAULT",
            Self::Ed25519 => "ECC_NIST_EDWARDS25519",
            Self::Hmac256 => "HMAC_256",
            Self::P256 => "ECC_NIST_P256",
        }
    }

    /// The spec of this name in the AWS KMS protocol.
    #[must_use]
    pub fn from_aws_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|spec| spec.aws_name() == name)
    }

    /// The algorithm's name in records (R002-06, R002-08).
    #[must_use]
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Symmetric => "AES-256-GCM",
            Self::Ed25519 => "Ed25519",
            Self::Hmac256 => "HMAC-SHA-256",
            Self::P256 => "ECDSA-P256-SHA-256",
        }
    }

    /// What such a key is for.
    #[must_use]
    pub const fn usage(self) -> KeyUsage {
        match self {
            Self::Symmetric => KeyUsage::EncryptDecrypt,
            Self::Ed25519 | Self::P256 => KeyUsage::SignVerify,
            Self::Hmac256 => KeyUsage::GenerateVerifyMac,
        }
    }

    /// How such a key signs, if it does.
    #[must_use]
    pub const fn signing(self) -> Option<SigningAlgorithm> {
        match self {
            Self::Ed25519 => Some(SigningAlgorithm::Ed25519Sha512),
            Self::P256 => Some(SigningAlgorithm::EcdsaSha256),
            Self::Symmetric | Self::Hmac256 => None,
        }
    }

    /// How such a key makes MACs, if it does.
    #[must_use]
    pub const fn mac(self) -> Option<MacAlgorithm> {
        match self {
            Self::Hmac256 => Some(MacAlgorithm::HmacSha256),
            Self::Symmetric | Self::Ed25519 | Self::P256 => None,
        }
    }

    /// Its number in formats; that of the algorithm of its key copies.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The spec of this number.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] where there is none.
    pub fn from_number(number: u16) -> Result<Self, Malformed> {
        let found = Self::ALL.iter().copied().find(|spec| spec.number() == number);
        found.ok_or(Malformed::BadValue { field: "key spec" })
    }
}

impl fmt::Display for KeySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.aws_name())
    }
}

impl KeyUsage {
    /// The name in the AWS KMS protocol.
    #[must_use]
    pub const fn aws_name(self) -> &'static str {
        match self {
            Self::EncryptDecrypt => "ENCRYPT_DECRYPT",
            Self::SignVerify => "SIGN_VERIFY",
            Self::GenerateVerifyMac => "GENERATE_VERIFY_MAC",
        }
    }
}

impl SigningAlgorithm {
    /// The name in the AWS KMS protocol.
    #[must_use]
    pub const fn aws_name(self) -> &'static str {
        match self {
            Self::EcdsaSha256 => "ECDSA_SHA_256",
            Self::Ed25519Sha512 => "ED25519_SHA_512",
            Self::Other(name) => name,
        }
    }

    /// The algorithm of this name in the AWS KMS protocol.
    #[must_use]
    pub fn from_aws_name(name: &'static str) -> Self {
        let ours = [Self::EcdsaSha256, Self::Ed25519Sha512];
        ours.into_iter().find(|own| own.aws_name() == name).unwrap_or(Self::Other(name))
    }
}

impl MacAlgorithm {
    /// The name in the AWS KMS protocol.
    #[must_use]
    pub const fn aws_name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC_SHA_256",
            Self::Other(name) => name,
        }
    }

    /// The algorithm of this name in the AWS KMS protocol.
    #[must_use]
    pub fn from_aws_name(name: &'static str) -> Self {
        if name == Self::HmacSha256.aws_name() { Self::HmacSha256 } else { Self::Other(name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back_to_their_spec_and_no_other_does() {
        for spec in KeySpec::ALL {
            assert_eq!(KeySpec::from_aws_name(spec.aws_name()), Some(*spec));
            assert_eq!(KeySpec::from_number(spec.number()), Ok(*spec));
        }
        for name in ["", "symmetric_default", "HMAC_512", "ECC_NIST_P384", "RSA_2048"] {
            assert_eq!(KeySpec::from_aws_name(name), None, "{name}");
        }
        for number in [0, 5, u16::MAX] {
            assert!(KeySpec::from_number(number).is_err(), "{number}");
        }
    }

    #[test]
    fn a_spec_signs_or_makes_macs_or_encrypts_and_does_nothing_beside_it() {
        for spec in KeySpec::ALL {
            assert_eq!(spec.signing().is_some(), spec.usage() == KeyUsage::SignVerify);
            assert_eq!(spec.mac().is_some(), spec.usage() == KeyUsage::GenerateVerifyMac);
        }
    }

    #[test]
    fn what_aws_names_and_we_lack_keeps_its_name() {
        let ours = SigningAlgorithm::from_aws_name("ECDSA_SHA_256");
        assert_eq!(ours, SigningAlgorithm::EcdsaSha256);
        for other in ["ECDSA_SHA_384", "ED25519_PH_SHA_512", "RSASSA_PSS_SHA_256"] {
            assert_eq!(SigningAlgorithm::from_aws_name(other), SigningAlgorithm::Other(other));
            assert_eq!(SigningAlgorithm::from_aws_name(other).aws_name(), other);
        }
        assert_eq!(MacAlgorithm::from_aws_name("HMAC_SHA_256"), MacAlgorithm::HmacSha256);
        let other = MacAlgorithm::from_aws_name("HMAC_SHA_512");
        assert_eq!(other.aws_name(), "HMAC_SHA_512");
        assert_ne!(other, MacAlgorithm::HmacSha256);
    }
}
