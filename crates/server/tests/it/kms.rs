//! The AWS front from the outside: each operation, and what it refuses.

use serde_json::{Value, json};

use crate::{
    wire::{Answer, Call},
    world::{ACCOUNT, World},
};

fn ask(world: &World, operation: &str, body: &Value) -> Answer {
    Call::kms(operation, body).signed(world).send(world)
}

fn made(world: &World, body: &Value) -> Value {
    let answer = ask(world, "CreateKey", body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["KeyMetadata"].clone()
}

#[test]
fn a_key_is_made_described_and_listed() {
    let world = World::new();
    let tags = json!([{"TagKey": "team", "TagValue": "records"}]);
    let key = made(&world, &json!({"Description": "patients", "Tags": tags}));
    let arn = key["Arn"].as_str().unwrap();
    assert!(arn.starts_with(&format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/")), "{arn}");
    assert_eq!((&key["KeyState"], &key["Description"]), (&json!("Enabled"), &json!("patients")));
    for name in [&key["KeyId"], &key["Arn"]] {
        let shown = ask(&world, "DescribeKey", &json!({"KeyId": name})).json();
        assert_eq!(shown["KeyMetadata"], key);
    }
    let second = made(&world, &json!({}));
    let first = ask(&world, "ListKeys", &json!({"Limit": 1})).json();
    assert_eq!(first["Truncated"], true);
    let rest = ask(&world, "ListKeys", &json!({"Marker": first["NextMarker"]})).json();
    assert_eq!((&rest["Truncated"], rest.get("NextMarker")), (&json!(false), None));
    let mut listed = [&first["Keys"][0]["KeyArn"], &rest["Keys"][0]["KeyArn"]];
    let mut want = [&key["Arn"], &second["Arn"]];
    listed.sort_by_key(ToString::to_string);
    want.sort_by_key(ToString::to_string);
    assert_eq!(listed, want);
}

#[test]
fn the_region_of_an_answer_is_that_of_the_signature() {
    let world = World::new();
    let key = made(&world, &json!({}));
    let mut call = Call::kms("DescribeKey", &json!({"KeyId": key["Arn"]}));
    call.region = "ap-south-1".into();
    let shown = call.signed(&world).send(&world).json();
    let arn = key["Arn"].as_str().unwrap().replace("eu-central-1", "ap-south-1");
    assert_eq!(shown["KeyMetadata"]["Arn"], arn);
}

#[test]
fn what_was_encrypted_decrypts_under_its_context_alone() {
    let world = World::new();
    let key = made(&world, &json!({}));
    let (id, context) = (&key["KeyId"], json!({"patient": "17"}));
    let body = json!({"KeyId": id, "Plaintext": "cGF0aWVudA==", "EncryptionContext": context});
    let sealed = ask(&world, "Encrypt", &body).json();
    assert_eq!(sealed["KeyId"], key["Arn"]);
    let decrypt = |extra: Value| {
        let mut body = json!({"CiphertextBlob": sealed["CiphertextBlob"]});
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        ask(&world, "Decrypt", &body)
    };
    let opened = decrypt(json!({"EncryptionContext": context})).json();
    assert_eq!((&opened["Plaintext"], &opened["KeyId"]), (&json!("cGF0aWVudA=="), &key["Arn"]));
    let invalid = (400, "InvalidCiphertextException".to_owned());
    for wrong in [json!({}), json!({"EncryptionContext": {"patient": "18"}})] {
        let refused = decrypt(wrong);
        assert_eq!(refused.exception(), invalid);
        assert_eq!(refused.json().get("message"), None);
    }
    let other = made(&world, &json!({}));
    let refused = decrypt(json!({"EncryptionContext": context, "KeyId": other["KeyId"]}));
    assert_eq!(refused.exception(), (400, "IncorrectKeyException".to_owned()));
    let dry = decrypt(json!({"EncryptionContext": context, "DryRun": true}));
    assert_eq!(dry.exception(), (400, "DryRunOperationException".to_owned()));
}

#[test]
fn data_keys_come_with_and_without_their_plaintext() {
    let world = World::new();
    let id = made(&world, &json!({}))["KeyId"].clone();
    let both = ask(&world, "GenerateDataKey", &json!({"KeyId": id, "KeySpec": "AES_256"})).json();
    let opened = ask(&world, "Decrypt", &json!({"CiphertextBlob": both["CiphertextBlob"]})).json();
    assert_eq!(opened["Plaintext"], both["Plaintext"]);
    assert_eq!(both["Plaintext"].as_str().unwrap().len(), 44);
    let body = json!({"KeyId": id, "NumberOfBytes": 1});
    let without = ask(&world, "GenerateDataKeyWithoutPlaintext", &body).json();
    assert!(without.get("Plaintext").is_none());
    let opened =
        ask(&world, "Decrypt", &json!({"CiphertextBlob": without["CiphertextBlob"]})).json();
    assert_eq!(opened["Plaintext"].as_str().unwrap().len(), 4);
}

#[test]
fn signatures_and_macs_hold_or_are_refused_by_name() {
    let world = World::new();
    let made = |spec: &str, usage: &str| {
        let body = json!({"KeySpec": spec, "KeyUsage": usage});
        made(&world, &body)["KeyId"].clone()
    };
    let signer = made("ECC_NIST_P256", "SIGN_VERIFY");
    let message = json!({"KeyId": signer, "Message": "AAEC", "SigningAlgorithm": "ECDSA_SHA_256"});
    let signature = ask(&world, "Sign", &message).json()["Signature"].clone();
    let verify = |signature: &Value| {
        let mut body = message.clone();
        body["Signature"] = signature.clone();
        ask(&world, "Verify", &body)
    };
    assert_eq!(verify(&signature).json()["SignatureValid"], true);
    let wrong = verify(&json!("AAEC"));
    assert_eq!(wrong.exception(), (400, "KMSInvalidSignatureException".to_owned()));
    assert!(wrong.json().get("message").is_none(), "{}", wrong.text());
    let public = ask(&world, "GetPublicKey", &json!({"KeyId": signer})).json();
    assert!(
        public["PublicKey"].as_str().unwrap().starts_with("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE")
    );
    let holder = made("HMAC_256", "GENERATE_VERIFY_MAC");
    let message = json!({"KeyId": holder, "Message": "AAEC", "MacAlgorithm": "HMAC_SHA_256"});
    let mut checked = message.clone();
    checked["Mac"] = ask(&world, "GenerateMac", &message).json()["Mac"].clone();
    assert_eq!(ask(&world, "VerifyMac", &checked).json()["MacValid"], true);
    checked["Mac"] = json!("AAEC");
    let wrong = ask(&world, "VerifyMac", &checked);
    assert_eq!(wrong.exception(), (400, "KMSInvalidMacException".to_owned()));
    let refused = ask(&world, "GetPublicKey", &json!({"KeyId": holder}));
    assert_eq!(refused.exception(), (400, "UnsupportedOperationException".to_owned()));
    let refused = ask(&world, "Encrypt", &json!({"KeyId": holder, "Plaintext": "AA=="}));
    assert_eq!(refused.exception(), (400, "InvalidKeyUsageException".to_owned()));
}

#[test]
fn refusals_name_their_exception() {
    let world = World::new();
    let absent = "00000000-0000-0000-0000-000000000000";
    let cases = [
        ("Encrypt", json!({"KeyId": absent, "Plaintext": "AA=="}), "NotFoundException"),
        ("Encrypt", json!({"KeyId": "x", "Plaintext": "AA=="}), "NotFoundException"),
        ("Encrypt", json!({"KeyId": "alias/x", "Plaintext": "AA=="}), "NotFoundException"),
        ("DescribeKey", json!({}), "ValidationException"),
        ("Decrypt", json!({"CiphertextBlob": "AAAA"}), "InvalidCiphertextException"),
        ("GenerateDataKeyPair", json!({}), "UnknownOperationException"),
        ("Sign", json!({}), "ValidationException"),
        ("CreateKey", json!({"KeySpec": "HMAC_256"}), "ValidationException"),
        ("", json!({}), "UnknownOperationException"),
        ("CreateKey", json!({"Policy": "{}"}), "UnsupportedOperationException"),
        ("CreateKey", json!([]), "SerializationException"),
    ];
    for (operation, body, exception) in cases {
        let answer = ask(&world, operation, &body);
        assert_eq!(answer.exception(), (400, exception.to_owned()), "{operation} {body}");
        assert!(answer.head.contains("content-type: application/x-amz-json-1.1"));
        let id = answer.head.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: "));
        assert_eq!(id.map(str::len), Some(36), "{}", answer.head);
    }
    let text = Call::kms("ListKeys", &json!({}))
        .without("content-type")
        .header("content-type", "text/plain")
        .signed(&world)
        .send(&world);
    assert_eq!(text.exception().1, "SerializationException");
    let twice = Call::kms("ListKeys", &json!({}))
        .header("x-amz-target", "TrentService.CreateKey")
        .signed(&world)
        .send(&world);
    assert_eq!(twice.exception().1, "UnknownOperationException");
}

#[test]
fn a_key_that_vaults_do_not_confirm_is_creating_or_not_made() {
    let world = World::new();
    world.vaults[1].away();
    let refused = ask(&world, "CreateKey", &json!({}));
    assert_eq!(refused.exception(), (500, "DependencyTimeoutException".to_owned()));
    world.vaults[1].back();
}

#[test]
fn sts_says_who_the_caller_is() {
    let world = World::new();
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let answer = Call::sts(form).signed(&world).send(&world);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    assert!(text.contains(&format!("<Account>{ACCOUNT}</Account>")), "{text}");
    assert!(text.contains(&format!("<Arn>arn:aws:iam::{ACCOUNT}:user/admin</Arn>")), "{text}");
    let unknown = Call::sts("Action=AssumeRole").signed(&world).send(&world);
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("<Code>InvalidAction</Code>"), "{}", unknown.text());
    let mut altered = Call::sts(form).signed(&world);
    altered.body.push(b'&');
    let altered = altered.send(&world);
    assert_eq!(altered.status, 403);
    assert!(altered.text().contains("<Code>SignatureDoesNotMatch</Code>"), "{}", altered.text());
}
