//! Founds an incarnation: its keys into the vaults, its state into a database, its base and
//! opening.
//!
//! Invariant: `init` and every restore end here. Nothing is deleted and nothing of before is
//! changed; the opening is put last, after the base is confirmed, so that an incarnation that
//! anybody can see has a base to restore from. A crash at any step leaves objects that no chain
//! names.

use std::sync::Arc;

use keystead_archive::{
    Algorithm, CopyKind, EpochRecord, KeyCopy, KeyCopyFields, NodeCertificate, NodeSigner, Opening,
    Predecessor, Recipient, RecipientSet, RootKind, SlotPlace, SlotTable, names, object_hash,
};
use keystead_crypto::{
    Entropy, KeyVersion as CryptoVersion, NoteKey, RecipientSeed, RootWrap, SealKey, Secret,
    SigningKey, key_check_value,
};
use keystead_domain::{
    EpochId, Instance, KeyId, KeyVersion, Kind, Kit, NodeId, Tenant, TenantId, TenantKey,
    Timestamp, VersionId,
};

use keystead_ledger::{Origin, Succession};

use crate::{
    shipper::Sealing,
    tenants::{SourceMacs, TenantKeys, key_version},
    tiles::LogPlace,
};

/// One epoch with its private half.
#[derive(Debug)]
pub(crate) struct Epoch {
    pub(crate) id: EpochId,
    /// The root-signed record.
    pub(crate) record: Vec<u8>,
    pub(crate) seed: RecipientSeed,
}

/// An object and the name that it is put under.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) bytes: Arc<[u8]>,
}

/// An aggregate to import.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) id: [u8; 16],
    pub(crate) tenant: TenantId,
    pub(crate) body: Vec<u8>,
}

/// A version's material to import.
#[derive(Debug)]
pub(crate) struct OpenMaterial {
    pub(crate) tenant: TenantId,
    pub(crate) version: VersionId,
    pub(crate) raw: Raw,
}

/// Material as it is before it is sealed for its new place.
#[derive(Debug)]
pub(crate) enum Raw {
    /// A key.
    Key(Secret<32>),
    /// The secret of an access key.
    AccessSecret(Secret<40>),
}

/// A tenant's own keys, with the secrets from which they were made.
#[derive(Debug)]
pub(crate) struct FreshTenant {
    pub(crate) keys: TenantKeys,
    /// Sealed under the root wrap key when the database is written.
    pub(crate) master: Secret<32>,
    /// Signing, backup, audit: sealed under the master key.
    pub(crate) own: Vec<(VersionId, Secret<32>)>,
}

/// Everything that a new incarnation consists of, in memory, before anything is written.
#[derive(Debug)]
pub(crate) struct Founding {
    pub(crate) instance: Instance,
    pub(crate) predecessor: Option<Predecessor>,
    pub(crate) root: SigningKey,
    pub(crate) root_wrap_id: CryptoVersion,
    pub(crate) root_wrap: Secret<32>,
    /// All epochs, oldest first; the last is in force.
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) kits: Vec<Kit>,
    /// The number of the recipient set and of the slot tables that this incarnation writes.
    pub(crate) recipients_number: u64,
    pub(crate) tenants: Vec<FreshTenant>,
    /// Aggregates beside instance, tenants, epochs, recipient set and kits.
    pub(crate) rows: Vec<Row>,
    pub(crate) materials: Vec<OpenMaterial>,
    /// Objects that must be in the vaults before the base.
    pub(crate) objects: Vec<Named>,
    pub(crate) node: NodeId,
    /// The ledgers that this node's follows.
    pub(crate) ledgers: Succession,
    pub(crate) now: Timestamp,
}

/// Makes the two certified keys of a node: one signs objects and is new in each process, the other
/// checkpoints of its ledger, and is the same in all processes of the node.
pub(crate) fn certify(
    entropy: &Entropy,
    root: &SigningKey,
    instance: &Instance,
    node: NodeId,
    now: Timestamp,
) -> NodeSigner {
    let objects = SigningKey::from_seed(entropy.secret());
    let checkpoints = NoteKey::of_ledger(root, origin_of(instance, node).as_str());
    let certificate = NodeCertificate {
        instance: instance.id,
        incarnation: instance.incarnation,
        node,
        objects_key: objects.public(),
        checkpoints_key: checkpoints.public(),
        issued_at: now,
    };
    let bytes = certificate.issue(root).expect("our certificates have an encoding");
    NodeSigner::new(bytes, objects, checkpoints).expect("the certificate names these very keys")
}

/// The name of a node's ledger.
pub(crate) fn origin_of(instance: &Instance, node: NodeId) -> Origin {
    let (incarnation, node) = (instance.incarnation, node);
    LogPlace { instance: instance.id, incarnation, node }.origin()
}

/// Makes an epoch.
pub(crate) fn new_epoch(
    entropy: &Entropy,
    root: &SigningKey,
    instance: keystead_domain::InstanceId,
    previous: Option<(EpochId, u64)>,
    now: Timestamp,
) -> Epoch {
    let seed = RecipientSeed::random(entropy);
    let id = EpochId::random(entropy);
    let record = EpochRecord {
        instance,
        epoch: id,
        number: previous.map_or(1, |(_, number)| number + 1),
        public: seed.public(),
        previous: previous.map(|(id, _)| id),
        created_at: now,
    };
    let record = record.issue(root).expect("our epochs have an encoding");
    Epoch { id, record, seed }
}

/// The signed set of all roots: each kit that is not revoked.
pub(crate) fn recipient_set(
    root: &SigningKey,
    instance: &Instance,
    number: u64,
    kits: &[Kit],
) -> Vec<u8> {
    let recipient = |kit: &Kit| Recipient {
        fingerprint: kit.fingerprint(),
        kind: RootKind::Kit,
        id: kit.id.into(),
        independence: format!("kit:{}", kit.id),
    };
    let recipients = kits.iter().filter(|kit| kit.revoked_at.is_none()).map(recipient).collect();
    RecipientSet { instance: instance.id, number, recipients }
        .issue(root)
        .expect("kits are few and named once")
}

/// The slot table of an epoch: its private half, sealed to each kit that is not revoked.
pub(crate) fn slot_table(
    entropy: &Entropy,
    root: &SigningKey,
    place: SlotPlace,
    epoch: &Epoch,
    kits: &[Kit],
) -> Vec<u8> {
    let open = |kit: &Kit| {
        let public = keystead_crypto::RecipientKey::from_bytes(&kit.public);
        (kit.id, public.expect("checked when the kit was taken into the inventory"))
    };
    let kits: Vec<_> = kits.iter().filter(|kit| kit.revoked_at.is_none()).map(open).collect();
    SlotTable::build(entropy, root, place, &epoch.seed, &kits).expect("kits are few and named once")
}

/// Makes copies of keys as one node, to one epoch.
#[derive(Debug)]
pub(crate) struct CopyMaker<'a> {
    pub(crate) entropy: &'a Entropy,
    pub(crate) instance: &'a Instance,
    pub(crate) sealing: &'a Sealing,
    pub(crate) now: Timestamp,
}

/// Which key a copy is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopyOf {
    pub(crate) tenant: TenantId,
    pub(crate) kind: CopyKind,
    pub(crate) key: KeyId,
    pub(crate) number: u32,
}

impl CopyMaker<'_> {
    /// Names a new version of `of` and seals its material to the epoch.
    pub(crate) fn make(&self, of: CopyOf, material: &Secret<32>) -> (KeyVersion, Named) {
        let id = VersionId::random(self.entropy);
        let algorithm = match of.kind {
            CopyKind::RootSigning | CopyKind::TenantSigning => Algorithm::Ed25519,
            CopyKind::TenantAudit => Algorithm::HmacSha256,
            CopyKind::MasterKey | CopyKind::TenantBackup | CopyKind::TenantKey => {
                Algorithm::Aes256Gcm
            }
        };
        let sealing = self.sealing;
        let fields = KeyCopyFields {
            instance: self.instance.id,
            tenant: of.tenant,
            kind: of.kind,
            key: of.key,
            version: id,
            version_number: of.number,
            algorithm,
            epoch: sealing.epoch,
            recipient_set_hash: sealing.recipient_set_hash,
            created_at: self.now,
        };
        let made =
            KeyCopy::make(self.entropy, &sealing.signer, &sealing.epoch_public, &fields, material);
        let bytes = made.expect("kind, algorithm and certificate fit each other");
        let version = KeyVersion {
            id,
            number: of.number,
            created_at: self.now,
            epoch: sealing.epoch,
            copy_hash: object_hash(&bytes),
            key_check: material.expose(|raw| key_check_value(key_version(of.key, id), raw)),
        };
        let name = names::key_copy(self.instance.id, of.key, id, sealing.epoch);
        (version, Named { name, bytes: bytes.into() })
    }
}

/// A tenant's key ids and past versions, where it is not a new tenant.
#[derive(Debug, Clone)]
pub(crate) struct TenantPast {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) tenant: Option<Tenant>,
}

/// Gives a tenant new versions of all its own keys; returns their copies too.
pub(crate) fn fresh_tenant(maker: &CopyMaker<'_>, past: &TenantPast) -> (FreshTenant, Vec<Named>) {
    let mut copies = Vec::new();
    let mut fresh = |kind, old: Option<&TenantKey>| {
        let material: Secret<32> = maker.entropy.secret();
        let id = old.map_or_else(|| KeyId::random(maker.entropy), |key| key.id);
        let mut versions = old.map(|key| key.versions.clone()).unwrap_or_default();
        let number = versions.last().map_or(1, |last| last.number + 1);
        let of = CopyOf { tenant: past.id, kind, key: id, number };
        let (version, copy) = maker.make(of, &material);
        versions.push(version);
        copies.push(copy);
        (TenantKey { id, versions }, material)
    };
    let of = past.tenant.as_ref();
    let (master, master_raw) = fresh(CopyKind::MasterKey, of.map(|t| &t.master));
    let (signing, signing_raw) = fresh(CopyKind::TenantSigning, of.map(|t| &t.signing));
    let (backup, backup_raw) = fresh(CopyKind::TenantBackup, of.map(|t| &t.backup));
    let (audit, audit_raw) = fresh(CopyKind::TenantAudit, of.map(|t| &t.audit));
    let id_of = |key: &TenantKey| key_version(key.id, key.current().id);
    let audit_key = audit_raw.expose(|raw| Secret::from_slice(raw).expect("32 bytes"));
    let keys = TenantKeys {
        master: SealKey::new(id_of(&master), &master_raw),
        backup: SealKey::new(id_of(&backup), &backup_raw),
        audit: audit_key,
        sources: SourceMacs::default(),
        tenant: Tenant {
            id: past.id,
            name: past.name.clone(),
            created_at: past.created_at,
            master,
            signing,
            backup,
            audit,
        },
    };
    let own = vec![
        (keys.tenant.signing.current().id, signing_raw),
        (keys.tenant.backup.current().id, backup_raw),
        (keys.tenant.audit.current().id, audit_raw),
    ];
    (FreshTenant { keys, master: master_raw, own }, copies)
}

impl Founding {
    /// The name of this node's ledger.
    pub(crate) fn origin(&self) -> Origin {
        origin_of(&self.instance, self.node)
    }

    pub(crate) fn root_seal_key(&self) -> SealKey<RootWrap> {
        SealKey::new(self.root_wrap_id, &self.root_wrap)
    }

    /// The epoch in force.
    pub(crate) fn epoch(&self) -> &Epoch {
        self.epochs.last().expect("a founding has its own epoch")
    }

    /// The opening of this incarnation.
    pub(crate) fn opening(&self) -> Named {
        let opening = Opening {
            instance: self.instance.id,
            incarnation: self.instance.incarnation,
            predecessor: self.predecessor,
            number: self.instance.incarnation_number,
            at: self.now,
        };
        let bytes = opening.issue(&self.root).expect("number and predecessor fit each other");
        let name = names::opening(self.instance.id, self.instance.incarnation);
        Named { name, bytes: bytes.into() }
    }

    /// Epoch record, recipient set and slot tables, as objects.
    pub(crate) fn root_objects(&self, entropy: &Entropy) -> Vec<Named> {
        let id = self.instance.id;
        let set = recipient_set(&self.root, &self.instance, self.recipients_number, &self.kits);
        let recipient_set_hash = RecipientSet::hash(&set);
        let mut objects =
            vec![Named { name: names::recipients(id, self.recipients_number), bytes: set.into() }];
        for epoch in &self.epochs {
            // One number for the set and its tables: both only grow, and one tells of the other.
            let number = self.recipients_number;
            let place = SlotPlace { instance: id, epoch: epoch.id, number, recipient_set_hash };
            let table = slot_table(entropy, &self.root, place, epoch, &self.kits);
            objects.push(Named { name: names::slots(id, epoch.id, number), bytes: table.into() });
        }
        let epoch = self.epoch();
        let record = epoch.record.clone().into();
        objects.push(Named { name: names::epoch(id, epoch.id), bytes: record });
        objects
    }
}
