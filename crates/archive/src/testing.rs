//! A small instance with fixed ids and seeded randomness, for the tests of this crate.
//!
//! Invariant: two worlds of one seed are equal to the byte, so that a failing test repeats.

use keystead_crypto::{Entropy, NoteKey, RecipientSeed, SigningKey};
use keystead_domain::{EpochId, IncarnationId, InstanceId, NodeId, TenantId, Timestamp};

use crate::{EpochRecord, NodeCertificate, NodeSigner, SlotPlace};

pub(crate) struct World {
    pub(crate) entropy: Entropy,
    pub(crate) root: SigningKey,
    pub(crate) instance: InstanceId,
    pub(crate) incarnation: IncarnationId,
    pub(crate) tenant: TenantId,
    pub(crate) epoch: EpochId,
    pub(crate) epoch_seed: RecipientSeed,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let entropy = Entropy::seeded(seed);
        Self {
            root: SigningKey::from_seed(entropy.secret()),
            instance: InstanceId::random(&entropy),
            incarnation: IncarnationId::random(&entropy),
            tenant: TenantId::random(&entropy),
            epoch: EpochId::random(&entropy),
            epoch_seed: RecipientSeed::random(&entropy),
            now: Timestamp::from_micros(1_763_780_400_000_000),
            entropy,
        }
    }

    pub(crate) fn signer(&self) -> NodeSigner {
        let objects = SigningKey::from_seed(self.entropy.secret());
        let checkpoints = NoteKey::from_seed(self.entropy.secret());
        let certificate = NodeCertificate {
            instance: self.instance,
            incarnation: self.incarnation,
            node: NodeId::random(&self.entropy),
            objects_key: objects.public(),
            checkpoints_key: checkpoints.public(),
            issued_at: self.now,
        };
        let bytes = certificate.issue(&self.root).expect("its fields are fixed");
        NodeSigner::new(bytes, objects, checkpoints).expect("they were made together")
    }

    pub(crate) fn epoch_record(&self) -> EpochRecord {
        EpochRecord {
            instance: self.instance,
            epoch: self.epoch,
            number: 1,
            public: self.epoch_seed.public(),
            previous: None,
            created_at: self.now,
        }
    }

    pub(crate) fn slot_place(&self) -> SlotPlace {
        SlotPlace {
            instance: self.instance,
            epoch: self.epoch,
            number: 1,
            recipient_set_hash: [5; 32],
        }
    }
}
