//! Ends an incarnation at its first free segment sequence: the fence that a node meets.
//!
//! Invariant: root-signed; it lies under the name that the next segment would have had, so put-new
//! lets either the segment or the closing be, and never both.

use keystead_crypto::{
    SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{IncarnationId, InstanceId, Timestamp};

use crate::{
    ObjectRefused, ObjectType,
    record::{self, Record},
};

/// The end of an incarnation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Of which instance.
    pub instance: InstanceId,
    /// The life that ends.
    pub incarnation: IncarnationId,
    /// Its first free sequence, from 1.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// The life that follows.
    pub successor: IncarnationId,
}

impl Closing {
    /// Signs it as the root.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] for sequence 0 or an incarnation that follows itself.
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

impl Record for Closing {
    const OBJECT: ObjectType = ObjectType::Closing;

    fn write(&self, w: &mut Writer) {
        self.instance.write(w);
        self.incarnation.write(w);
        w.u64(self.sequence);
        self.successor.write(w);
        record::write_time(w, self.at);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let closing = Self {
            instance: InstanceId::read(r)?,
            incarnation: IncarnationId::read(r)?,
            sequence: record::from_one(r.u64()?, "sequence")?,
            successor: IncarnationId::read(r)?,
            at: record::read_time(r)?,
        };
        match closing.successor == closing.incarnation {
            true => Err(Malformed::BadValue { field: "successor" }),
            false => Ok(closing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Opening, testing::World};

    #[test]
    fn a_closing_reads_back_and_is_no_opening() {
        let world = World::new(1);
        let closing = Closing {
            instance: world.instance,
            incarnation: world.incarnation,
            sequence: 9,
            at: world.now,
            successor: IncarnationId::from_bytes([8; 16]),
        };
        let bytes = closing.issue(&world.root).unwrap();
        assert_eq!(Closing::verify(&bytes, &world.root.public()), Ok(closing.clone()));
        let (found, wanted) = (ObjectType::Closing, ObjectType::Opening);
        assert_eq!(
            Opening::verify(&bytes, &world.root.public()),
            Err(ObjectRefused::OtherType { found, wanted })
        );
        assert!(Closing { sequence: 0, ..closing.clone() }.issue(&world.root).is_err());
        assert!(Closing { successor: world.incarnation, ..closing }.issue(&world.root).is_err());
    }
}
