//! Signs one request of either front, with our own signature.
//!
//! Invariant: every header that is given is signed.

use std::time::SystemTime;

use keystead_crypto::{
    hash::sha256,
    sigv4::{RequestParts, Scope, amz_date, sign},
};
use ureq::http::Request;

use crate::Access;

/// What is to be signed.
pub(crate) struct Unsigned<'u> {
    pub(crate) method: &'u str,
    /// Its segments are encoded already.
    pub(crate) path: &'u str,
    pub(crate) headers: &'u [(&'u str, &'u str)],
    /// The region and service of the scope.
    pub(crate) scope: (&'u str, &'u str),
    pub(crate) body: Vec<u8>,
}

impl Unsigned<'_> {
    /// The request to the server at `endpoint`.
    pub(crate) fn sign(self, endpoint: &str, access: &Access) -> Request<Vec<u8>> {
        let Self { method, path, headers, scope: (region, service), body } = self;
        let host = endpoint.trim_start_matches("http://");
        let mut all: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        all.push(("host", host.as_bytes()));
        let parts = RequestParts {
            method,
            raw_path: path,
            raw_query: "",
            headers: &all,
            body_sha256: sha256(&body),
        };
        let now = amz_date(unix_seconds());
        let scope =
            Scope { date: now[..8].to_owned(), region: region.into(), service: service.into() };
        let added = sign(&access.secret, &access.id, &scope, &now, &parts);
        let mut request = Request::builder().method(method).uri(format!("{endpoint}{path}"));
        for (name, value) in all {
            request = request.header(name, value);
        }
        for (name, value) in added.expect("the parts are in normal form") {
            request = request.header(name, value);
        }
        request.body(body).expect("endpoint and headers are plain text")
    }
}

/// Zero before 1970: the server then says that the clock is wrong.
fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
