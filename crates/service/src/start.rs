//! `serve`'s start: seal, database, journal and vaults must agree before anything is answered.
//!
//! Invariant: what a vault says is believed only where the root signed it, and what the database
//! says only where it opens under the seal. A vault that is ahead of the data folder means that the
//! folder was rolled back or copied: the node refuses and names `restore`.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, RwLock, atomic::AtomicBool},
};

use keystead_archive::{EpochRecord, RecipientSet, object_hash};
use keystead_crypto::{
    OpenFailed, RecipientKey, RootWrap, Roots, SealFailed, SealKey, SigningKey, VerifyingKey,
    bytes::Malformed,
};
use keystead_domain::{EpochId, IncarnationId, Instance, Kind, NodeId, Tenant, TenantId, to_hex};
use keystead_journal::{DiskFailed, FileName, Journal, JournalFailed, JournalUnreadable, Limits};
use keystead_ledger::{Attributes, Value};
use keystead_store::{AggregateRef, Scan, StoreFailed, Stored};
use keystead_targets::UrlInvalid;
use thiserror::Error;

use crate::{
    FenceReason, PointSchedule, Service, Site, VerifySchedule,
    audit::{Audit, node_act, record_node},
    follower::{FollowFailed, Follower, feed_journal},
    found::{SEAL_FILE, file},
    incarnation::certify,
    keyring::Keyring,
    keys::{Destroying, LateAnswers},
    kits::Challenges,
    lru::Lru,
    metrics::{MeasuredDisk, Metrics},
    outbox::Outbox,
    own_ledger,
    pages::Pages,
    points::PointNumbers,
    ports::{Ports, blocking},
    progress::Progress,
    proofs::Proofs,
    replay::{load_layers, row_at},
    shipper::{ChainEnd, Sealing, Shipper},
    survey::{chain, vault_set},
    taken::Layers,
    tenants::{SourceMacs, TenantKeys, Tenants, key_version, open_master},
    tiles::{LedgerShipper, LogPlace},
    vaults::{Feeder, VaultSet},
    wraps::WrapWriter,
};

const HOUR_MS: u64 = 60 * 60 * 1000;
const OPENED_KEYS_MAX: usize = 8_192;
const SIGNING_KEYS_MAX: usize = 1_024;

/// What `serve` may be told.
#[derive(Debug, Clone, Copy)]
pub struct StartOptions {
    /// How long uses go on without seeing enough vaults, in milliseconds.
    pub max_unfenced_ms: u64,
    /// Where an event must be before its request is answered.
    pub audit_durability: AuditDurability,
    /// What the node does of itself, and when.
    pub upkeep: Upkeep,
}

impl Default for StartOptions {
    /// As the configuration's defaults are: an hour unfenced, events synced here.
    fn default() -> Self {
        Self {
            max_unfenced_ms: HOUR_MS,
            audit_durability: AuditDurability::Local,
            upkeep: Upkeep::default(),
        }
    }
}

/// When a node makes recovery points and verifies its vaults without anybody asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upkeep {
    /// Recovery points.
    pub points: PointSchedule,
    /// Both levels of verification.
    pub verify: VerifySchedule,
}

impl Default for Upkeep {
    /// A point a day or after 2,000 segments; integrity daily, recovery weekly.
    fn default() -> Self {
        Self {
            points: PointSchedule { every_ms: 24 * HOUR_MS, after_segments: 2_000 },
            verify: VerifySchedule {
                integrity_every_ms: 24 * HOUR_MS,
                recovery_every_ms: 7 * 24 * HOUR_MS,
            },
        }
    }
}

/// Where an event must be before its request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditDurability {
    /// On this node's disk; in the vaults a second later.
    #[default]
    Local,
    /// In as many vaults as must confirm a change.
    Vaulted,
}

/// Why a node does not start.
#[derive(Debug, Error)]
pub enum StartFailed {
    /// The data folder holds no seal slot.
    #[error("the data folder holds no finished instance")]
    NoInstance,
    /// The seal does not open.
    #[error(transparent)]
    Seal(#[from] SealFailed),
    /// A file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskFailed),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalUnreadable),
    /// The journal takes no event.
    #[error(transparent)]
    Record(#[from] JournalFailed),
    /// The database gives no answer.
    #[error(transparent)]
    Store(#[from] StoreFailed),
    /// A row or object does not open or read.
    #[error("{what} is corrupt")]
    Corrupt {
        /// Which.
        what: String,
    },
    /// A later program wrote it.
    #[error(transparent)]
    Newer(Malformed),
    /// Database and seal are of two instances.
    #[error("the database belongs to another instance than the seal")]
    OtherInstance,
    /// A vault holds more than this folder has written.
    #[error(
        "vault `{url}` holds segment {there} of this incarnation and this folder wrote up to \
         {here}: the folder was rolled back or copied"
    )]
    RolledBack {
        /// Which vault.
        url: String,
        /// Its last segment.
        there: u64,
        /// Ours.
        here: u64,
    },
    /// The database holds less than was shipped.
    #[error(
        "the database ends at change {head} and change {shipped} is in the vaults: the database \
         was rolled back"
    )]
    DatabaseBehind {
        /// The database's last change.
        head: u64,
        /// The last shipped change.
        shipped: u64,
    },
    /// The journal holds less than this node signed.
    #[error(
        "`{file}` ends the journal after {here} entries, and {told_by} holds {shipped} that this \
         node signed: it was cut or rolled back, or two nodes write"
    )]
    JournalBehind {
        /// Its last file.
        file: FileName,
        /// Its entries.
        here: u64,
        /// Those that were shipped.
        shipped: u64,
        /// What says so.
        told_by: String,
    },
    /// The journal is not the one that this node signed.
    #[error(
        "`{file}` differs {} from the {size} entries that this node signed and {told_by} holds: \
         it was altered or replaced, or two nodes write",
        own_ledger::at(*.entry, *.size)
    )]
    JournalDiffers {
        /// Which file.
        file: FileName,
        /// The first entry that differs, where the vault shows it.
        entry: Option<u64>,
        /// How many entries were shipped.
        size: u64,
        /// What says so.
        told_by: String,
    },
    /// The journal is another log.
    #[error("the journal is that of `{here}`, and this node signed `{there}`: it was replaced")]
    OtherJournal {
        /// Whose it is.
        here: String,
        /// Whose it should be.
        there: String,
    },
    /// Another node took over.
    #[error("{reason}")]
    Superseded {
        /// How we know.
        reason: FenceReason,
    },
    /// A configured vault's URL does not read.
    #[error(transparent)]
    Url(#[from] UrlInvalid),
    /// A task of ours vanished.
    #[error("an internal fault; the log names it")]
    Internal,
}

impl StartFailed {
    /// Whether a later program wrote what this one does not read: nothing is wrong with it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        match self {
            Self::Newer(_) | Self::Store(StoreFailed::Newer { .. }) => true,
            Self::Seal(SealFailed::Malformed(bad))
            | Self::Journal(JournalUnreadable::BadHeader { source: bad, .. }) => bad.is_newer(),
            _ => false,
        }
    }

    /// What the reader can do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Superseded { .. } => {
                "another node took over: use the one that `restore run` made, and not this folder"
            }
            Self::NoInstance => {
                "make one with `keystead init`, or bring one back with `keystead restore run`"
            }
            Self::Seal(SealFailed::Refused) => "check the passphrase file",
            Self::RolledBack { .. }
            | Self::DatabaseBehind { .. }
            | Self::JournalBehind { .. }
            | Self::JournalDiffers { .. }
            | Self::OtherJournal { .. } => {
                "bring the instance back from its vaults: `keystead restore run` into a new folder"
            }
            Self::Corrupt { .. } | Self::OtherInstance | Self::Journal(_) => {
                "keep this folder as it is and `keystead restore run` into a new one"
            }
            Self::Disk(DiskFailed::Full { .. }) | Self::Store(StoreFailed::Full) => {
                "free space under the data folder"
            }
            _ => return None,
        })
    }
}

impl From<OpenFailed> for StartFailed {
    fn from(_: OpenFailed) -> Self {
        Self::Corrupt { what: "a sealed row".to_owned() }
    }
}

impl From<FollowFailed> for StartFailed {
    fn from(failed: FollowFailed) -> Self {
        match failed {
            FollowFailed::Store(failed) => Self::Store(failed),
            FollowFailed::Journal(failed) => Self::Record(failed),
            FollowFailed::Newer(bad) => Self::Newer(bad),
            other => Self::Corrupt { what: other.to_string() },
        }
    }
}

/// The chain's end as `--expect-head` takes it.
pub(crate) fn head_text(incarnation: IncarnationId, sequence: u64, hash: &[u8; 32]) -> String {
    format!("{incarnation}.{sequence}.{}", to_hex(&hash[..16]))
}

/// The instance as its seal and database tell it.
#[derive(Debug)]
pub(crate) struct OpenedInstance {
    pub(crate) instance: Instance,
    pub(crate) tenants: Tenants,
    pub(crate) root: SigningKey,
    pub(crate) epoch: EpochRecord,
    pub(crate) epoch_record: Vec<u8>,
    pub(crate) recipient_set_hash: [u8; 32],
}

impl OpenedInstance {
    /// What this process seals and signs with: keys of its own, which the root certifies.
    fn sealing(&self, ports: &Ports, node: NodeId) -> Sealing {
        let now = ports.clock.now();
        let signer = certify(&ports.entropy, &self.root, &self.instance, node, now);
        Sealing {
            signer: Arc::new(signer),
            epoch: self.epoch.epoch,
            epoch_public: self.epoch.public.clone(),
            epoch_record: self.epoch_record.clone(),
            recipient_set_hash: self.recipient_set_hash,
        }
    }
}

/// Opens the seal and starts a node.
///
/// # Errors
/// [`StartFailed`].
pub async fn start(site: Site, options: StartOptions) -> Result<Arc<Service>, StartFailed> {
    let opened = open_instance(&site).await?;
    let metrics = Arc::new(Metrics::default());
    let (disk, clock) = (site.journal_disk.clone(), site.clock.clone());
    let journal_disk = Arc::new(MeasuredDisk::new(disk, clock, metrics.clone()));
    let journal = blocking(&*site.tasks, move || Journal::open(journal_disk, Limits::default()))
        .await
        .ok_or(StartFailed::Internal)??;
    let ports = Ports { site, journal: Arc::new(journal), metrics };
    ports.tasks.drive(ports.journal.clone());
    let node = node_of(&ports.journal, &opened.instance)?;
    let chain = chain(&ports, opened.instance.id, opened.root.public()).await?;
    let end = chain.end();
    let head = ports.store.head().await?;
    if head < end.commit_seq {
        return Err(StartFailed::DatabaseBehind { head, shipped: end.commit_seq });
    }
    let set = Arc::new(vault_set(&ports, &opened, &chain, options).await?);
    own_ledger::compare(&ports, &set, node).await?;
    let position = (chain.base(), end, head);
    let proofs = Proofs::load(&ports).await?;
    run(ports, opened, node, position, set, (proofs, options)).await
}

async fn run(
    ports: Ports,
    opened: OpenedInstance,
    node: NodeId,
    (base, end, head): (ChainEnd, ChainEnd, u64),
    set: Arc<VaultSet>,
    (proofs, options): (Proofs, StartOptions),
) -> Result<Arc<Service>, StartFailed> {
    let sealing = Arc::new(opened.sealing(&ports, node));
    let OpenedInstance { instance, tenants, root, .. } = opened;
    let root = root.public();
    let tenants = Arc::new(tenants);
    let journaled = catch_up(&ports).await?;
    let applied = journaled.min(*set.vaulted().borrow());
    let layers = load_layers(&ports, &tenants, applied).await?;
    let keyring = Arc::new(Keyring::new(layers.laid(), OPENED_KEYS_MAX));
    let progress = Arc::new(Progress::new(head, journaled, applied));
    let outbox = Arc::new(Outbox::default());
    let shipper = Arc::new(Shipper {
        ports: ports.clone(),
        set: set.clone(),
        outbox: outbox.clone(),
        progress: progress.clone(),
        tenants: tenants.clone(),
        sealing: RwLock::new(sealing.clone()),
        system: instance.system_tenant,
        destructions: destructions_at(&ports, &tenants, &instance, end.commit_seq).await?.into(),
        end: std::sync::Mutex::new(end),
    });
    record_start(&ports, &sealing).await?;
    Feeder { ports: ports.clone(), set: set.clone(), outbox, root, tenants: tenants.clone() }
        .start();
    follow((&ports, &set, &progress, &tenants, &keyring), layers);
    ports.tasks.spawn("shipper", Box::pin(shipper.clone().run()));
    let signer = sealing.signer.clone();
    let ledger = Arc::new(LedgerShipper::new(ports.clone(), set.clone(), node, signer));
    ledger.start();
    let service = Arc::new(Service {
        ledger,
        durability: options.audit_durability,
        proofs,
        point_numbers: PointNumbers::default(),
        upkeep: options.upkeep,
        base,
        audit: Audit::new(instance.system_tenant),
        no_secret: ports.entropy.secret(),
        signing_keys: Lru::new(SIGNING_KEYS_MAX),
        ports,
        instance,
        node,
        root,
        tenants,
        keyring,
        progress,
        set,
        challenges: Challenges::default(),
        wraps: WrapWriter::default(),
        late: LateAnswers::default(),
        destroying: Destroying::default(),
        journal_damage: OnceLock::new(),
        root_acts: tokio::sync::Mutex::new(()),
        census: RwLock::default(),
        stopping: AtomicBool::new(false),
        shipper,
    });
    service.start_jobs();
    Ok(service)
}

type Followed<'a> =
    (&'a Ports, &'a Arc<VaultSet>, &'a Arc<Progress>, &'a Arc<Tenants>, &'a Arc<Keyring>);

/// Starts what brings committed changes into ledger and keyring, from `layers` on.
fn follow((ports, set, progress, tenants, keyring): Followed<'_>, layers: Layers) {
    let follower = Follower {
        ports: ports.clone(),
        set: set.clone(),
        progress: progress.clone(),
        tenants: tenants.clone(),
        keyring: keyring.clone(),
    };
    Arc::new(follower).start(layers);
}

/// The chain of destructions as of a change: what the next segment goes on from.
async fn destructions_at(
    ports: &Ports,
    tenants: &Tenants,
    instance: &Instance,
    commit_seq: u64,
) -> Result<[u8; 32], StartFailed> {
    let lost = || StartFailed::Corrupt { what: "the instance's settings".to_owned() };
    let at = AggregateRef { kind: Kind::Instance, id: *instance.id.as_bytes() };
    let row = row_at(ports, at, commit_seq).await?.ok_or_else(lost)?;
    let system = tenants.get(&instance.system_tenant).ok_or_else(lost)?;
    let body = system.open_body(&row)?;
    let then = Instance::from_body(&body).map_err(|bad| corrupt("instance", &bad))?;
    Ok(then.destruction_hash)
}

/// Records what was committed and is not yet in the ledger; says up to which change all is. A full
/// disk forbids no start: the keyring then waits, as it does at any other time.
async fn catch_up(ports: &Ports) -> Result<u64, StartFailed> {
    loop {
        match feed_journal(ports).await {
            Ok(Some(_)) => {}
            Err(FollowFailed::Journal(JournalFailed::Full)) | Ok(None) => {
                return Ok(ports.journal.next_commit_seq() - 1);
            }
            Err(failed) => return Err(failed.into()),
        }
    }
}

async fn record_start(ports: &Ports, sealing: &Sealing) -> Result<(), StartFailed> {
    let certificate = object_hash(sealing.signer.certificate_bytes());
    let attributes = Attributes::new()
        .with("certificate", &Value::Clear(to_hex(&certificate).into_bytes()))
        .expect("a hash fits an attribute");
    Ok(record_node(ports, node_act(ports.clock.now(), "NodeStarted", attributes)).await?)
}

/// Opens the seal and everything below it.
pub(crate) async fn open_instance(site: &Site) -> Result<OpenedInstance, StartFailed> {
    let (disk, seal) = (site.disk.clone(), site.seal.clone());
    let roots = blocking(&*site.tasks, move || -> Result<Roots, StartFailed> {
        let slot = disk.read(&file(SEAL_FILE))?.ok_or(StartFailed::NoInstance)?;
        Ok(seal.open(&slot)?)
    });
    let roots = roots.await.ok_or(StartFailed::Internal)??;
    let wrap = SealKey::<RootWrap>::new(roots.root_wrap_id, &roots.root_wrap);
    let row = one(site, Kind::Instance).await?;
    let system = open_row_master(site, &wrap, &row).await?;
    let body = open_body(&system, &row)?;
    let instance = Instance::from_body(&body).map_err(|bad| corrupt("instance", &bad))?;
    let root = SigningKey::from_seed(roots.root_signing);
    if instance.root_public != root.public().0 || *instance.id.as_bytes() != roots.instance {
        return Err(StartFailed::OtherInstance);
    }
    let tenants = open_tenants(site, &wrap, &system, instance.system_tenant).await?;
    let system = tenants.get(&instance.system_tenant).ok_or(StartFailed::OtherInstance)?;
    let (epoch, epoch_record) = open_epoch(site, system, &root.public(), instance.epoch).await?;
    check_epoch(&epoch.public, instance.epoch, &roots.epochs)?;
    let set = open_system(system, &one(site, Kind::RecipientSet).await?)?;
    let verified = RecipientSet::verify(&set, &root.public());
    verified.map_err(|_| StartFailed::Corrupt { what: "the recipient set".to_owned() })?;
    let recipient_set_hash = RecipientSet::hash(&set);
    Ok(OpenedInstance { instance, tenants, root, epoch, epoch_record, recipient_set_hash })
}

/// The epoch's public half comes from the root-signed record; the seal's private half must fit it.
fn check_epoch(
    public: &RecipientKey,
    id: EpochId,
    epochs: &[([u8; 16], keystead_crypto::Secret<32>)],
) -> Result<(), StartFailed> {
    let held = epochs.iter().find(|(epoch, _)| epoch == id.as_bytes());
    let fits = held.is_some_and(|(_, seed)| {
        let copy = seed.expose(|raw| keystead_crypto::Secret::from_slice(raw).expect("32 bytes"));
        keystead_crypto::RecipientSeed::new(copy).public() == *public
    });
    if fits { Ok(()) } else { Err(StartFailed::Corrupt { what: format!("epoch `{id}`") }) }
}

async fn one(site: &Site, kind: Kind) -> Result<Stored, StartFailed> {
    let scan = Scan::Kind { kind, after: None, limit: 1 };
    let found = site.store.scan(scan).await?;
    found.into_iter().next().ok_or(StartFailed::NoInstance)
}

async fn open_row_master(
    site: &Site,
    wrap: &SealKey<RootWrap>,
    row: &Stored,
) -> Result<SealKey<keystead_crypto::MasterWrap>, StartFailed> {
    let id = row.body.sealed_under();
    let version = keystead_domain::VersionId::from_bytes(id.version);
    let material = site.store.material(version).await?.ok_or(StartFailed::OtherInstance)?;
    if material.sealed_under() != wrap.id() {
        return Err(StartFailed::OtherInstance);
    }
    Ok(open_master(wrap, row.tenant, id, &material)?)
}

fn open_body(
    master: &SealKey<keystead_crypto::MasterWrap>,
    row: &Stored,
) -> Result<zeroize::Zeroizing<Vec<u8>>, StartFailed> {
    let at = &row.aggregate;
    let context = crate::tenants::body_context(row.tenant, at.kind, &at.id, row.revision);
    Ok(master.open(&context, &row.body)?)
}

pub(crate) fn corrupt(what: &str, bad: &Malformed) -> StartFailed {
    if bad.is_newer() {
        return StartFailed::Newer(*bad);
    }
    StartFailed::Corrupt { what: format!("{what}: {bad}") }
}

async fn open_tenants(
    site: &Site,
    wrap: &SealKey<RootWrap>,
    system: &SealKey<keystead_crypto::MasterWrap>,
    system_id: TenantId,
) -> Result<Tenants, StartFailed> {
    let mut tenants = BTreeMap::new();
    for row in scan_all(site, Kind::Tenant).await? {
        if row.tenant != system_id {
            return Err(StartFailed::Corrupt { what: "a tenant's owner".to_owned() });
        }
        let body = open_body(system, &row)?;
        let tenant = Tenant::from_body(&body).map_err(|bad| corrupt("tenant", &bad))?;
        let keys = open_tenant(site, wrap, tenant).await?;
        tenants.insert(keys.tenant.id, keys);
    }
    Ok(tenants)
}

async fn open_tenant(
    site: &Site,
    wrap: &SealKey<RootWrap>,
    tenant: Tenant,
) -> Result<TenantKeys, StartFailed> {
    let missing = || StartFailed::Corrupt { what: format!("the keys of tenant `{}`", tenant.id) };
    let id = key_version(tenant.master.id, tenant.master.current().id);
    let row = site.store.material(tenant.master.current().id).await?.ok_or_else(missing)?;
    let master = open_master(wrap, tenant.id, id, &row)?;
    let mut raw = Vec::new();
    for own in [&tenant.backup, &tenant.audit] {
        let version = own.current().id;
        let row = site.store.material(version).await?.ok_or_else(missing)?;
        let context = crate::tenants::material_context(tenant.id, version);
        raw.push(master.open_secret::<_, 32>(&context, &row)?);
    }
    let audit = raw.pop().ok_or(StartFailed::Internal)?;
    let backup = raw.pop().ok_or(StartFailed::Internal)?;
    let backup = SealKey::new(key_version(tenant.backup.id, tenant.backup.current().id), &backup);
    Ok(TenantKeys { tenant, master, backup, audit, sources: SourceMacs::default() })
}

async fn open_epoch(
    site: &Site,
    system: &TenantKeys,
    root: &VerifyingKey,
    id: EpochId,
) -> Result<(EpochRecord, Vec<u8>), StartFailed> {
    let missing = || StartFailed::Corrupt { what: format!("the record of epoch `{id}`") };
    for row in scan_all(site, Kind::Epoch).await? {
        if row.aggregate.id == *id.as_bytes() {
            let record = open_system(system, &row)?;
            let verified = EpochRecord::verify(&record, root).map_err(|_| missing())?;
            return Ok((verified, record.to_vec()));
        }
    }
    Err(missing())
}

fn open_system(
    system: &TenantKeys,
    row: &Stored,
) -> Result<zeroize::Zeroizing<Vec<u8>>, StartFailed> {
    Ok(system.open_body(row)?)
}

/// All rows of a kind.
pub(crate) async fn scan_all(site: &Site, kind: Kind) -> Result<Vec<Stored>, StoreFailed> {
    let (mut pages, mut rows) = (Pages::of(kind), Vec::new());
    loop {
        let page = pages.next(&*site.store).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// The node is the last part of its log's origin.
fn node_of(journal: &Journal, of: &Instance) -> Result<NodeId, StartFailed> {
    let here = journal.origin();
    let node = here.as_str().rsplit('/').next().and_then(|node| node.parse().ok());
    let (instance, incarnation) = (of.id, of.incarnation);
    let is_ours = |node: &NodeId| LogPlace { instance, incarnation, node: *node }.origin() == *here;
    node.filter(is_ours).ok_or_else(|| StartFailed::OtherJournal {
        here: here.to_string(),
        there: format!("{instance}/{incarnation}"),
    })
}
