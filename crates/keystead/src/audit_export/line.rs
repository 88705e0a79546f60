//! One line of an export, strictly.
//!
//! Invariant: a line has one form; a reader writes what it read once more, and refuses what
//! differs.

use base64_simd::STANDARD;
use keystead_crypto::VerifyingKey;
use keystead_domain::to_hex;
use keystead_ledger::{Hash, Head, Leaf, PROOF_HASHES};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::shown;
use crate::wrap_export::base64;

pub(super) const FORMAT: &str = "keystead-audit-export";
pub(super) const VERSION: u64 = 1;

/// What is wrong with a line.
pub(super) type Fault = &'static str;

/// Whether all events are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Every event of every log.
    Whole,
    /// Those that a filter chose.
    Chosen,
}

/// As much of a first line as every version has.
#[derive(Deserialize)]
pub(super) struct Lead {
    pub(super) format: String,
    pub(super) version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    format: String,
    version: u64,
    root_public_key: String,
    pub(super) whole: bool,
    pub(super) logs: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogLine {
    pub(super) log: String,
    pub(super) entries: u64,
    pub(super) checkpoint: String,
    pub(super) certificate: String,
    pub(super) events: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventLine {
    pub(super) index: u64,
    pub(super) leaf: String,
    pub(super) proof: Option<Vec<String>>,
    pub(super) event: serde_json::Value,
}

#[derive(Serialize)]
struct Written<'e> {
    index: u64,
    leaf: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Vec<String>>,
    event: &'e super::Shown,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Last {
    pub(super) end: bool,
    pub(super) events: u64,
}

/// The first line.
pub(crate) fn first_line(root: &VerifyingKey, extent: Extent, logs: usize) -> Vec<u8> {
    written(&First {
        format: FORMAT.to_owned(),
        version: VERSION,
        root_public_key: to_hex(&root.0),
        whole: extent == Extent::Whole,
        logs: logs as u64,
    })
}

/// What a log's line says beside how many events follow.
#[derive(Debug)]
pub(crate) struct LogPart<'l> {
    pub(crate) head: &'l Head,
    pub(crate) note: &'l [u8],
    pub(crate) certificate: &'l [u8],
}

/// The line before a log's events.
pub(crate) fn log_line(log: &LogPart<'_>, events: u64) -> Vec<u8> {
    written(&LogLine {
        log: log.head.origin.to_string(),
        entries: log.head.size,
        checkpoint: String::from_utf8_lossy(log.note).into_owned(),
        certificate: STANDARD.encode_to_string(log.certificate),
        events,
    })
}

/// The line of an event, with its proof where not all are there.
pub(crate) fn event_line(index: u64, leaf: &Leaf, proof: Option<&[Hash]>) -> Vec<u8> {
    let encode = |hash: &Hash| STANDARD.encode_to_string(hash);
    let proof = proof.map(|hashes| hashes.iter().map(encode).collect());
    let leaf_text = STANDARD.encode_to_string(leaf.as_bytes());
    written(&Written { index, leaf: leaf_text, proof, event: &shown(&leaf.event()) })
}

/// The line behind all others.
pub(crate) fn last_line(events: u64) -> Vec<u8> {
    written(&Last { end: true, events })
}

/// The hashes of a proof.
pub(super) fn hashes(proof: &[String]) -> Result<Vec<Hash>, Fault> {
    if proof.len() > PROOF_HASHES {
        return Err("`proof`");
    }
    let hash = |text: &String| base64(text)?.try_into().ok();
    proof.iter().map(hash).collect::<Option<_>>().ok_or("`proof`")
}

/// serde takes a list for a struct, too, and white space around it.
pub(super) fn object<T: DeserializeOwned>(line: &[u8]) -> Result<T, Fault> {
    if line.first() != Some(&b'{') || line.last() != Some(&b'}') {
        return Err("not a JSON object and nothing else");
    }
    serde_json::from_slice(line).map_err(|_| "another member, or one that is missing or not right")
}

pub(super) fn written(line: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).expect("texts and numbers are JSON");
    bytes.push(b'\n');
    bytes
}
