//! Signs one request of either front, with our own signature: for a client to send, or as the bytes
//! that a load generator sends again and again.
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
#[derive(Debug)]
pub struct Unsigned<'u> {
    /// In upper case.
    pub method: &'u str,
    /// Its segments are encoded already.
    pub path: &'u str,
    /// Names in lower case; neither `host` nor a length.
    pub headers: &'u [(&'u str, &'u str)],
    /// The region and service of the scope.
    pub scope: (&'u str, &'u str),
    /// As it goes over the wire.
    pub body: Vec<u8>,
}

impl Unsigned<'_> {
    /// The request to the server at `endpoint`.
    pub(crate) fn sign(self, endpoint: &str, access: &Access) -> Request<Vec<u8>> {
        let mut request =
            Request::builder().method(self.method).uri(format!("{endpoint}{}", self.path));
        for (name, value) in self.signed_headers(endpoint, access) {
            request = request.header(name, value);
        }
        request.body(self.body).expect("endpoint and headers are plain text")
    }

    /// The request as it goes over the wire (HTTP/1.1). It is good for as long as its date is.
    #[must_use]
    pub fn bytes(self, endpoint: &str, access: &Access) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in self.signed_headers(endpoint, access) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The given headers, `host`, and those that sign them.
    fn signed_headers(&self, endpoint: &str, access: &Access) -> Vec<(String, String)> {
        let host = endpoint.trim_start_matches("http://");
        let mut headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        headers.push(("host", host.as_bytes()));
        let parts = RequestParts {
            method: self.method,
            raw_path: self.path,
            raw_query: "",
            headers: &headers,
            body_sha256: sha256(&self.body),
        };
        let now = amz_date(unix_seconds());
        let (region, service) = self.scope;
        let scope =
            Scope { date: now[..8].to_owned(), region: region.into(), service: service.into() };
        let added = sign(&access.secret, &access.id, &scope, &now, &parts);
        let given = self.headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let mut all: Vec<(String, String)> = given.collect();
        all.push(("host".to_owned(), host.to_owned()));
        all.extend(added.expect("the parts are in normal form"));
        all
    }
}

/// Zero before 1970: the server then says that the clock is wrong.
fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
