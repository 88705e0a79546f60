//! One oracle for each parser: what parses must write back to the same bytes, and what we sign
//! must verify.
//!
//! Invariant: every function takes any bytes at all and never panics for another reason than a
//! broken oracle; none of them derives a key from a passphrase. Property tests drive them for
//! seconds, a fuzzer for days.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    Body, CipherContext, CipherKey, CipherKind, KeyVersion, MasterWrap, RecipientKey,
    RecipientSeed, SealContext, SealKey, Sealed, Secret, Signature, VerifyingKey,
    hash::sha256,
    open_stream, seal,
    sigv4::{self, Claim, RequestParts, Scope},
};

/// Ciphertexts, sealed values, streams, boxes and signatures from a stranger: none opens.
///
/// # Panics
/// Where a stranger's bytes open, or what parsed is kept as other bytes.
pub fn sealed(bytes: &[u8]) {
    let key = || Secret::from_slice(&[7; 32]).expect("32 bytes");
    let id = KeyVersion { key: [1; 16], version: [2; 8] };
    let context = CipherContext::new(CipherKind::Message, &[3; 16], &BTreeMap::new());
    let opened = CipherKey::new(id, &key()).decrypt(&context, bytes);
    assert!(opened.is_err(), "a stranger's ciphertext");
    if let Ok(value) = Sealed::<Body>::from_bytes(bytes.to_vec()) {
        assert_eq!(value.as_bytes(), bytes, "a sealed value keeps its bytes");
        let place = SealContext::new(&[3; 16], "key", &[], 0);
        let master = SealKey::<MasterWrap>::new(value.sealed_under(), &key());
        assert!(master.open(&place, &value).is_err(), "a stranger's sealed value");
    }
    assert!(open_stream(&key(), &[4; 32], bytes).is_err(), "a stranger's stream");
    assert!(RecipientSeed::new(key()).open("info", &[], bytes).is_err(), "a stranger's box");
    if let Ok(public) = RecipientKey::from_bytes(bytes) {
        assert_eq!(public.as_bytes(), bytes, "a public half keeps its bytes");
    }
    if let Some((signature, signed)) = bytes.split_first_chunk::<64>() {
        let by = VerifyingKey([5; 32]);
        assert!(by.verify("kit", signed, &Signature(*signature)).is_err());
    }
}

/// Seal slots, also with their checksum made right.
///
/// # Panics
/// Where a header that parsed writes back to other bytes.
pub fn seal_slot(bytes: &[u8]) {
    seal::slot_survives(bytes);
    seal::slot_survives(&[bytes, &sha256(bytes)].concat());
}

/// A request as lines: method and path, a header a line, an empty line, the body.
///
/// # Panics
/// Where a claim verifies under a key that did not make it, or what we sign does not verify.
pub fn request(bytes: &[u8]) {
    let (head, body) = split(bytes);
    with_parts(&head, body, |parts| {
        if let Ok(claim) = sigv4::claim(parts) {
            check_claim(&claim);
        }
        sign_and_read(parts);
    });
}

fn split(bytes: &[u8]) -> (Cow<'_, str>, &[u8]) {
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    (String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 2..).unwrap_or_default())
}

fn with_parts<R>(head: &str, body: &[u8], look: impl FnOnce(&RequestParts<'_>) -> R) -> R {
    let mut lines = head.split('\n');
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or_default();
    let (raw_path, raw_query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<_> = pairs.map(|(name, value)| (name, value.as_bytes())).collect();
    let (headers, body_sha256) = (&headers[..], sha256(body));
    look(&RequestParts { method, raw_path, raw_query, headers, body_sha256 })
}

fn check_claim(claim: &Claim) {
    let key = sigv4::signing_key(&secret(), &claim.scope);
    assert!(!sigv4::verify(&key, claim), "a stranger's signature");
    let text = String::from_utf8(claim.string_to_sign.clone()).expect("it is text");
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(lines.len(), 4, "what is signed cannot be read in two ways");
    assert_eq!(lines[1], sigv4::amz_date(claim.signed_at), "the date that is signed");
    assert_eq!(lines[2], claim.scope.to_string(), "the scope that is signed");
}

fn sign_and_read(parts: &RequestParts<'_>) {
    let ours = |name: &str| matches!(name, "authorization" | "x-amz-date");
    let kept = parts.headers.iter().filter(|(name, _)| !ours(name));
    let mut headers: Vec<(&str, &[u8])> = kept.copied().collect();
    let scope = Scope { date: "20261122".into(), region: "eu-1".into(), service: "kms".into() };
    let bare = RequestParts { headers: &headers, ..*parts };
    let Ok(added) = sigv4::sign(&secret(), "AKIDEXAMPLE", &scope, "20261122T030000Z", &bare) else {
        return;
    };
    headers.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let signed = RequestParts { headers: &headers, ..*parts };
    let claim = sigv4::claim(&signed).expect("what we signed can be read");
    assert!(sigv4::verify(&sigv4::signing_key(&secret(), &scope), &claim), "our signature");
}

fn secret() -> Secret<40> {
    Secret::from_slice(&[b's'; 40]).expect("40 bytes")
}

#[cfg(test)]
mod tests;
