//! Names every root that can open the instance: signed, numbered state.
//!
//! Invariant: its object hash stands in every header sealed while it was in force, so that nobody
//! adds or removes a root unseen; at most one entry for each kind and id.

use keystead_crypto::{
    SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{InstanceId, KitId};

use crate::{
    ObjectRefused, ObjectType, object_hash,
    record::{self, Record},
};

/// Bound of the roots of one instance.
pub(crate) const MAX_RECIPIENTS: usize = 64;

/// A kind of root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootKind {
    /// What opens the data folder while serving.
    Seal = 1,
    /// A recovery kit.
    Kit = 2,
    /// Several custodians together.
    Quorum = 3,
}

impl RootKind {
    /// Whether slot tables in vaults may hold it: the seal of a data folder never leaves it.
    #[must_use]
    pub const fn is_portable(self) -> bool {
        !matches!(self, Self::Seal)
    }

    pub(crate) fn write(self, w: &mut Writer) {
        w.u8(self as u8);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        match r.u8()? {
            1 => Ok(Self::Seal),
            2 => Ok(Self::Kit),
            3 => Ok(Self::Quorum),
            _ => Err(Malformed::BadValue { field: "root kind" }),
        }
    }
}

/// The id of a root: a kit's id, or for other kinds an id of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RootId(pub [u8; 16]);

impl From<KitId> for RootId {
    fn from(kit: KitId) -> Self {
        Self(*kit.as_bytes())
    }
}

/// One root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// SHA-256 of its public half.
    pub fingerprint: [u8; 32],
    /// What it is.
    pub kind: RootKind,
    /// Which one.
    pub id: RootId,
    /// Roots of one class can be lost or stolen together; at most 255 bytes.
    pub independence: String,
}

/// All roots of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientSet {
    /// Whose.
    pub instance: InstanceId,
    /// From 1; a change makes the next.
    pub number: u64,
    /// At most 64, at most one for each kind and id.
    pub recipients: Vec<Recipient>,
}

impl RecipientSet {
    /// Sorts the roots and signs as the root. The recipient-set hash is [`RecipientSet::hash`].
    ///
    /// # Errors
    /// [`Malformed::BadValue`] beyond a bound or for a root named twice.
    pub fn issue(&self, root: &SigningKey) -> Result<Vec<u8>, Malformed> {
        let mut sorted = self.clone();
        sorted.recipients.sort_by_key(|one| (one.kind, one.id));
        record::issue(&sorted, root)
    }

    /// Verifies one under the root's key.
    ///
    /// # Errors
    /// [`ObjectRefused`].
    pub fn verify(bytes: &[u8], root: &VerifyingKey) -> Result<Self, ObjectRefused> {
        record::verify(bytes, root)
    }

    /// The recipient-set hash of a signed record: SHA-256 of its bytes.
    #[must_use]
    pub fn hash(signed: &[u8]) -> [u8; 32] {
        object_hash(signed)
    }
}

impl Record for RecipientSet {
    const OBJECT: ObjectType = ObjectType::RecipientSet;

    fn write(&self, w: &mut Writer) {
        self.instance.write(w);
        w.u64(self.number);
        w.list(self.recipients.iter(), |w, one| {
            one.kind.write(w);
            w.raw(&one.id.0).raw(&one.fingerprint).text(&one.independence);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let set = Self {
            instance: InstanceId::read(r)?,
            number: record::from_one(r.u64()?, "recipient-set number")?,
            recipients: r.list(read_recipient)?,
        };
        record::ascending(&set.recipients, MAX_RECIPIENTS, "recipients", |r| (r.kind, r.id))?;
        Ok(set)
    }
}

fn read_recipient(r: &mut Reader<'_>) -> Result<Recipient, Malformed> {
    Ok(Recipient {
        kind: RootKind::read(r)?,
        id: RootId(r.array()?),
        fingerprint: r.array()?,
        independence: record::read_text(r, 0, "independence class")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn recipient(kind: RootKind, id: u8) -> Recipient {
        Recipient { fingerprint: [id; 32], kind, id: RootId([id; 16]), independence: "a".into() }
    }

    #[test]
    fn a_set_is_sorted_when_issued_and_names_no_root_twice() {
        let world = World::new(1);
        let set = |recipients| RecipientSet { instance: world.instance, number: 3, recipients };
        let unsorted = set(vec![recipient(RootKind::Kit, 2), recipient(RootKind::Seal, 9)]);
        let bytes = unsorted.issue(&world.root).unwrap();
        let read = RecipientSet::verify(&bytes, &world.root.public()).unwrap();
        assert_eq!(read.recipients[0].kind, RootKind::Seal);
        assert_eq!(RecipientSet::hash(&bytes), object_hash(&bytes));
        let twice = set(vec![recipient(RootKind::Kit, 2), recipient(RootKind::Kit, 2)]);
        assert_eq!(twice.issue(&world.root), Err(Malformed::BadValue { field: "recipients" }));
        let many = set((0..65).map(|id| recipient(RootKind::Kit, id)).collect());
        assert!(many.issue(&world.root).is_err());
    }
}
