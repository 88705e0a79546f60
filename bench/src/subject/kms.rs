//! A server of the KMS protocol: ours, and the bare one.
//!
//! Invariant: both are asked by the same bytes but for names and signatures, and what one of them
//! made is opened by the same calls.

use std::{net::SocketAddr, rc::Rc};

use base64_simd::STANDARD;
use keystead_driver::{Access, Kms};
use serde_json::{Value, json};

use super::address_of;
use crate::{
    failed::Failed,
    operation::Operation,
    presigned::{MESSAGES, kms, kms_body, message},
};

/// What asking it takes.
#[derive(Debug)]
pub(super) struct KmsEndpoint {
    pub(super) endpoint: String,
    pub(super) address: SocketAddr,
    access: Access,
    cipher_key: String,
    signing_key: String,
    /// What Decrypt is asked to open.
    ciphertexts: Vec<Vec<u8>>,
}

impl KmsEndpoint {
    /// Makes ciphertexts under the keys of a server that answers.
    pub(super) fn new(
        endpoint: &str,
        access: Access,
        (cipher_key, signing_key): (String, String),
    ) -> Result<Self, Failed> {
        let (endpoint, address) = (endpoint.to_owned(), address_of(endpoint)?);
        let ciphertexts = Vec::new();
        let made = Self { endpoint, address, access, cipher_key, signing_key, ciphertexts };
        let ciphertexts = (0..MESSAGES).map(|number| made.ciphertext(number));
        Ok(Self { ciphertexts: ciphertexts.collect::<Result<_, _>>()?, ..made })
    }

    /// The requests of an operation.
    pub(super) fn requests(&self, operation: Operation) -> Rc<[Vec<u8>]> {
        let key = self.key(operation);
        let of = |number: usize| {
            let message = match operation {
                Operation::Decrypt => self.ciphertexts[number].clone(),
                _ => message(operation, number),
            };
            let body = kms_body(operation, key, &message);
            kms(&self.endpoint, &self.access, operation.target(), &body)
        };
        (0..MESSAGES).map(of).collect()
    }

    /// What is wrong with an answer, if anything.
    pub(super) fn fault(
        &self,
        operation: Operation,
        number: usize,
        answer: &Value,
    ) -> Result<Option<String>, Failed> {
        let blob = |name: &str| blob(answer, name);
        let found = match operation {
            Operation::EncryptSmall | Operation::Encrypt => {
                self.opened(&blob("CiphertextBlob"))? == message(operation, number)
            }
            Operation::Decrypt => blob("Plaintext") == message(operation, number),
            Operation::DataKey => {
                let (data_key, opened) = (blob("Plaintext"), blob("CiphertextBlob"));
                data_key.len() == 32 && self.opened(&opened)? == data_key
            }
            Operation::Sign => self.verifies(&message(operation, number), &blob("Signature"))?,
        };
        Ok((!found).then(|| format!("request {number} was answered by `{answer}`")))
    }

    fn key(&self, operation: Operation) -> &str {
        match operation {
            Operation::Sign => &self.signing_key,
            _ => &self.cipher_key,
        }
    }

    fn ciphertext(&self, number: usize) -> Result<Vec<u8>, Failed> {
        let body =
            kms_body(Operation::Encrypt, &self.cipher_key, &message(Operation::Encrypt, number));
        Ok(blob(&self.call("Encrypt", &body)?, "CiphertextBlob"))
    }

    fn opened(&self, ciphertext: &[u8]) -> Result<Vec<u8>, Failed> {
        let body = kms_body(Operation::Decrypt, &self.cipher_key, ciphertext);
        Ok(blob(&self.call("Decrypt", &body)?, "Plaintext"))
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> Result<bool, Failed> {
        let mut body = kms_body(Operation::Sign, &self.signing_key, message);
        body["Signature"] = json!(STANDARD.encode_to_string(signature));
        Ok(self.call("Verify", &body)?["SignatureValid"] == true)
    }

    fn call(&self, operation: &str, body: &Value) -> Result<Value, Failed> {
        Ok(Kms::new(&self.endpoint, &self.access).call(operation, body)?)
    }
}

/// The bytes of a member in base64; none where it is absent.
pub(super) fn blob(answer: &Value, name: &str) -> Vec<u8> {
    let text = answer[name].as_str().unwrap_or_default();
    STANDARD.decode_to_vec(text).unwrap_or_default()
}

/// The id of a new key.
pub(super) fn new_key(kms: &Kms<'_>, spec: &Value) -> Result<String, Failed> {
    let made = kms.call("CreateKey", spec)?;
    Ok(made["KeyMetadata"]["KeyId"].as_str().unwrap_or_default().to_owned())
}

/// The same access key once more: a client and a pre-signer each hold one.
pub(super) fn same(access: &Access) -> Access {
    let secret = access.expose(|secret| {
        json!({
            "access_key_id": access.id,
            "secret_access_key": secret,
        })
    });
    Access::of(&secret).expect("it was one")
}
