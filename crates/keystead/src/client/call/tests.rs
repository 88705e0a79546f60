//! The client against a server of a few lines: what it sends, and what it makes of answers.

use super::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use keystead_crypto::{Secret, sigv4};
use serde_json::{Value, json};

const SECRET: &[u8; 40] = b"abcdefghijklmnopqrstuvwxyz0123456789/+AB";

fn client(address: SocketAddr) -> Client {
    let profile = Profile {
        endpoint: Endpoint::of(address),
        account: "123456789012".parse().unwrap(),
        access_key_id: "AKIATEST".to_owned(),
        secret_access_key: Secret::from_slice(SECRET).unwrap(),
        root_public_key: [7; 32],
    };
    Client::new(profile, None, Duration::from_secs(5))
}

/// Answers one request with `answer` and gives the request's bytes.
fn server(answer: &'static str) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = whole_request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        request
    });
    (address, handle)
}

fn whole_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).unwrap();
        request.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return request;
            }
        }
    }
}

/// Verifies the signature as a server does: by the bytes of the wire alone.
fn verified(request: &[u8]) -> (String, String) {
    let text = std::str::from_utf8(request).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, &[u8])> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_bytes()))
        .collect();
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    let parts = RequestParts {
        method,
        raw_path: path,
        raw_query: query,
        headers: &headers,
        body_sha256: sha256(body.as_bytes()),
    };
    let claim = sigv4::claim(&parts).unwrap();
    let key = sigv4::signing_key(&Secret::from_slice(SECRET).unwrap(), &claim.scope);
    assert!(sigv4::verify(&key, &claim));
    assert_eq!((claim.scope.service.as_str(), claim.scope.region.as_str()), ("keystead", "local"));
    (format!("{method} {target}"), body.to_owned())
}

#[test]
fn a_read_is_signed_over_path_and_query() {
    let (address, server) = server("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}");
    let path = format!("/v1/keys/{}", encoded("arn:aws:kms:x:1:key/ø"));
    let answer: Value = client(address).read(&path, &[("limit", "10"), ("after", "a b")]).unwrap();
    assert_eq!(answer, json!({"a": 1}));
    let (line, _) = verified(&server.join().unwrap());
    assert_eq!(line, "GET /v1/keys/arn%3Aaws%3Akms%3Ax%3A1%3Akey%2F%C3%B8?limit=10&after=a%20b");
}

#[test]
fn a_change_is_signed_over_its_body_and_shows_no_secret() {
    let (address, server) = server("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}");
    let _: Value = client(address).create("/v1/keys", &json!({"description": "ø"})).unwrap();
    let request = server.join().unwrap();
    let (line, body) = verified(&request);
    assert_eq!((line.as_str(), body.as_str()), ("POST /v1/keys", r#"{"description":"ø"}"#));
    let text = String::from_utf8(request).unwrap().to_ascii_lowercase();
    assert!(text.contains("content-type: application/json"));
    assert!(!text.contains("abcdefghij"), "the secret half is on the wire");
}

#[test]
fn a_put_is_signed_over_its_body_and_says_whether_it_made_something() {
    for (answer, origin) in [
        ("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}", Origin::Made),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", Origin::Found),
    ] {
        let (address, server) = server(answer);
        let path = format!("/v1/wraps/{}", encoded("scan 17/ø"));
        let put = client(address).put::<Value>(&path, br#"{"bytes":32}"#).unwrap();
        assert_eq!(put, (origin, json!({})));
        let (line, body) = verified(&server.join().unwrap());
        assert_eq!(line, "PUT /v1/wraps/scan%2017%2F%C3%B8");
        assert_eq!(body, r#"{"bytes":32}"#);
    }
}

#[test]
fn an_answer_of_unknown_length_is_read_to_its_end() {
    let (address, server) = server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"a\":1}");
    let answer: Value = client(address).read("/v1/keys", &[]).unwrap();
    server.join().unwrap();
    assert_eq!(answer, json!({"a": 1}));
}

fn failure(answer: &'static str) -> CallFailed {
    let (address, server) = server(answer);
    let failed = client(address).read::<Value>("/v1/status", &[]).unwrap_err();
    server.join().unwrap();
    failed
}

#[test]
fn a_problem_is_shown_as_the_server_said_it() {
    let failed = failure(
        "HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\n\r\n\
         {\"kind\":\"NotFound\",\"detail\":\"no key\",\"hint\":\"key list\"    }",
    );
    assert_eq!((failed.to_string().as_str(), failed.exit()), ("no key", Exit::NotFound));
    assert_eq!(failed.hint().as_deref(), Some("key list"));
    assert!(!failed.is_silence());
}

#[test]
fn what_is_not_a_keystead_server_is_called_so_and_not_followed() {
    for answer in [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\n<html>",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    ] {
        assert!(matches!(failure(answer), CallFailed::NotOurs { .. }), "{answer}");
    }
    let text = failure("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    assert!(matches!(text, CallFailed::Answer { .. }));
    for answer in ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"] {
        let failed = failure(answer);
        assert!(failed.is_silence() && failed.exit() == Exit::Unavailable, "{failed:?}");
    }
}

#[test]
fn nobody_there_is_a_hint_to_start_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failed = client(address).read::<Value>("/v1/status", &[]).unwrap_err();
    assert!(matches!(failed, CallFailed::Refused { .. }));
    assert_eq!(failed.exit(), Exit::Unavailable);
    assert!(failed.hint().unwrap().contains("keystead serve"));
}

#[test]
fn a_silent_server_ends_the_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = client(listener.local_addr().unwrap());
    client = Client::new(client.profile, None, Duration::from_millis(50));
    let failed = client.read::<Value>("/v1/status", &[]).unwrap_err();
    assert!(matches!(failed, CallFailed::TimedOut { .. }), "{failed:?}");
}

#[test]
fn a_path_that_two_readers_could_read_differently_is_not_signed() {
    let client = client(SocketAddr::from(([127, 0, 0, 1], 1)));
    for segment in [".", "..", ""] {
        let path = format!("/v1/keys/{}", encoded(segment));
        let failed = client.read::<Value>(&path, &[]).unwrap_err();
        assert!(matches!(failed, CallFailed::Unsigned(_)), "{segment}");
        assert_eq!(failed.exit(), Exit::Usage);
    }
}
