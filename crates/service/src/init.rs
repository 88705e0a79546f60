//! `init`: a new instance, its roots, its two tenants, its first access key.
//!
//! Invariant: the kit is made by the caller: only its public half and id come in here. What is
//! returned holds the first secret access key, which is shown once and stored sealed.

use std::sync::Arc;

use keystead_archive::{CopyKind, KitStatement, RecipientSet, VaultRecord};
use keystead_crypto::{
    Entropy, KeyVersion as CryptoVersion, RecipientSeed, Secret, SigningKey, VerifyingKey,
};
use keystead_domain::{
    AccessKey, Account, ConfiguredVault, EpochId, IncarnationId, Instance, InstanceId, KeyId, Kind,
    Kit, KitId, NodeId, PrincipalId, TenantId, Timestamp, VaultId, VersionId,
};
use keystead_ledger::Succession;
use keystead_targets::{ReopeningVault, Vault, VaultUrl};

use crate::{
    FoundFailed, Site,
    found::{NamedVaults, found, mark_vault},
    incarnation::{
        CopyMaker, CopyOf, Founding, OpenMaterial, Raw, Row, TenantPast, certify, fresh_tenant,
        new_epoch, recipient_set,
    },
    shipper::Sealing,
};

/// What `init` was asked for.
#[derive(Debug, Clone)]
pub struct InitPlan {
    /// The account that ARNs show.
    pub account: Account,
    /// The vaults, all of which must answer now.
    pub vaults: Vec<VaultUrl>,
    /// How many must confirm a change; more than half.
    pub vaults_min: usize,
    /// The name of the first principal.
    pub admin: String,
}

/// An instance in memory: it has its keys and nothing is written yet.
#[derive(Debug)]
pub struct NewInstance {
    plan: InitPlan,
    id: InstanceId,
    root: SigningKey,
    now: Timestamp,
}

/// A kit as the server knows it.
#[derive(Debug, Clone)]
pub struct NewKit {
    /// Its id.
    pub id: KitId,
    /// Its public half.
    pub public: keystead_crypto::RecipientKey,
    /// Verifies its proofs of possession.
    pub proof_key: VerifyingKey,
}

/// What the first principal needs, shown once.
#[derive(Debug)]
pub struct FirstAccess {
    /// What requests name.
    pub access_key_id: String,
    /// What signs them: 40 characters.
    pub secret_access_key: Secret<40>,
}

/// A founded instance.
#[derive(Debug)]
pub struct Initialised {
    /// Its id.
    pub instance: InstanceId,
    /// Its first incarnation.
    pub incarnation: IncarnationId,
    /// The root verification key.
    pub root_public: VerifyingKey,
    /// The epoch that the kit must open.
    pub epoch: EpochId,
    /// The first credential.
    pub access: FirstAccess,
    /// The head of the chain, as `--expect-head` takes it.
    pub head: String,
}

impl NewInstance {
    /// Makes the instance's identity.
    #[must_use]
    pub fn new(entropy: &Entropy, now: Timestamp, plan: InitPlan) -> Self {
        let root = SigningKey::from_seed(entropy.secret());
        Self { plan, id: InstanceId::random(entropy), root, now }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        self.id
    }

    /// Signs a kit's statement as the root.
    #[must_use]
    pub fn sign_kit(&self, kit: &NewKit, program: &str) -> Vec<u8> {
        sign_kit(&self.root, self.id, kit, self.now, program)
    }

    /// Writes the instance into its vaults and its data folder. `opened` is the kit as it was
    /// opened again from its own file: it must open what is sealed to it here.
    ///
    /// # Errors
    /// [`FoundFailed`]; the data folder then holds no seal slot and counts for nothing.
    pub async fn found(
        self,
        site: &Site,
        kit: &NewKit,
        opened: &RecipientSeed,
    ) -> Result<Initialised, FoundFailed> {
        let Self { plan, id, root, now } = self;
        let entropy = &site.entropy;
        let vaults = mark_vaults(site, &plan, id, &root, now).await?;
        let epoch = new_epoch(entropy, &root, id, None, now);
        let instance = first_instance(entropy, &plan, id, &root, epoch.id, &vaults);
        let kits = vec![kit_row(kit, now)];
        let set = recipient_set(&root, &instance, 1, &kits);
        let node = NodeId::random(entropy);
        let sealing = Sealing {
            signer: Arc::new(certify(entropy, &root, &instance, node, now)),
            epoch: epoch.id,
            epoch_public: epoch.seed.public(),
            epoch_record: epoch.record.clone(),
            recipient_set_hash: RecipientSet::hash(&set),
        };
        let maker = CopyMaker { entropy, instance: &instance, sealing: &sealing, now };
        let mut objects = vec![root_copy(&maker, &root)];
        let mut tenants = Vec::new();
        for (tenant, name) in
            [(instance.system_tenant, "system"), (instance.default_tenant, "default")]
        {
            let past = TenantPast { id: tenant, name: name.into(), created_at: now, tenant: None };
            let (fresh, copies) = fresh_tenant(&maker, &past);
            objects.extend(copies);
            tenants.push(fresh);
        }
        let (access, row, material) = new_access_key(entropy, &instance, &plan.admin, now);
        let root_public = root.public();
        let founding = Founding {
            instance: instance.clone(),
            predecessor: None,
            root,
            root_wrap_id: CryptoVersion { key: entropy.array(), version: entropy.array() },
            root_wrap: entropy.secret(),
            epochs: vec![epoch],
            kits,
            recipients_number: 1,
            tenants,
            rows: vec![row],
            materials: vec![material],
            objects,
            node,
            ledgers: Succession::new(),
            now,
        };
        let epoch = instance.epoch;
        let founded = found(site, vaults, sealing, founding, (kit.id, opened)).await?;
        let incarnation = instance.incarnation;
        let head = crate::start::head_text(incarnation, 0, &founded.opening_hash);
        Ok(Initialised { instance: id, incarnation, root_public, epoch, access, head })
    }
}

/// Signs a kit's statement as the root.
pub(crate) fn sign_kit(
    root: &SigningKey,
    instance: InstanceId,
    kit: &NewKit,
    now: Timestamp,
    program: &str,
) -> Vec<u8> {
    KitStatement {
        kit: kit.id,
        instance,
        root: root.public(),
        public: kit.public.clone(),
        proof_key: kit.proof_key,
        created_at: now,
        program_version: program.to_owned(),
    }
    .issue(root)
    .expect("our statements have an encoding")
}

/// A kit as a row of the inventory.
pub(crate) fn kit_row(kit: &NewKit, now: Timestamp) -> Kit {
    Kit {
        id: kit.id,
        public: kit.public.as_bytes().to_vec(),
        proof_key: kit.proof_key.0,
        created_at: now,
        revoked_at: None,
        proven: None,
    }
}

async fn mark_vaults(
    site: &Site,
    plan: &InitPlan,
    instance: InstanceId,
    root: &SigningKey,
    now: Timestamp,
) -> Result<NamedVaults, FoundFailed> {
    let mut marked = Vec::new();
    for url in &plan.vaults {
        let vault: Arc<dyn Vault> = Arc::new(ReopeningVault::new(url.clone(), site.vaults.clone()));
        // Asks it anything first: its failure domain is known only once it has answered.
        vault.list(&format!("{instance}/")).await?;
        let id = VaultId::random(&site.entropy);
        let domain = vault.domain()?.to_string();
        let record = VaultRecord { instance, vault: id, domain, created_at: now };
        mark_vault(&*vault, root, &record).await?;
        marked.push((id, vault));
    }
    Ok(marked)
}

fn first_instance(
    entropy: &Entropy,
    plan: &InitPlan,
    id: InstanceId,
    root: &SigningKey,
    epoch: EpochId,
    vaults: &[(VaultId, Arc<dyn Vault>)],
) -> Instance {
    Instance {
        id,
        account: plan.account.clone(),
        root_public: root.public().0,
        incarnation: IncarnationId::random(entropy),
        incarnation_number: 1,
        epoch,
        system_tenant: TenantId::random(entropy),
        default_tenant: TenantId::random(entropy),
        vaults_min: u32::try_from(plan.vaults_min).expect("vaults are few"),
        vaults: vaults
            .iter()
            .map(|(id, vault)| ConfiguredVault { id: *id, url: vault.url().to_string() })
            .collect(),
        destruction_hash: [0; 32],
    }
}

/// The root signing key's own copy; its key id is the instance's, so that restore finds it.
fn root_copy(maker: &CopyMaker<'_>, root: &SigningKey) -> crate::incarnation::Named {
    let of = CopyOf {
        tenant: maker.instance.system_tenant,
        kind: CopyKind::RootSigning,
        key: root_key_id(maker.instance.id),
        number: 1,
    };
    maker.make(of, root.seed()).1
}

/// Under which key id the copy of the root signing key lies.
pub(crate) fn root_key_id(instance: InstanceId) -> KeyId {
    KeyId::from_bytes(*instance.as_bytes())
}

/// Makes an access key for an administrator of the default tenant.
pub(crate) fn new_access_key(
    entropy: &Entropy,
    instance: &Instance,
    name: &str,
    now: Timestamp,
) -> (FirstAccess, Row, OpenMaterial) {
    let tenant = instance.default_tenant;
    let access_key_id = format!("AKIA{}", text::<16>(entropy, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"));
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let secret = Secret::<40>::init_with(|place| characters(entropy, alphabet, place));
    let kept = secret.expose(|raw| Secret::from_slice(raw).expect("40 bytes"));
    let version = VersionId::random(entropy);
    let key = AccessKey {
        access_key_id: access_key_id.clone(),
        principal: PrincipalId::random(entropy),
        name: name.to_owned(),
        tenant,
        created_at: now,
        secret: version,
    };
    let row = Row { kind: Kind::AccessKey, id: entropy.array(), tenant, body: key.to_body() };
    let material = OpenMaterial { tenant, version, raw: Raw::AccessSecret(kept) };
    (FirstAccess { access_key_id, secret_access_key: secret }, row, material)
}

fn text<const N: usize>(entropy: &Entropy, alphabet: &[u8]) -> String {
    let mut out = [0; N];
    characters(entropy, alphabet, &mut out);
    out.iter().map(|byte| char::from(*byte)).collect()
}

/// Fills `out` with characters of an alphabet whose size is a power of two, so that none is
/// likelier.
fn characters(entropy: &Entropy, alphabet: &[u8], out: &mut [u8]) {
    entropy.fill(out);
    for byte in out {
        *byte = alphabet[usize::from(*byte) % alphabet.len()];
    }
}
