//! What the AWS fronts parse, refuse and write, operation by operation.

mod managing;

use std::{future::Future, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Request, State},
};
use keystead_domain::{
    Account, EpochId, Key, KeyId, KeyName, KeySpec, KeyState, KeyVersion, TenantId, Timestamp,
    VersionId,
};
use keystead_service::{
    DataKeyGenerated, Decrypted, Encrypted, HandOut, KeyPage, KeyView, Run, Service, Vaulted,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{keys, operation::Operation, place::Place, unread::Unread, uses};
use crate::json::JsonText;

pub(super) const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

pub(super) fn account() -> Account {
    "123456789012".parse().unwrap()
}

pub(super) fn place() -> Place {
    Place { region: "eu-central-1".into(), account: account() }
}

pub(super) fn key_id() -> KeyId {
    let KeyName::Id(id) = KeyName::parse(KEY, &account()).unwrap() else { panic!("not an id") };
    id
}

pub(super) fn arn() -> String {
    format!("arn:aws:kms:eu-central-1:123456789012:key/{KEY}")
}

pub(super) fn read(text: JsonText) -> Value {
    let bytes: Bytes = text.into_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

fn view(vaulted: Vaulted) -> KeyView {
    let created_at = Timestamp::from_micros(1_763_780_400_250_000);
    let version = KeyVersion {
        id: VersionId::from_bytes([1; 8]),
        number: 1,
        created_at,
        epoch: EpochId::from_bytes([2; 16]),
        copy_hash: [3; 32],
        key_check: [0xab; 32],
    };
    let key = Key {
        id: key_id(),
        tenant: TenantId::from_bytes([4; 16]),
        spec: KeySpec::Symmetric,
        purpose: "PHI".into(),
        description: "patients".into(),
        created_at,
        expires_at: None,
        state: KeyState::Active { since: created_at },
        versions: vec![version],
        tags: vec![],
        rotation: None,
        on_demand: vec![],
    };
    KeyView { proven: vec![None; key.versions.len()], key, vaulted, uses: Vec::new() }
}

/// Code and message of what a parser refused.
fn refused<T>(parsed: Result<T, Unread>) -> (&'static str, String) {
    let exception = parsed.err().expect("this must be refused").exception();
    assert_eq!(exception.status, 400);
    (exception.code.name(), exception.message.unwrap_or_default())
}

/// Each body with the code and a part of the message that it must be refused with.
pub(super) fn all_refused<T>(
    parse: impl Fn(&[u8]) -> Result<T, Unread>,
    cases: &[(Value, &str, &str)],
) {
    for (body, code, part) in cases {
        let (found, message) = refused(parse(body.to_string().as_bytes()));
        assert_eq!(found, *code, "{body}: {message}");
        assert!(message.contains(part), "{body}: {message}");
    }
}

/// Bodies that no operation with this parser may accept.
pub(super) fn none_accepts<T>(parse: impl Fn(&[u8]) -> Result<T, Unread>) {
    let deep = format!("{{\"EncryptionContext\":{}1{}}}", "[".repeat(99), "]".repeat(99));
    let doubled = r#"{"KeyId":"a","EncryptionContext":{"a":"1","\u0061":"2"},"Limit":1}"#;
    for body in ["[]", "{", "null", "{} {}", doubled, r#"{"Limit":1,"Limit":1}"#, &deep] {
        assert_eq!(refused(parse(body.as_bytes())).0, "SerializationException", "{body}");
    }
}

const NO_USAGE: &str =
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
pub(super) const VALIDATION: &str = "ValidationException";
pub(super) const SERIALIZATION: &str = "SerializationException";
pub(super) const UNSUPPORTED: &str = "UnsupportedOperationException";
pub(super) const NOT_FOUND: &str = "NotFoundException";

#[test]
fn create_key_reads_what_it_offers() {
    assert_eq!(keys::create(b"").unwrap(), keys::create(b"{}").unwrap());
    let body = json!({
        "Description": "patients", "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT",
        "Origin": "AWS_KMS", "MultiRegion": false, "BypassPolicyLockoutSafetyCheck": true,
        "Policy": null, "Future": {"a": [1.5]},
        "Tags": [{"TagKey": "a", "TagValue": ""}, {"TagKey": "b", "TagValue": "2"}],
    });
    let command = keys::create(body.to_string().as_bytes()).unwrap();
    assert_eq!((command.description.as_str(), command.purpose.as_str()), ("patients", ""));
    assert_eq!(command.tags.into_iter().map(|(k, v)| k + &v).collect::<String>(), "ab2");
    assert_eq!(command.expires_at, None);
    assert!(keys::create(br#"{"CustomerMasterKeySpec":"SYMMETRIC_DEFAULT"}"#).is_ok());
    assert_eq!(command.spec, KeySpec::Symmetric);
    for spec in KeySpec::ALL {
        for member in ["KeySpec", "CustomerMasterKeySpec"] {
            let body = json!({member: spec.aws_name(), "KeyUsage": spec.usage().aws_name()});
            assert_eq!(keys::create(body.to_string().as_bytes()).unwrap().spec, *spec);
        }
    }
}

#[test]
fn create_key_refuses_by_name_what_it_does_not_offer() {
    none_accepts(keys::create);
    let tag = |key: &str, value: &str| json!({"TagKey": key, "TagValue": value});
    let cases = [
        (json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}), UNSUPPORTED, "RSA_2048"),
        (json!({"CustomerMasterKeySpec": "HMAC_512"}), UNSUPPORTED, "HMAC_512"),
        (json!({"CustomerMasterKeySpec": "HMAC_256"}), VALIDATION, NO_USAGE),
        (json!({"KeySpec": "ECC_NIST_P256"}), VALIDATION, NO_USAGE),
        (json!({"KeySpec": "ECC_NIST_EDWARDS25519"}), VALIDATION, NO_USAGE),
        (
            json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "ENCRYPT_DECRYPT"}),
            VALIDATION,
            "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256",
        ),
        (
            json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}),
            UNSUPPORTED,
            "KEY_AGREEMENT",
        ),
        (
            json!({"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "KEY_AGREEMENT"}),
            VALIDATION,
            "is not compatible with KeySpec ECC_NIST_EDWARDS25519",
        ),
        (
            json!({"KeySpec": "HMAC_256", "KeyUsage": "SIGN_VERIFY"}),
            VALIDATION,
            "is not compatible with KeySpec HMAC_256",
        ),
        (
            json!({"KeySpec": "AES"}),
            VALIDATION,
            "'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [SYMMETRIC_DEFAULT, RSA_2048",
        ),
        (json!({"KeyUsage": "ENCRYPT"}), VALIDATION, "'keyUsage'"),
        (json!({"KeyUsage": "SIGN_VERIFY"}), VALIDATION, "is not compatible with KeySpec"),
        (
            json!({"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"}),
            VALIDATION,
            "CustomerMasterKeySpec is deprecated",
        ),
        (json!({"Origin": "EXTERNAL"}), UNSUPPORTED, "EXTERNAL"),
        (json!({"Origin": "HERE"}), VALIDATION, "'origin'"),
        (json!({"MultiRegion": true}), UNSUPPORTED, "Multi-Region"),
        (json!({"MultiRegion": "true"}), SERIALIZATION, "STRING_VALUE"),
        (json!({"Policy": "{}"}), UNSUPPORTED, "Policy"),
        (json!({"CustomKeyStoreId": "cks-1"}), UNSUPPORTED, "Custom key stores"),
        (json!({"XksKeyId": "x"}), UNSUPPORTED, "External key stores"),
        (json!({"Description": "x".repeat(8193)}), VALIDATION, "less than or equal to 8192"),
        (json!({"Description": 5}), SERIALIZATION, "NUMBER_VALUE can not be converted to a String"),
        (json!({"Tags": {}}), SERIALIZATION, "List"),
        (json!({"Tags": [tag("", "v")]}), VALIDATION, "'tags.1.member.tagKey'"),
        (json!({"Tags": [{"TagKey": "a"}]}), VALIDATION, "null at 'tags.1.member.tagValue'"),
        (json!({"Tags": [tag("a", "1"), tag("a", "1")]}), "TagException", "Duplicate"),
        (json!({"Tags": [tag("aws:a", "1")]}), "TagException", "aws:"),
        // A wrong shape is named before what only Keystead refuses.
        (json!({"Policy": "{}", "KeySpec": "AES"}), VALIDATION, "'keySpec'"),
    ];
    all_refused(keys::create, &cases);
}

#[test]
fn describe_key_takes_every_form_of_a_name_and_no_other() {
    let describe = |body: &[u8]| keys::describe(body, &account());
    none_accepts(describe);
    for name in [KEY.to_owned(), arn(), arn().replace("eu-central-1", "ap-east-1")] {
        let body = json!({"KeyId": name, "GrantTokens": []}).to_string();
        assert_eq!(describe(body.as_bytes()).unwrap().key, KeyName::Id(key_id()));
    }
    let alias = describe(br#"{"KeyId":"alias/phi"}"#).unwrap().key;
    assert_eq!(alias, KeyName::Alias("alias/phi".into()));
    let foreign = arn().replace("123456789012", "210987654321");
    let cases = [
        (
            json!({}),
            VALIDATION,
            "Value null at 'keyId' failed to satisfy constraint: Member must not be null",
        ),
        (json!({"KeyId": null}), VALIDATION, "1 validation error detected: Value null at 'keyId'"),
        (json!({"KeyId": ""}), VALIDATION, "Value '' at 'keyId'"),
        (json!({"KeyId": "x".repeat(2049)}), VALIDATION, "less than or equal to 2048"),
        (json!({"KeyId": ["a"]}), SERIALIZATION, "LIST_VALUE"),
        (json!({"KeyId": "x"}), NOT_FOUND, "Invalid keyId 'x'"),
        (json!({"KeyId": foreign}), NOT_FOUND, "does not exist"),
        (json!({"KeyId": KEY, "GrantTokens": ["t"]}), "InvalidGrantTokenException", ""),
    ];
    all_refused(describe, &cases);
}

#[test]
fn list_keys_reads_its_own_markers() {
    none_accepts(keys::list);
    let all = keys::list(b"{}").unwrap();
    assert_eq!((all.limit, all.after), (100, None));
    let page = read(keys::page(
        &KeyPage { keys: vec![view(Vaulted::Yes)], next: Some(key_id()) },
        &place(),
    ));
    let want = json!({
        "Keys": [{"KeyId": KEY, "KeyArn": arn()}],
        "NextMarker": page["NextMarker"], "Truncated": true,
    });
    assert_eq!(page, want);
    let next = json!({"Limit": 1, "Marker": page["NextMarker"]}).to_string();
    let next = keys::list(next.as_bytes()).unwrap();
    assert_eq!((next.limit, next.after), (1, Some(key_id())));
    let last = read(keys::page(&KeyPage { keys: vec![], next: None }, &place()));
    assert_eq!(last, json!({"Keys": [], "Truncated": false}));
    let cases = [
        (json!({"Limit": 0}), VALIDATION, "Value '0' at 'limit'"),
        (json!({"Limit": 1001}), VALIDATION, "less than or equal to 1000"),
        (json!({"Limit": "1"}), SERIALIZATION, "STRING_VALUE can not be converted to an Integer"),
        (json!({"Limit": 1.5}), SERIALIZATION, "DECIMAL_VALUE"),
        (json!({"Marker": ""}), VALIDATION, "'marker'"),
        (json!({"Marker": "next"}), "InvalidMarkerException", ""),
        (json!({"Limit": 0, "Marker": ""}), VALIDATION, "2 validation errors detected: "),
    ];
    all_refused(keys::list, &cases);
}

#[test]
fn encrypt_reads_plaintext_and_context() {
    let encrypt = |body: &[u8]| uses::encrypt(body, &account());
    none_accepts(encrypt);
    let body = json!({
        "KeyId": KEY, "Plaintext": "AAEC", "EncryptionContext": {"b": "2", "a": ""},
        "DryRun": true, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "GrantTokens": null,
    });
    let command = encrypt(body.to_string().as_bytes()).unwrap();
    assert_eq!((command.plaintext.as_slice(), command.run), (&[0, 1, 2][..], Run::Dry));
    assert_eq!(command.context.into_iter().map(|(k, v)| k + &v).collect::<String>(), "ab2");
    let bare = encrypt(json!({"KeyId": KEY, "Plaintext": "AA=="}).to_string().as_bytes()).unwrap();
    assert_eq!((bare.context.len(), bare.run), (0, Run::ForReal));
    let base64 = |len| base64_simd::STANDARD.encode_to_string(vec![7; len]);
    assert!(
        encrypt(json!({"KeyId": KEY, "Plaintext": base64(4096)}).to_string().as_bytes()).is_ok()
    );
    let with = |name: &str, value: Value| {
        let mut body = json!({"KeyId": KEY, "Plaintext": "c2VjcmV0"});
        body[name] = value;
        body
    };
    let cases = [
        (json!({}), VALIDATION, "2 validation errors detected: Value null at 'keyId'"),
        (with("Plaintext", json!("")), VALIDATION, "Value at 'plaintext' failed"),
        (with("Plaintext", json!(base64(4097))), VALIDATION, "less than or equal to 4096"),
        (with("Plaintext", json!("c2V")), SERIALIZATION, "base64"),
        (with("Plaintext", json!([1])), SERIALIZATION, "LIST_VALUE"),
        (with("EncryptionContext", json!({"a": 1})), SERIALIZATION, "NUMBER_VALUE"),
        (with("EncryptionContext", json!({"a": null})), SERIALIZATION, "NULL_VALUE"),
        (with("EncryptionContext", json!([])), SERIALIZATION, "LIST_VALUE"),
        (with("DryRun", json!(1)), SERIALIZATION, "Boolean"),
        (with("GrantTokens", json!(["t"])), "InvalidGrantTokenException", ""),
        (
            with("EncryptionAlgorithm", json!("RSAES_OAEP_SHA_256")),
            "InvalidKeyUsageException",
            "RSAES_OAEP_SHA_256",
        ),
        (with("EncryptionAlgorithm", json!("AES")), VALIDATION, "'encryptionAlgorithm'"),
        (with("KeyId", json!("nope")), NOT_FOUND, "Invalid keyId 'nope'"),
    ];
    all_refused(encrypt, &cases);
    for (body, ..) in &cases {
        let (_, message) = refused(encrypt(body.to_string().as_bytes()));
        assert!(!message.contains("c2V") && !message.contains("secret"), "{message}");
    }
}

#[test]
fn decrypt_reads_a_ciphertext_and_perhaps_a_key() {
    let decrypt = |body: &[u8]| uses::decrypt(body, &account());
    none_accepts(decrypt);
    let bare = decrypt(br#"{"CiphertextBlob":"AAEC"}"#).unwrap();
    assert_eq!((bare.ciphertext.as_slice(), bare.key), (&[0, 1, 2][..], None));
    let named = json!({"CiphertextBlob": "AAEC", "KeyId": arn(), "EncryptionContext": {}});
    let named = decrypt(named.to_string().as_bytes()).unwrap();
    assert_eq!((named.key, named.context.len()), (Some(KeyName::Id(key_id())), 0));
    let with = |name: &str, value: Value| {
        let mut body = json!({"CiphertextBlob": "AAEC"});
        body[name] = value;
        body
    };
    let long = base64_simd::STANDARD.encode_to_string(vec![7; 6145]);
    let cases = [
        (json!({}), VALIDATION, "null at 'ciphertextBlob'"),
        (with("CiphertextBlob", json!("")), VALIDATION, "at 'ciphertextBlob'"),
        (with("CiphertextBlob", json!(long)), VALIDATION, "less than or equal to 6144"),
        (with("Recipient", json!({})), UNSUPPORTED, "Recipient"),
        (with("DryRunModifiers", json!(["IGNORE_CIPHERTEXT"])), UNSUPPORTED, "DryRunModifiers"),
        (with("KeyId", json!("")), VALIDATION, "'keyId'"),
        (with("KeyId", json!("x")), NOT_FOUND, "Invalid keyId 'x'"),
        (with("EncryptionAlgorithm", json!("SM2PKE")), "InvalidKeyUsageException", "SM2PKE"),
    ];
    all_refused(decrypt, &cases);
}

#[test]
fn generate_data_key_takes_one_length() {
    let generate = |body: &[u8]| uses::generate_data_key(body, &account(), HandOut::Both);
    none_accepts(generate);
    let bytes = |name: &str, value: Value| {
        let mut body = json!({"KeyId": KEY});
        body[name] = value;
        generate(body.to_string().as_bytes()).unwrap().bytes
    };
    assert_eq!(bytes("KeySpec", json!("AES_128")), 16);
    assert_eq!(bytes("KeySpec", json!("AES_256")), 32);
    assert_eq!(bytes("NumberOfBytes", json!(1024)), 1024);
    let both = json!({"KeyId": KEY, "KeySpec": "AES_128", "NumberOfBytes": 16});
    let cases = [
        (json!({"KeyId": KEY}), VALIDATION, "either number of bytes or key spec"),
        (both, VALIDATION, "either number of bytes or key spec"),
        (
            json!({"KeyId": KEY, "NumberOfBytes": 1025}),
            VALIDATION,
            "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
        ),
        (json!({"KeyId": KEY, "NumberOfBytes": 0}), VALIDATION, "greater than or equal to 1"),
        (json!({"KeyId": KEY, "NumberOfBytes": i64::MIN}), VALIDATION, "'numberOfBytes'"),
        (json!({"KeyId": KEY, "NumberOfBytes": 1e99}), SERIALIZATION, "DECIMAL_VALUE"),
        (json!({"KeyId": KEY, "KeySpec": "AES_192"}), VALIDATION, "[AES_256, AES_128]"),
        (json!({"KeySpec": "AES_256"}), VALIDATION, "'keyId'"),
        (json!({"KeyId": KEY, "KeySpec": "AES_256", "Recipient": {}}), UNSUPPORTED, "Recipient"),
    ];
    all_refused(generate, &cases);
}

#[test]
fn results_read_as_aws_writes_them() {
    let (key, ciphertext) = (key_id(), vec![0xff, 0xfe]);
    let made = Encrypted { key, ciphertext: ciphertext.clone() };
    let want = json!({
        "CiphertextBlob": "//4=", "KeyId": arn(), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    });
    assert_eq!(read(uses::encrypted(&made, &place())), want);
    let plaintext = Zeroizing::new(vec![0, 1]);
    let key_check = [0xcd; 32];
    let material = "cd".repeat(32);
    let opened = Decrypted { key, key_check, plaintext: plaintext.clone() };
    let want = json!({
        "KeyId": arn(), "Plaintext": "AAE=", "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": material,
    });
    assert_eq!(read(uses::decrypted(&opened, &place())), want);
    let plaintext = Some(plaintext);
    let both = DataKeyGenerated { key, key_check, ciphertext: ciphertext.clone(), plaintext };
    let want = json!({
        "CiphertextBlob": "//4=", "Plaintext": "AAE=", "KeyId": arn(), "KeyMaterialId": material,
    });
    assert_eq!(read(uses::data_key(&both, &place())), want);
    let without = DataKeyGenerated { key, key_check, ciphertext, plaintext: None };
    let want = json!({"CiphertextBlob": "//4=", "KeyId": arn(), "KeyMaterialId": material});
    assert_eq!(read(uses::data_key(&without, &place())), want);
}

#[test]
fn a_key_shows_creating_until_it_is_vaulted() {
    let shown = read(keys::metadata(&view(Vaulted::Yes), &place()));
    let want = json!({"KeyMetadata": {
        "AWSAccountId": "123456789012", "KeyId": KEY, "Arn": arn(),
        "CreationDate": 1_763_780_400.25, "Enabled": true, "Description": "patients",
        "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false, "CurrentKeyMaterialId": "ab".repeat(32),
    }});
    assert_eq!(shown, want);
    let of_spec = |spec| {
        let mut view = view(Vaulted::Yes);
        view.key.spec = spec;
        read(keys::metadata(&view, &place()))["KeyMetadata"].clone()
    };
    for (spec, usage, list, algorithm) in [
        (KeySpec::P256, "SIGN_VERIFY", "SigningAlgorithms", "ECDSA_SHA_256"),
        (KeySpec::Ed25519, "SIGN_VERIFY", "SigningAlgorithms", "ED25519_SHA_512"),
        (KeySpec::Hmac256, "GENERATE_VERIFY_MAC", "MacAlgorithms", "HMAC_SHA_256"),
    ] {
        let mut want = want["KeyMetadata"].clone();
        want["KeySpec"] = json!(spec.aws_name());
        want["CustomerMasterKeySpec"] = json!(spec.aws_name());
        want["KeyUsage"] = json!(usage);
        want[list] = json!([algorithm]);
        for absent in ["EncryptionAlgorithms", "CurrentKeyMaterialId"] {
            want.as_object_mut().unwrap().remove(absent);
        }
        assert_eq!(of_spec(spec), want);
    }
    let creating = read(keys::metadata(&view(Vaulted::NotYet), &place()));
    assert_eq!(creating["KeyMetadata"]["KeyState"], "Creating");
    assert_eq!(creating["KeyMetadata"]["Enabled"], false);
    let mut doomed = view(Vaulted::Yes);
    doomed.key.state = KeyState::Doomed { due: Timestamp::from_micros(1_764_000_000_000_000) };
    let doomed = read(keys::metadata(&doomed, &place()));
    assert_eq!(doomed["KeyMetadata"]["KeyState"], "PendingDeletion");
    assert_eq!(doomed["KeyMetadata"]["DeletionDate"], 1_764_000_000.0);
}

#[test]
fn a_target_names_one_offered_operation() {
    for operation in Operation::ALL {
        let target = format!("TrentService.{}", operation.name());
        assert_eq!(Operation::of_target(&target), Some(*operation));
        assert_eq!(Operation::of_target(&target.to_uppercase()), None);
    }
    for bad in ["", "TrentService.", "CreateKey", "TrentService.Sing", "trentservice.CreateKey"] {
        assert_eq!(Operation::of_target(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_a_parser(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        value in "[\\[\\]{}\",:0-9a-zA-Z/=\\\\ .-]{0,40}",
        member in 0usize..13,
    ) {
        let names = [
            "KeyId", "Plaintext", "CiphertextBlob", "EncryptionContext", "GrantTokens", "Tags",
            "NumberOfBytes", "Marker", "Message", "MessageType", "SigningAlgorithm", "Mac",
            "MacAlgorithm",
        ];
        let text = format!("{{\"{}\":{value}}}", names[member]);
        for body in [&bytes[..], text.as_bytes()] {
            super::parse_every(body);
        }
    }
}

#[test]
fn the_future_of_a_request_is_small() {
    fn size<F: Future>(_: impl FnOnce(State<Arc<Service>>, Request) -> F) -> usize {
        size_of::<F>()
    }
    let size = size(super::handle);
    // It is moved into a box with each request.
    assert!(size <= 3_000, "{size} bytes");
}
