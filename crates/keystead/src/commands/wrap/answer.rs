//! What the server answers about wrap records.
//!
//! Invariant: a data key in an answer is decoded into a buffer that wipes itself and is no part of
//! what is shown.

use std::fmt;

use base64_simd::STANDARD;
use keystead_crypto::Sealed;
use keystead_domain::{WrapFacts, WrapRecord, parse_hex};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::WrapFailed;
use crate::wrap_export;

/// What is shown of a record; anything else that the server says is left to `--json`.
#[derive(Debug, Deserialize)]
pub(super) struct Wrap {
    pub(super) wrap: String,
    pub(super) tenant: String,
    pub(super) subject: String,
    pub(super) sequence: u64,
    pub(super) algorithm: String,
    pub(super) created_at: String,
    pub(super) key_check: String,
    pub(super) key: String,
    pub(super) key_version: String,
    /// Wrapped.
    pub(super) data_key: String,
}

/// One page of records.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) wraps: Vec<T>,
    pub(super) next: Option<String>,
}

/// How many records there are.
#[derive(Debug, Deserialize)]
pub(super) struct Stated {
    pub(super) statement: String,
}

/// A record, and beside it its data key where the answer has it.
pub(super) struct Opened {
    pub(super) record: Value,
    pub(super) data_key: Option<Zeroizing<Vec<u8>>>,
}

struct DataKey(Zeroizing<Vec<u8>>);

impl Wrap {
    /// The record, as an export has it.
    pub(super) fn record(&self) -> Result<WrapRecord, WrapFailed> {
        let bad = |what| WrapFailed::Answer { what };
        let algorithm = wrap_export::algorithm(&self.algorithm);
        let data_key: Option<Sealed<_>> = wrap_export::envelope(&self.data_key);
        Ok(WrapRecord {
            facts: WrapFacts {
                id: self.wrap.parse().map_err(|_| bad("wrap"))?,
                tenant: self.tenant.parse().map_err(|_| bad("tenant"))?,
                subject: self.subject.parse().map_err(|_| bad("subject"))?,
                sequence: self.sequence,
                algorithm: algorithm.ok_or(bad("algorithm"))?,
                created_at: self.created_at.parse().map_err(|_| bad("created_at"))?,
                key_check: parse_hex(&self.key_check).ok_or(bad("key_check"))?,
            },
            data_key: data_key.ok_or(bad("data_key"))?,
        })
    }
}

impl<'de> Deserialize<'de> for Opened {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Opened;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Opened, A::Error> {
                let (mut record, mut data_key) = (Map::new(), None);
                while let Some(name) = members.next_key::<String>()? {
                    if name == "plaintext" {
                        data_key = Some(members.next_value::<DataKey>()?.0);
                    } else {
                        record.insert(name, members.next_value()?);
                    }
                }
                Ok(Opened { record: Value::Object(record), data_key })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for DataKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;

        impl Visitor<'_> for Base64 {
            type Value = DataKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DataKey, E> {
                let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
                // The text is not repeated.
                let decoded = STANDARD.decode_append(text, &mut *bytes);
                decoded.map_err(|_| E::custom("`plaintext` is not base64"))?;
                Ok(DataKey(bytes))
            }
        }

        deserializer.deserialize_str(Base64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Result<Opened, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn the_data_key_is_beside_the_record_and_not_in_it() {
        let whole = opened(r#"{"wrap":"w","plaintext":"c2VjcmV0","more":[1]}"#).unwrap();
        assert_eq!(whole.data_key.unwrap().as_slice(), b"secret");
        assert_eq!(whole.record, serde_json::json!({ "wrap": "w", "more": [1] }));
        assert!(opened("{}").unwrap().data_key.is_none());
    }

    #[test]
    fn a_data_key_in_another_form_is_refused_and_not_repeated() {
        for bad in ["\"hunter2 \"", "[\"hunter2\"]", "7", "null", "\"aHVudGVyMg\""] {
            let refused = opened(&format!("{{\"plaintext\":{bad}}}")).err().unwrap();
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
        assert!(opened("[]").is_err());
    }
}
