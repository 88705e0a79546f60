//! Connections: their bounds and their end.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::{
    wire::{Call, exchange},
    world::World,
};

#[test]
fn a_head_above_the_bound_is_refused() {
    let world = World::new();
    let head = |bytes: usize| {
        format!(
            "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: {}\r\n\r\n",
            "a".repeat(bytes)
        )
    };
    assert_eq!(exchange(&world, head(16 * 1024).as_bytes()).status, 200);
    assert_eq!(exchange(&world, head(64 * 1024).as_bytes()).status, 431);
    let many = "a: b\r\n".repeat(101);
    let many = format!("GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{many}\r\n");
    assert_eq!(exchange(&world, many.as_bytes()).status, 431);
}

#[test]
fn one_connection_carries_many_requests() {
    let world = World::new();
    let mut stream = TcpStream::connect(world.at).unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut answer = [0; 256];
        let read = stream.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn shutdown_ends_idle_connections_and_lets_a_request_in_flight_end() {
    let mut world = World::new();
    let mut idle = TcpStream::connect(world.at).unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut answer = [0; 256];
    assert!(idle.read(&mut answer).unwrap() > 0);
    let mut half = TcpStream::connect(world.at).unwrap();
    let call = Call::kms("ListKeys", &serde_json::json!({})).signed(&world);
    let mut head = String::from("POST / HTTP/1.1\r\nhost: kms.test\r\ncontent-length: 2\r\n");
    for (name, value) in &call.headers {
        head += &format!("{name}: {value}\r\n");
    }
    half.write_all(format!("{head}expect: 100-continue\r\n\r\n").as_bytes()).unwrap();
    let read = half.read(&mut answer).unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 100 Continue"), "the server waits for the body");
    world.begin_shutdown();
    assert_eq!(idle.read(&mut answer).unwrap(), 0, "an idle connection is closed");
    half.write_all(b"{}").unwrap();
    let mut rest = String::new();
    half.read_to_string(&mut rest).unwrap();
    assert!(rest.starts_with("HTTP/1.1 200 OK"), "{rest}");
    world.wait();
    assert!(TcpStream::connect(world.at).is_err());
}
