//! Values of flags that no other crate has a type for.
//!
//! Invariant: parsing is total and its error says what a right value looks like.

use std::str::FromStr;

use keystead_domain::{BadId, IncarnationId, KeyId, RequestId, parse_hex};
use thiserror::Error;

use crate::secrets::{Reference, ReferenceInvalid};

/// A head that a restore must contain: `<incarnation>.<sequence>.<32 hex digits>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The incarnation.
    pub(crate) incarnation: IncarnationId,
    /// The segment's sequence within it.
    pub(crate) sequence: u64,
    /// The first 16 bytes of the segment's SHA-256.
    pub(crate) hash_start: [u8; 16],
}

/// Why a text is no head.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum HeadInvalid {
    /// Not three parts.
    #[error("a head has three parts: INCARNATION.SEQUENCE.32-HEX-DIGITS, as `status` prints it")]
    Parts,
    /// The first part is no incarnation.
    #[error(transparent)]
    Incarnation(#[from] BadId),
    /// The second part is no number.
    #[error("`{text}` is not a sequence number")]
    Sequence {
        /// The part.
        text: String,
    },
    /// The third part is no start of a hash.
    #[error("`{text}` is not 32 lowercase hex digits")]
    Hash {
        /// The part.
        text: String,
    },
}

impl FromStr for Head {
    type Err = HeadInvalid;

    fn from_str(text: &str) -> Result<Self, HeadInvalid> {
        let parts: Vec<&str> = text.split('.').collect();
        let [incarnation, sequence, hash] = parts[..] else { return Err(HeadInvalid::Parts) };
        let plain = sequence.bytes().all(|c| c.is_ascii_digit());
        Ok(Self {
            incarnation: incarnation.parse()?,
            sequence: sequence
                .parse()
                .ok()
                .filter(|_| plain)
                .ok_or_else(|| HeadInvalid::Sequence { text: sequence.to_owned() })?,
            hash_start: parse_hex(hash)
                .ok_or_else(|| HeadInvalid::Hash { text: hash.to_owned() })?,
        })
    }
}

/// A tag of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Its name.
    pub(crate) name: String,
    /// Its value, possibly empty.
    pub(crate) value: String,
}

/// Why a text is no tag.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not of the form NAME=VALUE with a name")]
pub(crate) struct TagInvalid {
    text: String,
}

impl FromStr for Tag {
    type Err = TagInvalid;

    fn from_str(text: &str) -> Result<Self, TagInvalid> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err(TagInvalid { text: text.to_owned() }),
        }
    }
}

/// An instance's root public key, as `init` and `status` print it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RootPublicKey(pub(crate) [u8; 32]);

/// Why a text is no root public key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not 64 lowercase hex digits")]
pub(crate) struct RootPublicKeyInvalid {
    text: String,
}

impl FromStr for RootPublicKey {
    type Err = RootPublicKeyInvalid;

    fn from_str(text: &str) -> Result<Self, RootPublicKeyInvalid> {
        let key = parse_hex(text).map(Self);
        key.ok_or_else(|| RootPublicKeyInvalid { text: text.to_owned() })
    }
}

/// An id with its prefix, or its hex digits in groups of 8-4-4-4-12 as AWS clients see them.
fn id_of<T: FromStr<Err = BadId>>(text: &str, prefix: &str) -> Result<T, BadId> {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    match groups[..] {
        [8, 4, 4, 4, 12] => format!("{prefix}_{}", text.replace('-', "")).parse(),
        _ => text.parse(),
    }
}

/// A key's id in either form.
pub(super) fn key_id(text: &str) -> Result<KeyId, BadId> {
    id_of(text, KeyId::PREFIX)
}

/// A request's id in either form.
pub(super) fn request_id(text: &str) -> Result<RequestId, BadId> {
    id_of(text, RequestId::PREFIX)
}

/// The parser of every `--…-file` flag.
pub(super) fn secret_file(text: &str) -> Result<Reference, ReferenceInvalid> {
    Reference::from_flag(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INCARNATION: &str = "inc_00112233445566778899aabbccddeeff";

    #[test]
    fn a_head_reads_from_its_one_form() {
        let text = format!("{INCARNATION}.42.000102030405060708090a0b0c0d0e0f");
        let head: Head = text.parse().unwrap();
        assert_eq!(head.incarnation.to_string(), INCARNATION);
        assert_eq!((head.sequence, head.hash_start[15]), (42, 15));
    }

    #[test]
    fn every_other_text_is_refused_by_its_part() {
        let hash = "000102030405060708090a0b0c0d0e0f";
        for (text, said) in [
            (String::new(), "three parts"),
            (format!("{INCARNATION}.42"), "three parts"),
            (format!("{INCARNATION}.42.{hash}.1"), "three parts"),
            (format!("inc_00.42.{hash}"), "inc_<32 hex digits>"),
            (format!("{INCARNATION}.-1.{hash}"), "sequence"),
            (format!("{INCARNATION}.+1.{hash}"), "sequence"),
            (format!("{INCARNATION}..{hash}"), "sequence"),
            (format!("{INCARNATION}.99999999999999999999.{hash}"), "sequence"),
            (format!("{INCARNATION}.42.{}", &hash[1..]), "32 lowercase hex"),
            (format!("{INCARNATION}.42.{}", hash.to_uppercase()), "32 lowercase hex"),
        ] {
            let refused = text.parse::<Head>().unwrap_err().to_string();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn a_root_public_key_is_64_lowercase_hex_digits() {
        let text = "0a".repeat(32);
        assert_eq!(text.parse(), Ok(RootPublicKey([10; 32])));
        for bad in [String::new(), text[1..].to_owned(), text.to_uppercase(), format!("{text}0")] {
            assert!(bad.parse::<RootPublicKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_reads_in_both_forms_and_no_third() {
        let plain = format!("key_{}", "0a".repeat(16));
        let groups = "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a";
        assert_eq!(key_id(groups).unwrap(), key_id(&plain).unwrap());
        assert_eq!(request_id(groups).unwrap().to_string(), plain.replace("key", "req"));
        for bad in ["", "0a0a", &plain[4..], &groups.to_uppercase(), &groups[1..]] {
            assert!(key_id(bad).is_err() && request_id(bad).is_err(), "{bad}");
        }
        assert!(request_id(&plain).is_err());
    }

    #[test]
    fn a_tag_splits_at_the_first_sign_and_needs_a_name() {
        let tag: Tag = "team=a=b".parse().unwrap();
        assert_eq!((tag.name.as_str(), tag.value.as_str()), ("team", "a=b"));
        assert_eq!("team=".parse::<Tag>().unwrap().value, "");
        assert!("=a".parse::<Tag>().is_err() && "team".parse::<Tag>().is_err());
    }
}
