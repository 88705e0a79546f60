//! What `keystead status` shows: one value for `/v1/status`, the record in the data folder and the
//! command line.
//!
//! Invariant: it holds nothing secret, since the record in the data folder is public; a promise is
//! *holds* only where this program looked and saw it.

use serde::{Deserialize, Serialize};

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
    /// How many keys exist.
    pub keys: u64,
    /// How many vaults must confirm.
    pub vaults_min: usize,
    /// Each configured vault.
    pub vaults: Vec<VaultStatus>,
    /// How many independent failure domains hold the vaults that answer.
    pub failure_domains: usize,
    /// Each kit that is not revoked.
    pub kits: Vec<KitStatus>,
    /// Each promise with its verdict.
    pub promises: Vec<PromiseStatus>,
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
    /// How many objects it lacks.
    pub missing_objects: u64,
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
}
