//! The operations of the bare server: JSON in, the same cryptography, JSON out.

use std::{borrow::Cow, collections::BTreeMap};

use base64_simd::STANDARD;
use keystead_crypto::{CipherContext, CipherKind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Bare, CIPHER_KEY, SIGNING_KEY, TENANT};

/// The members of all requests.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked<'a> {
    #[serde(borrow)]
    key_id: Cow<'a, str>,
    #[serde(borrow)]
    plaintext: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ciphertext_blob: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    signature: Option<Cow<'a, str>>,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
}

/// The answer; none to what is not understood.
pub(super) fn run(bare: &Bare, operation: &str, body: &[u8]) -> Option<Value> {
    let asked: Asked<'_> = serde_json::from_slice(body).ok()?;
    let kind = CipherKind::Message;
    let context = || CipherContext::new(kind, &TENANT, &asked.encryption_context);
    let is_cipher = asked.key_id == CIPHER_KEY;
    match operation {
        "Encrypt" if is_cipher => {
            let plaintext = blob(asked.plaintext.as_deref())?;
            let made = bare.cipher.encrypt(&bare.entropy, &context(), &plaintext);
            Some(json!({
                "CiphertextBlob": STANDARD.encode_to_string(made),
                "KeyId": arn(CIPHER_KEY),
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            }))
        }
        "Decrypt" if is_cipher => {
            let ciphertext = blob(asked.ciphertext_blob.as_deref())?;
            let opened = bare.cipher.decrypt(&context(), &ciphertext).ok()?;
            Some(json!({
                "Plaintext": STANDARD.encode_to_string(&**opened),
                "KeyId": arn(CIPHER_KEY),
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            }))
        }
        "GenerateDataKey" if is_cipher => {
            let data_key: [u8; 32] = bare.entropy.array();
            let made = bare.cipher.encrypt(&bare.entropy, &context(), &data_key);
            Some(json!({
                "CiphertextBlob": STANDARD.encode_to_string(made),
                "Plaintext": STANDARD.encode_to_string(data_key),
                "KeyId": arn(CIPHER_KEY),
            }))
        }
        "Sign" if asked.key_id == SIGNING_KEY => {
            let made = bare.signer.sign(&blob(asked.message.as_deref())?);
            Some(json!({
                "Signature": STANDARD.encode_to_string(made),
                "KeyId": arn(SIGNING_KEY),
                "SigningAlgorithm": "ED25519_SHA_512",
            }))
        }
        "Verify" if asked.key_id == SIGNING_KEY => {
            let (message, by) =
                (blob(asked.message.as_deref())?, blob(asked.signature.as_deref())?);
            let valid = bare.signer.verify(&message, &by).is_ok();
            Some(json!({ "SignatureValid": valid, "KeyId": arn(SIGNING_KEY) }))
        }
        _ => None,
    }
}

fn blob(text: Option<&str>) -> Option<Vec<u8>> {
    STANDARD.decode_to_vec(text?).ok()
}

fn arn(key: &str) -> String {
    format!("arn:aws:kms:us-east-1:123456789012:key/{key}")
}
