//! Begins an incarnation and says which chain it continues.
//!
//! Invariant: root-signed; the first has no predecessor and every other one names the last segment
//! that it took over. Two openings from one predecessor are diverging, and restore refuses them.

use keystead_crypto::{
    SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{IncarnationId, InstanceId, Timestamp};

use crate::{
    ObjectRefused, ObjectType,
    record::{self, Record},
};

/// Where the chain before ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Predecessor {
    /// The life before.
    pub incarnation: IncarnationId,
    /// The sequence of its last segment; 0 where it wrote none.
    pub sequence: u64,
    /// The object hash of that segment; of its opening where `sequence` is 0.
    pub segment_hash: [u8; 32],
}

/// The beginning of an incarnation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Of which instance.
    pub instance: InstanceId,
    /// The life that begins.
    pub incarnation: IncarnationId,
    /// What it continues; none for the first.
    pub predecessor: Option<Predecessor>,
    /// 1 for the first, one more than the predecessor's otherwise.
    pub number: u64,
    /// When.
    pub at: Timestamp,
}

impl Opening {
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

impl Record for Opening {
    const OBJECT: ObjectType = ObjectType::Opening;

    fn write(&self, w: &mut Writer) {
        self.instance.write(w);
        self.incarnation.write(w);
        w.u64(self.number);
        w.option(self.predecessor, |w, before| {
            before.incarnation.write(w);
            w.u64(before.sequence).raw(&before.segment_hash);
        });
        record::write_time(w, self.at);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let opening = Self {
            instance: InstanceId::read(r)?,
            incarnation: IncarnationId::read(r)?,
            number: record::from_one(r.u64()?, "incarnation number")?,
            predecessor: r.option("predecessor", read_predecessor)?,
            at: record::read_time(r)?,
        };
        let before = opening.predecessor.map(|before| before.incarnation);
        match (opening.number == 1) == before.is_none() && before != Some(opening.incarnation) {
            true => Ok(opening),
            false => Err(Malformed::BadValue { field: "predecessor" }),
        }
    }
}

fn read_predecessor(r: &mut Reader<'_>) -> Result<Predecessor, Malformed> {
    Ok(Predecessor {
        incarnation: IncarnationId::read(r)?,
        sequence: r.u64()?,
        segment_hash: r.array()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn an_opening_reads_back_and_only_the_first_continues_nothing() {
        let world = World::new(1);
        let incarnation = IncarnationId::from_bytes([8; 16]);
        let before = Predecessor { incarnation, sequence: 4, segment_hash: [1; 32] };
        let opening = |number, predecessor| Opening {
            instance: world.instance,
            incarnation: world.incarnation,
            predecessor,
            number,
            at: world.now,
        };
        for lawful in [opening(1, None), opening(2, Some(before))] {
            let bytes = lawful.issue(&world.root).unwrap();
            assert_eq!(Opening::verify(&bytes, &world.root.public()), Ok(lawful));
        }
        let own = Predecessor { incarnation: world.incarnation, ..before };
        for (number, predecessor) in
            [(0, None), (2, None), (1, Some(before)), (2, Some(own)), (0, Some(before))]
        {
            assert!(opening(number, predecessor).issue(&world.root).is_err());
        }
    }
}
