//! Says which key the backups are sealed to: one generation of it.
//!
//! Invariant: root-signed, so that `serve` takes the epoch's public half from here and never from a
//! vault's word or from configuration; epoch 1 has no predecessor and every other one has.

use keystead_crypto::{
    PUBLIC_BYTES, RecipientKey, SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{EpochId, InstanceId, Timestamp};

use crate::{
    ObjectRefused, ObjectType,
    record::{self, Record},
};

/// A backup epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRecord {
    /// Whose epoch.
    pub instance: InstanceId,
    /// Which one.
    pub epoch: EpochId,
    /// From 1, rising by one.
    pub number: u64,
    /// What key copies and content keys are sealed to.
    pub public: RecipientKey,
    /// The epoch before it.
    pub previous: Option<EpochId>,
    /// When it began.
    pub created_at: Timestamp,
}

impl EpochRecord {
    /// Signs it as the root.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] where number and predecessor do not fit each other.
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

impl Record for EpochRecord {
    const OBJECT: ObjectType = ObjectType::Epoch;

    fn write(&self, w: &mut Writer) {
        self.instance.write(w);
        self.epoch.write(w);
        w.u64(self.number).raw(self.public.as_bytes());
        w.option(self.previous, |w, previous| previous.write(w));
        record::write_time(w, self.created_at);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let record = Self {
            instance: InstanceId::read(r)?,
            epoch: EpochId::read(r)?,
            number: record::from_one(r.u64()?, "epoch number")?,
            public: RecipientKey::from_bytes(r.raw(PUBLIC_BYTES)?)?,
            previous: r.option("previous epoch", EpochId::read)?,
            created_at: record::read_time(r)?,
        };
        match (record.number == 1) == record.previous.is_none() {
            true => Ok(record),
            false => Err(Malformed::BadValue { field: "previous epoch" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn an_epoch_reads_back_and_only_the_first_has_no_predecessor() {
        let world = World::new(1);
        let first = world.epoch_record();
        let bytes = first.issue(&world.root).unwrap();
        assert_eq!(EpochRecord::verify(&bytes, &world.root.public()), Ok(first.clone()));
        let refused = |number, previous| {
            EpochRecord { number, previous, ..first.clone() }.issue(&world.root).is_err()
        };
        assert!(refused(0, None));
        assert!(refused(2, None));
        assert!(refused(1, Some(first.epoch)));
        assert!(!refused(2, Some(first.epoch)));
    }
}
