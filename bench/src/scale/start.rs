//! A start: how soon the first good answer comes, and how much memory is resident then.
//!
//! Invariant: ready is when a signed Decrypt under a key of before is answered with the plaintext
//! of before, not when a port is open.

use std::time::Instant;

use base64_simd::STANDARD;
use keystead_driver::{Kms, Serving};
use serde_json::json;

use crate::{
    failed::Failed,
    machine::{Cores, resident_bytes},
    statistics::median,
    subject::Instance,
};

const STARTS: usize = 3;
const PLAINTEXT: &str = "what was encrypted before opens";

/// A ciphertext of before.
#[derive(Debug)]
pub(crate) struct Witness {
    ciphertext: String,
}

/// Medians of some starts.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) ready_seconds: f64,
    pub(crate) resident_mb: f64,
}

impl Witness {
    pub(crate) fn new(instance: &Instance, serving: &Serving) -> Result<Self, Failed> {
        let key = instance.new_cipher_key(serving)?;
        let body = json!({ "KeyId": key, "Plaintext": STANDARD.encode_to_string(PLAINTEXT) });
        let made = Kms::new(serving.endpoint(), &instance.access).call("Encrypt", &body)?;
        Ok(Self { ciphertext: made["CiphertextBlob"].as_str().unwrap_or_default().to_owned() })
    }

    /// Fails unless the ciphertext opens.
    pub(crate) fn testify(&self, instance: &Instance, serving: &Serving) -> Result<(), Failed> {
        let client = Kms::new(serving.endpoint(), &instance.access);
        let opened = client.call("Decrypt", &json!({ "CiphertextBlob": self.ciphertext }))?;
        let want = STANDARD.encode_to_string(PLAINTEXT);
        if opened["Plaintext"] == want.as_str() {
            return Ok(());
        }
        let problem = "it opens to something else".to_owned();
        Err(Failed::Answer { subject: "Keystead".to_owned(), operation: "Decrypt", problem })
    }
}

/// Starts and stops the instance some times.
pub(crate) fn measure(
    instance: &Instance,
    witness: &Witness,
    cores: Cores,
) -> Result<Started, Failed> {
    let (mut seconds, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let began = Instant::now();
        let serving = instance.serve(cores)?;
        witness.testify(instance, &serving)?;
        seconds.push(began.elapsed().as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
        resident.push(resident_bytes(serving.process())? as f64 / 1e6);
        serving.stop();
    }
    Ok(Started { ready_seconds: median(seconds), resident_mb: median(resident) })
}
