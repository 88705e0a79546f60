//! One oracle for each parser of what clients send, after their signature was checked.
//!
//! Invariant: every function takes any bytes at all and never panics for another reason than a
//! broken oracle. Property tests drive them for seconds, a fuzzer for days.

use crate::{
    api, aws,
    form::Form,
    json::{BadJson, Json},
};

/// Strict JSON: what it takes, a lenient reader takes; a name that stands twice it never takes.
///
/// # Panics
/// Where that does not hold.
pub fn json(bytes: &[u8]) {
    let lenient = serde_json::from_slice::<serde_json::Value>(bytes);
    match Json::parse(bytes) {
        Ok(value) => {
            assert!(lenient.is_ok(), "strict JSON is JSON");
            assert!(names_stand_once(&value), "a name that stands twice");
        }
        Err(BadJson::DuplicateName | BadJson::TooDeep) => {}
        Err(_) => assert!(lenient.is_err(), "a refusal of JSON that has one meaning"),
    }
}

/// Queries and forms, which read alike but for the plus sign.
///
/// # Panics
/// Where they do not.
pub fn form(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains('+') {
        assert_eq!(Form::parse(text.as_bytes()), Form::of_query(&text), "one reader for both");
    }
    let _ = (Form::parse(bytes), Form::of_query(&text));
}

/// Bodies of the AWS front.
pub fn aws(body: &[u8]) {
    aws::parse_every(body);
}

/// A path and query on the first line, the body of a `/v1` request behind it.
pub fn api(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let uri = String::from_utf8_lossy(parts.next().unwrap_or_default());
    api::parse_every(&uri, parts.next().unwrap_or_default());
}

fn names_stand_once(value: &Json) -> bool {
    match value {
        Json::List(items) => items.iter().all(names_stand_once),
        Json::Object(members) => {
            let names: std::collections::BTreeSet<_> =
                members.iter().map(|(name, _)| name).collect();
            names.len() == members.len() && members.iter().all(|(_, value)| names_stand_once(value))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
