//! The `Authorization` header of Signature Version 4, read and written.
//!
//! Invariant: each of its three parts occurs once, in any order, with or without a space behind the
//! commas; nothing else occurs. The signed headers are in lower case and strictly ascending, so a
//! list has one form. Bounds come before work.

use super::{ALGORITHM, ClaimFault, Scope, TERMINATOR, hex};

/// Longest header value that is looked at, in bytes.
const MAX_BYTES: usize = 8192;

/// Most headers that a signature may cover.
const MAX_SIGNED_HEADERS: usize = 64;

/// What the header holds.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) scope: Scope,
    pub(super) signed_headers: Vec<&'a str>,
    pub(super) signature: [u8; 32],
}

pub(super) fn parse(value: &[u8]) -> Result<Authorization<'_>, ClaimFault> {
    if value.len() > MAX_BYTES {
        return Err(ClaimFault::TooLong { part: "Authorization header" });
    }
    let text = std::str::from_utf8(value).map_err(|_| ClaimFault::Algorithm)?.trim();
    let fields = text
        .strip_prefix(ALGORITHM)
        .filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
    let fields = fields.ok_or(ClaimFault::Algorithm)?;
    let (access_key_id, scope) = credential(field(fields, "Credential")?)
        .ok_or(ClaimFault::Incomplete { part: "Credential" })?;
    let signed_headers = signed_headers(field(fields, "SignedHeaders")?)
        .ok_or(ClaimFault::Incomplete { part: "SignedHeaders" })?;
    let signature = signature(field(fields, "Signature")?)
        .ok_or(ClaimFault::Incomplete { part: "Signature" })?;
    if fields.split(',').count() != 3 {
        return Err(ClaimFault::Incomplete { part: "Signature" });
    }
    Ok(Authorization { access_key_id, scope, signed_headers, signature })
}

pub(super) fn print(
    access_key_id: &str,
    scope: &Scope,
    signed_headers: &[&str],
    signature: &[u8; 32],
) -> String {
    let (signed, signature) = (signed_headers.join(";"), hex(signature));
    format!(
        "{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={signed}, \
         Signature={signature}"
    )
}

/// The value of the one field called `part`.
fn field<'a>(fields: &'a str, part: &'static str) -> Result<&'a str, ClaimFault> {
    let named = |field: &'a str| field.trim().strip_prefix(part)?.strip_prefix('=');
    let mut found = fields.split(',').filter_map(named);
    match (found.next(), found.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(ClaimFault::Incomplete { part }),
    }
}

fn credential(text: &str) -> Option<(&str, Scope)> {
    let parts: Vec<&str> = text.splitn(6, '/').collect();
    let [access_key_id, date, region, service, TERMINATOR] = parts[..] else { return None };
    let lawful = (1..=128).contains(&access_key_id.len())
        && access_key_id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
        && date.len() == 8
        && date.bytes().all(|c| c.is_ascii_digit())
        && [region, service].into_iter().all(is_label);
    lawful.then(|| {
        let scope = Scope { date: date.into(), region: region.into(), service: service.into() };
        (access_key_id, scope)
    })
}

/// Regions enter ARNs, so they hold nothing that an ARN gives a meaning.
fn is_label(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
}

fn signed_headers(text: &str) -> Option<Vec<&str>> {
    let names: Vec<&str> = text.split(';').take(MAX_SIGNED_HEADERS + 1).collect();
    let lawful = |name: &str| {
        !name.is_empty() && name.bytes().all(|c| c.is_ascii_graphic() && !c.is_ascii_uppercase())
    };
    let ascending = names.windows(2).all(|pair| pair[0] < pair[1]);
    let few = names.len() <= MAX_SIGNED_HEADERS;
    (few && ascending && names.iter().all(|name| lawful(name))).then_some(names)
}

fn signature(text: &str) -> Option<[u8; 32]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut out = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (place, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *place = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(out)
}
