//! Wrap records: which data key each subject was encrypted with, wrapped under the tenant's master
//! key. The event store of what exists to be decrypted.
//!
//! Invariant: a tenant's records are numbered without gaps in commit order and chained over what
//! never changes, so that whoever holds them can tell that none is missing. The wrapped data key
//! stands outside the chain: rewrapping under a newer master key breaks nothing.

use keystead_crypto::{
    DataKey, KeyVersion, Sealed,
    bytes::{Malformed, Reader, Writer},
    hash::sha256_parts,
    key_check_value, labels, message_id,
};
use thiserror::Error;

use crate::{KeyId, TenantId, Timestamp, VersionId, WrapId};

/// The longest subject, in bytes of UTF-8.
pub const SUBJECT_MAX_BYTES: usize = 512;
/// How many bytes a data key has.
pub const DATA_KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=1024;

/// What a data key encrypts: the caller's own name for a document, a row, a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject(String);

/// Why a text is not a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a subject has 1 to {SUBJECT_MAX_BYTES} bytes of UTF-8 and no control characters")]
pub struct BadSubject;

impl std::str::FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, BadSubject> {
        let lawful =
            (1..=SUBJECT_MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
        if lawful { Ok(Self(text.to_owned())) } else { Err(BadSubject) }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Subject {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a data key is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrapAlgorithm {
    /// AES-256-GCM with derived key and commitment, `docs/formats/ciphertext.md`.
    Aes256Gcm = 1,
}

impl WrapAlgorithm {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "AES-256-GCM",
        }
    }

    fn from_number(number: u16) -> Result<Self, Malformed> {
        match number {
            1 => Ok(Self::Aes256Gcm),
            _ => Err(Malformed::BadValue { field: "wrap algorithm" }),
        }
    }
}

/// What of a record never changes, and so is chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapFacts {
    /// The record's random id.
    pub id: WrapId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What the data key encrypts.
    pub subject: Subject,
    /// Counts the tenant's records from 1.
    pub sequence: u64,
    /// How the data key is wrapped.
    pub algorithm: WrapAlgorithm,
    /// When the record was made.
    pub created_at: Timestamp,
    /// The data key's check value.
    pub key_check: [u8; 32],
}

/// One data key of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapRecord {
    /// What never changes.
    pub facts: WrapFacts,
    /// The data key under a version of the tenant's master key.
    pub data_key: Sealed<DataKey>,
}

/// How many records a tenant has, and the chain over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrapLog {
    /// Whose.
    pub tenant: TenantId,
    /// The last record's sequence; 0 before the first.
    pub count: u64,
    /// The chain after that record.
    pub chain: [u8; 32],
}

const BODY_VERSION: u16 = 1;

impl WrapFacts {
    /// The check value of a data key in the record with this id.
    #[must_use]
    pub fn key_check(id: WrapId, data_key: &[u8]) -> [u8; 32] {
        key_check_value(KeyVersion { key: *id.as_bytes(), version: [0; 8] }, data_key)
    }

    fn write(&self, w: &mut Writer) {
        self.id.write(w);
        self.tenant.write(w);
        w.text(self.subject.as_str()).u64(self.sequence).u16(self.algorithm as u16);
        w.i64(self.created_at.as_micros()).raw(&self.key_check);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bad = |field| Malformed::BadValue { field };
        let facts = Self {
            id: WrapId::read(r)?,
            tenant: TenantId::read(r)?,
            subject: r.text("subject")?.parse().map_err(|_| bad("subject"))?,
            sequence: r.u64()?,
            algorithm: WrapAlgorithm::from_number(r.u16()?)?,
            created_at: Timestamp::from_micros(r.i64()?),
            key_check: r.array()?,
        };
        if facts.sequence == 0 { Err(bad("sequence")) } else { Ok(facts) }
    }
}

/// What the wrapped data key says of itself, without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrapEnvelope {
    /// The tenant's master key.
    pub key: KeyId,
    /// Its version.
    pub version: VersionId,
    /// The random message id, from which AES key and nonce are derived.
    pub message_id: [u8; 32],
    /// The authentication tag.
    pub tag: [u8; 16],
}

impl WrapRecord {
    /// What the wrapped data key says of itself.
    ///
    /// # Panics
    /// Never: a sealed value is an envelope.
    #[must_use]
    pub fn envelope(&self) -> WrapEnvelope {
        let (bytes, under) = (self.data_key.as_bytes(), self.data_key.sealed_under());
        WrapEnvelope {
            key: KeyId::from_bytes(under.key),
            version: VersionId::from_bytes(under.version),
            message_id: message_id(bytes).expect("checked when it was sealed or read"),
            tag: *bytes.last_chunk().expect("an envelope ends with its tag"),
        }
    }

    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(BODY_VERSION);
        self.facts.write(&mut w);
        w.bytes(self.data_key.as_bytes());
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = opened(bytes, "wrap record")?;
        let facts = WrapFacts::read(&mut r)?;
        let data_key = Sealed::from_bytes(r.bytes()?.to_vec())?;
        r.finish()?;
        Ok(Self { facts, data_key })
    }
}

impl WrapLog {
    /// The log of a tenant that has no record yet.
    #[must_use]
    pub const fn empty(tenant: TenantId) -> Self {
        Self { tenant, count: 0, chain: [0; 32] }
    }

    /// The log with one more record; `None` where the record is not the next one of this tenant.
    #[must_use]
    pub fn followed_by(&self, facts: &WrapFacts) -> Option<Self> {
        if facts.tenant != self.tenant || facts.sequence != self.count + 1 {
            return None;
        }
        let mut w = Writer::new();
        facts.write(&mut w);
        let chain = sha256_parts(&[labels::WRAP_CHAIN.as_bytes(), &self.chain, w.as_slice()]);
        Some(Self { tenant: self.tenant, count: facts.sequence, chain })
    }

    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(BODY_VERSION);
        self.tenant.write(&mut w);
        w.u64(self.count).raw(&self.chain);
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = opened(bytes, "wrap log")?;
        let log = Self { tenant: TenantId::read(&mut r)?, count: r.u64()?, chain: r.array()? };
        r.finish()?;
        Ok(log)
    }
}

fn opened<'a>(bytes: &'a [u8], what: &'static str) -> Result<Reader<'a>, Malformed> {
    let mut r = Reader::new(bytes);
    match r.u16()? {
        BODY_VERSION => Ok(r),
        found => Err(Malformed::Version { what, found, known: BODY_VERSION }),
    }
}

#[cfg(test)]
mod tests {
    use keystead_crypto::{Entropy, MasterWrap, SealContext, SealKey};

    use super::*;

    fn sample(sequence: u64) -> WrapRecord {
        let entropy = Entropy::os();
        let id = KeyVersion { key: [1; 16], version: [2; 8] };
        let master = SealKey::<MasterWrap>::new(id, &entropy.secret());
        let place = SealContext::new(&[7; 16], "data-key", &[3; 16], 0);
        WrapRecord {
            facts: WrapFacts {
                id: WrapId::from_bytes([3; 16]),
                tenant: TenantId::from_bytes([7; 16]),
                subject: "document 17/ä".parse().unwrap(),
                sequence,
                algorithm: WrapAlgorithm::Aes256Gcm,
                created_at: Timestamp::from_micros(9),
                key_check: WrapFacts::key_check(WrapId::from_bytes([3; 16]), &[5; 32]),
            },
            data_key: master.seal(&entropy, &place, &[5; 32]),
        }
    }

    #[test]
    fn bodies_read_back_whole_and_never_in_part() {
        let record = sample(1);
        let body = record.to_body();
        assert_eq!(WrapRecord::from_body(&body), Ok(record.clone()));
        let log = WrapLog::empty(record.facts.tenant).followed_by(&record.facts).unwrap();
        assert_eq!(WrapLog::from_body(&log.to_body()), Ok(log));
        for cut in 0..body.len() {
            assert!(WrapRecord::from_body(&body[..cut]).is_err(), "cut at {cut}");
        }
        for cut in 0..log.to_body().len() {
            assert!(WrapLog::from_body(&log.to_body()[..cut]).is_err(), "cut at {cut}");
        }
        assert!(WrapRecord::from_body(&sample(0).to_body()).is_err(), "sequences begin at 1");
    }

    #[test]
    fn the_chain_takes_the_next_record_alone_and_changes_with_each_fact() {
        let first = sample(1).facts;
        let empty = WrapLog::empty(first.tenant);
        let log = empty.followed_by(&first).unwrap();
        assert_eq!(empty.followed_by(&sample(2).facts), None, "one is missing");
        assert_eq!(log.followed_by(&first), None, "one comes twice");
        let elsewhere = WrapFacts { tenant: TenantId::from_bytes([8; 16]), ..first.clone() };
        assert_eq!(empty.followed_by(&elsewhere), None, "another tenant's");
        let others = [
            WrapFacts { subject: "other".parse().unwrap(), ..first.clone() },
            WrapFacts { id: WrapId::from_bytes([4; 16]), ..first.clone() },
            WrapFacts { created_at: Timestamp::from_micros(10), ..first.clone() },
            WrapFacts { key_check: [0; 32], ..first.clone() },
        ];
        for other in others {
            assert_ne!(empty.followed_by(&other).unwrap().chain, log.chain, "{other:?}");
        }
    }

    #[test]
    fn a_rewrapped_record_has_the_same_place_in_the_chain() {
        let (one, other) = (sample(1), sample(1));
        assert_ne!(one.data_key, other.data_key);
        let empty = WrapLog::empty(one.facts.tenant);
        assert_eq!(empty.followed_by(&one.facts), empty.followed_by(&other.facts));
    }

    #[test]
    fn subjects_have_bounds_and_no_control_characters() {
        assert!("x".repeat(512).parse::<Subject>().is_ok());
        for bad in
            [String::new(), "x".repeat(513), "a\nb".into(), "a\u{7f}".into(), "\u{85}".into()]
        {
            assert_eq!(bad.parse::<Subject>(), Err(BadSubject), "{bad:?}");
        }
    }
}
