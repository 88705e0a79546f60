//! A key and its versions: the aggregate behind an AWS KMS key, a `/v1` key and a row of `key
//! list`.
//!
//! Invariant: a key holds no material, only what names and checks it (id, version, key-check value,
//! hash of its copy). Its canonical body is what is sealed in the database and copied in segments.

use keystead_crypto::bytes::{Malformed, Reader, Writer};

use crate::{EpochId, KeyId, KeySpec, KeyState, RotationSchedule, TenantId, Timestamp, VersionId};

/// One version of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersion {
    /// Its random id.
    pub id: VersionId,
    /// Counts from 1 within the key.
    pub number: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// The epoch to which its copy is sealed.
    pub epoch: EpochId,
    /// SHA-256 of its key copy.
    pub copy_hash: [u8; 32],
    /// Its key-check value.
    pub key_check: [u8; 32],
}

impl KeyVersion {
    /// Appends the canonical encoding.
    pub fn write(&self, w: &mut Writer) {
        self.id.write(w);
        w.u32(self.number).i64(self.created_at.as_micros());
        self.epoch.write(w);
        w.raw(&self.copy_hash).raw(&self.key_check);
    }

    /// Takes what [`Self::write`] appended.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            id: VersionId::read(r)?,
            number: r.u32()?,
            created_at: Timestamp::from_micros(r.i64()?),
            epoch: EpochId::read(r)?,
            copy_hash: r.array()?,
            key_check: r.array()?,
        })
    }
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its random id.
    pub id: KeyId,
    /// Who owns it.
    pub tenant: TenantId,
    /// What it computes.
    pub spec: KeySpec,
    /// What it is for: `PHI`, `AUDIT`, free text, or nothing.
    pub purpose: String,
    /// What people wrote about it, at most 8,192 characters.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When new protection stops, if ever: encryption, signatures, MACs.
    pub expires_at: Option<Timestamp>,
    /// Where it stands.
    pub state: KeyState,
    /// All versions, oldest first; the last one is current.
    pub versions: Vec<KeyVersion>,
    /// Tags, sorted by name.
    pub tags: Vec<(String, String)>,
    /// When it gets its next version by itself, if ever.
    pub rotation: Option<RotationSchedule>,
    /// Numbers of the versions that somebody asked for, ascending; the first version is none.
    pub on_demand: Vec<u32>,
}

const BODY_VERSION: u16 = 1;

impl Key {
    /// The version that new protection uses.
    ///
    /// # Panics
    /// Never for a key that was read or made: both demand a version.
    #[must_use]
    pub fn current(&self) -> &KeyVersion {
        self.versions.last().expect("a key has at least one version")
    }

    /// May new data be protected at `now`?
    #[must_use]
    pub fn may_protect(&self, now: Timestamp) -> bool {
        self.state.may_protect() && self.expires_at.is_none_or(|end| now < end)
    }

    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(BODY_VERSION);
        self.id.write(&mut w);
        self.tenant.write(&mut w);
        w.u16(self.spec.number()).text(&self.purpose).text(&self.description);
        w.i64(self.created_at.as_micros());
        w.option(self.expires_at, |w, at| {
            w.i64(at.as_micros());
        });
        self.state.write(&mut w);
        w.list(self.versions.iter(), |w, version| version.write(w));
        w.list(self.tags.iter(), |w, (name, value)| {
            w.text(name).text(value);
        });
        w.option(self.rotation, |w, schedule| schedule.write(w));
        w.list(self.on_demand.iter(), |w, number| {
            w.u32(*number);
        });
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`], also for a key without versions.
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let version = r.u16()?;
        if version != BODY_VERSION {
            return Err(Malformed::Version { what: "key", found: version, known: BODY_VERSION });
        }
        let key = Self {
            id: KeyId::read(&mut r)?,
            tenant: TenantId::read(&mut r)?,
            spec: KeySpec::from_number(r.u16()?)?,
            purpose: r.text("purpose")?.to_owned(),
            description: r.text("description")?.to_owned(),
            created_at: Timestamp::from_micros(r.i64()?),
            expires_at: r.option("expires_at", |r| r.i64().map(Timestamp::from_micros))?,
            state: KeyState::read(&mut r)?,
            versions: r.list(KeyVersion::read)?,
            tags: r.list(|r| Ok((r.text("tag")?.to_owned(), r.text("tag value")?.to_owned())))?,
            rotation: r.option("rotation", RotationSchedule::read)?,
            on_demand: r.list(Reader::u32)?,
        };
        r.finish()?;
        if key.versions.is_empty() {
            return Err(Malformed::BadValue { field: "versions" });
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_crypto::Entropy;

    pub(crate) fn sample() -> Key {
        let entropy = Entropy::os();
        Key {
            id: KeyId::random(&entropy),
            tenant: TenantId::random(&entropy),
            spec: KeySpec::Symmetric,
            purpose: "PHI".into(),
            description: "patients".into(),
            created_at: Timestamp::from_micros(5),
            expires_at: Some(Timestamp::from_micros(50)),
            state: KeyState::Active { since: Timestamp::from_micros(5) },
            versions: vec![KeyVersion {
                id: VersionId::random(&entropy),
                number: 1,
                created_at: Timestamp::from_micros(5),
                epoch: EpochId::random(&entropy),
                copy_hash: entropy.array(),
                key_check: entropy.array(),
            }],
            tags: vec![("a".into(), "b".into())],
            rotation: RotationSchedule::starting(365, Timestamp::from_micros(5)),
            on_demand: vec![2, 4],
        }
    }

    #[test]
    fn a_body_reads_back_whole_and_never_in_part() {
        let key = sample();
        let body = key.to_body();
        assert_eq!(Key::from_body(&body), Ok(key.clone()));
        for cut in 0..body.len() {
            assert!(Key::from_body(&body[..cut]).is_err());
        }
        let bare = Key { versions: vec![], ..key };
        assert!(Key::from_body(&bare.to_body()).is_err());
    }

    #[test]
    fn every_spec_reads_back_and_no_other_number_is_one() {
        let key = sample();
        for spec in KeySpec::ALL {
            let key = Key { spec: *spec, ..key.clone() };
            assert_eq!(Key::from_body(&key.to_body()), Ok(key));
        }
        let mut body = key.to_body();
        let at = 2 + 16 + 16;
        for unknown in [0_u16, 5, 256, u16::MAX] {
            body[at..at + 2].copy_from_slice(&unknown.to_be_bytes());
            assert_eq!(Key::from_body(&body), Err(Malformed::BadValue { field: "key spec" }));
        }
    }

    #[test]
    fn expiry_stops_protecting_at_its_instant() {
        let key = sample();
        assert!(key.may_protect(Timestamp::from_micros(49)));
        assert!(!key.may_protect(Timestamp::from_micros(50)));
    }
}
