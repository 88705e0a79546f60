//! Wrap records: the event store of which data key each subject was encrypted with.
//!
//! Invariant: a subject has one data key for as long as its record stands; putting it again finds
//! it, putting another is refused. What is answered is below the vaults' watermark. Reading one
//! asks the database, not the keyring: there may be millions.

mod find;
mod put;
mod read;
mod writer;

pub(crate) use find::wrap_index;
pub(crate) use writer::WrapWriter;

use keystead_crypto::SealContext;
use keystead_domain::{Kind, Subject, TenantId, WrapId, WrapLog, WrapRecord};
use zeroize::Zeroizing;

use crate::door::Resource;

/// Gives a subject its data key.
pub struct PutWrap {
    /// What the data key encrypts.
    pub subject: Subject,
    /// Where the data key comes from.
    pub data_key: DataKeySource,
}

/// Where a data key comes from.
pub enum DataKeySource {
    /// The caller brings it: 16 to 1,024 bytes.
    Given(Zeroizing<Vec<u8>>),
    /// A new random one of so many bytes; where the subject has one already, that one.
    Generated {
        /// 16 to 1,024.
        bytes: usize,
    },
}

/// A subject's record, new or found.
pub struct WrapPut {
    /// The record.
    pub record: WrapRecord,
    /// Whether this request made it.
    pub origin: WrapOrigin,
    /// The data key, where the caller did not bring it.
    pub plaintext: Option<Zeroizing<Vec<u8>>>,
}

/// Whether a request made what it answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrapOrigin {
    /// It did.
    Made,
    /// It was there, with the same data key.
    Found,
}

/// A subject's data key.
pub struct Unwrapped {
    /// Its record.
    pub record: WrapRecord,
    /// The data key.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// Lists records in order of sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListWraps {
    /// 1 to 1,000.
    pub limit: usize,
    /// Start behind this sequence; 0 is the beginning.
    pub after: u64,
}

/// One page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapPage {
    /// In order of sequence.
    pub records: Vec<WrapRecord>,
    /// Behind which sequence the next page begins, if there is one.
    pub next: Option<u64>,
}

/// How many records there are, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapStatement {
    /// Count and chain.
    pub log: WrapLog,
    /// The node's signed statement, `docs/formats/wrap-export.md`.
    pub signed: Vec<u8>,
}

macro_rules! redacted {
    ($($name:ident)*) => {$(
        /// Names the type and nothing in it: it holds plaintext.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

redacted! { PutWrap DataKeySource WrapPut Unwrapped }

/// Where a record's data key is sealed; rewrapping keeps it.
pub(crate) fn data_key_context(tenant: TenantId, id: WrapId) -> SealContext {
    SealContext::new(tenant.as_bytes(), "data-key", id.as_bytes(), 0)
}

/// What a record is to the door and to the ledger.
fn resource(tenant: TenantId, id: WrapId, record: Option<&WrapRecord>) -> Resource {
    let version = record.map(|record| record.data_key.sealed_under().version);
    let version = version.map(keystead_domain::VersionId::from_bytes);
    Resource { kind: Kind::WrapRecord, id: *id.as_bytes(), tenant, version }
}
