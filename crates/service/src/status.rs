//! What `keystead status` shows: one value for `/v1/status`, the record in the data folder and the
//! command line.
//!
//! Invariant: it holds nothing secret, since the record in the data folder is public; a promise is
//! *holds* only where this program looked and saw it.

use keystead_archive::{NodeCertificate, NodeSigner};
use keystead_crypto::{Signature, VerifyingKey, bytes::Malformed};
use keystead_domain::{parse_hex, to_hex};
use serde::{Deserialize, Serialize};
use thiserror::Error;

const SIGNED_AS: &str = "status";

/// The form of the record that this program writes and reads.
pub const RECORD_FORMAT: u16 = 1;

/// What every form of the record begins with.
#[derive(Deserialize)]
struct RecordHead {
    format: u16,
}

/// Why a record is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordRefused {
    /// It is not what a node wrote, or not whole.
    #[error("the status record is damaged or forged")]
    Damaged,
    /// A later program wrote it.
    #[error(transparent)]
    Newer(Malformed),
}

/// A report as it lies in the data folder: anybody may read it, nobody but the node can make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRecord {
    /// Version of this form: [`RECORD_FORMAT`].
    pub format: u16,
    /// The report.
    pub report: StatusReport,
    /// The node's root-signed certificate, hex.
    pub certificate: String,
    /// The node's signature over the report's compact JSON, hex.
    pub signature: String,
}

impl StatusRecord {
    /// Reads a record and checks its signature under the root key that it names itself: damage and
    /// half-written files are found; who forges both must forge the root, which the reader
    /// compares.
    ///
    /// # Errors
    /// [`RecordRefused`].
    pub fn read(text: &str) -> Result<Self, RecordRefused> {
        let head: RecordHead = serde_json::from_str(text).map_err(|_| RecordRefused::Damaged)?;
        if head.format > RECORD_FORMAT {
            let (what, found, known) = ("status record", head.format, RECORD_FORMAT);
            return Err(RecordRefused::Newer(Malformed::Version { what, found, known }));
        }
        Self::verified(text).ok_or(RecordRefused::Damaged)
    }

    fn verified(text: &str) -> Option<Self> {
        let record: Self = serde_json::from_str(text).ok()?;
        let root = VerifyingKey(parse_hex(&record.report.root_public_key)?);
        let certificate = hex_bytes(&record.certificate)?;
        let node = NodeCertificate::verify(&certificate, &root).ok()?;
        let signature = Signature(parse_hex(&record.signature)?);
        let text = record.report.to_json();
        node.objects_key.verify(SIGNED_AS, text.as_bytes(), &signature).ok()?;
        Some(record)
    }
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2).map(|at| parse_hex::<1>(&text[at..at + 2]));
    pairs.map(|byte| byte.map(|[byte]| byte)).collect()
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Program version.
    pub version: String,
    /// When it was made, RFC 3339.
    pub at: String,
    /// The instance.
    pub instance: String,
    /// Its present incarnation.
    pub incarnation: String,
    /// The serving process.
    pub node: String,
    /// The AWS account that ARNs show.
    pub account: String,
    /// The root verification key, hex.
    pub root_public_key: String,
    /// `serving`, `fenced: …` or `stopped: …`.
    pub state: String,
    /// The newest confirmed segment, `<incarnation>.<sequence>.<32 hex digits>`.
    pub head: String,
    /// The last committed change.
    pub commit_seq: u64,
    /// The last change that enough vaults confirmed.
    pub watermark: u64,
    /// Events in the ledger.
    pub ledger_size: u64,
    /// How many of them enough vaults hold under a signed checkpoint.
    pub ledger_shipped: u64,
    /// Losing this machine's disk loses at most the use events of so many milliseconds while the
    /// vaults answer: the audit RPO; 0 where an answer waits for the vaults.
    pub audit_rpo_ms: u64,
    /// How many keys exist.
    pub keys: u64,
    /// How many vaults must confirm.
    pub vaults_min: usize,
    /// Each configured vault.
    pub vaults: Vec<VaultStatus>,
    /// How many independent failure domains hold the vaults that answer, the data folder's apart.
    pub failure_domains: usize,
    /// Each kit that is not revoked.
    pub kits: Vec<KitStatus>,
    /// The newest full recovery point that the inventory names, if any.
    pub newest_point: Option<String>,
    /// When it was made, RFC 3339.
    pub newest_point_at: Option<String>,
    /// Key versions that are not destroyed.
    pub versions: u64,
    /// How many of them were never proven: no copy of theirs was opened and exercised.
    pub unproven_versions: u64,
    /// The oldest of the last proofs of all others, RFC 3339.
    pub oldest_proof_at: Option<String>,
    /// Each level of verification.
    pub verifications: Vec<VerificationStatus>,
    /// Each promise with its verdict.
    pub promises: Vec<PromiseStatus>,
}

/// How it stands with one level of verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationStatus {
    /// `integrity` or `recovery`.
    pub level: String,
    /// When it last ran, RFC 3339.
    pub at: Option<String>,
    /// When it is to run next, RFC 3339; absent where it never ran.
    pub due_at: Option<String>,
    /// Whether it should have run long ago.
    pub is_overdue: bool,
    /// What its last run found wrong.
    pub findings: Vec<String>,
}

/// One vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultStatus {
    /// Its URL.
    pub url: String,
    /// Its id.
    pub id: String,
    /// Its failure domain.
    pub domain: String,
    /// `current`, `behind`, `away` or `fenced`.
    pub state: String,
    /// Why it is away, where it is.
    pub reason: Option<String>,
    /// The last segment that it confirmed with all before it.
    pub confirmed_sequence: u64,
    /// How many segments it lacks.
    pub missing_segments: u64,
    /// How many events of the ledger it holds under a signed checkpoint.
    pub ledger_entries: u64,
}

/// One kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitStatus {
    /// Its id.
    pub kit: String,
    /// Fingerprint of its public half, hex.
    pub fingerprint: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// The epoch that it was last seen to open.
    pub proven_epoch: Option<String>,
    /// When, RFC 3339.
    pub proven_at: Option<String>,
}

/// One promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseStatus {
    /// 1 to 8, as in the README.
    pub number: u8,
    /// Its name.
    pub name: String,
    /// `holds`, `weak`, `not due` or `broken`.
    pub verdict: String,
    /// Why, where it is not `holds`; until when, where it is not due.
    pub reason: Option<String>,
}

impl StatusReport {
    /// Whether any promise is broken: the exit code of `keystead status`.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.promises.iter().any(|promise| promise.verdict == "broken")
    }

    /// The public record: this report, the node's certificate and its signature, as JSON.
    pub(crate) fn sign(&self, signer: &NodeSigner) -> String {
        let text = self.to_json();
        let record = StatusRecord {
            format: RECORD_FORMAT,
            report: self.clone(),
            certificate: to_hex(signer.certificate_bytes()),
            signature: to_hex(&signer.sign(SIGNED_AS, text.as_bytes()).0),
        };
        serde_json::to_string_pretty(&record).expect("a report is plain JSON")
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report is plain JSON")
    }
}
