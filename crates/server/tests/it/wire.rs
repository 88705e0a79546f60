//! HTTP/1.1 by hand: requests exactly as a test wants them, answers in parts.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use keystead_crypto::Secret;
use keystead_service::sigv4::{self, RequestParts, Scope};
use serde_json::Value;

use crate::world::{World, amz_date};

/// A request before it is signed.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) region: String,
    pub(crate) service: &'static str,
    pub(crate) date: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Call {
    /// An operation of the KMS protocol.
    pub(crate) fn kms(operation: &str, body: &Value) -> Self {
        Self::new("POST", "/", "kms", body.to_string().as_bytes())
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", &format!("TrentService.{operation}"))
    }

    /// A form of the query protocol.
    pub(crate) fn sts(form: &str) -> Self {
        Self::new("POST", "/", "sts", form.as_bytes())
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
    }

    /// A route of `/v1`.
    pub(crate) fn v1(method: &'static str, target: &str, body: &Value) -> Self {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Self::new(method, target, "keystead", body.as_bytes())
            .header("content-type", "application/json")
    }

    pub(crate) fn new(
        method: &'static str,
        target: &str,
        service: &'static str,
        body: &[u8],
    ) -> Self {
        let (target, body) = (target.to_owned(), body.to_vec());
        let (headers, region) = (Vec::new(), "eu-central-1".to_owned());
        Self { method, target, headers, body, region, service, date: amz_date() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    /// With the signature of the world's access key.
    pub(crate) fn signed(self, world: &World) -> Self {
        let (id, secret) = (&world.access.access_key_id, &world.access.secret_access_key);
        self.signed_by(id, secret)
    }

    pub(crate) fn signed_by(mut self, id: &str, secret: &Secret<40>) -> Self {
        let headers: Vec<(&str, &[u8])> = std::iter::once(("host", &b"kms.test"[..]))
            .chain(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
            .collect();
        let (raw_path, raw_query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let parts = RequestParts {
            method: self.method,
            raw_path,
            raw_query,
            headers: &headers,
            body_sha256: sigv4::body_sha256(&self.body),
        };
        let scope = Scope {
            date: self.date[..8].to_owned(),
            region: self.region.clone(),
            service: self.service.to_owned(),
        };
        let added = sigv4::sign(secret, id, &scope, &self.date, &parts).unwrap();
        self.headers.extend(added);
        self
    }

    pub(crate) fn send(&self, world: &World) -> Answer {
        exchange(world, &self.bytes())
    }

    /// As it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: kms.test\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\nconnection: close\r\n\r\n", self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Status and `__type` of an AWS error.
    pub(crate) fn exception(&self) -> (u16, String) {
        (self.status, self.json()["__type"].as_str().unwrap_or_default().to_owned())
    }

    /// Status and kind of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        let problem = self.json();
        let kind = problem["type"].as_str().unwrap().strip_prefix("urn:keystead:error:");
        (self.status, kind.unwrap().to_owned())
    }
}

/// Sends bytes as they are and reads until the server closes.
pub(crate) fn exchange(world: &World, bytes: &[u8]) -> Answer {
    exchange_at(world.at, bytes)
}

/// The same at another address.
pub(crate) fn exchange_at(at: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(at).unwrap();
    // The server may answer and close before it has read all.
    let _ = stream.write_all(bytes);
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read);
    parse(&read)
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|at| at == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}
