//! Signs one request, sends it, reads the answer.
//!
//! Invariant: a request is sent once. What may have happened is reported and not tried again: only
//! the person knows whether a second key would do harm. Bodies of both directions wipe themselves,
//! since any of them may hold a data key.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use keystead_crypto::{
    hash::sha256,
    sigv4::{ClaimFault, RequestParts, Scope, amz_date, sign},
};
use serde::de::DeserializeOwned;
use thiserror::Error;
use ureq::http::{Request, Response, StatusCode};
use ureq::{Agent, Body};
use zeroize::Zeroizing;

use crate::client::problem::Problem;
use crate::client::{Endpoint, Profile};
use crate::exit::{Exit, Explained};

/// The largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// How long a connection may take: a server that is there answers at once.
const CONNECT: Duration = Duration::from_secs(5);

/// A client of one server.
pub(crate) struct Client {
    profile: Profile,
    endpoint: Endpoint,
    timeout: Duration,
    agent: Agent,
}

/// Pairs of a query, not yet encoded.
type Query<'q> = &'q [(&'q str, &'q str)];

/// What a request with a JSON body says of it.
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// Whether what a PUT names was made by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was.
    Made,
    /// It was there before.
    Found,
}

/// Why a call has no answer.
#[derive(Debug, Error)]
pub(crate) enum CallFailed {
    /// Nobody listens there.
    #[error("no server answers at {endpoint}")]
    Refused {
        /// Where.
        endpoint: Endpoint,
    },
    /// The connection failed otherwise.
    #[error("cannot reach {endpoint}: {source}")]
    Unreachable {
        /// Where.
        endpoint: Endpoint,
        /// What the system or the protocol said.
        source: Box<ureq::Error>,
    },
    /// The answer did not come in time.
    #[error("{endpoint} did not answer within {} s", .timeout.as_secs())]
    TimedOut {
        /// Where.
        endpoint: Endpoint,
        /// How long it was waited for.
        timeout: Duration,
    },
    /// The request cannot be signed.
    #[error("the request cannot be signed: {0}")]
    Unsigned(#[from] ClaimFault),
    /// The server refused.
    #[error("{}", .0.message)]
    Answered(Problem),
    /// Something else answers there.
    #[error("what answers at {endpoint} is not a Keystead server (status {status})")]
    NotOurs {
        /// Where.
        endpoint: Endpoint,
        /// The HTTP status.
        status: u16,
    },
    /// The answer has not the form that this version reads.
    #[error("the answer of {endpoint} cannot be read: {source}")]
    Answer {
        /// Where.
        endpoint: Endpoint,
        /// What the reader says.
        source: serde_json::Error,
    },
}

impl CallFailed {
    /// Whether no server took the request, so that something else may speak for it.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Unreachable { .. } | Self::TimedOut { .. })
    }
}

impl Explained for CallFailed {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } | Self::Unreachable { .. } | Self::TimedOut { .. } => {
                Exit::Unavailable
            }
            Self::Unsigned(_) => Exit::Usage,
            Self::Answered(problem) => problem.exit(),
            Self::NotOurs { .. } | Self::Answer { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => Some("is `keystead serve` running?".to_owned()),
            Self::TimedOut { .. } => Some(
                "whether it happened is not known: look before you repeat the command".to_owned(),
            ),
            Self::NotOurs { .. } => {
                Some("check `--endpoint` and the profile's endpoint".to_owned())
            }
            Self::Answered(problem) => match (&problem.hint, &problem.request) {
                (Some(hint), _) => Some(hint.clone()),
                (None, Some(request)) => Some(format!("the server's record has it as {request}")),
                (None, None) => None,
            },
            _ => None,
        }
    }
}

impl Client {
    /// Of the profile's server, or of `endpoint` where it is given; each call waits for `timeout`.
    pub(crate) fn new(profile: Profile, endpoint: Option<Endpoint>, timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("keystead/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT.min(timeout)))
            .timeout_global(Some(timeout));
        let endpoint = endpoint.unwrap_or_else(|| profile.endpoint.clone());
        Self { profile, endpoint, timeout, agent: config.build().into() }
    }

    /// Reads what is at `path`, whose segments are encoded already.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
    ) -> Result<T, CallFailed> {
        self.parsed(&self.call("GET", path, query, &[], &[])?.1)
    }

    /// Makes what `body` says at `path`.
    pub(crate) fn create<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, CallFailed> {
        self.send("POST", path, body)
    }

    /// Puts `body`, which is JSON already, at `path`.
    pub(crate) fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &[u8],
    ) -> Result<(Origin, T), CallFailed> {
        let (status, answer) = self.call("PUT", path, &[], &JSON, body)?;
        let made = status == StatusCode::CREATED;
        Ok((if made { Origin::Made } else { Origin::Found }, self.parsed(&answer)?))
    }

    /// Sends `body` to `path`.
    pub(crate) fn send<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, CallFailed> {
        let body = Zeroizing::new(body.to_string());
        self.parsed(&self.call(method, path, &[], &JSON, body.as_bytes())?.1)
    }

    /// Deletes what is at `path`.
    pub(crate) fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallFailed> {
        self.parsed(&self.call("DELETE", path, &[], &[], &[])?.1)
    }

    /// The root key of the instance that the profile belongs to.
    pub(crate) fn root_public_key(&self) -> &[u8; 32] {
        &self.profile.root_public_key
    }

    /// The typed form of what the server answered.
    pub(crate) fn typed<T: DeserializeOwned>(
        &self,
        answer: serde_json::Value,
    ) -> Result<T, CallFailed> {
        serde_json::from_value(answer)
            .map_err(|source| CallFailed::Answer { endpoint: self.endpoint.clone(), source })
    }

    fn parsed<T: DeserializeOwned>(&self, answer: &[u8]) -> Result<T, CallFailed> {
        serde_json::from_slice(answer)
            .map_err(|source| CallFailed::Answer { endpoint: self.endpoint.clone(), source })
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        query: Query<'_>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<(StatusCode, Zeroizing<Vec<u8>>), CallFailed> {
        let request = self.signed(method, path, &encoded_query(query), headers, body)?;
        let mut response = self.agent.run(request).map_err(|failed| self.failed(failed))?;
        let body = self.body(&mut response)?;
        let status = response.status();
        if status.is_success() {
            return Ok((status, body));
        }
        Err(match Problem::read(status.as_u16(), &body) {
            Some(problem) => CallFailed::Answered(problem),
            None => {
                CallFailed::NotOurs { endpoint: self.endpoint.clone(), status: status.as_u16() }
            }
        })
    }

    fn signed<'b>(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &'b [u8],
    ) -> Result<Request<&'b [u8]>, CallFailed> {
        let mut all = vec![("host", self.endpoint.authority().as_bytes())];
        all.extend(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
        let parts = RequestParts {
            method,
            raw_path: path,
            raw_query: query,
            headers: &all,
            body_sha256: sha256(body),
        };
        let now = amz_date(unix_seconds());
        let scope = Scope {
            date: now[..8].to_owned(),
            region: "local".to_owned(),
            service: "keystead".to_owned(),
        };
        let secret = &self.profile.secret_access_key;
        let added = sign(secret, &self.profile.access_key_id, &scope, &now, &parts)?;
        let target = if query.is_empty() { String::new() } else { format!("?{query}") };
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}{target}", self.endpoint));
        for (name, value) in all {
            request = request.header(name, value);
        }
        for (name, value) in added {
            request = request.header(name, value);
        }
        Ok(request.body(body).expect("endpoint, path, query and headers are encoded"))
    }

    fn body(&self, response: &mut Response<Body>) -> Result<Zeroizing<Vec<u8>>, CallFailed> {
        let length = response.body().content_length().unwrap_or(0).min(MAX_ANSWER_BYTES);
        // Room for all of it, so that no growth leaves a copy behind.
        let room = usize::try_from(length).unwrap_or(0) + 1;
        let mut body = Zeroizing::new(Vec::with_capacity(room));
        let mut limited = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).reader();
        limited.read_to_end(&mut body).map_err(|failed| self.failed(failed.into()))?;
        Ok(body)
    }

    fn failed(&self, failed: ureq::Error) -> CallFailed {
        let endpoint = self.endpoint.clone();
        match failed {
            ureq::Error::Timeout(_) => CallFailed::TimedOut { endpoint, timeout: self.timeout },
            ureq::Error::Io(io) if io.kind() == io::ErrorKind::ConnectionRefused => {
                CallFailed::Refused { endpoint }
            }
            other => CallFailed::Unreachable { endpoint, source: Box::new(other) },
        }
    }
}

/// A path segment or a part of a query, percent-encoded but for RFC 3986's unreserved characters.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn encoded_query(query: Query<'_>) -> String {
    let pairs: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

/// Zero before 1970: the server then says that the clock is wrong.
fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
