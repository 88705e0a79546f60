//! What a kit demands beside the passphrase: a factor whose bits enter the key.
//!
//! Invariant: a factor that is merely checked by code guards no offline file, since the code can be
//! edited; only [`FactorBinding::Cryptographic`] ones make slots.

use keystead_crypto::{Secret, bytes::Malformed};
use keystead_domain::{KitId, SlotId};
use thiserror::Error;

/// What a factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactorKind {
    /// 32 random bytes on paper, as words.
    PrintedSecret = 1,
    /// A FIDO2 key's `hmac-secret`.
    SecurityKey = 2,
    /// A smartcard or other PKCS#11 token.
    Smartcard = 3,
}

/// Whether a factor's bits enter the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorBinding {
    /// They do: without the factor no computation opens the slot.
    Cryptographic,
    /// They do not: a service outside the instance must count the tries.
    OnlinePolicy,
}

/// What a slot asks of its factor.
#[derive(Debug, Clone, Copy)]
pub struct SlotChallenge<'a> {
    /// Of which kit.
    pub kit: KitId,
    /// Which slot.
    pub slot: SlotId,
    /// What the factor needs to find its answer again; empty for a printed secret.
    pub parameters: &'a [u8],
}

/// Why a factor gives no answer at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FactorFailed {
    /// It belongs to another kit.
    #[error("the factor is of `{factor}` and the kit is `{kit}`")]
    OtherKit {
        /// The kit that was to be opened.
        kit: KitId,
        /// The kit that the factor names.
        factor: KitId,
    },
    /// It is not there.
    #[error("the factor is not there")]
    Absent,
    /// It is there and declined, for example for want of a touch or PIN.
    #[error("the factor declined to answer")]
    Declined,
}

/// Something that its holder has, and that answers with bits.
pub trait Factor {
    /// What it is.
    fn kind(&self) -> FactorKind;

    /// Whether its bits enter the key.
    fn binding(&self) -> FactorBinding;

    /// What a new slot must keep so that the factor can answer again; at most 1,024 bytes.
    fn parameters(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Answers: the same bytes for the same challenge, always.
    ///
    /// # Errors
    /// [`FactorFailed`]; never because the answer would be wrong, which nobody here can know.
    fn respond(&self, challenge: &SlotChallenge<'_>) -> Result<Secret<32>, FactorFailed>;
}

impl FactorKind {
    /// Whether it can break or be lost in one piece, so that a kit needs two of them.
    #[must_use]
    pub const fn is_token(self) -> bool {
        matches!(self, Self::SecurityKey | Self::Smartcard)
    }

    pub(crate) fn from_number(number: u8) -> Result<Self, Malformed> {
        match number {
            1 => Ok(Self::PrintedSecret),
            2 => Ok(Self::SecurityKey),
            3 => Ok(Self::Smartcard),
            _ => Err(Malformed::BadValue { field: "factor kind" }),
        }
    }
}

impl std::fmt::Display for FactorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PrintedSecret => "printed secret",
            Self::SecurityKey => "security key",
            Self::Smartcard => "smartcard",
        })
    }
}
