//! What is read, refused and written of signatures and MACs.

use keystead_domain::{KeyName, KeySpec};
use keystead_service::Run;
use serde_json::{Value, json};

use super::*;
use crate::aws::tests::{
    KEY, NOT_FOUND, SERIALIZATION, UNSUPPORTED, VALIDATION, account, all_refused, arn, key_id,
    none_accepts, place, read,
};

const GRANT: &str = "InvalidGrantTokenException";

fn with(base: &Value, name: &str, value: Value) -> Value {
    let mut body = base.clone();
    body[name] = value;
    body
}

fn without(base: &Value, name: &str) -> Value {
    let mut body = base.clone();
    body.as_object_mut().unwrap().remove(name);
    body
}

fn bytes(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

fn base64(len: usize) -> Value {
    json!(base64_simd::STANDARD.encode_to_string(vec![7; len]))
}

/// What any operation with a key and a message refuses alike.
fn refusals(base: &Value) -> Vec<(Value, &'static str, &'static str)> {
    vec![
        (without(base, "KeyId"), VALIDATION, "Value null at 'keyId'"),
        (with(base, "KeyId", json!("")), VALIDATION, "'keyId'"),
        (with(base, "KeyId", json!("nope")), NOT_FOUND, "Invalid keyId 'nope'"),
        (without(base, "Message"), VALIDATION, "Value null at 'message'"),
        (with(base, "Message", json!("")), VALIDATION, "Value at 'message' failed"),
        (with(base, "Message", base64(4097)), VALIDATION, "less than or equal to 4096"),
        (with(base, "Message", json!("c2V")), SERIALIZATION, "base64"),
        (with(base, "Message", json!([1])), SERIALIZATION, "LIST_VALUE"),
        (with(base, "DryRun", json!("true")), SERIALIZATION, "Boolean"),
        (with(base, "GrantTokens", json!(["t"])), GRANT, ""),
    ]
}

fn signing(base: &Value) -> Vec<(Value, &'static str, &'static str)> {
    let mut cases = refusals(base);
    cases.extend([
        (without(base, "SigningAlgorithm"), VALIDATION, "Value null at 'signingAlgorithm'"),
        (
            with(base, "SigningAlgorithm", json!("ECDSA")),
            VALIDATION,
            "'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: \
             [RSASSA_PSS_SHA_256, ",
        ),
        (with(base, "SigningAlgorithm", json!(PREHASHED)), UNSUPPORTED, PREHASHED),
        (with(base, "MessageType", json!("raw")), VALIDATION, "[RAW, DIGEST, EXTERNAL_MU]"),
        (with(base, "MessageType", json!("EXTERNAL_MU")), UNSUPPORTED, "EXTERNAL_MU"),
        (with(base, "MessageType", json!(1)), SERIALIZATION, "NUMBER_VALUE"),
    ]);
    cases
}

#[test]
fn sign_reads_a_message_and_what_it_is() {
    let parse = |body: &[u8]| sign(body, &account());
    none_accepts(parse);
    let base = json!({"KeyId": KEY, "Message": "AAEC", "SigningAlgorithm": "ECDSA_SHA_256"});
    let bare = parse(&bytes(&base)).unwrap();
    assert_eq!((bare.key, bare.run), (KeyName::Id(key_id()), Run::ForReal));
    assert_eq!((bare.message.as_slice(), bare.message_type), (&[0, 1, 2][..], MessageType::Raw));
    assert_eq!(bare.algorithm, Some(SigningAlgorithm::EcdsaSha256));
    let digest = with(&with(&base, "MessageType", json!("DIGEST")), "DryRun", json!(true));
    let digest = parse(&bytes(&digest)).unwrap();
    assert_eq!((digest.message_type, digest.run), (MessageType::Digest, Run::Dry));
    assert!(parse(&bytes(&with(&base, "Message", base64(4096)))).is_ok());
    // The key's spec decides whether it can do so, when the key is known.
    let other = parse(&bytes(&with(&base, "SigningAlgorithm", json!("SM2DSA")))).unwrap();
    assert_eq!(other.algorithm, Some(SigningAlgorithm::Other("SM2DSA")));
    all_refused(parse, &signing(&base));
    assert_eq!(format!("{:?}", parse(&bytes(&base)).unwrap()), "Sign(…)");
}

#[test]
fn verify_reads_a_signature_beside_it() {
    let parse = |body: &[u8]| verify(body, &account());
    none_accepts(parse);
    let base = json!({
        "KeyId": arn(), "Message": "AAEC", "Signature": "/w==",
        "SigningAlgorithm": "ED25519_SHA_512",
    });
    let command = parse(&bytes(&base)).unwrap();
    assert_eq!((command.signature, command.run), (vec![0xff], Run::ForReal));
    assert_eq!(command.algorithm, Some(SigningAlgorithm::Ed25519Sha512));
    let mut cases = signing(&base);
    cases.extend([
        (without(&base, "Signature"), VALIDATION, "Value null at 'signature'"),
        (with(&base, "Signature", json!("")), VALIDATION, "Value at 'signature' failed"),
        (with(&base, "Signature", base64(6145)), VALIDATION, "less than or equal to 6144"),
        (json!({}), VALIDATION, "4 validation errors detected"),
    ]);
    all_refused(parse, &cases);
}

#[test]
fn a_mac_is_made_and_checked_of_the_same_members() {
    let base = json!({"KeyId": KEY, "Message": "AAEC", "MacAlgorithm": "HMAC_SHA_256"});
    let mac = |base: &Value| {
        let mut cases = refusals(base);
        let named = |name: &str| with(base, "MacAlgorithm", json!(name));
        cases.extend([
            (without(base, "MacAlgorithm"), VALIDATION, "Value null at 'macAlgorithm'"),
            (named("HMAC"), VALIDATION, "[HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]"),
        ]);
        cases
    };
    let generate = |body: &[u8]| generate_mac(body, &account());
    none_accepts(generate);
    let command = generate(&bytes(&base)).unwrap();
    assert_eq!(command.algorithm, Some(MacAlgorithm::HmacSha256));
    assert_eq!((command.message.as_slice(), command.run), (&[0, 1, 2][..], Run::ForReal));
    let other = generate(&bytes(&with(&base, "MacAlgorithm", json!("HMAC_SHA_512")))).unwrap();
    assert_eq!(other.algorithm, Some(MacAlgorithm::Other("HMAC_SHA_512")));
    all_refused(generate, &mac(&base));
    let check = |body: &[u8]| verify_mac(body, &account());
    none_accepts(check);
    let base = with(&base, "Mac", json!("/w=="));
    assert_eq!(check(&bytes(&base)).unwrap().mac, [0xff]);
    let mut cases = mac(&base);
    cases.extend([
        (without(&base, "Mac"), VALIDATION, "Value null at 'mac'"),
        (with(&base, "Mac", json!("")), VALIDATION, "Value at 'mac' failed"),
        (with(&base, "Mac", base64(6145)), VALIDATION, "less than or equal to 6144"),
    ]);
    all_refused(check, &cases);
}

#[test]
fn a_public_key_is_asked_for_by_every_form_of_a_name() {
    let parse = |body: &[u8]| show_public_key(body, &account());
    none_accepts(parse);
    for name in [KEY.to_owned(), arn()] {
        let found = parse(&bytes(&json!({"KeyId": name, "GrantTokens": []}))).unwrap();
        assert_eq!(found.key, KeyName::Id(key_id()));
    }
    let cases = [
        (json!({}), VALIDATION, "Value null at 'keyId'"),
        (json!({"KeyId": "x"}), NOT_FOUND, "Invalid keyId 'x'"),
        (json!({"KeyId": KEY, "GrantTokens": ["t"]}), GRANT, ""),
    ];
    all_refused(parse, &cases);
}

#[test]
fn results_read_as_aws_writes_them() {
    let (key, place) = (key_id(), place());
    let algorithm = SigningAlgorithm::EcdsaSha256;
    let made = SignedMessage { key, algorithm, signature: vec![0xff, 0xfe] };
    let want = json!({"KeyId": arn(), "Signature": "//4=", "SigningAlgorithm": "ECDSA_SHA_256"});
    assert_eq!(read(signed(&made, &place)), want);
    let want = json!({"KeyId": arn(), "SignatureValid": true, "SigningAlgorithm": "ECDSA_SHA_256"});
    assert_eq!(read(verified(&SignatureVerified { key, algorithm }, &place)), want);
    let shown = PublicKeyShown { key, spec: KeySpec::P256, algorithm, der: vec![0x30] };
    let want = json!({
        "KeyId": arn(), "PublicKey": "MA==", "CustomerMasterKeySpec": "ECC_NIST_P256",
        "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY",
        "SigningAlgorithms": ["ECDSA_SHA_256"],
    });
    assert_eq!(read(public_key(&shown, &place)), want);
    let algorithm = MacAlgorithm::HmacSha256;
    let made = MacGenerated { key, algorithm, mac: vec![1] };
    let want = json!({"Mac": "AQ==", "MacAlgorithm": "HMAC_SHA_256", "KeyId": arn()});
    assert_eq!(read(mac(&made, &place)), want);
    let want = json!({"KeyId": arn(), "MacValid": true, "MacAlgorithm": "HMAC_SHA_256"});
    assert_eq!(read(mac_verified(&MacVerified { key, algorithm }, &place)), want);
}
