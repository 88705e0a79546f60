//! Typed, prefixed, printable ids: no bare bytes or text crosses a crate wall as an identifier.
//!
//! Invariant: an id prints as `<prefix>_<lowercase hex>` and reads back from exactly that. Ids are
//! random, never derived from names, so that one deleted and made again is another.

use keystead_crypto::{
    Entropy,
    bytes::{Malformed, Reader, Writer, to_hex},
};
use thiserror::Error;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an id of the form `{prefix}_<{digits} hex digits>`")]
pub struct BadId {
    /// What was given.
    pub text: String,
    /// The prefix that this kind of id has.
    pub prefix: &'static str,
    /// How many hex digits follow it.
    pub digits: usize,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $bytes:literal, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The prefix of the printed form.
            pub const PREFIX: &'static str = $prefix;

            /// A new random id.
            #[must_use]
            pub fn random(entropy: &Entropy) -> Self {
                Self(entropy.array())
            }

            /// From its bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Appends the bytes at their fixed width.
            pub fn write(&self, w: &mut Writer) {
                w.raw(&self.0);
            }

            /// Takes the bytes at their fixed width.
            ///
            /// # Errors
            /// [`Malformed::Truncated`].
            pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
                r.array().map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(&to_hex(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(parse_hex)
                    .map(Self)
                    .ok_or_else(|| BadId {
                        text: text.to_owned(),
                        prefix: $prefix,
                        digits: $bytes * 2,
                    })
            }
        }
    )*};
}

ids! {
    /// One installation of Keystead, for ever: restores keep it.
    InstanceId, 16, "ins";
    /// One life of an instance, begun by `init` or a restore.
    IncarnationId, 16, "inc";
    /// One serving process of one incarnation.
    NodeId, 16, "nod";
    /// A tenant.
    TenantId, 16, "ten";
    /// A key, whatever its versions.
    KeyId, 16, "key";
    /// One version of a key.
    VersionId, 8, "ver";
    /// One generation of the sealing key of the backups.
    EpochId, 16, "epo";
    /// A recovery kit.
    KitId, 16, "kit";
    /// A slot of a kit or of a slot table.
    SlotId, 16, "slt";
    /// One change set.
    ChangeId, 16, "chg";
    /// One request, in answers and in the ledger.
    RequestId, 16, "req";
    /// A backup vault.
    VaultId, 16, "vlt";
    /// Who acts: a person, a service or a job.
    PrincipalId, 16, "prn";
    /// A wrap record: one data key of one subject.
    WrapId, 16, "wrp";
    /// One use of an idempotency key.
    IdempotencyId, 16, "idk";
    /// An alias.
    AliasId, 16, "als";
}

/// Reads exactly `N` bytes of lowercase hex.
#[must_use]
pub fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (digits, odd) = text.as_bytes().as_chunks::<2>();
    if digits.len() != N || !odd.is_empty() {
        return None;
    }
    let mut out = [0; N];
    for (place, digits) in out.iter_mut().zip(digits) {
        *place = parse_hex_byte(*digits)?;
    }
    Some(out)
}

/// Reads two digits of lowercase hex.
pub(crate) fn parse_hex_byte([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_what_it_prints_and_from_nothing_else() {
        let id = KeyId::random(&Entropy::os());
        assert_eq!(id.to_string().parse::<KeyId>().unwrap(), id);
        for bad in ["", "key_", "ver_00", &id.to_string()[..35], &id.to_string().to_uppercase()] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad}");
        }
        assert!(id.to_string().parse::<TenantId>().is_err());
        assert!(format!("{id}0").parse::<KeyId>().is_err());
    }
}
