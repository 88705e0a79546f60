//! From what was read to a new incarnation: stage, close the old one, found the new one.
//!
//! Invariant: [`Staged`] has opened everything that it promises; closing comes before founding, and
//! after closing the vaults are read once more: what lies there then is the head.

use std::{collections::BTreeMap, sync::Arc};

use keystead_archive::{Closing, OpenedKit, names};
use keystead_crypto::{Entropy, KeyVersion as CryptoVersion, RecipientSeed, Secret, SigningKey};
use keystead_domain::{
    ConfiguredVault, IncarnationId, Instance, Key, KeyVersion, Kit, KitId, NodeId, Tenant,
    TenantId, Timestamp, VersionId,
};
use keystead_ledger::Succession;
use keystead_targets::{ReopeningVault, Vault};

use super::{
    Loss, Reading, RestoreFailed, RestorePlan, Restored, Watcher,
    chain::Chain,
    keys::{Holder, JOBS, Opener, TOGETHER, living},
    ledgers::{following, last_heads},
    rebuild::{Rebuilt, needed, rebuild},
    sources::Sources,
    state::State,
    wraps::{PastMasters, open_wraps},
};
use crate::{
    DrillTask, NewKit, RestoreSite, Site,
    found::{NamedVaults, found},
    incarnation::{
        CopyMaker, Epoch, Founding, OpenMaterial, Raw, TenantPast, certify, fresh_tenant,
        new_epoch, recipient_set,
    },
    init::{kit_row, new_access_key, sign_kit},
    keyring::OpenedKey,
    proofs::answer,
    shipper::Sealing,
    start::head_text,
    tenants::key_version,
    vaults::object_name,
};

const CLOSE_TRIES: usize = 8;

/// Everything that a restore needs, read, verified and opened; nothing written.
#[derive(Debug)]
pub struct Staged {
    site: RestoreSite,
    plan: RestorePlan,
    kit: KitId,
    root: SigningKey,
    sources: Sources,
    chain: Chain,
    instance: Instance,
    tenants: Vec<Tenant>,
    kits: Vec<Kit>,
    state: State,
    epochs: Vec<Epoch>,
    epoch_number: u64,
    recipients: u64,
    materials: Vec<Recovered>,
    masters: PastMasters,
    reading: Reading,
}

/// A version of a key that its copy gave back.
#[derive(Debug)]
struct Recovered {
    tenant: TenantId,
    version: VersionId,
    /// Of the copy.
    copy_hash: [u8; 32],
    material: Secret<32>,
}

pub(super) async fn read(
    site: RestoreSite,
    kit: &OpenedKit,
    plan: RestorePlan,
    watcher: &dyn Watcher,
) -> Result<Staged, RestoreFailed> {
    let (instance, root) = (kit.statement.instance, kit.statement.root);
    let sources = Sources::open(&site.vaults, &plan.vaults, instance, &root, watcher).await?;
    stage(site, kit, plan, (sources, Vec::new()), watcher).await
}

/// The longest valid chain; where a later program wrote in its place, none. What is `known` from
/// an earlier reading is not opened again.
async fn stage(
    site: RestoreSite,
    kit: &OpenedKit,
    plan: RestorePlan,
    (sources, known): (Sources, Vec<Recovered>),
    watcher: &dyn Watcher,
) -> Result<Staged, RestoreFailed> {
    let root = kit.statement.root;
    let holder = Holder::Kit(&kit.seed);
    let mut opener = Opener::new(&sources, root, holder, &site.tasks).await;
    let Rebuilt { chain, state, instance, head_at, freshness, point, .. } =
        rebuild(&mut opener, &plan, watcher).await?;
    let keys = state.keys()?;
    let materials = open_materials(&opener, &keys, known, watcher).await?;
    let tenants = state.tenants()?;
    let (masters, wraps) = open_wraps(&opener, &state, &tenants, watcher).await?;
    let signing = opener.root_signing().await?;
    let Opener { epochs, numbers, .. } = opener;
    let mut epochs: Vec<_> = epochs.into_values().collect();
    epochs.sort_by_key(|(record, _)| record.number);
    let epoch_number = epochs.last().map_or(0, |(record, _)| record.number);
    let reading = Reading {
        head: head_text(chain.opening.incarnation, chain.end_sequence(), &chain.end_hash()),
        head_at,
        freshness,
        vaults_read: sources.all.len(),
        vaults_configured: instance.vaults.len(),
        point,
        abandoned: chain.abandoned.clone(),
        keys: keys.len(),
        versions: materials.len(),
        wraps,
        bytes: sources.bytes(),
    };
    Ok(Staged {
        kit: kit.statement.kit,
        root: signing,
        tenants,
        kits: state.kits()?,
        epochs: epochs.into_iter().map(|(_, epoch)| epoch).collect(),
        site,
        plan,
        sources,
        chain,
        instance,
        state,
        epoch_number,
        recipients: numbers,
        materials,
        masters,
        reading,
    })
}

async fn open_materials(
    opener: &Opener<'_>,
    keys: &[Key],
    known: Vec<Recovered>,
    watcher: &dyn Watcher,
) -> Result<Vec<Recovered>, RestoreFailed> {
    let mut known: BTreeMap<_, _> =
        known.into_iter().map(|of| ((of.version, of.copy_hash), of)).collect();
    let (mut materials, mut missing) = (Vec::new(), Vec::new());
    for (key, version) in living(keys) {
        match known.remove(&(version.id, version.copy_hash)) {
            Some(recovered) => materials.push(recovered),
            None => missing.push((key, version)),
        }
    }
    watcher.phase("open key copies", missing.len() as u64);
    // The first that is missing stops it: nobody waits for the others to hear so.
    for some in missing.chunks(TOGETHER * JOBS) {
        let found = opener.materials(some, watcher).await;
        for ((key, version), material) in some.iter().zip(found) {
            let (tenant, material) = (key.tenant, material?);
            let KeyVersion { id: version, copy_hash, .. } = **version;
            materials.push(Recovered { tenant, version, copy_hash, material });
        }
    }
    Ok(materials)
}

impl Staged {
    /// What was read.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The account that ARNs show.
    #[must_use]
    pub fn account(&self) -> &keystead_domain::Account {
        &self.instance.account
    }

    /// Signs a new kit's statement as the root.
    #[must_use]
    pub fn sign_kit(&self, kit: &NewKit, now: Timestamp, program: &str) -> Vec<u8> {
        sign_kit(&self.root, self.instance.id, kit, now, program)
    }

    /// What the recovered keys answer to the tasks of a drill, by version; a version that is not
    /// among them is left out.
    #[must_use]
    pub fn answers(&self, tasks: &[DrillTask]) -> Vec<(VersionId, Vec<u8>)> {
        let keys = self.state.keys().unwrap_or_default();
        let answer = |task: &DrillTask| {
            let key = keys.iter().find(|key| key.id == task.key)?;
            let Recovered { tenant, version, material, .. } =
                self.materials.iter().find(|of| of.version == task.version)?;
            let raw = material.expose(|raw| Secret::from_slice(raw).expect("32 bytes"));
            let opened = OpenedKey::new(key.spec, key_version(key.id, *version), raw)?;
            Some((*version, answer(*tenant, &opened, &task.given)?))
        };
        tasks.iter().filter_map(answer).collect()
    }

    /// Closes the old incarnation and reads again until nothing grows any more.
    ///
    /// # Errors
    /// [`RestoreFailed`].
    pub async fn close(
        mut self,
        kit: &OpenedKit,
        watcher: &dyn Watcher,
    ) -> Result<Closed, RestoreFailed> {
        let successor = IncarnationId::random(&self.site.entropy);
        for _ in 0..CLOSE_TRIES {
            self.put_closings(successor, watcher).await?;
            let before = self.chain.end_hash();
            self.sources.refresh().await;
            let Self { site, plan, sources, materials, chain, state, .. } = self;
            // What is read again need not be held twice.
            drop((chain, state));
            self = stage(site, kit, plan, (sources, materials), watcher).await?;
            if self.chain.end_hash() == before {
                return Ok(Closed { staged: self, successor });
            }
            watcher.warn("the old incarnation grew while it was being closed".to_owned());
        }
        Err(RestoreFailed::StillGrowing)
    }

    async fn put_closings(
        &self,
        successor: IncarnationId,
        watcher: &dyn Watcher,
    ) -> Result<(), RestoreFailed> {
        let sequence = self.chain.end_sequence() + 1;
        let (instance, incarnation) = (self.instance.id, self.chain.opening.incarnation);
        watcher.phase("close the old incarnation", self.sources.all.len() as u64);
        let closing =
            Closing { instance, incarnation, sequence, at: self.site.clock.now(), successor };
        let bytes = closing.issue(&self.root).expect("our closings have an encoding");
        let name = object_name(&names::segment(instance, incarnation, sequence));
        let mut closed = 0;
        for source in &self.sources.all {
            match source.vault.put_new(&name, &bytes).await {
                // Whatever lies there is read next: a closing of an earlier try serves as well.
                Ok(_) => closed += 1,
                Err(away) => {
                    watcher.warn(format!("vault `{}` was not closed: {away}", source.vault.url()));
                }
            }
            watcher.advance(1);
        }
        let needed = match self.plan.loss {
            Loss::Refused => needed(&self.instance),
            Loss::Accepted => 1,
        };
        match closed >= needed {
            true => Ok(()),
            false => Err(RestoreFailed::NotClosed { closed, needed }),
        }
    }
}

/// A staged restore whose old incarnation is closed.
#[derive(Debug)]
pub struct Closed {
    staged: Staged,
    successor: IncarnationId,
}

impl Closed {
    /// What was read, now that the old incarnation is closed.
    #[must_use]
    pub fn staged(&self) -> &Staged {
        &self.staged
    }

    /// Writes the new incarnation. With a new kit the one that was used is revoked; `opened` is the
    /// private half of the new kit, or else of the used one, and must open the new epoch.
    ///
    /// # Errors
    /// [`RestoreFailed::Found`]; the data folder then holds no seal slot and counts for nothing.
    pub async fn found(
        self,
        site: &Site,
        new_kit: Option<&NewKit>,
        opened: &RecipientSeed,
        watcher: &dyn Watcher,
    ) -> Result<Restored, RestoreFailed> {
        watcher.phase("write the new incarnation", 0);
        let Self { staged, successor } = self;
        let now = site.clock.now();
        let reading = staged.reading.clone();
        let entropy = &site.entropy;
        let (instance, vaults) = staged.next_instance(successor)?;
        let heads = last_heads(&staged.sources, &staged.chain, &staged.root.public()).await;
        let prover = new_kit.map_or(staged.kit, |kit| kit.id);
        let (mut founding, sealing) = staged.founding(entropy, instance, new_kit, now)?;
        let (access, row, material) =
            new_access_key(entropy, &founding.instance, "administrator", now);
        founding.rows.push(row);
        founding.materials.push(material);
        founding.ledgers = following(heads, &founding.origin());
        let founded = found(site, vaults, sealing, founding, (prover, opened)).await?;
        let head = head_text(successor, 0, &founded.opening_hash);
        Ok(Restored { reading, incarnation: successor, access, head })
    }
}

impl Staged {
    /// The instance's settings in its next life, and its vaults.
    fn next_instance(
        &self,
        successor: IncarnationId,
    ) -> Result<(Instance, NamedVaults), RestoreFailed> {
        let mut instance = self.instance.clone();
        instance.incarnation = successor;
        instance.incarnation_number = self.chain.opening.number + 1;
        let dropped = |vault: &ConfiguredVault| {
            self.plan.without.iter().any(|url| url.to_string() == vault.url)
        };
        instance.vaults.retain(|vault| !dropped(vault));
        let mut vaults = NamedVaults::new();
        for vault in &mut instance.vaults {
            let source = self.sources.all.iter().find(|source| source.id == vault.id);
            if let Some(source) = source {
                // It may be mounted elsewhere than before.
                vault.url = source.vault.url().to_string();
                vaults.push((vault.id, source.vault.clone()));
            } else {
                let url = vault.url.parse().map_err(|_| RestoreFailed::State {
                    what: format!("the vault url `{}`", vault.url),
                })?;
                let away = ReopeningVault::new(url, self.site.vaults.clone());
                vaults.push((vault.id, Arc::new(away)));
            }
        }
        let count = u32::try_from(instance.vaults.len()).expect("vaults are few");
        instance.vaults_min = instance.vaults_min.min(count).max(count / 2 + 1);
        Ok((instance, vaults))
    }

    fn founding(
        self,
        entropy: &Entropy,
        mut instance: Instance,
        new_kit: Option<&NewKit>,
        now: Timestamp,
    ) -> Result<(Founding, Sealing), RestoreFailed> {
        let previous = self.epochs.last().map(|epoch| (epoch.id, self.epoch_number));
        let epoch = new_epoch(entropy, &self.root, instance.id, previous, now);
        instance.epoch = epoch.id;
        let kits = kits(self.kits, self.kit, new_kit, now);
        let recipients_number = self.recipients + 1;
        let set = recipient_set(&self.root, &instance, recipients_number, &kits);
        let node = NodeId::random(entropy);
        let sealing = Sealing {
            signer: Arc::new(certify(entropy, &self.root, &instance, node, now)),
            epoch: epoch.id,
            epoch_public: epoch.seed.public(),
            epoch_record: epoch.record.clone(),
            recipient_set_hash: keystead_archive::RecipientSet::hash(&set),
        };
        let maker = CopyMaker { entropy, instance: &instance, sealing: &sealing, now };
        let (mut tenants, mut objects) = (Vec::new(), Vec::new());
        for tenant in self.tenants {
            let past = TenantPast {
                id: tenant.id,
                name: tenant.name.clone(),
                created_at: tenant.created_at,
                tenant: Some(tenant),
            };
            let (fresh, copies) = fresh_tenant(&maker, &past);
            objects.extend(copies);
            tenants.push(fresh);
        }
        let rows = self.state.rows();
        let rewrapped = rows.iter().map(|row| self.masters.rewrap(entropy, row, &tenants));
        let rows = rewrapped.collect::<Result<_, _>>()?;
        let of = |Recovered { tenant, version, material, .. }: Recovered| OpenMaterial {
            tenant,
            version,
            raw: Raw::Key(material),
        };
        let mut epochs = self.epochs;
        epochs.push(epoch);
        let founding = Founding {
            predecessor: Some(self.chain.as_predecessor()),
            root: self.root,
            root_wrap_id: CryptoVersion { key: entropy.array(), version: entropy.array() },
            root_wrap: entropy.secret(),
            epochs,
            kits,
            recipients_number,
            tenants,
            rows,
            materials: self.materials.into_iter().map(of).collect(),
            objects,
            node,
            ledgers: Succession::new(),
            now,
            instance,
        };
        Ok((founding, sealing))
    }
}

/// The inventory after the restore.
fn kits(mut kits: Vec<Kit>, used: KitId, new_kit: Option<&NewKit>, now: Timestamp) -> Vec<Kit> {
    if let Some(new) = new_kit {
        for kit in kits.iter_mut().filter(|kit| kit.id == used) {
            kit.revoked_at = Some(now);
        }
        kits.push(kit_row(new, now));
    }
    kits
}
