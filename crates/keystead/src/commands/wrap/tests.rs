//! Exports from servers of a few lines, most of which lie.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use keystead_crypto::Secret;
use keystead_domain::to_hex;

use super::*;
use crate::cli::WrapExportArgs;
use crate::client::{Endpoint, Profile};
use crate::exit::Explained;
use crate::wrap_export::{self, ExportRefused, tests::World};

/// What a server answers to a path with its query; it ends with the test's process.
fn server(answer: impl Fn(&str) -> Value + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let body = answer(&target(&stream)).to_string();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
            write!(stream, "{head}: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    address
}

fn target(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    assert!(lines.any(|line| line.is_empty()));
    first.split(' ').nth(1).unwrap().to_owned()
}

fn wire(record: &keystead_domain::WrapRecord) -> Value {
    let (facts, envelope) = (&record.facts, record.envelope());
    json!({
        "wrap": facts.id.to_string(), "tenant": facts.tenant.to_string(),
        "subject": facts.subject.as_str(), "sequence": facts.sequence,
        "algorithm": facts.algorithm.name(), "created_at": facts.created_at.to_string(),
        "key_check": to_hex(&facts.key_check), "key": envelope.key.to_string(),
        "key_version": envelope.version.to_string(), "more": true,
        "data_key": STANDARD.encode_to_string(record.data_key.as_bytes()),
    })
}

/// An export into an empty folder, from a server that pages `wraps` by two.
struct Export {
    folder: tempfile::TempDir,
    root: [u8; 32],
    ended: Result<(), Failed>,
}

impl Export {
    fn of(world: &World, wraps: Vec<Value>) -> Self {
        Self::from(world, move |after| {
            let page: Vec<_> = wraps.iter().skip(after).take(2).cloned().collect();
            let next = (after + 2 < wraps.len()).then(|| (after + 2).to_string());
            json!({ "wraps": page, "next": next })
        })
    }

    fn from(world: &World, page: impl Fn(usize) -> Value + Send + 'static) -> Self {
        let (statement, root) = (world.statement(), world.root.public().0);
        let address = server(move |target| match target.split_once("/v1/wraps?limit=1000") {
            None => json!({ "statement": STANDARD.encode_to_string(&statement) }),
            Some((_, after)) => page(after.strip_prefix("&after=").unwrap_or("0").parse().unwrap()),
        });
        let profile = Profile {
            endpoint: Endpoint::of(address),
            account: "123456789012".parse().unwrap(),
            access_key_id: "AKIATEST".to_owned(),
            secret_access_key: Secret::from_slice(&[b'a'; 40]).unwrap(),
            root_public_key: root,
        };
        let client = Client::new(profile, None, Duration::from_secs(5));
        let folder = tempfile::tempdir().unwrap();
        let args = WrapExportArgs { file: folder.path().join("export") };
        let ended = export::export(&args, &client, Form::Text);
        Self { folder, root, ended }
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// Nothing is left behind; gives why.
    #[track_caller]
    fn refused(self) -> Failed {
        let failed = self.ended.as_ref().map(drop).is_err();
        assert!(failed && self.files().is_empty(), "{:?}", self.files());
        self.ended.unwrap_err()
    }

    #[track_caller]
    fn refused_by_check(self) -> ExportRefused {
        let failed = self.refused();
        assert_eq!(failed.exit(), Exit::Corrupt, "{failed}");
        match failed {
            Failed::Wrap(WrapFailed::Stated(refused)) => refused,
            other => panic!("{other}"),
        }
    }
}

/// The records of a world, as its server shows them.
fn shown_by(world: &World) -> Vec<Value> {
    world.records.iter().map(wire).collect()
}

#[test]
fn an_honest_server_is_asked_page_by_page_up_to_the_count() {
    for count in [0, 1, 2, 5] {
        let world = World::new(count);
        let export = Export::of(&world, shown_by(&world));
        export.ended.as_ref().unwrap();
        let file = fs::read(&export.files()[0]).unwrap();
        let root = keystead_crypto::VerifyingKey(export.root);
        let whole = wrap_export::verify(&*file, &root, |_| {}).unwrap().unwrap();
        assert_eq!(whole.count, count);
    }
}

#[test]
fn records_that_came_after_the_statement_are_left_out() {
    let world = World::new(3);
    let later = World::new(4);
    let mut wraps = shown_by(&world);
    wraps.push(wire(&later.records[3]));
    let export = Export::of(&world, wraps);
    export.ended.as_ref().unwrap();
    assert_eq!(fs::read_to_string(&export.files()[0]).unwrap().lines().count(), 4);
}

#[test]
fn a_server_that_keeps_records_back_is_named_by_them_and_leaves_no_file() {
    let world = World::new(5);
    let without = |at: usize| {
        let mut wraps = shown_by(&world);
        wraps.remove(at);
        Export::of(&world, wraps).refused_by_check()
    };
    for at in 0..5 {
        let record = at as u64 + 1;
        assert_eq!(without(at), ExportRefused::Missing { from: record, to: record });
    }
    let wraps = shown_by(&world)[..2].to_vec();
    let refused = Export::of(&world, wraps).refused_by_check();
    assert_eq!(refused, ExportRefused::Missing { from: 3, to: 5 });
    let nothing = Export::from(&world, |_| json!({ "wraps": [], "next": "1" }));
    assert_eq!(nothing.refused_by_check(), ExportRefused::Missing { from: 1, to: 5 });
}

#[test]
fn a_server_that_shows_other_records_leaves_no_file() {
    let world = World::new(5);
    let first = shown_by(&world)[..2].to_vec();
    let again = Export::from(&world, move |_| json!({ "wraps": first, "next": "2" }));
    assert_eq!(again.refused_by_check(), ExportRefused::Twice { record: 1 });
    let mut wraps = shown_by(&world);
    wraps[2]["subject"] = json!("another");
    assert_eq!(Export::of(&world, wraps).refused_by_check(), ExportRefused::OtherChain);
    let mut wraps = shown_by(&world);
    wraps[2]["tenant"] = json!("ten_1");
    let failed = Export::of(&world, wraps).refused();
    assert_eq!(failed.to_string(), "the server's answer has no usable `tenant`");
    let mut wraps = shown_by(&World::new(5));
    let refused = Export::of(&world, wraps.clone()).refused_by_check();
    assert_eq!(refused, ExportRefused::OtherTenant { record: 1 });
    wraps[0]["data_key"] = json!("");
    assert_eq!(Export::of(&world, wraps).refused().exit(), Exit::Failed);
}
