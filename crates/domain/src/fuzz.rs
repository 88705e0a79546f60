//! One oracle for each parser: what parses must print or write back, and parse again as the same.
//!
//! Invariant: every function takes any input at all and never panics for another reason than a
//! broken oracle. Property tests drive them for seconds, a fuzzer for days.

use keystead_crypto::bytes::Malformed;

use crate::{
    AccessKey, Account, Alias, IdempotencyKey, Instance, Key, KeyId, KeyName, Kit, Subject, Tenant,
    Timestamp, VersionId, WrapLog, WrapRecord, key_arn, uuid,
};

/// Ids of both widths, in print.
///
/// # Panics
/// Where what parsed prints as another text.
pub fn id(text: &str) {
    if let Ok(id) = text.parse::<KeyId>() {
        assert_eq!(id.to_string(), text, "an id prints back");
    }
    if let Ok(id) = text.parse::<VersionId>() {
        assert_eq!(id.to_string(), text, "an id prints back");
    }
}

/// Times in print, and how far they are apart.
///
/// # Panics
/// Where what parsed prints as another instant.
pub fn time(text: &str) {
    let Ok(time) = text.parse::<Timestamp>() else { return };
    assert_eq!(time.to_string().parse(), Ok(time), "a time reads back");
    let _ = (time.as_seconds(), time.plus_ms(i64::MAX), time.ms_since(Timestamp::default()));
}

/// Account numbers, and all forms in which a caller may name a key.
///
/// # Panics
/// Where what parsed is another account or key when it is printed.
pub fn key_name(text: &str) {
    if let Ok(account) = text.parse::<Account>() {
        assert_eq!(account.to_string(), text, "an account prints back");
    }
    if let Ok(subject) = text.parse::<Subject>() {
        assert_eq!(subject.as_str(), text, "a subject is its text");
    }
    let account: Account = "123456789012".parse().expect("twelve digits");
    match KeyName::parse(text, &account) {
        Ok(KeyName::Id(id)) => {
            for name in [id.to_string(), uuid(id), key_arn("eu-1", &account, id)] {
                let again = KeyName::parse(&name, &account);
                assert_eq!(again, Ok(KeyName::Id(id)), "a key's name names it");
            }
        }
        Ok(KeyName::Alias(alias)) => {
            assert!(text.ends_with(&alias) && alias.starts_with("alias/"), "{alias}");
        }
        Err(_) => {}
    }
}

/// The bodies of aggregates.
///
/// # Panics
/// Where what parsed writes back to other bytes.
pub fn body(bytes: &[u8]) {
    writes_back(bytes, Instance::from_body, Instance::to_body);
    writes_back(bytes, Tenant::from_body, Tenant::to_body);
    writes_back(bytes, AccessKey::from_body, AccessKey::to_body);
    writes_back(bytes, Kit::from_body, Kit::to_body);
    writes_back(bytes, Key::from_body, Key::to_body);
    writes_back(bytes, WrapRecord::from_body, WrapRecord::to_body);
    writes_back(bytes, WrapLog::from_body, WrapLog::to_body);
    writes_back(bytes, Alias::from_body, Alias::to_body);
    writes_back(bytes, IdempotencyKey::from_body, IdempotencyKey::to_body);
}

fn writes_back<T>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, Malformed>,
    write: impl Fn(&T) -> Vec<u8>,
) {
    if let Ok(value) = read(bytes) {
        assert_eq!(write(&value), bytes, "a body writes back");
    }
}

#[cfg(test)]
mod tests;
