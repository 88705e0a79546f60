//! Proofs in a file (C2SP tlog-proof): one entry, its way to the root, and the checkpoint.
//!
//! Invariant: what parses prints back to the same bytes. Nothing here is verified: extra data is
//! believed by nobody, and its parts prove themselves (`docs/formats/audit-proof.md`).

use std::fmt;

use keystead_crypto::bytes::{Malformed, Reader, Writer};
use thiserror::Error;

use crate::{Hash, Note, NoteRefused, base64};

/// The longest proof file.
pub const LOG_PROOF_BYTES: usize = 393_216;
/// A path through a tree of fewer than 2^63 leaves has no more hashes.
pub const PROOF_HASHES: usize = 63;

const FIRST: &str = "c2sp.org/tlog-proof@v1";
const EXTRA_VERSION: u8 = 1;

/// Why bytes are no proof file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogProofRefused {
    /// Above [`LOG_PROOF_BYTES`].
    #[error("the proof has {len_bytes} bytes; one has at most {LOG_PROOF_BYTES}")]
    TooLong {
        /// Its length.
        len_bytes: usize,
    },
    /// Another file.
    #[error("the file is no proof: it does not begin with `{FIRST}`")]
    Other,
    /// A line that is not what it should be.
    #[error("line {line} of the proof is not what it should be")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// More hashes than a tree is high.
    #[error("the proof has more than {PROOF_HASHES} hashes")]
    TooMany,
    /// The checkpoint is no note.
    #[error(transparent)]
    Note(#[from] NoteRefused),
}

/// A proof that an entry is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// What the application adds.
    pub extra: Option<Vec<u8>>,
    /// The entry's place in the log, from 0.
    pub index: u64,
    /// From the leaf up; at most [`PROOF_HASHES`].
    pub hashes: Vec<Hash>,
    /// The checkpoint as it was found.
    pub checkpoint: Note,
}

impl LogProof {
    /// Takes a file apart; nothing is verified yet.
    ///
    /// # Errors
    /// [`LogProofRefused`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LogProofRefused> {
        if bytes.len() > LOG_PROOF_BYTES {
            return Err(LogProofRefused::TooLong { len_bytes: bytes.len() });
        }
        // The first empty line parts the proof from the checkpoint, which has one of its own.
        let end = bytes.windows(2).position(|pair| pair == b"\n\n");
        let (head, note) = bytes.split_at(end.ok_or(LogProofRefused::Other)?);
        let head = std::str::from_utf8(head).map_err(|_| LogProofRefused::Other)?;
        let mut lines = (1..).zip(head.split('\n')).peekable();
        if lines.next().is_none_or(|(_, first)| first != FIRST) {
            return Err(LogProofRefused::Other);
        }
        let extra = lines.next_if(|(_, line)| line.starts_with("extra ")).map(|(line, text)| {
            let data = base64::decode(&text["extra ".len()..]);
            data.ok_or(LogProofRefused::Line { line })
        });
        let extra = extra.transpose()?;
        let (line, index) = lines.next().ok_or(LogProofRefused::Line { line: 2 })?;
        let index = index.strip_prefix("index ").and_then(crate::checkpoint::parse_number);
        let index = index.ok_or(LogProofRefused::Line { line })?;
        let hashes: Vec<Hash> = lines.map(hash).collect::<Result<_, _>>()?;
        if hashes.len() > PROOF_HASHES {
            return Err(LogProofRefused::TooMany);
        }
        Ok(Self { extra, index, hashes, checkpoint: Note::parse(&note[2..])? })
    }
}

fn hash((line, text): (usize, &str)) -> Result<Hash, LogProofRefused> {
    let hash = base64::decode(text).and_then(|hash| hash.try_into().ok());
    hash.ok_or(LogProofRefused::Line { line })
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", base64::encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The extra data of a proof of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofExtra {
    /// The entry.
    pub leaf: Vec<u8>,
    /// The certificate of the process that signed the checkpoint.
    pub certificate: Vec<u8>,
    /// What the log had grown out of.
    pub older: Option<OlderProof>,
}

/// An older checkpoint, and the proof that the log grew out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OlderProof {
    /// The note.
    pub checkpoint: Vec<u8>,
    /// The certificate of the process that signed it.
    pub certificate: Vec<u8>,
    /// The consistency proof.
    pub growth: Vec<Hash>,
}

impl ProofExtra {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(EXTRA_VERSION).bytes(&self.leaf).bytes(&self.certificate);
        w.option(self.older.as_ref(), |w, older| {
            w.bytes(&older.checkpoint).bytes(&older.certificate);
            w.list(older.growth.iter(), |w, hash| {
                w.raw(hash);
            });
        });
        w.finish()
    }

    /// Reads what [`ProofExtra::encode`] wrote.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let found = r.u8()?;
        if found != EXTRA_VERSION {
            let (found, known) = (u16::from(found), u16::from(EXTRA_VERSION));
            return Err(Malformed::Version { what: "proof of an event", found, known });
        }
        let (leaf, certificate) = (r.bytes()?.to_vec(), r.bytes()?.to_vec());
        let older = r.option("older", |r| {
            let (checkpoint, certificate) = (r.bytes()?.to_vec(), r.bytes()?.to_vec());
            let growth: Vec<Hash> = r.list(Reader::array)?;
            if growth.len() > PROOF_HASHES {
                return Err(Malformed::BadValue { field: "growth" });
            }
            Ok(OlderProof { checkpoint, certificate, growth })
        })?;
        r.finish()?;
        Ok(Self { leaf, certificate, older })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = "a/b/c\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\
                        — a/b/c AAAAAEFB\n";

    fn proof() -> LogProof {
        let older = OlderProof {
            checkpoint: NOTE.as_bytes().to_vec(),
            certificate: b"other".to_vec(),
            growth: vec![[3; 32]],
        };
        let extra =
            ProofExtra { leaf: b"leaf".to_vec(), certificate: b"of".to_vec(), older: Some(older) };
        LogProof {
            extra: Some(extra.encode()),
            index: 7,
            hashes: vec![[1; 32], [2; 32]],
            checkpoint: Note::parse(NOTE.as_bytes()).unwrap(),
        }
    }

    #[test]
    fn it_prints_and_reads_back() {
        for proof in [proof(), LogProof { extra: None, hashes: Vec::new(), ..proof() }] {
            let text = proof.to_string();
            assert!(text.ends_with(NOTE), "{text}");
            assert_eq!(LogProof::parse(text.as_bytes()), Ok(proof));
        }
        let extra = proof().extra.unwrap();
        assert_eq!(ProofExtra::decode(&extra).unwrap().encode(), extra);
    }

    #[test]
    fn another_form_is_refused_by_its_line() {
        let text = proof().to_string();
        let line = |line| Err(LogProofRefused::Line { line });
        let other = Err(LogProofRefused::Other);
        let one = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";
        assert!(text.contains(one));
        for (from, to, refused) in [
            ("tlog-proof@v1", "tlog-proof@v2", other.clone()),
            ("index 7", "index 07", line(3)),
            ("index 7\n", "", line(3)),
            ("extra ", "extra  ", line(2)),
            (one, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=\n", line(4)),
            (one, "AQEB\n", line(4)),
            (one, &one.repeat(63), Err(LogProofRefused::TooMany)),
            ("\n\n", "\n", line(6)),
        ] {
            let spoilt = text.replacen(from, to, 1);
            assert_eq!(LogProof::parse(spoilt.as_bytes()), refused, "{from:?} to {to:?}");
        }
        let long = vec![b'a'; LOG_PROOF_BYTES + 1];
        assert!(matches!(LogProof::parse(&long), Err(LogProofRefused::TooLong { .. })));
        assert_eq!(LogProof::parse(b""), other);
    }
}
