//! Who is turned away at the gate, on both fronts, and what a stranger is told.

use keystead_crypto::Secret;
use keystead_service::sigv4::amz_date;
use serde_json::{Value, json};

use crate::{
    wire::{Call, exchange},
    world::{NOW_SECONDS, World},
};

fn kms() -> Call {
    Call::kms("ListKeys", &json!({}))
}

fn v1() -> Call {
    Call::v1("GET", "/v1/identity", &Value::Null)
}

#[test]
fn each_way_of_not_being_known_has_its_name() {
    let world = World::new();
    let stranger = Secret::from_slice(&[b'x'; 40]).unwrap();
    let known = &world.access.access_key_id;
    let skewed = |mut call: Call, seconds: i64| {
        call.date = amz_date(NOW_SECONDS + seconds);
        call.signed(&world)
    };
    let altered = |mut call: Call| {
        call.body.extend_from_slice(b" ");
        call
    };
    let token = |call: Call| call.header("x-amz-security-token", "t");
    let incomplete = |call: Call| call.header("authorization", "AWS4-HMAC-SHA256 Credential=a");
    let cases: [(&str, &dyn Fn(Call) -> Call); 8] = [
        ("MissingAuthenticationTokenException", &|call| call),
        ("IncompleteSignatureException", &incomplete),
        ("UnrecognizedClientException", &|call| call.signed_by("AKIANOBODY", &stranger)),
        ("InvalidSignatureException", &|call| call.signed_by(known, &stranger)),
        ("InvalidSignatureException", &|call| skewed(call, 901)),
        ("InvalidSignatureException", &|call| skewed(call, -901)),
        ("InvalidSignatureException", &|call| altered(call.signed(&world))),
        ("UnrecognizedClientException", &|call| token(call.signed(&world))),
    ];
    for (exception, make) in cases {
        let answer = make(kms()).send(&world);
        assert_eq!(answer.exception(), (400, exception.to_owned()));
        assert_eq!(make(v1()).send(&world).problem(), (401, "unauthenticated".to_owned()));
    }
    assert_eq!(skewed(kms(), 900).send(&world).status, 200);
    assert_eq!(skewed(kms(), -900).send(&world).status, 200);
}

#[test]
fn an_altered_target_query_or_path_is_not_what_was_signed() {
    let world = World::new();
    let other = kms()
        .signed(&world)
        .without("x-amz-target")
        .header("x-amz-target", "TrentService.CreateKey")
        .send(&world);
    assert_eq!(other.exception().1, "InvalidSignatureException");
    let list = |target: &str| {
        let mut call = Call::v1("GET", "/v1/keys?limit=1", &Value::Null).signed(&world);
        call.target = target.into();
        call.send(&world).status
    };
    assert_eq!(list("/v1/keys?limit=1"), 200);
    for altered in ["/v1/keys?limit=2", "/v1/keys", "/v1/keys/?limit=1", "/v1//keys?limit=1"] {
        assert_eq!(list(altered), 401, "{altered}");
    }
    let unsigned = kms().signed(&world).header("x-amz-new", "1").send(&world);
    assert_eq!(unsigned.exception().1, "IncompleteSignatureException");
}

#[test]
fn strangers_learn_no_routes() {
    let world = World::new();
    for target in ["/v1/keys", "/v1/nothing", "/v1/keys/x/encrypt", "/admin"] {
        let answer = Call::v1("GET", target, &Value::Null).send(&world);
        assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()), "{target}");
    }
    let alive = Call::new("GET", "/livez", "", b"").send(&world);
    assert_eq!((alive.status, alive.text()), (200, "ok\n"));
}

#[test]
fn a_body_above_the_bound_is_not_read() {
    let world = World::new();
    let mut call = kms();
    call.body = vec![b' '; 64 * 1024 + 1];
    let refused = call.clone().signed(&world).send(&world);
    assert_eq!(refused.exception(), (413, "RequestEntityTooLargeException".to_owned()));
    let mut call = Call::v1("POST", "/v1/keys", &Value::Null);
    call.body = vec![b' '; 64 * 1024 + 1];
    assert_eq!(call.signed(&world).send(&world).problem(), (413, "invalid".to_owned()));
    let chunk = format!("10001\r\n{}\r\n0\r\n\r\n", " ".repeat(0x10001));
    let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-amz-target: a\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let refused = exchange(&world, format!("{head}{chunk}").as_bytes());
    assert_eq!(refused.status, 413);
}

#[test]
fn a_body_at_the_bound_is_read() {
    let world = World::new();
    let mut call = kms();
    call.body = [b"{}".to_vec(), vec![b' '; 64 * 1024 - 2]].concat();
    assert_eq!(call.signed(&world).send(&world).status, 200);
}
