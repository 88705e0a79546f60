//! The canonical request of Signature Version 4: one byte string for all spellings of a request.
//!
//! Invariant: two requests with the same canonical form mean the same to every front. That is why
//! empty and dot segments are refused instead of removed, and why `+` in a query stays a plus.
//! As for every service but S3, the path, already encoded on the wire, is encoded once more.

use super::{ClaimFault, RequestParts, hex};

/// Longest path and longest query that are looked at, in bytes.
const MAX_BYTES: usize = 8192;

/// Most pairs in a query.
const MAX_PAIRS: usize = 256;

/// Longest canonical headers, in bytes.
const MAX_HEADER_BYTES: usize = 32 * 1024;

pub(super) fn request(
    parts: &RequestParts<'_>,
    signed_headers: &[&str],
) -> Result<Vec<u8>, ClaimFault> {
    let mut out = Vec::with_capacity(1024);
    let mut line = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        out.push(b'\n');
    };
    line(parts.method.as_bytes());
    line(path(parts.raw_path)?.as_bytes());
    line(query(parts.raw_query)?.as_bytes());
    line(&headers(parts, signed_headers)?);
    line(signed_headers.join(";").as_bytes());
    out.extend_from_slice(hex(&parts.body_sha256).as_bytes());
    Ok(out)
}

fn path(raw: &str) -> Result<String, ClaimFault> {
    if raw.len() > MAX_BYTES {
        return Err(ClaimFault::TooLong { part: "path" });
    }
    if raw.is_empty() || raw == "/" {
        return Ok("/".to_owned());
    }
    let segments = raw.strip_prefix('/').ok_or(ClaimFault::Path)?;
    let ambiguous = |segment: &str| {
        decode(segment).is_none_or(|bytes| matches!(&bytes[..], b"" | b"." | b".."))
    };
    if segments.split('/').any(ambiguous) {
        return Err(ClaimFault::Path);
    }
    Ok(encode(raw.as_bytes(), b"/"))
}

fn query(raw: &str) -> Result<String, ClaimFault> {
    if raw.len() > MAX_BYTES || raw.split('&').count() > MAX_PAIRS {
        return Err(ClaimFault::TooLong { part: "query" });
    }
    let recode = |text| decode(text).map(|bytes| encode(&bytes, b"")).ok_or(ClaimFault::Query);
    let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((recode(name)?, recode(value)?))
    });
    let mut pairs = pairs.collect::<Result<Vec<_>, ClaimFault>>()?;
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(pairs.join("&"))
}

/// Each signed header on a line of its own, values in order of arrival.
fn headers(parts: &RequestParts<'_>, signed: &[&str]) -> Result<Vec<u8>, ClaimFault> {
    let mut out = Vec::new();
    for name in signed {
        let mut values = parts.headers.iter().filter(|(header, _)| header == name).peekable();
        if values.peek().is_none() {
            return Err(ClaimFault::Absent { header: (*name).to_owned() });
        }
        out.extend_from_slice(name.as_bytes());
        for (index, (_, value)) in values.enumerate() {
            out.push(if index == 0 { b':' } else { b',' });
            fold(value, &mut out);
        }
        out.push(b'\n');
        if out.len() > MAX_HEADER_BYTES {
            return Err(ClaimFault::TooLong { part: "header" });
        }
    }
    Ok(out)
}

/// Without white space at the ends, and with one space for each run of it inside.
fn fold(value: &[u8], out: &mut Vec<u8>) {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// Undoes percent-encoding; `None` for a broken escape.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            out.push(u8::try_from(value).expect("two hex digits are one byte"));
        } else {
            out.push(byte);
        }
    }
    Some(out)
}

/// Percent-encodes all but RFC 3986's unreserved characters and `keep`, in upper-case hex.
fn encode(bytes: &[u8], keep: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}
