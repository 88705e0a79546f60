//! A client of the AWS front that owes nothing to AWS: our own signature, one request, one answer.
//!
//! Invariant: a request is sent once; whoever tries again decides that.

use std::time::Duration;

use keystead_crypto::Secret;
use serde_json::Value;
use thiserror::Error;
use ureq::{Agent, http::Request};

use crate::{answered::Answered, signed::Unsigned};

/// An access key.
#[derive(Debug)]
pub struct Access {
    /// Its public half.
    pub id: String,
    pub(crate) secret: Secret<40>,
}

/// A client of one server.
#[derive(Debug)]
pub struct Kms<'a> {
    endpoint: String,
    access: &'a Access,
    region: &'static str,
    agent: Agent,
}

/// Why a request has no good answer.
#[derive(Debug, Error)]
pub enum CallFailed {
    /// No answer came.
    #[error("{operation}: no answer: {source}")]
    Silence {
        /// What was asked.
        operation: String,
        /// What the connection said.
        source: Box<ureq::Error>,
    },
    /// The server refused.
    #[error("{operation}: {code} ({status}): {message}")]
    Refused {
        /// What was asked.
        operation: String,
        /// The HTTP status.
        status: u16,
        /// The exception's name.
        code: String,
        /// Its message; empty where there is none.
        message: String,
    },
    /// The answer is not of the KMS protocol.
    #[error("{operation}: an answer that is no JSON object (status {status})")]
    Foreign {
        /// What was asked.
        operation: String,
        /// The HTTP status.
        status: u16,
    },
}

impl Access {
    /// The same access key with a secret that is not its own.
    #[must_use]
    pub fn forged(&self) -> Self {
        Self { id: self.id.clone(), secret: Secret::from_slice(&[b'x'; 40]).expect("40 bytes") }
    }

    /// From the object that `init --json` and `restore run --json` print.
    #[must_use]
    pub fn of(answer: &Value) -> Option<Self> {
        let id = answer.get("access_key_id")?.as_str()?.to_owned();
        let secret = answer.get("secret_access_key")?.as_str()?;
        Some(Self { id, secret: Secret::from_slice(secret.as_bytes())? })
    }

    /// With the secret as text, for the environment of another client.
    pub fn expose<R>(&self, look: impl FnOnce(&str) -> R) -> R {
        self.secret.expose(|secret| look(std::str::from_utf8(secret).expect("it came as text")))
    }
}

impl<'a> Kms<'a> {
    /// A client of the server at `endpoint`, in the region `us-east-1`.
    #[must_use]
    pub fn new(endpoint: &str, access: &'a Access) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)));
        let agent = config.build().into();
        Self { endpoint: endpoint.to_owned(), access, region: "us-east-1", agent }
    }

    /// Calls an operation.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub fn call(&self, operation: &str, body: &Value) -> Result<Value, CallFailed> {
        let Answered { status, body, .. } = self.ask(operation, body.to_string().into_bytes())?;
        if status == 200 { Ok(body) } else { Err(refused(operation, status, &body)) }
    }

    /// Sends any body to an operation, and takes any answer.
    ///
    /// # Errors
    /// [`CallFailed`], a refusal apart.
    pub fn ask(&self, operation: &str, body: Vec<u8>) -> Result<Answered, CallFailed> {
        Answered::of(operation, &self.agent, self.signed(operation, body))
    }

    /// The signed request as it goes over the wire, head and body, for whoever sends it in pieces.
    #[must_use]
    pub fn on_the_wire(&self, operation: &str, body: &Value, more: &str) -> (String, Vec<u8>) {
        let (parts, body) = self.signed(operation, body.to_string().into_bytes()).into_parts();
        let mut head = format!("{} {} HTTP/1.1\r\n", parts.method, parts.uri.path());
        for (name, value) in &parts.headers {
            let value = value.to_str().expect("our headers are plain text");
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n{more}\r\n", body.len()));
        (head, body)
    }

    fn signed(&self, operation: &str, body: Vec<u8>) -> Request<Vec<u8>> {
        let target = format!("TrentService.{operation}");
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let scope = (self.region, "kms");
        Unsigned { method: "POST", path: "/", headers: &headers, scope, body }
            .sign(&self.endpoint, self.access)
    }
}

fn refused(operation: &str, status: u16, answer: &Value) -> CallFailed {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    CallFailed::Refused {
        operation: operation.to_owned(),
        status,
        code: text("__type"),
        message: text("message"),
    }
}
