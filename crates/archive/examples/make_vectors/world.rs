//! One small instance that all vectors are about.
//!
//! Invariant: made from a seed, so that the same program makes the same bytes.

use keystead_archive::{EpochRecord, NodeCertificate, NodeSigner};
use keystead_crypto::{Entropy, NoteKey, RecipientSeed, Secret, SigningKey};
use keystead_domain::{EpochId, IncarnationId, InstanceId, NodeId, TenantId, Timestamp, to_hex};
use serde_json::{Value, json};

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

    pub(crate) fn signer(&self) -> Node {
        let objects: Secret<32> = self.entropy.secret();
        let again = Secret::from_slice(&bytes(&objects)).expect("32 bytes");
        let key = SigningKey::from_seed(objects);
        let node = NodeId::random(&self.entropy);
        let checkpoints = NoteKey::from_seed(self.entropy.secret());
        let certificate = NodeCertificate {
            instance: self.instance,
            incarnation: self.incarnation,
            node,
            objects_key: key.public(),
            checkpoints_key: checkpoints.public(),
            issued_at: self.now,
        };
        let issued = certificate.issue(&self.root).expect("its fields are lawful");
        let signer = NodeSigner::new(issued, key, checkpoints).expect("they were made together");
        Node { signer, key: SigningKey::from_seed(again) }
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
}

/// A node that signs lawful objects, and forged ones.
pub(crate) struct Node {
    pub(crate) signer: NodeSigner,
    pub(crate) key: SigningKey,
}

/// A secret's bytes: vectors show what nothing else may.
pub(crate) fn bytes(secret: &Secret<32>) -> Vec<u8> {
    secret.expose(|bytes| bytes.to_vec())
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> Value {
    json!(to_hex(bytes.as_ref()))
}

pub(crate) fn secret_hex(secret: &Secret<32>) -> Value {
    hex(bytes(secret))
}

pub(crate) fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}
