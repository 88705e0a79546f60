//! What `/v1` parses, refuses and writes, route by route.

use std::sync::Arc;

use axum::http::{Request, StatusCode};
use keystead_domain::{
    Account, EpochId, Key, KeyId, KeyName, KeySpec, KeyState, KeyVersion, MacAlgorithm,
    PrincipalId, RequestId, SigningAlgorithm, TenantId, Timestamp, VersionId, key_arn, uuid,
};
use keystead_service::{
    AuthFault, CallerIdentity, Cx, Decrypted, Encrypted, Error, Fault, Front, KeyPage, KeyView,
    MacGenerated, MacVerified, MessageType, Principal, PublicKeyShown, Run, SignatureVerified,
    SignedMessage, Vaulted, Wiped, metrics::KeyUseCount,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    call::{Answer, Signed},
    identity, keys,
    problem::{problem, turned_away},
    signatures, status, uses,
};
use crate::admission::Reason;

fn account() -> Account {
    "123456789012".parse().unwrap()
}

fn key_id() -> KeyId {
    KeyId::from_bytes([0xab; 16])
}

fn signed(uri: &str, body: &[u8]) -> Signed {
    let principal = Arc::new(Principal {
        id: PrincipalId::from_bytes([1; 16]),
        tenant: TenantId::from_bytes([2; 16]),
        account: account(),
        access_key_id: "AKIDEXAMPLE".into(),
        name: "admin".into(),
    });
    let request = RequestId::from_bytes([3; 16]);
    let cx = Cx { request, front: Front::Native, principal, source: "127.0.0.1".into() };
    let head = Request::builder().uri(uri).body(()).unwrap().into_parts().0;
    Signed::new(cx, head, Wiped::new(body.to_vec()))
}

fn of_key(verb: &str, body: &Value) -> Signed {
    signed(&format!("/v1/keys/{}{verb}", key_id()), body.to_string().as_bytes())
}

fn read(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn view(vaulted: Vaulted) -> KeyView {
    let created_at = Timestamp::from_micros(1_763_780_400_000_000);
    let version = KeyVersion {
        id: VersionId::from_bytes([1; 8]),
        number: 1,
        created_at,
        epoch: EpochId::from_bytes([2; 16]),
        copy_hash: [3; 32],
        key_check: [4; 32],
    };
    let key = Key {
        id: key_id(),
        tenant: TenantId::from_bytes([4; 16]),
        spec: KeySpec::Symmetric,
        purpose: "PHI".into(),
        description: "patients".into(),
        created_at,
        expires_at: Some(created_at.plus_ms(1000)),
        state: KeyState::Active { since: created_at },
        versions: vec![version],
        tags: vec![("team".into(), "records".into())],
        rotation: None,
        on_demand: vec![],
    };
    let uses = vec![KeyUseCount { operation: "Encrypt", count: 3 }];
    KeyView { proven: vec![None; key.versions.len()], key, vaulted, uses }
}

fn field_of<T>(parsed: Result<T, Fault>) -> (&'static str, String) {
    match parsed.err() {
        Some(Fault::Field { field, message }) => (field, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_made_from_known_members_alone() {
    let parse = |body: Value| {
        keys::parse_create(&signed("/v1/keys", body.to_string().as_bytes()), &account())
    };
    assert!(keys::parse_create(&signed("/v1/keys", b""), &account()).is_ok());
    let command = parse(json!({
        "description": "d", "purpose": "PHI", "tags": {"a": "b"},
        "expires_at": "2027-01-01T00:00:00Z", "spec": "HMAC_256",
    }));
    let command = command.unwrap();
    assert_eq!(command.spec, KeySpec::Hmac256);
    assert_eq!((command.description.as_str(), command.purpose.as_str()), ("d", "PHI"));
    assert_eq!(command.tags.len(), 1);
    assert_eq!(command.expires_at, Some("2027-01-01T00:00:00Z".parse().unwrap()));
    for (body, field, part) in [
        (json!({"descripton": "d"}), "body", "`descripton` is no member"),
        (json!({"description": 5}), "body", "`description` is a NUMBER_VALUE"),
        (json!({"spec": "hmac_256"}), "spec", "must be one of SYMMETRIC_DEFAULT, ECC_NIST_P256, "),
        (json!({"spec": "RSA_2048"}), "spec", "ECC_NIST_EDWARDS25519"),
        (json!({"expires_at": "tomorrow"}), "expires_at", "`tomorrow` is not a time"),
        (json!({"tags": {"a": 1}}), "body", "`tags`"),
        (json!([]), "body", "not a JSON object"),
    ] {
        let (found, message) = field_of(parse(body.clone()));
        assert_eq!(found, field, "{body}");
        assert!(message.contains(part), "{body}: {message}");
    }
    let doubled = signed("/v1/keys", br#"{"purpose":"a","purpose":"b"}"#);
    assert_eq!(
        field_of(keys::parse_create(&doubled, &account())).1,
        "a name occurs twice in one object"
    );
    let query = signed("/v1/keys?dry_run=1", b"{}");
    assert_eq!(field_of(keys::parse_create(&query, &account())).0, "query");
}

#[test]
fn a_list_takes_limit_and_after() {
    let parse =
        |query: &str| keys::parse_list(&signed(&format!("/v1/keys{query}"), b""), &account());
    assert_eq!(parse("").unwrap().limit, 100);
    let page = parse(&format!("?limit=7&after={}", key_id())).unwrap();
    assert_eq!((page.limit, page.after), (7, Some(key_id())));
    for (query, field) in [
        ("?limit=x", "limit"),
        ("?limit=-1", "limit"),
        ("?after=x", "after"),
        ("?limit=1&limit=2", "query"),
        ("?marker=x", "query"),
    ] {
        assert_eq!(field_of(parse(query)).0, field, "{query}");
    }
}

#[test]
fn a_path_names_a_key_in_every_form() {
    let id = KeyName::Id(key_id());
    let alias = KeyName::Alias("alias/a-b".into());
    let arn = key_arn("eu-1", &account(), key_id()).replace('/', "%2F");
    for (segment, want) in [
        (key_id().to_string(), &id),
        (uuid(key_id()), &id),
        (arn, &id),
        ("alias%2Fa-b".into(), &alias),
        ("%61lias%2fa-b".into(), &alias),
    ] {
        let parsed = keys::parse_describe(&signed(&format!("/v1/keys/{segment}"), b""), &account());
        assert_eq!(&parsed.unwrap().key, want, "{segment}");
    }
    for segment in ["x", "alias", "%ff", "a&key=b", "a%26b", "%"] {
        let parsed = keys::parse_describe(&signed(&format!("/v1/keys/{segment}"), b""), &account());
        assert!(parsed.is_err(), "{segment}");
    }
}

#[test]
fn uses_read_base64_context_and_dry_run() {
    let encrypt = |body: Value| uses::parse_encrypt(&of_key("/encrypt", &body), &account());
    let command =
        encrypt(json!({"plaintext": "AAE=", "context": {"a": "b"}, "dry_run": true})).unwrap();
    assert_eq!((command.plaintext.as_slice(), command.run), (&[0, 1][..], Run::Dry));
    assert_eq!((command.key, command.context.len()), (KeyName::Id(key_id()), 1));
    let decrypt = |body: Value| uses::parse_decrypt(&of_key("/decrypt", &body), &account());
    let command = decrypt(json!({"ciphertext": "AAE="})).unwrap();
    assert_eq!((command.ciphertext.as_slice(), command.run), (&[0, 1][..], Run::ForReal));
    assert_eq!(command.key, Some(KeyName::Id(key_id())));
    for (body, field) in [
        (json!({}), "plaintext"),
        (json!({"plaintext": "AAE"}), "body"),
        (json!({"plaintext": "AA==", "context": []}), "body"),
        (json!({"plaintext": "AA==", "ciphertext": "AA=="}), "body"),
    ] {
        let (found, message) = field_of(encrypt(body.clone()));
        assert_eq!(found, field, "{body}");
        assert!(!message.contains("AA"), "{message}");
    }
    assert_eq!(field_of(decrypt(json!({"plaintext": "AA=="}))).0, "ciphertext");
}

#[test]
fn messages_to_sign_and_macs_read_their_own_members_alone() {
    let sign = |body: Value| signatures::parse_sign(&of_key("/sign", &body), &account());
    let digest = json!({"message": "AAE=", "message_type": "digest", "dry_run": true});
    let command = sign(digest).unwrap();
    assert_eq!((command.message.as_slice(), command.run), (&[0, 1][..], Run::Dry));
    assert_eq!((command.message_type, command.algorithm), (MessageType::Digest, None));
    let raw = sign(json!({"message": "AAE=", "message_type": "raw"})).unwrap();
    assert_eq!((raw.message_type, raw.key), (MessageType::Raw, KeyName::Id(key_id())));
    for (body, field, part) in [
        (json!({}), "message", "missing"),
        (json!({"message": "AAE=", "message_type": "RAW"}), "message_type", "raw or digest"),
        (json!({"message": "AAE=", "message_type": 1}), "body", "`message_type`"),
        (json!({"message": "AAE=", "algorithm": "ECDSA_SHA_256"}), "body", "`algorithm`"),
        (json!({"message": "AAE=", "signature": "AAE="}), "body", "`signature`"),
    ] {
        let (found, message) = field_of(sign(body.clone()));
        assert_eq!(found, field, "{body}");
        assert!(message.contains(part), "{body}: {message}");
    }
    let verify = |body: Value| signatures::parse_verify(&of_key("/verify", &body), &account());
    let both = json!({"message": "AAE=", "signature": "/w=="});
    assert_eq!(verify(both).unwrap().signature, [0xff]);
    assert_eq!(field_of(verify(json!({"message": "AAE="}))).0, "signature");
    let mac = |body: Value| signatures::parse_generate_mac(&of_key("/mac", &body), &account());
    assert_eq!(mac(json!({"message": "AAE="})).unwrap().message.as_slice(), [0, 1]);
    assert_eq!(field_of(mac(json!({"message": "AAE=", "message_type": "raw"}))).0, "body");
    let check =
        |body: Value| signatures::parse_verify_mac(&of_key("/verify-mac", &body), &account());
    assert_eq!(check(json!({"message": "AAE=", "mac": "/w=="})).unwrap().mac, [0xff]);
    assert_eq!(field_of(check(json!({"message": "AAE="}))).0, "mac");
    let show = |uri: &str| signatures::parse_public_key(&signed(uri, b""), &account());
    let place = format!("/v1/keys/{}/public-key", key_id());
    assert_eq!(show(&place).unwrap().key, KeyName::Id(key_id()));
    assert_eq!(field_of(show(&format!("{place}?form=pem")).map(drop)).0, "query");
}

#[test]
fn signatures_and_macs_name_their_key_and_algorithm() {
    let (key, id) = (key_id(), key_id().to_string());
    let algorithm = SigningAlgorithm::Ed25519Sha512;
    let made = SignedMessage { key, algorithm, signature: vec![0xff] };
    let want = json!({"key_id": id, "algorithm": "ED25519_SHA_512", "signature": "/w=="});
    assert_eq!(read(&signatures::signature(&made)), want);
    let want = json!({"key_id": id, "algorithm": "ED25519_SHA_512"});
    assert_eq!(read(&signatures::verified(&SignatureVerified { key, algorithm })), want);
    let shown = PublicKeyShown { key, spec: KeySpec::Ed25519, algorithm, der: vec![0x30] };
    let want = json!({
        "key_id": id, "algorithm": "ED25519_SHA_512", "spec": "ECC_NIST_EDWARDS25519",
        "public_key": "MA==",
    });
    assert_eq!(read(&signatures::shown(&shown)), want);
    let algorithm = MacAlgorithm::HmacSha256;
    let made = MacGenerated { key, algorithm, mac: vec![1] };
    let want = json!({"key_id": id, "algorithm": "HMAC_SHA_256", "mac": "AQ=="});
    assert_eq!(read(&signatures::mac(&made)), want);
    let want = json!({"key_id": id, "algorithm": "HMAC_SHA_256"});
    assert_eq!(read(&signatures::mac_verified(&MacVerified { key, algorithm })), want);
}

#[test]
fn results_are_snake_case_and_say_whether_they_are_vaulted() {
    let made = keys::created(&view(Vaulted::Yes));
    assert_eq!(made.status, StatusCode::CREATED);
    let id = key_id().to_string();
    let want = json!({
        "id": id, "aws_key_id": uuid(key_id()), "spec": "SYMMETRIC_DEFAULT",
        "algorithm": "AES-256-GCM", "purpose": "PHI", "description": "patients",
        "state": "active", "vaulted": true, "created_at": "2025-11-22T03:00:00Z",
        "expires_at": "2025-11-22T03:00:01Z", "deletion_at": null,
        "rotation_period_days": null, "next_rotation_at": null,
        "versions": [{
            "id": "ver_0101010101010101", "number": 1, "created_at": "2025-11-22T03:00:00Z",
            "epoch": format!("epo_{}", "02".repeat(16)), "copy_sha256": "03".repeat(32),
            "key_check": "04".repeat(32), "proven_at": null,
        }],
        "uses": [{"operation": "Encrypt", "count": 3}],
        "tags": {"team": "records"},
    });
    assert_eq!(read(&made), want);
    let late = keys::created(&view(Vaulted::NotYet));
    assert_eq!((late.status, read(&late)["vaulted"].clone()), (StatusCode::ACCEPTED, json!(false)));
    assert_eq!(keys::shown(&view(Vaulted::Yes)).status, StatusCode::OK);
    let page = KeyPage { keys: vec![view(Vaulted::Yes)], next: Some(key_id()) };
    assert_eq!(read(&keys::page(&page)), json!({"keys": [want], "next": id}));
    let end = KeyPage { keys: vec![], next: None };
    assert_eq!(read(&keys::page(&end)), json!({"keys": [], "next": null}));
    let made = Encrypted { key: key_id(), ciphertext: vec![0xff] };
    assert_eq!(read(&uses::encrypted(&made)), json!({"key_id": id, "ciphertext": "/w=="}));
    let plaintext = Zeroizing::new(vec![0]);
    let opened = Decrypted { key: key_id(), key_check: [7; 32], plaintext };
    assert_eq!(read(&uses::decrypted(&opened)), json!({"key_id": id, "plaintext": "AA=="}));
    let (user, name) = (PrincipalId::from_bytes([1; 16]), "admin".to_owned());
    let who = CallerIdentity { account: account(), user, name };
    let want = json!({
        "account": "123456789012", "principal": user.to_string(), "name": "admin",
    });
    assert_eq!(read(&identity::identity(&who)), want);
}

#[test]
fn a_route_without_parameters_takes_none() {
    assert!(status::no_command(&signed("/v1/status", b""), &account()).is_ok());
    let asked = signed("/v1/status?verbose=1", b"");
    assert_eq!(field_of(status::no_command(&asked, &account())).0, "query");
}

#[test]
fn a_problem_names_its_kind_its_hint_and_its_change() {
    let request = RequestId::from_bytes([3; 16]);
    let change = keystead_domain::ChangeId::from_bytes([5; 16]);
    let shown = |fault: Fault| {
        let error = Error::from(fault);
        let problem = problem(&error);
        let text = problem.text(&error, problem.status, request).into_bytes();
        serde_json::from_slice::<Value>(&text).unwrap()
    };
    let late = shown(Fault::NotYetVaulted { change });
    let hint = Error::from(Fault::NotYetVaulted { change }).hint().unwrap();
    let want = json!({
        "type": "urn:keystead:error:unavailable", "title": "Not now", "status": 503,
        "detail": format!("committed, not yet vaulted (change `{change}`)"), "hint": hint,
        "request_id": request.to_string(), "change": change.to_string(),
    });
    assert_eq!(late, want);
    let bare = shown(Fault::Ciphertext);
    assert!(bare.get("hint").is_none() && bare.get("change").is_none());
    let field = shown(Fault::Field { field: "limit", message: "not a number".into() });
    assert_eq!(field["detail"], "`limit`: not a number");
}

#[test]
fn what_is_turned_away_early_has_its_own_status() {
    let error = Error::from(Fault::Field { field: "body", message: "long".into() });
    assert_eq!(turned_away(&Reason::TooLarge, &error), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(turned_away(&Reason::Incomplete, &error), StatusCode::REQUEST_TIMEOUT);
    let error = Error::from(Fault::Unauthenticated(AuthFault::BadSignature));
    assert_eq!(turned_away(&Reason::Unproven, &error), StatusCode::UNAUTHORIZED);
}

proptest! {
    #[test]
    fn no_bytes_panic_a_parser(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        value in "[\\[\\]{}\",:0-9a-zA-Z/=\\\\ .-]{0,40}",
        tail in "[a-zA-Z0-9%&=+/?._~:-]{0,40}",
    ) {
        let text = format!("{{\"plaintext\":\"AA==\",\"context\":{value}}}");
        for body in [&body[..], text.as_bytes()] {
            let request = signed(&format!("/v1/keys/{tail}"), body);
            let _ = keys::parse_create(&request, &account());
            let _ = keys::parse_list(&request, &account());
            let _ = keys::parse_describe(&request, &account());
            let _ = uses::parse_encrypt(&request, &account());
            let _ = uses::parse_decrypt(&request, &account());
            let _ = signatures::parse_sign(&request, &account());
            let _ = signatures::parse_verify(&request, &account());
            let _ = signatures::parse_verify_mac(&request, &account());
        }
    }
}
