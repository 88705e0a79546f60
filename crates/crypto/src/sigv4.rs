//! AWS Signature Version 4: what a request claims, whether a secret made that claim, and how we
//! sign our own requests.
//!
//! Invariant: [`claim`] is pure and knows no secret; what it returns binds method, path, query, all
//! `x-amz-*` headers and the real digest of the body, so that nothing that a front reads from a
//! request can change under a signature. It refuses what two readers could read differently
//! (repeated or unsorted parts, dot segments, unsigned payloads). Time, key lookup and the choice
//! of service are the caller's. Source: AWS, "Signature Version 4 signing process".

mod authorization;
mod canonical;
mod stamp;
#[cfg(test)]
mod tests;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    Secret,
    bytes::to_hex as hex,
    hash::{hmac_sha256, same, sha256},
};

pub use stamp::amz_date;

/// The only algorithm that is signed and accepted.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last part of every credential scope.
const TERMINATOR: &str = "aws4_request";

/// For what day, region and service a signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The day in UTC, `YYYYMMDD`.
    pub date: String,
    /// A region, 1 to 64 of `A-Z a-z 0-9 -`.
    pub region: String,
    /// A service, 1 to 64 of `A-Z a-z 0-9 -`.
    pub service: String,
}

/// What a request says about who signed it, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which access key it names: 1 to 128 of `A-Z a-z 0-9 _`.
    pub access_key_id: String,
    /// For what it was signed.
    pub scope: Scope,
    /// When it says it was signed, in seconds since the Unix epoch.
    pub signed_at: i64,
    /// What the signature covers.
    pub string_to_sign: Vec<u8>,
    /// The signature.
    pub signature: [u8; 32],
}

/// The parts of a request that a signature covers, as they are on the wire.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path, not decoded; empty means `/`.
    pub raw_path: &'a str,
    /// The query without its `?`, not decoded; empty where there is none.
    pub raw_query: &'a str,
    /// Names in lower case, with their values in order of arrival.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// SHA-256 of the body as it is on the wire.
    pub body_sha256: [u8; 32],
}

/// Why a request makes no claim that could be verified.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClaimFault {
    /// It has no `Authorization` header. Presigned URLs are not accepted and count as this.
    #[error("the request has no Authorization header")]
    Missing,
    /// A header that must be there once is there twice.
    #[error("header `{header}` occurs more than once")]
    Repeated {
        /// Which.
        header: &'static str,
    },
    /// The `Authorization` header names another algorithm.
    #[error("the Authorization header names another algorithm than AWS4-HMAC-SHA256")]
    Algorithm,
    /// A part of the `Authorization` header is absent or cannot be read.
    #[error("the Authorization header lacks a readable `{part}`")]
    Incomplete {
        /// Which: `Credential`, `SignedHeaders` or `Signature`.
        part: &'static str,
    },
    /// A header that a signature must cover is absent or not covered.
    #[error("header `{header}` is not signed")]
    NotSigned {
        /// Which.
        header: String,
    },
    /// The signature covers a header that the request does not have.
    #[error("signed header `{header}` is absent")]
    Absent {
        /// Which.
        header: String,
    },
    /// `x-amz-date` (or `date`) is no instant.
    #[error("`x-amz-date` is no instant of the form YYYYMMDDTHHMMSSZ")]
    Instant,
    /// The credential scope is for another day than the request's date.
    #[error("the credential scope names another day than `x-amz-date`")]
    OtherDay,
    /// `x-amz-content-sha256` is not the digest of the body.
    #[error("`x-amz-content-sha256` is not the digest of the body")]
    PayloadHash,
    /// The request carries a session token; none are issued here.
    #[error("session tokens are not known here")]
    SessionToken,
    /// The path has empty or dot segments or a broken escape.
    #[error("the path is not in normal form")]
    Path,
    /// The query has a broken escape.
    #[error("the query has a broken escape")]
    Query,
    /// A part is longer than any lawful request's.
    #[error("the {part} is too long")]
    TooLong {
        /// Which.
        part: &'static str,
    },
}

/// The digest of a body that [`RequestParts`] wants, for callers that have no other use of hashes.
#[must_use]
pub fn body_sha256(body: &[u8]) -> [u8; 32] {
    sha256(body)
}

/// Reads what `parts` claims.
///
/// # Errors
/// [`ClaimFault`].
pub fn claim(parts: &RequestParts<'_>) -> Result<Claim, ClaimFault> {
    let text = one_header(parts, "authorization")?.ok_or(ClaimFault::Missing)?;
    let authorization = authorization::parse(text)?;
    if one_header(parts, "x-amz-security-token")?.is_some() {
        return Err(ClaimFault::SessionToken);
    }
    require_signed(parts, &authorization.signed_headers)?;
    let signed_at = signed_at(parts, &authorization.signed_headers)?;
    let amz_date = amz_date(signed_at);
    if authorization.scope.date != amz_date[..8] {
        return Err(ClaimFault::OtherDay);
    }
    check_payload_hash(parts)?;
    let canonical = canonical::request(parts, &authorization.signed_headers)?;
    Ok(Claim {
        string_to_sign: string_to_sign(&amz_date, &authorization.scope, &canonical),
        access_key_id: authorization.access_key_id.to_owned(),
        scope: authorization.scope,
        signed_at,
        signature: authorization.signature,
    })
}

/// The key that signs within `scope`; it is worth caching for the scope's day.
#[must_use]
pub fn signing_key(secret: &Secret<40>, scope: &Scope) -> Secret<32> {
    let first = secret.expose(|secret| {
        let mut key = Zeroizing::new([0; 44]);
        key[..4].copy_from_slice(b"AWS4");
        key[4..].copy_from_slice(secret);
        Zeroizing::new(hmac_sha256(&*key, &[scope.date.as_bytes()]))
    });
    let rest = [&scope.region, &scope.service, TERMINATOR];
    let last =
        rest.iter().fold(first, |key, part| Zeroizing::new(hmac_sha256(&*key, &[part.as_bytes()])));
    Secret::init_with(|place| place.copy_from_slice(&*last))
}

/// Whether `signing_key` made the claim's signature; in constant time.
#[must_use]
pub fn verify(signing_key: &Secret<32>, claim: &Claim) -> bool {
    let expected = signing_key.expose(|key| hmac_sha256(key, &[&claim.string_to_sign]));
    same(&expected, &claim.signature)
}

/// The headers to add to a request: `x-amz-date` and `authorization`. Every header of `parts` is
/// signed, so `parts` has `host` and leaves out what the way may change.
///
/// # Errors
/// [`ClaimFault`] where nobody could verify the outcome: no `host`, a path that is not in normal
/// form, a date that is none, a scope of another day.
pub fn sign(
    secret: &Secret<40>,
    access_key_id: &str,
    scope: &Scope,
    amz_date: &str,
    parts: &RequestParts<'_>,
) -> Result<Vec<(String, String)>, ClaimFault> {
    let mut headers = parts.headers.to_vec();
    headers.push(("x-amz-date", amz_date.as_bytes()));
    let dated = RequestParts { headers: &headers, ..*parts };
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    let string_to_sign = string_to_sign(amz_date, scope, &canonical::request(&dated, &names)?);
    let signature = signing_key(secret, scope).expose(|key| hmac_sha256(key, &[&string_to_sign]));
    let authorization = authorization::print(access_key_id, scope, &names, &signature);
    headers.push(("authorization", authorization.as_bytes()));
    claim(&RequestParts { headers: &headers, ..*parts })?;
    Ok(vec![
        ("x-amz-date".to_owned(), amz_date.to_owned()),
        ("authorization".to_owned(), authorization),
    ])
}

/// The value of a header that occurs at most once.
fn one_header<'a>(
    parts: &RequestParts<'a>,
    header: &'static str,
) -> Result<Option<&'a [u8]>, ClaimFault> {
    let mut values = parts.headers.iter().filter(|(name, _)| *name == header);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(ClaimFault::Repeated { header }),
        (found, None) => Ok(found.map(|(_, value)| *value)),
    }
}

/// Whoever could change an unsigned `x-amz-target` could change the operation.
fn require_signed(parts: &RequestParts<'_>, signed: &[&str]) -> Result<(), ClaimFault> {
    let must =
        |name: &&str| matches!(*name, "host" | "idempotency-key") || name.starts_with("x-amz-");
    let present = parts.headers.iter().map(|(name, _)| *name).filter(must);
    let unsigned = std::iter::once("host").chain(present).find(|name| !signed.contains(name));
    if let Some(header) = unsigned {
        return Err(ClaimFault::NotSigned { header: header.to_owned() });
    }
    one_header(parts, "host").map(|_| ())
}

fn signed_at(parts: &RequestParts<'_>, signed: &[&str]) -> Result<i64, ClaimFault> {
    if let Some(value) = one_header(parts, "x-amz-date")? {
        return stamp::parse_amz_date(value).ok_or(ClaimFault::Instant);
    }
    let date = one_header(parts, "date")?.filter(|_| signed.contains(&"date"));
    let date = date.ok_or(ClaimFault::NotSigned { header: "x-amz-date".to_owned() })?;
    stamp::parse_amz_date(date).or_else(|| stamp::parse_http_date(date)).ok_or(ClaimFault::Instant)
}

fn check_payload_hash(parts: &RequestParts<'_>) -> Result<(), ClaimFault> {
    let declared = one_header(parts, "x-amz-content-sha256")?;
    let real = hex(&parts.body_sha256);
    if declared.is_none_or(|declared| declared == real.as_bytes()) {
        Ok(())
    } else {
        Err(ClaimFault::PayloadHash)
    }
}

fn string_to_sign(amz_date: &str, scope: &Scope, canonical_request: &[u8]) -> Vec<u8> {
    let digest = hex(&sha256(canonical_request));
    format!("{ALGORITHM}\n{amz_date}\n{scope}\n{digest}").into_bytes()
}

/// As it stands in a credential: `YYYYMMDD/region/service/aws4_request`.
impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}
