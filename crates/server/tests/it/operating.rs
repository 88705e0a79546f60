//! Metrics and probes over a real service.

use std::{io::Write, net::TcpStream};

use serde_json::{Value, json};

use crate::{
    wire::{Answer, Call, exchange_at},
    world::World,
};

fn get(world: &World, path: &str, headers: &str) -> Answer {
    let head = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
    exchange_at(world.operators, head.as_bytes())
}

/// The value of the sample that begins so.
fn sample(text: &str, start: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(start)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok())
}

#[test]
fn what_was_asked_is_counted_by_front_operation_and_outcome() {
    let world = World::new();
    let made = Call::kms("CreateKey", &json!({})).signed(&world).send(&world).json();
    let key = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    let encrypt = json!({ "KeyId": key, "Plaintext": "eA==" });
    for _ in 0..3 {
        let answer = Call::kms("Encrypt", &encrypt).signed(&world).send(&world);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let unread = Call::kms("Encrypt", &json!({ "KeyId": 1 })).signed(&world).send(&world);
    assert_eq!(unread.status, 400);
    Call::kms("NoSuchOperation", &json!({})).signed(&world).send(&world);
    Call::v1("GET", "/v1/keys", &Value::Null).signed(&world).send(&world);
    Call::v1("GET", "/v1/keys", &Value::Null).send(&world);
    let answer = get(&world, "/metrics", "");
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(answer.head.contains(kind), "{}", answer.head);
    let text = answer.text();
    for (start, value) in [
        ("keystead_requests_total{front=\"aws\",operation=\"Encrypt\",outcome=\"ok\"}", 3.0),
        ("keystead_requests_total{front=\"aws\",operation=\"Encrypt\",outcome=\"invalid\"}", 1.0),
        ("keystead_requests_total{front=\"aws\",operation=\"Unknown\",outcome=\"invalid\"}", 1.0),
        ("keystead_requests_total{front=\"v1\",operation=\"ListKeys\",outcome=\"ok\"}", 1.0),
        ("keystead_unproven_requests_total{front=\"v1\",reason=\"missing\"}", 1.0),
        ("keystead_request_duration_seconds_count{front=\"aws\",operation=\"Encrypt\"}", 3.0),
        ("keystead_requests_in_flight", 0.0),
        ("keystead_vaults", 2.0),
        ("keystead_vaults_needed", 2.0),
        ("keystead_fenced", 0.0),
        ("keystead_changes_unvaulted", 0.0),
    ] {
        assert_eq!(sample(text, start), Some(value), "{start}\n{text}");
    }
    assert!(sample(text, "keystead_journal_sync_duration_seconds_count").unwrap() >= 5.0);
    let id = format!("key_{}", key.replace('-', ""));
    assert!(!text.contains(&key) && !text.contains(&id), "no key is a label");
    assert!(!text.contains("admin") && !text.contains("127.0.0.1"), "nor a name or an address");
    assert!(!text.contains(&world.access.access_key_id));
}

#[test]
fn probes_are_counted_and_leave_no_event() {
    let world = World::new();
    while get(&world, "/readyz", "").status != 200 {}
    let entries = |world: &World| {
        let text = get(world, "/metrics", "");
        (
            sample(text.text(), "keystead_ledger_entries").unwrap(),
            sample(text.text(), "keystead_probes_total{probe=\"livez\",outcome=\"ok\"}").unwrap(),
        )
    };
    let (before, probes) = entries(&world);
    for _ in 0..5 {
        assert_eq!(get(&world, "/livez", "").text(), "ok\n");
    }
    let call = Call::new("GET", "/livez", "kms", b"").send(&world);
    assert_eq!(call.status, 200, "the clients' address answers too");
    let (after, counted) = entries(&world);
    assert_eq!((after - before, counted - probes), (0.0, 6.0));
}

#[test]
fn a_node_below_its_majority_of_vaults_says_so_and_lets_uses_go_on() {
    let world = World::new();
    while get(&world, "/readyz", "").status != 200 {}
    let made = Call::kms("CreateKey", &json!({})).signed(&world).send(&world).json();
    world.vaults[0].away();
    // A change goes to the vaults at once, so that nobody has to wait for the next listing.
    let disable = json!({ "KeyId": made["KeyMetadata"]["KeyId"] });
    let mut changing = TcpStream::connect(world.at).unwrap();
    changing.write_all(&Call::kms("DisableKey", &disable).signed(&world).bytes()).unwrap();
    let answer = loop {
        let answer = get(&world, "/readyz", "");
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(answer.status, 503);
    assert!(answer.text().starts_with("not ready\nvaults-away: "), "{}", answer.text());
    assert!(!answer.text().contains("memory") && !answer.text().contains("vlt_"));
    assert_eq!(get(&world, "/readyz?for=uses", "").status, 200);
    let json = get(&world, "/readyz?x=y", "accept: application/json\r\n");
    assert_eq!((json.status, &json.json()["ready_for_uses"]), (503, &true.into()));
    let verbose = get(&world, "/readyz?verbose", "");
    assert!(verbose.text().contains("[-] vaults-away: "), "{}", verbose.text());
    world.vaults[0].back();
    while get(&world, "/readyz", "").status != 200 {}
}
