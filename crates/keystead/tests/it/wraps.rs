//! Wrap records against a real server, and their exports without one.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use crate::life::{Server, init, json};
use crate::profile;
use crate::run::Home;

const VECTORS: &str = include_str!("../../../../tests/vectors/wrap-export.json");

#[test]
fn data_keys_are_kept_found_unwrapped_and_never_printed() {
    let home = Home::new();
    init(&home);
    let server = Server::start(&home);
    let given = home.write("given", "a data key of 24 bytes\n\n");
    let first = odd_subject();
    let put = ["wrap", "put", &first, "--data-key-file", &given];
    let made = server.ask(&home, &put).done();
    assert!(made.starts_with("wrp_") && made.ends_with(" was made, record 1\n"), "{made}");
    assert_eq!(server.ask(&home, &put).done(), made.replace("made", "found"));
    let out = home.at("out");
    let put = ["wrap", "put", "second", "--bytes", "16", "--data-key-out", &out, "--json"];
    let made = json(server.ask(&home, &put));
    assert_eq!((&made["origin"], &made["sequence"]), (&"made".into(), &2.into()));
    assert_eq!(made["plaintext"], Value::Null);
    let metadata = fs::metadata(&out).unwrap();
    assert_eq!((metadata.mode() & 0o777, metadata.len()), (0o600, 16));
    server.ask(&home, &put).refused(2, &["cannot write", &out, "hint: name a new file"]);

    for (subject, wanted) in [(put[2], fs::read(&out)), (&first, fs::read(&given))] {
        let (again, wanted) = (home.at("again"), wanted.unwrap());
        let unwrap = ["wrap", "unwrap", subject, "--data-key-out", &again];
        let said = server.ask(&home, &unwrap).done();
        assert!(said.contains("was unwrapped into") && said.contains(&again), "{said}");
        assert_eq!(fs::read(&again).unwrap(), wanted);
        server.ask(&home, &unwrap).refused(2, &["cannot write", "hint: name a new file"]);
        fs::remove_file(&again).unwrap();
        let shown = json(server.ask(&home, &[&unwrap[..], &["--json"]].concat()));
        assert_eq!((&shown["subject"], &shown["plaintext"]), (&subject.into(), &Value::Null));
        fs::remove_file(&again).unwrap();
    }

    let text = server.ask(&home, &["wrap", "show", &first]).done();
    for part in ["scan 17/\"ä\"\\u{202e}", "record       1", "AES-256-GCM", "(wrapped)"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let list = server.ask(&home, &["wrap", "list"]).done();
    assert!(list.starts_with("RECORD ") && list.lines().count() == 3, "{list}");
    let list = json(server.ask(&home, &["wrap", "list", "--json"]));
    assert_eq!(list["wraps"][1], without_origin(made));

    refusals(&home, &server);
}

fn odd_subject() -> String {
    "scan 17/\"ä\"\u{202e}".to_owned()
}

fn without_origin(mut made: Value) -> Value {
    made.as_object_mut().unwrap().remove("origin");
    made
}

fn refusals(home: &Home, server: &Server) {
    let before = home.path().read_dir().unwrap().count();
    let out = home.at("never");
    let other = home.write("other", "another data key entirely");
    let put =
        |subject, more: &[&str]| server.ask(home, &[&["wrap", "put", subject], more].concat());
    put("second", &["--data-key-file", &other]).refused(6, &["second", "hint: "]);
    put("third", &["--bytes", "15", "--data-key-out", &out]).refused(2, &["16 to 1024"]);
    put("x\ny", &["--data-key-out", &out]).refused(2, &["control characters"]);
    put("..", &["--data-key-out", &out]).refused(2, &["cannot be signed"]);
    let missing = home.at("no such file");
    put("third", &["--data-key-file", &missing]).refused(2, &["cannot read the data key"]);
    let gone = ["wrap", "unwrap", "third", "--data-key-out", &out];
    server.ask(home, &gone).refused(5, &["third"]);
    server.ask(home, &["wrap", "show", "third"]).refused(5, &["third"]);
    let nowhere = home.at("no/folder/out");
    put("third", &["--data-key-out", &nowhere]).refused(2, &["cannot write", &nowhere]);
    server.ask(home, &["wrap", "show", "third"]).refused(5, &["third"]);
    let after = home.path().read_dir().unwrap().count();
    assert_eq!(after, before + 1, "something was left behind");
}

#[test]
fn an_export_is_whole_or_not_there() {
    let home = Home::new();
    let made = init(&home);
    let server = Server::start(&home);
    let file = home.at("export.jsonl");
    let export = || server.ask(&home, &["wrap", "export", &file, "--json"]);
    for count in 0..3 {
        let ran = export();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let whole: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&whole["count"], &whole["instance"]), (&count.into(), &made["instance"]));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 1 + count);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        let verified = home.run(&["wrap", "verify", &file, "--json"]);
        assert_eq!((verified.code, verified.stdout), (0, ran.stdout));
        export().refused(2, &["cannot write", &file, "hint: name a new file"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        fs::remove_file(&file).unwrap();
        server.ask(&home, &["wrap", "put", &format!("document {count}")]).done();
    }
    // The statement is of another instance than the profile.
    let text = fs::read_to_string(home.at(profile::DEFAULT)).unwrap();
    let root = made["root_public_key"].as_str().unwrap();
    home.write(profile::DEFAULT, &text.replace(root, &"07".repeat(32)));
    export().refused(7, &["not signed by the expected key"]);
    let left = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with(".tmp")));
    assert!(!std::path::Path::new(&file).exists());
}

#[test]
fn the_vectors_are_verified_without_a_server_or_a_profile() {
    let home = Home::new();
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let file = home.at("export");
    for vector in vectors["vectors"].as_array().unwrap() {
        fs::write(&file, vector["file"].as_str().unwrap()).unwrap();
        let root = vector["root_key"].as_str().unwrap();
        let ran = home.run(&["wrap", "verify", &file, "--root-public-key", root]);
        let Some(why) = vector["refused"].as_str() else {
            let first = ran.stdout.lines().next().unwrap();
            assert_eq!((ran.code, first), (0, &*whole(&vector["count"])), "{}", ran.stderr);
            assert!(ran.stdout.contains(vector["chain"].as_str().unwrap()));
            continue;
        };
        ran.refused(if why == "newer version" { 2 } else { 7 }, &[&file, &said(vector)]);
    }
}

fn whole(count: &Value) -> String {
    let records = if count == 1 { "record" } else { "records" };
    format!("{count} {records}, none missing, none altered")
}

/// What is said of the records that a vector names.
fn said(vector: &Value) -> String {
    let (from, to) = (&vector["records"][0], &vector["records"][1]);
    match vector["refused"].as_str().unwrap() {
        "missing" if from == to => format!("record {from} is missing"),
        "missing" => format!("records {from} to {to} are missing"),
        "altered" => format!("record {from} was altered"),
        "twice" => format!("record {from} stands there twice"),
        "out of order" => format!("record {from} is out of order"),
        "uncounted" => format!("record {from} is not among the "),
        "other tenant" => format!("record {from} is of another tenant"),
        _ => String::new(),
    }
}

#[test]
fn without_a_root_key_or_a_file_there_is_nothing_to_verify() {
    let home = Home::new();
    let file = home.write("export", "");
    home.run(&["wrap", "verify", &file])
        .refused(2, &["no root public key was given", "hint: give `--root-public-key HEX`"]);
    home.write(profile::DEFAULT, &profile::text(1));
    home.run(&["wrap", "verify", &file]).refused(7, &["line 1 is no line of a wrap export"]);
    let missing = home.at("missing");
    home.run(&["wrap", "verify", &missing]).refused(5, &["cannot read", &missing]);
    home.run(&["wrap", "verify", &home.at(".")]).refused(1, &["cannot read"]);
}
