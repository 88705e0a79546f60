//! A client of `/v1`: one signed request, one answer.
//!
//! Invariant: a request is sent once; whoever tries again decides that.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::{Access, CallFailed, answered::Answered, signed::Unsigned};

/// A client of one server.
#[derive(Debug)]
pub struct Native<'a> {
    endpoint: String,
    access: &'a Access,
    agent: Agent,
}

impl<'a> Native<'a> {
    /// A client of the server at `endpoint`.
    #[must_use]
    pub fn new(endpoint: &str, access: &'a Access) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)));
        Self { endpoint: endpoint.to_owned(), access, agent: config.build().into() }
    }

    /// Calls a route; `path` begins with `/v1` and its segments are encoded.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, CallFailed> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let Answered { status, body: answer, .. } = self.ask(method, path, body)?;
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let operation = format!("{method} {path}");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        let (code, message) = (text("type"), text("detail"));
        Err(CallFailed::Refused { operation, status, code, message })
    }

    /// Sends any body to a route, and takes any answer.
    ///
    /// # Errors
    /// [`CallFailed`], a refusal apart.
    pub fn ask(&self, method: &str, path: &str, body: Vec<u8>) -> Result<Answered, CallFailed> {
        let headers = [("content-type", "application/json")];
        let scope = ("local", "keystead");
        let request = Unsigned { method, path, headers: &headers, scope, body };
        let request = request.sign(&self.endpoint, self.access);
        Answered::of(&format!("{method} {path}"), &self.agent, request)
    }
}

/// A path segment, percent-encoded but for RFC 3986's unreserved characters.
#[must_use]
pub fn segment(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
