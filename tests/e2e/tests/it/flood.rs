//! A flood of requests and connections that prove nothing: who can prove something is served, and
//! neither memory nor disk grow with the flood.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use keystead_journal::{FileDisk, Journal, Limits};
use keystead_ledger::{Event, Leaf, Value};
use serde_json::json;

use crate::world::{World, create_key, decrypt, encrypt};

const FLOODERS: u64 = 16;
const REQUESTS_EACH: u64 = 2_000;
/// More than the server has places for.
const IDLE: usize = 1_100;
const PIPELINED: usize = 20;

fn at(endpoint: &str) -> &str {
    endpoint.trim_start_matches("http://")
}

/// Sends requests that nobody signed over one connection after another; returns how many were
/// answered.
fn flood(endpoint: &str) -> u64 {
    let one = "POST / HTTP/1.1\r\nhost: kms\r\nx-amz-target: TrentService.Encrypt\r\n\
               content-type: application/x-amz-json-1.1\r\ncontent-length: 2\r\n\r\n{}";
    let burst = one.repeat(PIPELINED);
    let mut answered = 0;
    while answered < REQUESTS_EACH {
        let mut stream = TcpStream::connect(at(endpoint)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // The server may take the place of a stranger away at any time.
        while answered < REQUESTS_EACH && stream.write_all(burst.as_bytes()).is_ok() {
            match answers(&mut stream, PIPELINED) {
                0 => break,
                came => answered += came,
            }
        }
    }
    answered
}

/// Reads until so many answers came or the connection ended.
fn answers(stream: &mut TcpStream, wanted: usize) -> u64 {
    let (mut seen, mut came, mut chunk) = (Vec::new(), 0, [0; 16 * 1024]);
    while came < wanted {
        match stream.read(&mut chunk) {
            Ok(read) if read > 0 => seen.extend_from_slice(&chunk[..read]),
            _ => break,
        }
        let text = String::from_utf8_lossy(&seen);
        came = text.matches("HTTP/1.1 4").count();
    }
    came as u64
}

/// What was written into a folder's files: the room behind it does not count.
fn bytes_in(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
    files.map(|bytes| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)).sum()
}

/// The counts of all summaries in the journal, and how many there are.
fn summaries(folder: &Path) -> (u64, usize) {
    let disk = FileDisk::open(folder).unwrap();
    let journal = Journal::open(Arc::new(disk), Limits::default()).unwrap();
    let events: Vec<Event> = journal.read(0, usize::MAX).unwrap().iter().map(Leaf::event).collect();
    let of = |event: &&Event| event.act().operation.as_str() == "UnprovenRequestsRefused";
    let counted = events.iter().filter(of).map(|event| {
        let value = event.act().attributes.named("count").next().unwrap();
        let Value::Clear(digits) = value else { panic!("{event:?}") };
        String::from_utf8(digits).unwrap().parse::<u64>().unwrap()
    });
    let counts: Vec<u64> = counted.collect();
    (counts.iter().sum(), counts.len())
}

#[test]
fn a_flood_that_proves_nothing_costs_bounded_disk_and_memory_and_locks_nobody_out() {
    let world = World::new();
    let serving = world.serve();
    let kms = world.kms(&serving);
    let key = create_key(&kms).unwrap();
    let blob = encrypt(&kms, &key, "before the flood").unwrap();
    let journal = world.at("one/data/journal");
    let (bytes, resident) = (bytes_in(&journal), serving.resident_bytes());
    let began = Instant::now();
    // Connections that say nothing, or begin a request that never ends, take every place.
    let idle: Vec<TcpStream> = (0..IDLE)
        .map(|number| {
            let mut stream = TcpStream::connect(at(serving.endpoint())).unwrap();
            if number % 2 == 0 {
                stream.write_all(b"POST / HTTP/1.1\r\nhost: kms\r\n").unwrap();
            }
            stream
        })
        .collect();
    let over = AtomicBool::new(false);
    let (sent, served, slowest, most) = thread::scope(|scope| {
        let flooders: Vec<_> =
            (0..FLOODERS).map(|_| scope.spawn(|| flood(serving.endpoint()))).collect();
        let client = scope.spawn(|| {
            let (mut served, mut slowest, mut most) = (0_u64, Duration::ZERO, 0);
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                // A connection of its own each time: whoever comes new must find a place.
                assert_eq!(decrypt(&world.kms(&serving), &blob).unwrap(), "before the flood");
                slowest = slowest.max(asked.elapsed());
                most = most.max(serving.resident_bytes());
                served += 1;
            }
            (served, slowest, most)
        });
        let sent: u64 = flooders.into_iter().map(|flooder| flooder.join().unwrap()).sum();
        over.store(true, Ordering::Relaxed);
        let (served, slowest, most) = client.join().unwrap();
        (sent, served, slowest, most)
    });
    assert!(
        kms.call("DescribeKey", &json!({ "KeyId": key })).is_ok(),
        "a proven one kept its place"
    );
    let seconds = began.elapsed().as_secs();
    drop(idle);
    assert_eq!(serving.stop(), Some(0));
    let (counted, events) = summaries(&journal);
    // Each flush writes one summary for each source, and all of this came from one.
    let flushes = usize::try_from(seconds / 10 + 2).unwrap();
    assert!(counted >= sent && sent >= FLOODERS * REQUESTS_EACH, "{counted} of {sent}");
    assert!(events <= flushes, "{events} summaries in {seconds} s");
    let grown = bytes_in(&journal) - bytes;
    let own = (usize::try_from(served).unwrap() + 20) * 512;
    assert!(grown < own + flushes * 512, "{grown} bytes for {served} of our own events");
    let most = most.saturating_sub(resident);
    assert!(most < 64 << 20, "{most} bytes more were resident");
    assert!(served > 10 && slowest < Duration::from_secs(20), "{served} in {seconds} s");
    eprintln!(
        "{sent} unproven in {seconds} s: {events} events, {grown} bytes of journal, {} KiB more \
         resident; {served} answers meanwhile, the slowest after {} ms",
        most / 1024,
        slowest.as_millis()
    );
}
