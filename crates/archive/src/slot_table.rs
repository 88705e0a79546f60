//! Wraps the private half of a backup epoch to each portable root, in every vault.
//!
//! Invariant: a table holds kits and quorums and never the seal of a data folder; what a slot opens
//! counts only if its public half is the one of the root-signed epoch record.

use keystead_crypto::{
    ENCAPSULATION_BYTES, Entropy, RecipientKey, RecipientSeed, Secret, SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
    hash::sha256,
    labels,
};
use keystead_domain::{EpochId, InstanceId, KitId};

use crate::{
    EpochRecord, ObjectRefused, ObjectType, RootId, RootKind, frame,
    recipient_set::MAX_RECIPIENTS,
    record::{self, Record},
};

/// An HPKE box around a 32-byte seed or key.
pub(crate) const SEALED_SECRET_BYTES: usize = ENCAPSULATION_BYTES + 32 + 16;

/// Which table: all of its header but the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotPlace {
    /// Whose.
    pub instance: InstanceId,
    /// Of which epoch.
    pub epoch: EpochId,
    /// From 1; the highest validly signed one wins.
    pub number: u64,
    /// The recipient set it was made for.
    pub recipient_set_hash: [u8; 32],
}

/// One root's slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSlot {
    /// A kit or a quorum.
    pub kind: RootKind,
    /// Which one.
    pub id: RootId,
    /// SHA-256 of its public half.
    pub fingerprint: [u8; 32],
    /// The epoch's seed, sealed to it.
    pub sealed: Vec<u8>,
}

/// A slot table, as verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotTable {
    /// Which one.
    pub place: SlotPlace,
    /// At most 64, at most one for each kind and id.
    pub slots: Vec<TableSlot>,
}

impl SlotTable {
    /// Seals an epoch's private half to each kit and signs as the root.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] for more than 64 kits, one named twice, or number 0.
    pub fn build(
        entropy: &Entropy,
        root: &SigningKey,
        place: SlotPlace,
        epoch_seed: &RecipientSeed,
        kits: &[(KitId, RecipientKey)],
    ) -> Result<Vec<u8>, Malformed> {
        let mut slots: Vec<TableSlot> = kits
            .iter()
            .map(|(kit, public)| seal_slot(entropy, &place, epoch_seed, (*kit).into(), public))
            .collect();
        slots.sort_by_key(|slot| (slot.kind, slot.id));
        record::issue(&Self { place, slots }, root)
    }

    /// Verifies one under the root's key.
    ///
    /// # Errors
    /// [`ObjectRefused`].
    pub fn verify(bytes: &[u8], root: &VerifyingKey) -> Result<Self, ObjectRefused> {
        record::verify(bytes, root)
    }

    /// Opens the epoch's private half with a root's own, and checks it against the epoch's record.
    ///
    /// # Errors
    /// [`ObjectRefused::NoSlot`] where the root is not in the table, [`ObjectRefused::Sealed`]
    /// where its slot does not open, [`ObjectRefused::OtherEpoch`] where record, table and seed
    /// differ.
    pub fn open(
        &self,
        recipient: &RecipientSeed,
        epoch: &EpochRecord,
    ) -> Result<RecipientSeed, ObjectRefused> {
        let other = ObjectRefused::OtherEpoch { epoch: epoch.epoch };
        if (epoch.epoch, epoch.instance) != (self.place.epoch, self.place.instance) {
            return Err(other);
        }
        let fingerprint = recipient.public().fingerprint();
        let slot = self.slots.iter().find(|slot| slot.fingerprint == fingerprint);
        let slot = slot.ok_or(ObjectRefused::NoSlot { epoch: epoch.epoch })?;
        let opened = recipient.open(&info(&self.place, slot), &[], &slot.sealed)?;
        let seed = Secret::from_slice(&opened).map(RecipientSeed::new);
        seed.filter(|seed| seed.public() == epoch.public).ok_or(other)
    }
}

impl Record for SlotTable {
    const OBJECT: ObjectType = ObjectType::SlotTable;

    fn write(&self, w: &mut Writer) {
        self.place.instance.write(w);
        self.place.epoch.write(w);
        w.u64(self.place.number).raw(&self.place.recipient_set_hash);
        w.list(self.slots.iter(), |w, slot| {
            slot.kind.write(w);
            w.raw(&slot.id.0).raw(&slot.fingerprint).bytes(&slot.sealed);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let place = SlotPlace {
            instance: InstanceId::read(r)?,
            epoch: EpochId::read(r)?,
            number: record::from_one(r.u64()?, "slot-table number")?,
            recipient_set_hash: r.array()?,
        };
        let slots = r.list(read_slot)?;
        record::ascending(&slots, MAX_RECIPIENTS, "slots", |slot| (slot.kind, slot.id))?;
        Ok(Self { place, slots })
    }
}

fn read_slot(r: &mut Reader<'_>) -> Result<TableSlot, Malformed> {
    let slot = TableSlot {
        kind: RootKind::read(r)?,
        id: RootId(r.array()?),
        fingerprint: r.array()?,
        sealed: r.bytes()?.to_vec(),
    };
    if !slot.kind.is_portable() {
        return Err(Malformed::BadValue { field: "root kind" });
    }
    match slot.sealed.len() {
        SEALED_SECRET_BYTES => Ok(slot),
        _ => Err(Malformed::BadValue { field: "sealed epoch seed" }),
    }
}

fn seal_slot(
    entropy: &Entropy,
    place: &SlotPlace,
    epoch_seed: &RecipientSeed,
    id: RootId,
    public: &RecipientKey,
) -> TableSlot {
    let fingerprint = public.fingerprint();
    let mut slot = TableSlot { kind: RootKind::Kit, id, fingerprint, sealed: Vec::new() };
    let info = info(place, &slot);
    slot.sealed = epoch_seed.secret().expose(|seed| public.seal(entropy, &info, &[], seed));
    slot
}

/// Binds a box to the table and slot that it was made for.
fn info(place: &SlotPlace, slot: &TableSlot) -> String {
    let mut w = Writer::new();
    place.instance.write(&mut w);
    place.epoch.write(&mut w);
    w.u64(place.number);
    slot.kind.write(&mut w);
    w.raw(&slot.id.0).raw(&slot.fingerprint);
    frame::box_info(labels::HPKE_SLOT, &sha256(w.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    struct Table {
        world: World,
        kits: Vec<(KitId, RecipientSeed)>,
        bytes: Vec<u8>,
    }

    fn table() -> Table {
        let world = World::new(1);
        let kits: Vec<_> = (0..2)
            .map(|_| (KitId::random(&world.entropy), RecipientSeed::random(&world.entropy)))
            .collect();
        let publics: Vec<_> = kits.iter().map(|(id, seed)| (*id, seed.public())).collect();
        let bytes = SlotTable::build(
            &world.entropy,
            &world.root,
            world.slot_place(),
            &world.epoch_seed,
            &publics,
        )
        .unwrap();
        Table { world, kits, bytes }
    }

    #[test]
    fn each_kit_opens_the_epoch_and_a_stranger_has_no_slot() {
        let Table { world, kits, bytes } = table();
        let read = SlotTable::verify(&bytes, &world.root.public()).unwrap();
        let epoch = world.epoch_record();
        for (_, seed) in &kits {
            let opened = read.open(seed, &epoch).unwrap();
            assert!(opened.secret().same_as(world.epoch_seed.secret()));
        }
        let stranger = RecipientSeed::random(&world.entropy);
        let found = read.open(&stranger, &epoch).unwrap_err();
        assert_eq!(found, ObjectRefused::NoSlot { epoch: epoch.epoch });
    }

    #[test]
    fn a_slot_of_another_place_or_epoch_does_not_open() {
        let Table { world, kits, bytes } = table();
        let read = SlotTable::verify(&bytes, &world.root.public()).unwrap();
        let epoch = world.epoch_record();
        let mut moved = read.clone();
        moved.place.number += 1;
        let found = moved.open(&kits[0].1, &epoch).unwrap_err();
        assert_eq!(found, ObjectRefused::Sealed(keystead_crypto::OpenFailed));
        let public = RecipientSeed::random(&world.entropy).public();
        let other = EpochRecord { public, ..epoch.clone() };
        let found = read.open(&kits[0].1, &other).unwrap_err();
        assert_eq!(found, ObjectRefused::OtherEpoch { epoch: epoch.epoch });
        let renamed = EpochRecord { epoch: EpochId::from_bytes([9; 16]), ..epoch };
        assert!(read.open(&kits[0].1, &renamed).is_err());
    }

    #[test]
    fn the_seal_of_a_data_folder_is_never_in_a_table() {
        let Table { world, bytes, .. } = table();
        let mut read = SlotTable::verify(&bytes, &world.root.public()).unwrap();
        read.slots[0].kind = RootKind::Seal;
        let found = record::issue(&read, &world.root);
        assert_eq!(found, Err(Malformed::BadValue { field: "root kind" }));
    }
}
