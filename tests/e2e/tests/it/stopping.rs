//! SIGTERM while the server works: what is in flight ends, what was recorded is in the vaults, and
//! the disk may be thrown away.

use std::thread;

use keystead_driver::Serving;
use serde_json::{Value, json};

use crate::{
    web::{Held, ask, show},
    world::{World, create_key, decrypt, encrypt, list_keys},
};

fn serve(world: &World) -> Serving {
    let more = ["--metrics-listen", "127.0.0.1:0"];
    world.machine.serve(&world.at("one/data"), &world.at("one/passphrase"), &more).unwrap()
}

/// How many entries the ledgers lack of what later ones know, in all vaults together.
fn missing(world: &World) -> u64 {
    let vaults: Vec<String> =
        ["a", "b", "c"].iter().flat_map(|name| ["--vault".to_owned(), world.url(name)]).collect();
    let line = [&["audit".to_owned(), "verify".to_owned()][..], &vaults].concat();
    let verified = world.machine.answer(&line).unwrap();
    let logs = verified["logs"].as_array().unwrap();
    assert!(!logs.is_empty() && verified["entries"].as_u64().unwrap() > 0, "{verified}");
    logs.iter().map(|log| log["missing"].as_u64().unwrap()).sum()
}

#[test]
fn a_slow_upload_ends_well_after_sigterm_and_a_new_connection_is_not_taken() {
    let world = World::new();
    let serving = serve(&world);
    let (endpoint, metrics) =
        (serving.endpoint().to_owned(), serving.metrics().unwrap().to_owned());
    let kms = world.kms(&serving);
    let key = create_key(&kms).unwrap();
    let held =
        Held::send(&kms, &endpoint, "Encrypt", &json!({ "KeyId": key, "Plaintext": "eA==" }));
    serving.ask_to_stop();
    // It says so before it stops, so that a balancer can send requests elsewhere.
    while show(&metrics, "/readyz").1 != "not ready\nstopping: the node was told to stop\n" {
        thread::yield_now();
    }
    assert_eq!(show(&metrics, "/livez").0, 200);
    let refused = kms.call("Encrypt", &json!({ "KeyId": key, "Plaintext": "eA==" }));
    assert!(refused.is_err(), "{refused:?}");
    let (status, answer) = held.finish();
    assert_eq!(status, 200, "{answer}");
    let log = serving.log();
    assert_eq!(serving.wait(), Some(0), "{log}");
    assert_eq!(missing(&world), 0);
}

#[test]
fn changes_and_uses_under_way_at_sigterm_are_in_the_vaults_without_the_disk() {
    let world = World::new();
    let serving = serve(&world);
    let (started, starts) = std::sync::mpsc::channel();
    let told: Vec<(String, Vec<String>)> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let (kms, started) = (world.kms(&serving), started.clone());
                scope.spawn(move || {
                    let mut told = Vec::new();
                    while let Ok(key) = create_key(&kms) {
                        let blobs: Vec<_> =
                            (0..3).map_while(|_| encrypt(&kms, &key, &key).ok()).collect();
                        told.push((key, blobs));
                        let _ = started.send(());
                    }
                    told
                })
            })
            .collect();
        (0..8).for_each(|_| starts.recv().unwrap());
        serving.ask_to_stop();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(told.len() >= 8);
    let log = serving.log();
    assert_eq!(serving.wait(), Some(0), "{log}");
    assert_eq!(missing(&world), 0);
    let record = std::fs::read_to_string(world.at("one/data/status.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["report"]["state"], "stopped: by its operator");
    assert_eq!(record["report"]["ledger_shipped"], record["report"]["ledger_size"]);
    assert_eq!(record["report"]["watermark"], record["report"]["commit_seq"]);
    std::fs::remove_dir_all(world.at("one/data")).unwrap();
    let restored = world.restored(&world.restore());
    let kms = restored.kms();
    let keys = list_keys(&kms);
    for (key, blobs) in &told {
        assert!(keys.contains(key), "{key}");
        assert!(blobs.iter().all(|blob| decrypt(&kms, blob).unwrap() == *key));
    }
}

#[test]
fn a_second_signal_ends_the_server_at_once_and_nothing_is_lost() {
    let world = World::new();
    let serving = serve(&world);
    let (endpoint, metrics) =
        (serving.endpoint().to_owned(), serving.metrics().unwrap().to_owned());
    let kms = world.kms(&serving);
    let key = create_key(&kms).unwrap();
    let blob = encrypt(&kms, &key, "kept").unwrap();
    // Nobody sends the body, so the server would wait for the whole of its 20 seconds.
    let held =
        Held::send(&kms, &endpoint, "Encrypt", &json!({ "KeyId": key, "Plaintext": "eA==" }));
    serving.ask_to_stop();
    while !show(&metrics, "/readyz").1.contains("stopping") {
        thread::yield_now();
    }
    let began = std::time::Instant::now();
    serving.ask_to_stop();
    assert_eq!(serving.wait(), Some(1));
    assert!(began.elapsed().as_secs() < 15, "it did not wait: {:?}", began.elapsed());
    let log = std::fs::read_to_string(world.at("one/serve-1.log")).unwrap();
    assert!(log.contains("error: a second signal ended the server"), "{log}");
    drop(held);
    let serving = serve(&world);
    assert_eq!(decrypt(&world.kms(&serving), &blob).unwrap(), "kept");
}

#[test]
fn probes_and_metrics_are_answered_where_they_are_asked_for_and_nowhere_else() {
    let world = World::new();
    let plain = world.serve();
    assert_eq!(plain.metrics(), None);
    let (status, answer) = show(plain.endpoint(), "/metrics");
    assert_eq!(status, 401, "the clients' address has no metrics: {answer}");
    plain.kill();
    let serving = serve(&world);
    let metrics = serving.metrics().unwrap().to_owned();
    for url in [serving.endpoint(), &metrics] {
        while show(url, "/readyz") != (200, "ready\n".to_owned()) {
            thread::yield_now();
        }
        let (_, json) = ask(url, "/readyz", "accept: application/json\r\n");
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["ready"], &json["reasons"]), (&true.into(), &json!([])));
        assert!(show(url, "/readyz?verbose").1.contains("[+] not fenced\n"));
    }
    create_key(&world.kms(&serving)).unwrap();
    let (status, text) = show(&metrics, "/metrics");
    assert_eq!(status, 200);
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).map(str::to_owned);
    let created = "keystead_requests_total{front=\"aws\",operation=\"CreateKey\",outcome=\"ok\"} 1";
    assert!(line(created).is_some(), "{text}");
    assert!(line("process_resident_memory_bytes ").is_some(), "{text}");
    assert!(line("keystead_arena_used_bytes ").is_some_and(|line| !line.ends_with(" 0")), "{text}");
    assert!(text.ends_with("# EOF\n"));
    let (status, _) = show(&metrics, "/v1/keys");
    assert_eq!(status, 404, "the operators' address has no front");
    let at = metrics.trim_start_matches("http://");
    let taken = World::new();
    let (data, passphrase) = (taken.text_at("one/data"), taken.text_at("one/passphrase"));
    let line = ["serve", "--data-dir", &data, "--passphrase-file", &passphrase];
    let run = |address: &str| {
        let listen = ["--listen", "127.0.0.1:0", "--metrics-listen", address];
        taken.machine.run(&[&line[..], &listen].concat()).unwrap()
    };
    crate::world::refused(&run(at), 3, "cannot listen on", "--metrics-listen");
    crate::world::refused(&run("0.0.0.0:0"), 2, "loopback", "");
}
