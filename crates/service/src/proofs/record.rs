//! What was proven, and when: the file `proofs` in the data folder.
//!
//! Invariant: a local fact and a convenience: losing it makes every key *not proven* and loses
//! nothing, and the ledger holds each result too. A file that does not read counts as none.
//! See `docs/formats/proofs.md`.

use keystead_crypto::{
    bytes::{Malformed, Reader, Writer},
    hash::sha256,
};
use keystead_domain::{Timestamp, VersionId};

/// How many findings are kept; all of them are in the ledger.
pub(crate) const FINDINGS_MAX: usize = 100;
const FILE_VERSION: u16 = 1;
const DIGEST_BYTES: usize = 32;

/// The last run of the one level: every byte is as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntegrityRun {
    pub(crate) at: Timestamp,
    /// How many runs there were: says which slice is next.
    pub(crate) runs: u64,
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    /// What is wrong, as people read it.
    pub(crate) findings: Vec<String>,
}

/// The last run of the other: the way back was walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecoveryRun {
    pub(crate) at: Timestamp,
    /// Up to which head; empty where it did not come so far.
    pub(crate) head: String,
    /// Versions whose copies did what the running keys do.
    pub(crate) versions: u64,
    /// Wrapped data keys that opened.
    pub(crate) wraps: u64,
    /// How long it took, in milliseconds.
    pub(crate) took_ms: u64,
    /// What is wrong, as people read it.
    pub(crate) findings: Vec<String>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) integrity: Option<IntegrityRun>,
    pub(crate) recovery: Option<RecoveryRun>,
    /// When each version was last proven; ascending.
    proven: Vec<(VersionId, Timestamp)>,
}

impl Record {
    /// When a version was last proven.
    pub(crate) fn proven(&self, version: VersionId) -> Option<Timestamp> {
        let at = self.proven.binary_search_by_key(&version, |(id, _)| *id).ok()?;
        Some(self.proven[at].1)
    }

    /// Whether no version was ever proven.
    pub(crate) fn proves_nothing(&self) -> bool {
        self.proven.is_empty()
    }

    /// Takes the versions that there are, with those proven now.
    pub(crate) fn prove(&mut self, all: impl Iterator<Item = (VersionId, Option<Timestamp>)>) {
        let found = all.filter_map(|(id, now)| Some((id, now.or_else(|| self.proven(id))?)));
        let mut proven: Vec<_> = found.collect();
        proven.sort_unstable_by_key(|(id, _)| *id);
        proven.dedup_by_key(|(id, _)| *id);
        self.proven = proven;
    }

    /// The file's bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(FILE_VERSION);
        w.option(self.integrity.as_ref(), |w, run| {
            w.i64(run.at.as_micros()).u64(run.runs).u64(run.objects).u64(run.bytes);
            write_texts(w, &run.findings);
        });
        w.option(self.recovery.as_ref(), |w, run| {
            w.i64(run.at.as_micros()).text(&run.head).u64(run.versions).u64(run.wraps);
            w.u64(run.took_ms);
            write_texts(w, &run.findings);
        });
        w.list(self.proven.iter(), |w, (id, at)| {
            id.write(w);
            w.i64(at.as_micros());
        });
        let mut bytes = w.finish();
        let digest = sha256(&bytes);
        bytes.extend_from_slice(&digest);
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (body, digest) = bytes
            .split_last_chunk::<DIGEST_BYTES>()
            .ok_or(Malformed::BadValue { field: "length" })?;
        if sha256(body) != *digest {
            return Err(Malformed::BadValue { field: "digest" });
        }
        let mut r = Reader::new(body);
        let found = r.u16()?;
        if found != FILE_VERSION {
            return Err(Malformed::Version { what: "proofs", found, known: FILE_VERSION });
        }
        let record = Self {
            integrity: r.option("integrity", read_integrity)?,
            recovery: r.option("recovery", read_recovery)?,
            proven: r.list(|r| Ok((VersionId::read(r)?, Timestamp::from_micros(r.i64()?))))?,
        };
        r.finish()?;
        match record.proven.is_sorted_by(|one, next| one.0 < next.0) {
            true => Ok(record),
            false => Err(Malformed::BadValue { field: "order of versions" }),
        }
    }
}

fn read_integrity(r: &mut Reader<'_>) -> Result<IntegrityRun, Malformed> {
    Ok(IntegrityRun {
        at: Timestamp::from_micros(r.i64()?),
        runs: r.u64()?,
        objects: r.u64()?,
        bytes: r.u64()?,
        findings: read_texts(r)?,
    })
}

fn read_recovery(r: &mut Reader<'_>) -> Result<RecoveryRun, Malformed> {
    Ok(RecoveryRun {
        at: Timestamp::from_micros(r.i64()?),
        head: r.text("head")?.to_owned(),
        versions: r.u64()?,
        wraps: r.u64()?,
        took_ms: r.u64()?,
        findings: read_texts(r)?,
    })
}

fn write_texts(w: &mut Writer, texts: &[String]) {
    w.list(texts.iter().take(FINDINGS_MAX), |w, text| {
        w.text(text);
    });
}

fn read_texts(r: &mut Reader<'_>) -> Result<Vec<String>, Malformed> {
    r.list(|r| Ok(r.text("finding")?.to_owned()))
}

/// Whether bytes are such a file; for the corpus of `fuzz`.
#[cfg(test)]
pub(crate) fn reads(bytes: &[u8]) -> bool {
    Record::from_bytes(bytes).is_ok()
}

/// Reads bytes as the file; for the oracle of `fuzz`.
pub(crate) fn survives(bytes: &[u8]) {
    if let Ok(record) = Record::from_bytes(bytes) {
        assert_eq!(record.to_bytes(), bytes, "a file of proofs writes back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> Record {
        let at = Timestamp::from_micros(7);
        let mut record = Record {
            integrity: Some(IntegrityRun {
                at,
                runs: 3,
                objects: 4,
                bytes: 5,
                findings: vec!["vault `dir:///a`: damaged".to_owned()],
            }),
            recovery: Some(RecoveryRun {
                at,
                head: "inc_00.1.00".to_owned(),
                versions: 2,
                wraps: 1,
                took_ms: 9,
                findings: Vec::new(),
            }),
            proven: Vec::new(),
        };
        let id = |n| VersionId::from_bytes([n; 8]);
        record.prove([(id(2), Some(at)), (id(1), Some(at)), (id(3), None)].into_iter());
        record
    }

    /// Writes the seeds of the fuzzer's corpus anew: `KEYSTEAD_BLESS=1`.
    #[test]
    fn the_corpus_holds_what_is_written() {
        let folder = "../../fuzz/corpus/proofs";
        for (name, record) in [("empty", Record::default()), ("filled", filled())] {
            let path = format!("{folder}/{name}");
            if std::env::var_os("KEYSTEAD_BLESS").is_some() {
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(&path, record.to_bytes()).unwrap();
            }
            assert_eq!(std::fs::read(&path).unwrap(), record.to_bytes(), "{name}");
        }
    }

    #[test]
    fn a_file_reads_back_and_no_altered_byte_is_taken() {
        let record = filled();
        let bytes = record.to_bytes();
        assert_eq!(Record::from_bytes(&bytes), Ok(record));
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(Record::from_bytes(&altered).is_err(), "byte {at}");
            assert!(Record::from_bytes(&bytes[..at]).is_err(), "length {at}");
        }
    }

    #[test]
    fn a_version_stays_proven_while_it_exists_and_no_longer() {
        let (mut record, id) = (filled(), |n| VersionId::from_bytes([n; 8]));
        let (old, now) = (Timestamp::from_micros(7), Timestamp::from_micros(8));
        assert_eq!((record.proven(id(1)), record.proven(id(3))), (Some(old), None));
        record.prove([(id(1), None), (id(3), Some(now))].into_iter());
        assert_eq!(record.proven(id(1)), Some(old), "its last proof stands");
        assert_eq!(record.proven(id(3)), Some(now));
        assert_eq!(record.proven(id(2)), None, "it is gone");
    }
}
