//! Writes a [`Founding`] down: vaults first, then the database, then base and opening.
//!
//! Invariant: nothing of the data folder counts before the seal slot lies in it, and that is
//! written last; so a folder without one is an unfinished founding and never a damaged instance.

use std::sync::Arc;

use keystead_archive::{
    ChangeImage, EpochRecord, Image, SegmentHeader, SegmentKind, Sensitivity, SlotTable,
    TenantChanges, VaultRecord, build_segment, names, object_hash,
};
use keystead_crypto::{RecipientSeed, Roots, SealFailed, SigningKey};
use keystead_domain::{Alias, ChangeId, Kind, KitId, TenantId, VaultId, WrapRecord};
use keystead_journal::{DiskFailed, FileName, Journal, JournalFailed, JournalUnreadable, Limits};
use keystead_ledger::Event;
use keystead_store::{
    AggregateRef, ChangeSet, CommitFailed, Expected, Index, IndexEntry, MaterialRow, Put,
};
use keystead_targets::{Vault, VaultError};
use thiserror::Error;

use crate::{
    Error, Site,
    aliases::alias_index,
    audit::node_act,
    incarnation::{Founding, Named, OpenMaterial, Raw, Row},
    ports::blocking,
    shipper::{ChainEnd, Sealing, copies},
    tenants::seal_master,
    vaults::{Fence, Member, VaultSet, object_name, put_quorum},
    wraps::wrap_index,
};

/// The seal slot's file.
pub(crate) const SEAL_FILE: &str = "seal";
/// The file that says where the chain begins.
pub(crate) const BASE_FILE: &str = "base";
const ROWS_PER_CHANGE: usize = 5_000;

/// Why an instance could not be founded. Nothing that was there before is touched.
#[derive(Debug, Error)]
pub enum FoundFailed {
    /// Too few vaults took an object.
    #[error(transparent)]
    Vaults(#[from] Error),
    /// One vault refused its own record.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database took no change.
    #[error(transparent)]
    Commit(#[from] CommitFailed),
    /// A file could not be written.
    #[error(transparent)]
    Disk(#[from] DiskFailed),
    /// The journal could not be begun.
    #[error(transparent)]
    Journal(#[from] JournalUnreadable),
    /// The ledger's first entry could not be recorded.
    #[error(transparent)]
    Record(#[from] JournalFailed),
    /// The kit does not open what was just sealed to it.
    #[error("kit `{kit}` does not open the epoch that was sealed to it")]
    KitNotProven {
        /// Which kit.
        kit: KitId,
    },
    /// The seal did not close.
    #[error(transparent)]
    Seal(#[from] SealFailed),
    /// A task of ours vanished.
    #[error("an internal fault; the log names it")]
    Internal,
}

/// Vaults with the ids that their records give them.
pub(crate) type NamedVaults = Vec<(VaultId, Arc<dyn Vault>)>;

/// Where a new incarnation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Founded {
    /// SHA-256 of the opening: the predecessor of the first segment.
    pub(crate) opening_hash: [u8; 32],
    /// The last change of the import.
    pub(crate) commit_seq: u64,
}

/// Gives a vault its root-signed record, unless it has one.
pub(crate) async fn mark_vault(
    vault: &dyn Vault,
    root: &SigningKey,
    record: &VaultRecord,
) -> Result<(), VaultError> {
    let bytes = record.issue(root).expect("our vault records have an encoding");
    let name = object_name(&names::vault_record(record.instance));
    vault.put_new(&name, &bytes).await.map(drop)
}

/// Writes everything of a new incarnation.
pub(crate) async fn found(
    site: &Site,
    vaults: NamedVaults,
    sealing: Sealing,
    mut founding: Founding,
    kit: (KitId, &RecipientSeed),
) -> Result<Founded, FoundFailed> {
    let instance = founding.instance.clone();
    let members = vaults.into_iter().map(|(id, vault)| Arc::new(Member::new(id, vault))).collect();
    let fence = Fence::new(site.clock.monotonic_ms(), u64::MAX);
    let nothing = ChainEnd { sequence: 0, hash: [0; 32], commit_seq: 0 };
    let set = VaultSet::new(&instance, members, fence, nothing);
    put_all(site, &set, &founding.objects).await?;
    put_all(site, &set, &founding.root_objects(&site.entropy)).await?;
    prove_kit(&set, &mut founding, kit).await?;
    let rows = all_rows(&founding);
    let imported = import(site, &founding, &rows).await?;
    let opening = founding.opening();
    let opening_hash = object_hash(&opening.bytes);
    let base = base(site, &sealing, &founding, &rows, opening_hash, imported);
    put_all(site, &set, &[base, opening]).await?;
    begin_folder(site, founding, opening_hash, imported).await?;
    Ok(Founded { opening_hash, commit_seq: imported })
}

/// Opens the epoch in force with the kit, by the slot table as a vault gives it back. A way back
/// that nobody has walked counts for nothing, so without this nothing is founded.
async fn prove_kit(
    set: &VaultSet,
    founding: &mut Founding,
    (kit, seed): (KitId, &RecipientSeed),
) -> Result<(), FoundFailed> {
    let (root, id) = (founding.root.public(), founding.instance.id);
    let epoch = founding.epoch().id;
    let record = EpochRecord::verify(&founding.epoch().record, &root);
    let record = record.map_err(|_| FoundFailed::Internal)?;
    let name = object_name(&names::slots(id, epoch, founding.recipients_number));
    for member in &set.members {
        let Ok(Some(bytes)) = member.vault.read(&name).await else { continue };
        let opened = SlotTable::verify(&bytes, &root).and_then(|table| table.open(seed, &record));
        if opened.is_ok() {
            let now = founding.now;
            let used = founding.kits.iter_mut().find(|row| row.id == kit);
            used.ok_or(FoundFailed::KitNotProven { kit })?.proven = Some((epoch, now));
            return Ok(());
        }
    }
    Err(FoundFailed::KitNotProven { kit })
}

async fn put_all(site: &Site, set: &VaultSet, objects: &[Named]) -> Result<(), Error> {
    for object in objects {
        put_quorum(site, set, &object_name(&object.name), object.bytes.clone()).await?;
    }
    Ok(())
}

/// All aggregates of the incarnation, the instance's own first.
fn all_rows(founding: &Founding) -> Vec<Row> {
    let instance = &founding.instance;
    let system = instance.system_tenant;
    let row = |kind, id: &[u8; 16], body| Row { kind, id: *id, tenant: system, body };
    let mut rows = vec![row(Kind::Instance, instance.id.as_bytes(), instance.to_body())];
    rows.extend(founding.tenants.iter().map(|fresh| {
        let tenant = &fresh.keys.tenant;
        row(Kind::Tenant, tenant.id.as_bytes(), tenant.to_body())
    }));
    let epochs = founding.epochs.iter();
    rows.extend(epochs.map(|epoch| row(Kind::Epoch, epoch.id.as_bytes(), epoch.record.clone())));
    let set = crate::incarnation::recipient_set(
        &founding.root,
        instance,
        founding.recipients_number,
        &founding.kits,
    );
    rows.push(row(Kind::RecipientSet, instance.id.as_bytes(), set));
    rows.extend(founding.kits.iter().map(|kit| row(Kind::Kit, kit.id.as_bytes(), kit.to_body())));
    rows.extend(founding.rows.iter().cloned());
    rows
}

/// Writes all rows and materials into the fresh database; returns the last `commit_seq`.
async fn import(site: &Site, founding: &Founding, rows: &[Row]) -> Result<u64, FoundFailed> {
    let tenants = |id: TenantId| {
        founding.tenants.iter().find(|fresh| fresh.keys.tenant.id == id).map(|fresh| &fresh.keys)
    };
    let mut materials = material_rows(site, founding);
    let mut last = 0;
    for chunk in rows.chunks(ROWS_PER_CHANGE) {
        let mut set = ChangeSet::new(ChangeId::random(&site.entropy), founding.now);
        for row in chunk {
            let keys = tenants(row.tenant).ok_or(FoundFailed::Internal)?;
            let expected = Expected::Absent;
            let body = keys.seal_body(&site.entropy, row.kind, &row.id, expected.next(), &row.body);
            let aggregate = AggregateRef { kind: row.kind, id: row.id };
            let index = index_of(row);
            set.puts.push(Put { aggregate, tenant: row.tenant, expected, body, index });
        }
        set.materials = std::mem::take(&mut materials);
        last = site.store.commit(set).await?.commit_seq;
    }
    Ok(last)
}

/// The index entries that follow from a body.
pub(crate) fn index_of(row: &Row) -> Vec<IndexEntry> {
    match row.kind {
        Kind::AccessKey => keystead_domain::AccessKey::from_body(&row.body)
            .map(|key| IndexEntry {
                index: Index::AccessKeyId,
                value: key.access_key_id.into_bytes(),
            })
            .into_iter()
            .collect(),
        Kind::WrapRecord => WrapRecord::from_body(&row.body)
            .map(|record| wrap_index(&record.facts))
            .unwrap_or_default(),
        Kind::Alias => {
            Alias::from_body(&row.body).map(|alias| alias_index(&alias)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn material_rows(site: &Site, founding: &Founding) -> Vec<MaterialRow> {
    let root = founding.root_seal_key();
    let mut rows = Vec::new();
    for fresh in &founding.tenants {
        let (tenant, keys) = (fresh.keys.tenant.id, &fresh.keys);
        let version = keys.tenant.master.current().id;
        let sealed = seal_master(&root, &site.entropy, tenant, version, &fresh.master);
        rows.push(MaterialRow { version, sealed });
        rows.extend(fresh.own.iter().map(|(version, raw)| MaterialRow {
            version: *version,
            sealed: keys.seal_material(&site.entropy, *version, raw),
        }));
        let own = founding.materials.iter().filter(|material| material.tenant == tenant);
        rows.extend(own.map(|OpenMaterial { version, raw, .. }| MaterialRow {
            version: *version,
            sealed: match raw {
                Raw::Key(raw) => keys.seal_material(&site.entropy, *version, raw),
                Raw::AccessSecret(raw) => keys.seal_material(&site.entropy, *version, raw),
            },
        }));
    }
    rows
}

/// The full recovery point with which the incarnation begins.
fn base(
    site: &Site,
    sealing: &Sealing,
    founding: &Founding,
    rows: &[Row],
    opening_hash: [u8; 32],
    commit_seq: u64,
) -> Named {
    let instance = &founding.instance;
    let header = SegmentHeader {
        kind: SegmentKind::FullPoint,
        instance: instance.id,
        incarnation: instance.incarnation,
        sequence: 1,
        follows: 0,
        predecessor_hash: opening_hash,
        first_commit_seq: 1,
        last_commit_seq: commit_seq,
        at: founding.now,
        ledger_heads: Vec::new(),
        recipient_set_hash: sealing.recipient_set_hash,
        destruction_set_hash: instance.destruction_hash,
        epoch: sealing.epoch,
    };
    let change = ChangeId::random(&site.entropy);
    let backup = |tenant: TenantId| {
        let fresh = founding.tenants.iter().find(|fresh| fresh.keys.tenant.id == tenant);
        fresh.map(|fresh| &fresh.keys.backup)
    };
    let entries: Vec<TenantChanges> = founding
        .tenants
        .iter()
        .map(|fresh| fresh.keys.tenant.id)
        .map(|tenant| TenantChanges {
            tenant,
            changes: vec![images(rows, tenant, commit_seq, change, founding)],
        })
        .collect();
    let (entropy, epoch) = (&site.entropy, &sealing.epoch_public);
    let bytes = build_segment(entropy, &sealing.signer, epoch, &header, entries, backup)
        .expect("the state of one instance is below the bound of a point");
    Named { name: names::point(instance.id, instance.incarnation, 1), bytes: bytes.into() }
}

fn images(
    rows: &[Row],
    tenant: TenantId,
    commit_seq: u64,
    change: ChangeId,
    founding: &Founding,
) -> ChangeImage {
    let own = rows.iter().filter(|row| row.tenant == tenant);
    let mut puts: Vec<Image> = own
        .clone()
        .map(|row| Image {
            kind: row.kind,
            id: row.id,
            revision: 1,
            sensitivity: Sensitivity::Metadata,
            body: row.body.clone(),
        })
        .collect();
    puts.sort_by_key(|image| (image.kind, image.id));
    let mut copies: Vec<_> = own.filter_map(|row| copies(row.kind, &row.body)).flatten().collect();
    copies.sort_unstable();
    ChangeImage { commit_seq, change, at: founding.now, puts, deletes: Vec::new(), copies }
}

/// Journal, base mark and, last of all, the seal slot.
async fn begin_folder(
    site: &Site,
    founding: Founding,
    opening_hash: [u8; 32],
    commit_seq: u64,
) -> Result<(), FoundFailed> {
    let (site, seal, tasks) = (site.clone(), site.seal.clone(), site.tasks.clone());
    let done = blocking(&*tasks, move || {
        begin_ledger(&site, &founding)?;
        let mut w = keystead_crypto::bytes::Writer::new();
        w.raw(&opening_hash).u64(commit_seq);
        site.disk.replace(&file(BASE_FILE), w.as_slice())?;
        let slot = seal.close(&site.entropy, &roots(founding))?;
        site.disk.replace(&file(SEAL_FILE), &slot)?;
        Ok(())
    });
    done.await.unwrap_or(Err(FoundFailed::Internal))
}

/// Begins the node's ledger; its first entry names those that it follows.
fn begin_ledger(site: &Site, founding: &Founding) -> Result<(), FoundFailed> {
    let limits = Limits::default();
    let journal = Journal::create(site.journal_disk.clone(), founding.origin(), 0, limits)?;
    let act = node_act(founding.now, "LedgerBegun", founding.ledgers.attributes());
    let first = Event::Node { act }.encode().expect("our events fit a leaf");
    let recorded = journal.record_reserved(first);
    journal.stop();
    // Whether it is on the disk, the ticket tells.
    let _ = journal.run();
    Ok(recorded.wait()?)
}

fn roots(founding: Founding) -> Roots {
    let seed = |secret: &keystead_crypto::Secret<32>| {
        secret.expose(|raw| keystead_crypto::Secret::from_slice(raw).expect("32 bytes"))
    };
    Roots {
        instance: *founding.instance.id.as_bytes(),
        root_wrap_id: founding.root_wrap_id,
        root_signing: seed(founding.root.seed()),
        epochs: founding
            .epochs
            .iter()
            .map(|epoch| (*epoch.id.as_bytes(), seed(epoch.seed.secret())))
            .collect(),
        root_wrap: founding.root_wrap,
    }
}

pub(crate) fn file(name: &str) -> FileName {
    FileName::new(name).expect("our file names are lower-case letters")
}
