//! One line of an export, strictly.
//!
//! Invariant: a line has one meaning or none: an unknown member, one that comes twice, an id,
//! number or base64 in a second form are refused. What is written reads back equal.

use base64_simd::STANDARD;
use keystead_crypto::{OVERHEAD_BYTES, Sealed};
use keystead_domain::{
    DATA_KEY_BYTES, KeyId, Timestamp, VersionId, WrapAlgorithm, WrapFacts, WrapRecord, parse_hex,
    to_hex,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const FORMAT: &str = "keystead-wrap-export";
const VERSION: u64 = 1;

/// What is wrong with a line.
pub(super) type Fault = &'static str;

/// Why a first line is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstFault {
    /// It is none.
    Malformed(Fault),
    /// It is of a later program.
    Newer(u64),
}

/// As much of a first line as every version has.
#[derive(Deserialize)]
struct Lead {
    format: String,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    format: String,
    version: u64,
    statement: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sequence: u64,
    wrap: String,
    tenant: String,
    subject: String,
    algorithm: String,
    created_at: i64,
    key_check: String,
    data_key: String,
    key: String,
    key_version: String,
    chain: String,
}

/// A record's line as it was read; nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exported {
    pub(super) record: WrapRecord,
    pub(super) key: KeyId,
    pub(super) version: VersionId,
    pub(super) chain: [u8; 32],
}

/// The first line around a signed statement, without its end.
pub(crate) fn first_line(statement: &[u8]) -> Vec<u8> {
    written(&First {
        format: FORMAT.to_owned(),
        version: VERSION,
        statement: STANDARD.encode_to_string(statement),
    })
}

/// The line of a record whose chain value is given, without its end.
pub(crate) fn record_line(record: &WrapRecord, chain: &[u8; 32]) -> Vec<u8> {
    let (facts, envelope) = (&record.facts, record.envelope());
    written(&Line {
        sequence: facts.sequence,
        wrap: facts.id.to_string(),
        tenant: facts.tenant.to_string(),
        subject: facts.subject.to_string(),
        algorithm: facts.algorithm.name().to_owned(),
        created_at: facts.created_at.as_micros(),
        key_check: to_hex(&facts.key_check),
        data_key: STANDARD.encode_to_string(record.data_key.as_bytes()),
        key: envelope.key.to_string(),
        key_version: envelope.version.to_string(),
        chain: to_hex(chain),
    })
}

/// The signed statement in a first line.
pub(super) fn read_first(line: &[u8]) -> Result<Vec<u8>, FirstFault> {
    let lead: Lead = object(line).map_err(FirstFault::Malformed)?;
    match (lead.format.as_str(), lead.version) {
        (FORMAT, VERSION) => {}
        (FORMAT, found) if found > VERSION => return Err(FirstFault::Newer(found)),
        _ => return Err(FirstFault::Malformed("another format")),
    }
    let first: First = object(line).map_err(FirstFault::Malformed)?;
    base64(&first.statement).ok_or(FirstFault::Malformed("`statement`"))
}

/// A record in any other line.
pub(super) fn read_record(line: &[u8]) -> Result<Exported, Fault> {
    let line: Line = object(line)?;
    let record = WrapRecord {
        facts: WrapFacts {
            id: line.wrap.parse().map_err(|_| "`wrap`")?,
            tenant: line.tenant.parse().map_err(|_| "`tenant`")?,
            subject: line.subject.parse().map_err(|_| "`subject`")?,
            sequence: Some(line.sequence).filter(|sequence| *sequence > 0).ok_or("`sequence`")?,
            algorithm: algorithm(&line.algorithm).ok_or("`algorithm`")?,
            created_at: Timestamp::from_micros(line.created_at),
            key_check: parse_hex(&line.key_check).ok_or("`key_check`")?,
        },
        data_key: envelope(&line.data_key).ok_or("`data_key`")?,
    };
    Ok(Exported {
        record,
        key: line.key.parse().map_err(|_| "`key`")?,
        version: line.key_version.parse().map_err(|_| "`key_version`")?,
        chain: parse_hex(&line.chain).ok_or("`chain`")?,
    })
}

impl Exported {
    /// Whether the ids beside the envelope are those in it.
    pub(super) fn names_its_envelope(&self) -> bool {
        let envelope = self.record.envelope();
        (self.key, self.version) == (envelope.key, envelope.version)
    }
}

/// The algorithm of this name.
pub(crate) fn algorithm(name: &str) -> Option<WrapAlgorithm> {
    Some(WrapAlgorithm::Aes256Gcm).filter(|known| known.name() == name)
}

/// A wrapped data key in base64.
pub(crate) fn envelope<C>(text: &str) -> Option<Sealed<C>> {
    let (min, max) = DATA_KEY_BYTES.into_inner();
    let lawful = min + OVERHEAD_BYTES..=max + OVERHEAD_BYTES;
    let bytes = base64(text).filter(|bytes| lawful.contains(&bytes.len()))?;
    Sealed::from_bytes(bytes).ok()
}

/// Base64 in its one form.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode_to_vec(text).ok()?;
    Some(bytes).filter(|bytes| STANDARD.encode_to_string(bytes) == text)
}

/// serde takes a list for a struct, too, and white space around it.
fn object<T: DeserializeOwned>(line: &[u8]) -> Result<T, Fault> {
    if line.first() != Some(&b'{') || line.last() != Some(&b'}') {
        return Err("not a JSON object and nothing else");
    }
    serde_json::from_slice(line).map_err(|_| "another member, or one that is missing or not right")
}

fn written(line: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(line).expect("texts and numbers are JSON")
}
