//! Recovery points: the name of one, and what the inventory says of it.
//!
//! Invariant: a name reads back as itself and as nothing else, so that the text which `backup list`
//! prints is the one that every other command takes. The point itself lies in the vaults; what is
//! here only finds and checks it.

use keystead_crypto::bytes::{Malformed, Reader, Writer};
use thiserror::Error;

use crate::{IncarnationId, Timestamp};

/// Which recovery point: `inc_….p17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointId {
    /// Of which life of the instance.
    pub incarnation: IncarnationId,
    /// Its number there, from 1; the first is the incarnation's base.
    pub number: u64,
}

/// A text is not the name of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a recovery point like `inc_….p17`")]
pub struct BadPoint {
    /// What was given.
    pub text: String,
}

impl std::fmt::Display for PointId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.p{}", self.incarnation, self.number)
    }
}

impl std::str::FromStr for PointId {
    type Err = BadPoint;

    fn from_str(text: &str) -> Result<Self, BadPoint> {
        let parts = text.split_once(".p");
        let read = parts.and_then(|(incarnation, number)| {
            Some(Self { incarnation: incarnation.parse().ok()?, number: number.parse().ok()? })
        });
        let lawful = read.filter(|point| point.number > 0 && point.to_string() == text);
        lawful.ok_or_else(|| BadPoint { text: text.to_owned() })
    }
}

/// What a recovery point holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointKind {
    /// The whole state: a restore begins from it.
    Full = 2,
    /// The state without values and without digests of any: for planning, nothing is restored from
    /// it.
    Metadata = 3,
}

impl PointKind {
    /// Its name on wires and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Metadata => "metadata",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Full, Self::Metadata].into_iter().find(|kind| kind.name() == name)
    }
}

/// A recovery point as the inventory knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// Its name.
    pub id: PointId,
    /// What it holds.
    pub kind: PointKind,
    /// When it was made.
    pub at: Timestamp,
    /// The last change in it.
    pub commit_seq: u64,
    /// The segment after which it stands; 0 where there is none yet.
    pub follows: u64,
    /// Its size in the vaults, in bytes.
    pub bytes: u64,
    /// SHA-256 of all its bytes.
    pub hash: [u8; 32],
}

const BODY_VERSION: u16 = 1;

impl RecoveryPoint {
    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(BODY_VERSION);
        self.id.incarnation.write(&mut w);
        w.u64(self.id.number).u8(self.kind as u8).i64(self.at.as_micros());
        w.u64(self.commit_seq).u64(self.follows).u64(self.bytes).raw(&self.hash);
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let found = r.u16()?;
        if found != BODY_VERSION {
            let what = "recovery point";
            return Err(Malformed::Version { what, found, known: BODY_VERSION });
        }
        let incarnation = IncarnationId::read(&mut r)?;
        let id = PointId { incarnation, number: r.u64()? };
        let kind = match r.u8()? {
            2 => PointKind::Full,
            3 => PointKind::Metadata,
            _ => return Err(Malformed::BadValue { field: "kind of recovery point" }),
        };
        let point = Self {
            id,
            kind,
            at: Timestamp::from_micros(r.i64()?),
            commit_seq: r.u64()?,
            follows: r.u64()?,
            bytes: r.u64()?,
            hash: r.array()?,
        };
        r.finish()?;
        Ok(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_other_texts_are_refused() {
        let text = format!("inc_{}.p17", "ab".repeat(16));
        let point: PointId = text.parse().unwrap();
        assert_eq!((point.number, point.to_string()), (17, text.clone()));
        for bad in ["", ".p1", &text[..36], &text.replace("p17", "p0"), &text.replace("p1", "p01")]
        {
            assert!(bad.parse::<PointId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_body_reads_back_and_no_other_length_or_kind_does() {
        let incarnation = IncarnationId::from_bytes([7; 16]);
        for kind in [PointKind::Full, PointKind::Metadata] {
            let point = RecoveryPoint {
                id: PointId { incarnation, number: 3 },
                kind,
                at: Timestamp::from_micros(5),
                commit_seq: 9,
                follows: 2,
                bytes: 1000,
                hash: [8; 32],
            };
            let body = point.to_body();
            assert_eq!(RecoveryPoint::from_body(&body), Ok(point));
            assert_eq!(PointKind::from_name(kind.name()), Some(kind));
            for len in 0..body.len() {
                assert!(RecoveryPoint::from_body(&body[..len]).is_err(), "{len}");
            }
            let mut other = body.clone();
            other[26] = 1;
            assert!(RecoveryPoint::from_body(&other).is_err(), "a segment is no point");
        }
    }
}
