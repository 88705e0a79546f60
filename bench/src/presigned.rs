//! Requests as bytes, signed before the clock runs.
//!
//! Invariant: a request is signed for the moment of its round, since a server refuses one that is
//! 15 minutes old; what it asks is the same in every round.

use base64_simd::STANDARD;
use keystead_driver::{Access, Unsigned};
use serde_json::{Value, json};

use crate::operation::Operation;

/// How many different messages there are.
pub(crate) const MESSAGES: usize = 64;

/// The message with this number: no two are equal.
pub(crate) fn message(operation: Operation, number: usize) -> Vec<u8> {
    let mut state = u64::try_from(number).unwrap_or_default() ^ 0x9e37_79b9_7f4a_7c15;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(operation.message_bytes()).collect()
}

/// One request of the KMS protocol.
pub(crate) fn kms(endpoint: &str, access: &Access, target: &str, body: &Value) -> Vec<u8> {
    let target = format!("TrentService.{target}");
    let headers =
        [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
    let body = body.to_string().into_bytes();
    let scope = ("us-east-1", "kms");
    Unsigned { method: "POST", path: "/", headers: &headers, scope, body }.bytes(endpoint, access)
}

/// One request of `/v1`.
pub(crate) fn native(endpoint: &str, access: &Access, method: &str, path: &str) -> Vec<u8> {
    let headers = [("content-type", "application/json")];
    let body = b"{}".to_vec();
    let scope = ("local", "keystead");
    Unsigned { method, path, headers: &headers, scope, body }.bytes(endpoint, access)
}

/// The body of an operation in the KMS protocol; Decrypt takes a ciphertext as its message.
pub(crate) fn kms_body(operation: Operation, key: &str, message: &[u8]) -> Value {
    let message = STANDARD.encode_to_string(message);
    match operation {
        Operation::EncryptSmall | Operation::Encrypt => {
            json!({ "KeyId": key, "Plaintext": message })
        }
        Operation::Decrypt => json!({ "KeyId": key, "CiphertextBlob": message }),
        Operation::DataKey => json!({ "KeyId": key, "KeySpec": "AES_256" }),
        Operation::Sign => json!({
            "KeyId": key,
            "Message": message,
            "MessageType": "RAW",
            "SigningAlgorithm": "ED25519_SHA_512",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_their_length_and_differ() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..MESSAGES {
            let message = message(Operation::EncryptSmall, number);
            assert_eq!(message.len(), 32);
            assert!(seen.insert(message), "{number}");
        }
        assert_eq!(message(Operation::Decrypt, 3).len(), 4096);
    }
}
