//! Our own client: keys, and documents encrypted directly or under a data key.
//!
//! Invariant: a data key is used for one document and then forgotten.

use std::{collections::BTreeSet, fs};

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64_simd::STANDARD;
use serde_json::{Value, json};

use crate::{
    boto3::Client,
    documents::{DIRECT_BYTES, Document, Recovered},
    failure::Failure,
};

const NONCE_BYTES: usize = 12;

/// Makes keys; returns their ids.
pub(crate) fn create_keys(client: &Client<'_>, count: usize) -> Result<Vec<String>, Failure> {
    let kms = client.kms();
    let make = |number: usize| {
        let made =
            kms.call("CreateKey", &json!({ "Description": format!("demo key {number}") }))?;
        text(&made["KeyMetadata"], "CreateKey", "KeyId")
    };
    (1..=count).map(make).collect()
}

/// The ids of all keys.
pub(crate) fn list_keys(client: &Client<'_>) -> Result<BTreeSet<String>, Failure> {
    let listed = client.kms().call("ListKeys", &json!({ "Limit": 1000 }))?;
    let keys = listed["Keys"].as_array().into_iter().flatten();
    keys.map(|key| text(key, "ListKeys", "KeyId")).collect()
}

/// Encrypts documents into their files; returns how many.
pub(crate) fn encrypt<'d>(
    client: &Client<'_>,
    documents: impl Iterator<Item = &'d mut Document>,
) -> Result<usize, Failure> {
    let mut count = 0;
    for document in documents {
        let sealed = encrypted(client, document)?.to_string();
        fs::write(&document.sealed, sealed).map_err(Failure::file(&document.sealed))?;
        count += 1;
    }
    Ok(count)
}

/// Decrypts what can be decrypted and says what cannot.
pub(crate) fn decrypt(client: &Client<'_>, documents: &[Document]) -> Recovered {
    let mut recovered = Recovered::new();
    for document in documents {
        match decrypted(client, document) {
            Ok(bytes) => drop(recovered.insert(document.number, bytes)),
            Err(failure) => eprintln!("error: `{}`: {failure}", document.path),
        }
    }
    recovered
}

fn encrypted(client: &Client<'_>, document: &Document) -> Result<Value, Failure> {
    let kms = client.kms();
    let context = json!({ "path": document.path });
    if document.bytes.len() <= DIRECT_BYTES && !document.bytes.is_empty() {
        let made = kms.call(
            "Encrypt",
            &json!({
                "KeyId": document.key,
                "Plaintext": STANDARD.encode_to_string(&document.bytes),
                "EncryptionContext": context,
            }),
        )?;
        return Ok(json!({ "ciphertext": text(&made, "Encrypt", "CiphertextBlob")? }));
    }
    let asked =
        json!({ "KeyId": document.key, "KeySpec": "AES_256", "EncryptionContext": context });
    let made = kms.call("GenerateDataKey", &asked)?;
    let key = cipher(&text(&made, "GenerateDataKey", "Plaintext")?, document)?;
    let mut bytes = document.bytes.clone();
    let nonce = key.seal_in_place_append_tag(Aad::from(document.path.as_bytes()), &mut bytes);
    let nonce = nonce.map_err(|_| Failure::Open { path: document.path.clone() })?;
    let ciphertext = [&nonce.as_ref()[..], &bytes].concat();
    Ok(json!({
        "data_key": text(&made, "GenerateDataKey", "CiphertextBlob")?,
        "ciphertext": STANDARD.encode_to_string(ciphertext),
    }))
}

fn decrypted(client: &Client<'_>, document: &Document) -> Result<Vec<u8>, Failure> {
    let sealed = fs::read(&document.sealed).map_err(Failure::file(&document.sealed))?;
    let sealed: Value = serde_json::from_slice(&sealed).unwrap_or_default();
    let open = |blob: &Value| -> Result<String, Failure> {
        let asked =
            json!({ "CiphertextBlob": blob, "EncryptionContext": { "path": document.path } });
        text(&client.kms().call("Decrypt", &asked)?, "Decrypt", "Plaintext")
    };
    let Some(data_key) = sealed.get("data_key") else {
        return bytes_of(&open(&sealed["ciphertext"])?, document);
    };
    let key = cipher(&open(data_key)?, document)?;
    let failed = || Failure::Open { path: document.path.clone() };
    let mut bytes = bytes_of(sealed["ciphertext"].as_str().unwrap_or_default(), document)?;
    let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_BYTES).ok_or_else(failed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| failed())?;
    let opened = key.open_in_place(nonce, Aad::from(document.path.as_bytes()), sealed);
    Ok(opened.map_err(|_| failed())?.to_vec())
}

fn cipher(data_key: &str, document: &Document) -> Result<RandomizedNonceKey, Failure> {
    let key = bytes_of(data_key, document)?;
    let failed = |_| Failure::Open { path: document.path.clone() };
    RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(failed)
}

fn bytes_of(base64: &str, document: &Document) -> Result<Vec<u8>, Failure> {
    let failed = |_| Failure::Open { path: document.path.clone() };
    STANDARD.decode_to_vec(base64).map_err(failed)
}

fn text(answer: &Value, of: &'static str, member: &'static str) -> Result<String, Failure> {
    let text = answer.get(member).and_then(Value::as_str).map(str::to_owned);
    text.ok_or(Failure::Answer { of, member })
}
