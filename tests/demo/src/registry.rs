//! Every document once more, each under a data key of its own that the registry keeps.
//!
//! Invariant: nothing of a data key is kept here: after the loss it comes from the registry or not
//! at all.

use std::fs;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64_simd::STANDARD;
use keystead_driver::{Native, segment};
use serde_json::{Value, json};

use crate::{
    documents::{Document, Recovered},
    failure::Failure,
};

const NONCE_BYTES: usize = 12;

/// Puts a data key for each document and encrypts the document under it; returns how many.
pub(crate) fn encrypt(client: &Native<'_>, documents: &[Document]) -> Result<usize, Failure> {
    for document in documents {
        let answer = client.call("PUT", &route(document, ""), &json!({}))?;
        let key = key(&answer, document)?;
        let mut bytes = document.bytes.clone();
        let nonce = key.seal_in_place_append_tag(Aad::from(document.path.as_bytes()), &mut bytes);
        let nonce = nonce.map_err(|_| Failure::Open { path: document.path.clone() })?;
        let kept = [&nonce.as_ref()[..], &bytes].concat();
        let path = document.wrapped();
        fs::write(&path, kept).map_err(Failure::file(&path))?;
    }
    Ok(documents.len())
}

/// Unwraps each document's data key and decrypts; says what cannot be had.
pub(crate) fn decrypt(client: &Native<'_>, documents: &[Document]) -> Recovered {
    let mut recovered = Recovered::new();
    for document in documents {
        match decrypted(client, document) {
            Ok(bytes) => drop(recovered.insert(document.number, bytes)),
            Err(failure) => eprintln!("error: `{}`: {failure}", document.path),
        }
    }
    recovered
}

fn decrypted(client: &Native<'_>, document: &Document) -> Result<Vec<u8>, Failure> {
    let answer = client.call("POST", &route(document, "/unwrap"), &json!({}))?;
    let key = key(&answer, document)?;
    let path = document.wrapped();
    let mut kept = fs::read(&path).map_err(Failure::file(&path))?;
    let failed = || Failure::Open { path: document.path.clone() };
    let (nonce, sealed) = kept.split_at_mut_checked(NONCE_BYTES).ok_or_else(failed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| failed())?;
    let opened = key.open_in_place(nonce, Aad::from(document.path.as_bytes()), sealed);
    Ok(opened.map_err(|_| failed())?.to_vec())
}

fn route(document: &Document, verb: &str) -> String {
    format!("/v1/wraps/{}{verb}", segment(&document.path))
}

fn key(answer: &Value, document: &Document) -> Result<RandomizedNonceKey, Failure> {
    let failed = || Failure::Open { path: document.path.clone() };
    let key = answer["plaintext"].as_str().and_then(|text| STANDARD.decode_to_vec(text).ok());
    RandomizedNonceKey::new(&AES_256_GCM, &key.ok_or_else(failed)?).map_err(|_| failed())
}
