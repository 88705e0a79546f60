//! `/v1` from the outside: each route, and what it refuses.

use serde_json::{Value, json};

use crate::{
    wire::{Answer, Call},
    world::{ACCOUNT, World},
};

fn ask(world: &World, method: &'static str, target: &str, body: &Value) -> Answer {
    Call::v1(method, target, body).signed(world).send(world)
}

#[test]
fn a_key_is_made_shown_listed_and_used() {
    let world = World::new();
    let body = json!({"purpose": "PHI", "description": "patients", "tags": {"team": "records"}});
    let made = ask(&world, "POST", "/v1/keys", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json();
    assert_eq!((&key["vaulted"], &key["state"]), (&json!(true), &json!("active")));
    let path = format!("/v1/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(ask(&world, "GET", &path, &Value::Null).json(), key);
    let uuid = format!("/v1/keys/{}", key["aws_key_id"].as_str().unwrap());
    assert_eq!(ask(&world, "GET", &uuid, &Value::Null).json(), key);
    let second = ask(&world, "POST", "/v1/keys", &json!({})).json();
    let first = ask(&world, "GET", "/v1/keys?limit=1", &Value::Null).json();
    let next = format!("/v1/keys?limit=5&after={}", first["next"].as_str().unwrap());
    let rest = ask(&world, "GET", &next, &Value::Null).json();
    assert_eq!(rest["next"], Value::Null);
    let listed = [&first["keys"][0], &rest["keys"][0]];
    assert!(listed == [&key, &second] || listed == [&second, &key]);
    let body = json!({"plaintext": "AAE=", "context": {"a": "b"}});
    let sealed = ask(&world, "POST", &format!("{path}/encrypt"), &body).json();
    assert_eq!(sealed["key_id"], key["id"]);
    let body = json!({"ciphertext": sealed["ciphertext"], "context": {"a": "b"}});
    let opened = ask(&world, "POST", &format!("{path}/decrypt"), &body).json();
    assert_eq!((&opened["plaintext"], &opened["key_id"]), (&json!("AAE="), &key["id"]));
    let other = format!("/v1/keys/{}/decrypt", second["id"].as_str().unwrap());
    assert_eq!(ask(&world, "POST", &other, &body).problem(), (400, "invalid".into()));
}

#[test]
fn a_data_key_is_put_found_shown_listed_and_unwrapped() {
    let world = World::new();
    let path = "/v1/wraps/patients%2F17%20%C3%A4+b";
    let made = ask(&world, "PUT", path, &json!({}));
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["subject"], "patients/17 ä+b");
    assert_eq!((&made["sequence"], &made["algorithm"]), (&json!(1), &json!("AES-256-GCM")));
    let found = ask(&world, "PUT", path, &json!({"bytes": 64}));
    assert_eq!((found.status, found.json()), (200, made.clone()), "it keeps the one it has");
    let opened = ask(&world, "POST", &format!("{path}/unwrap"), &json!({})).json();
    assert_eq!(opened["plaintext"], made["plaintext"]);
    let shown = ask(&world, "GET", path, &Value::Null).json();
    assert!(shown["plaintext"].is_null(), "{shown}");
    assert_eq!(shown["data_key"], made["data_key"]);
    let given = json!({"data_key": "AAECAwQFBgcICQoLDA0ODw=="});
    let second = ask(&world, "PUT", "/v1/wraps/second", &given);
    assert_eq!((second.status, &second.json()["plaintext"]), (201, &Value::Null));
    let other = json!({"data_key": "AQECAwQFBgcICQoLDA0ODw=="});
    let refused = ask(&world, "PUT", "/v1/wraps/second", &other);
    assert_eq!(refused.problem(), (409, "conflict".into()));
    let first = ask(&world, "GET", "/v1/wraps?limit=1", &Value::Null).json();
    assert_eq!((&first["wraps"][0], &first["next"]), (&shown, &json!("1")));
    let rest = ask(&world, "GET", "/v1/wraps?after=1", &Value::Null).json();
    assert_eq!((&rest["wraps"][0]["subject"], &rest["next"]), (&json!("second"), &Value::Null));
    let statement = ask(&world, "GET", "/v1/wrap-statement", &Value::Null).json();
    assert_eq!(statement["count"], 2);
    for (method, path, body, status) in [
        ("PUT", "/v1/wraps/a%0Ab", json!({}), 400),
        ("PUT", "/v1/wraps/x", json!({"bytes": 15}), 400),
        ("PUT", "/v1/wraps/x", json!({"bytes": -1}), 400),
        ("PUT", "/v1/wraps/x", json!({"data_key": "AA==", "bytes": 1}), 400),
        ("GET", "/v1/wraps/x", Value::Null, 404),
        ("POST", "/v1/wraps/x/unwrap", json!({}), 404),
        ("GET", "/v1/wraps?limit=1001", Value::Null, 400),
        ("GET", "/v1/wraps?after=-1", Value::Null, 400),
    ] {
        assert_eq!(ask(&world, method, path, &body).status, status, "{method} {path} {body}");
    }
}

#[test]
fn a_leased_data_key_opens_through_its_lease_alone() {
    let world = World::new();
    let key = ask(&world, "POST", "/v1/keys", &json!({})).json()["id"].clone();
    let body = json!({"key": key, "context": {"a": "b"}, "lease_seconds": 60});
    let made = ask(&world, "POST", "/v1/data-keys", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let sealed = json!({"ciphertext": made["ciphertext"], "context": {"a": "b"}});
    let with = |lease: &Value| {
        let mut body = sealed.clone();
        body["lease"] = lease.clone();
        ask(&world, "POST", "/v1/data-keys/unwrap", &body)
    };
    assert_eq!(with(&made["lease"]).json()["plaintext"], made["plaintext"]);
    assert_eq!(with(&made["ciphertext"]).problem(), (400, "invalid".into()));
    let again = ask(&world, "POST", "/v1/data-keys/leases", &sealed).json();
    assert_eq!(with(&again["lease"]).json()["plaintext"], made["plaintext"]);
    let path = format!("/v1/keys/{}/decrypt", key.as_str().unwrap());
    assert_eq!(ask(&world, "POST", &path, &sealed).problem(), (400, "invalid".into()));
    for wrong in [json!(0), json!(86_401), json!("60")] {
        let body = json!({"key": key, "lease_seconds": wrong});
        assert_eq!(ask(&world, "POST", "/v1/data-keys", &body).status, 400, "{body}");
    }
}

#[test]
fn an_idempotency_key_that_the_signature_does_not_cover_is_refused() {
    let world = World::new();
    let call = |key: &str| {
        Call::v1("POST", "/v1/keys", &json!({"purpose": "PHI"})).header("idempotency-key", key)
    };
    let first = call("order-17").signed(&world).send(&world).json();
    let again = call("order-17").signed(&world).send(&world).json();
    assert_eq!(first, again);
    let other = Call::v1("POST", "/v1/keys", &json!({})).header("idempotency-key", "order-17");
    assert_eq!(other.signed(&world).send(&world).problem(), (409, "conflict".into()));
    let spliced = Call::v1("POST", "/v1/keys", &json!({})).signed(&world);
    let refused = spliced.header("idempotency-key", "order-17").send(&world);
    assert_eq!(refused.problem(), (401, "unauthenticated".into()));
    assert_eq!(call("a b").signed(&world).send(&world).problem(), (400, "invalid".into()));
}

#[test]
fn status_and_identity_answer_the_caller() {
    let world = World::new();
    let status = ask(&world, "GET", "/v1/status", &Value::Null);
    assert_eq!((status.status, &status.json()["account"]), (200, &json!(ACCOUNT)));
    let who = ask(&world, "GET", "/v1/identity", &Value::Null).json();
    assert_eq!((&who["account"], &who["name"]), (&json!(ACCOUNT), &json!("admin")));
}

#[test]
fn the_api_describes_itself_to_who_is_known() {
    let world = World::new();
    let events = || ask(&world, "GET", "/v1/status", &Value::Null).json()["ledger_size"].as_u64();
    let before = events().unwrap();
    let described = ask(&world, "GET", "/v1/openapi.json", &Value::Null);
    let reviewed = include_str!("../../../../docs/reference/openapi.json");
    assert_eq!((described.status, described.text()), (200, reviewed));
    assert_eq!(events().unwrap(), before + 2, "the status asked for first, and the description");
    let stranger = Call::v1("GET", "/v1/openapi.json", &Value::Null).send(&world);
    assert_eq!(stranger.problem(), (401, "unauthenticated".into()));
    let asked = ask(&world, "GET", "/v1/openapi.json?format=yaml", &Value::Null);
    assert_eq!(asked.problem(), (400, "invalid".into()));
}

#[test]
fn refusals_are_problems_with_a_kind_and_a_request() {
    let world = World::new();
    let absent = format!("/v1/keys/key_{}", "0".repeat(32));
    let cases = [
        ("GET", absent.as_str(), Value::Null, (404, "not-found")),
        ("GET", "/v1/keys/alias%2Fnone", Value::Null, (404, "not-found")),
        ("GET", "/v1/keys/x", Value::Null, (400, "invalid")),
        ("GET", "/v1/keys?limit=0", Value::Null, (400, "invalid")),
        ("GET", "/v1/keys?limits=1", Value::Null, (400, "invalid")),
        ("POST", "/v1/keys", json!({"purpos": "PHI"}), (400, "invalid")),
        ("GET", "/v1/nothing", Value::Null, (404, "not-found")),
        ("DELETE", "/v1/status", Value::Null, (404, "not-found")),
        ("GET", "/favicon.ico", Value::Null, (404, "not-found")),
        ("GET", "/", Value::Null, (404, "not-found")),
    ];
    for (method, target, body, (status, kind)) in cases {
        let answer = ask(&world, method, target, &body);
        assert_eq!(answer.problem(), (status, kind.to_owned()), "{method} {target}");
        let request = answer.json()["request_id"].as_str().unwrap().to_owned();
        assert!(request.starts_with("req_"), "{request}");
    }
}

#[test]
fn a_scope_of_another_front_does_not_open_this_one() {
    let world = World::new();
    let mut call = Call::v1("GET", "/v1/identity", &Value::Null);
    call.service = "kms";
    let refused = call.signed(&world).send(&world);
    assert_eq!(refused.problem(), (401, "unauthenticated".into()));
    let mut call = Call::kms("ListKeys", &json!({}));
    call.service = "keystead";
    let refused = call.signed(&world).send(&world);
    assert_eq!(refused.exception().1, "InvalidSignatureException");
}
