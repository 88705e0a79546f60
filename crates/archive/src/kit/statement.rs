//! What the root says about a kit: its identity, and nothing of what opens it.
//!
//! Invariant: the statement is signed before any slot exists, because slots never leave the client
//! that makes them; the fingerprint in it is always that of its public half.

use keystead_crypto::{
    PUBLIC_BYTES, RecipientKey, SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{InstanceId, KitId, Timestamp};

use crate::{
    ObjectRefused, ObjectType,
    record::{self, Record},
};

const MAX_PROGRAM_VERSION_BYTES: usize = 64;

/// The identity of a kit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitStatement {
    /// Which kit.
    pub kit: KitId,
    /// Of which instance.
    pub instance: InstanceId,
    /// The root that restores trust on this kit's word.
    pub root: VerifyingKey,
    /// The kit's public half.
    pub public: RecipientKey,
    /// Verifies a proof that somebody holds the kit's seed.
    pub proof_key: VerifyingKey,
    /// When the root signed.
    pub created_at: Timestamp,
    /// Which program made it; 1 to 64 bytes.
    pub program_version: String,
}

impl KitStatement {
    /// The fingerprint that people compare.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.public.fingerprint()
    }

    /// Signs it as the root.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] for a program version that is empty or over 64 bytes.
    pub fn issue(&self, root: &SigningKey) -> Result<Vec<u8>, Malformed> {
        record::issue(self, root)
    }

    /// Verifies one under the root's key.
    ///
    /// # Errors
    /// [`ObjectRefused`].
    pub fn verify(bytes: &[u8], root: &VerifyingKey) -> Result<Self, ObjectRefused> {
        record::verify(bytes, root)
    }
}

impl Record for KitStatement {
    const OBJECT: ObjectType = ObjectType::Kit;

    fn write(&self, w: &mut Writer) {
        self.kit.write(w);
        self.instance.write(w);
        w.raw(&self.root.0).raw(self.public.as_bytes()).raw(&self.fingerprint());
        w.raw(&self.proof_key.0);
        record::write_time(w, self.created_at);
        w.text(&self.program_version);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (kit, instance) = (KitId::read(r)?, InstanceId::read(r)?);
        let root = VerifyingKey(r.array()?);
        let public = RecipientKey::from_bytes(r.raw(PUBLIC_BYTES)?)?;
        let fingerprint: [u8; 32] = r.array()?;
        let statement = Self {
            kit,
            instance,
            root,
            public,
            proof_key: VerifyingKey(r.array()?),
            created_at: record::read_time(r)?,
            program_version: record::read_text(r, 1, "program version")?,
        };
        if statement.program_version.len() > MAX_PROGRAM_VERSION_BYTES {
            return Err(Malformed::BadValue { field: "program version" });
        }
        match fingerprint == statement.fingerprint() {
            true => Ok(statement),
            false => Err(Malformed::BadValue { field: "fingerprint" }),
        }
    }
}
