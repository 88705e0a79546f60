//! HTTP by hand: what has no signature, and what is sent in pieces.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use keystead_driver::Kms;
use serde_json::Value;

/// The status and body of a GET, asked for with these headers.
pub(crate) fn ask(url: &str, path: &str, headers: &str) -> (u16, String) {
    let mut stream = connect(url);
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, unchunked(head, body))
}

/// The same without further headers.
pub(crate) fn show(url: &str, path: &str) -> (u16, String) {
    ask(url, path, "")
}

fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap()
}

fn unchunked(head: &str, body: &str) -> String {
    assert!(!head.to_lowercase().contains("transfer-encoding"), "answers are whole: {head}");
    body.to_owned()
}

/// A request whose head the server has read and whose body it waits for.
pub(crate) struct Held {
    stream: TcpStream,
    body: Vec<u8>,
}

impl Held {
    /// Sends the head and waits until the server asks for the body.
    pub(crate) fn send(kms: &Kms<'_>, endpoint: &str, operation: &str, body: &Value) -> Self {
        let more = "expect: 100-continue\r\nconnection: close\r\n";
        let (head, body) = kms.on_the_wire(operation, body, more);
        let mut stream = connect(endpoint);
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 100 Continue"), "{:?}", &answer[..read]);
        Self { stream, body }
    }

    /// Sends the body and returns the answer.
    pub(crate) fn finish(mut self) -> (u16, String) {
        self.stream.write_all(&self.body).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}
