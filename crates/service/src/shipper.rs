//! Builds segments from committed changes and hands them to the vaults' feeders.
//!
//! Invariant: segments follow each other by hash; each holds consecutive commits, whole; its bytes
//! are in the outbox before a vault sees them. The same plaintext that the database holds under the
//! master key leaves under the tenant's backup key. With nothing to say, an empty segment goes out
//! every five minutes, so that silence can be told from absence.

use std::sync::{Arc, Mutex, RwLock};

use keystead_archive::{
    BuildRefused, ChangeImage, CopyRef, EpochRecord, Image, LedgerHead, MAX_SEGMENT_BYTES,
    MAX_SEGMENT_CHANGES, NodeSigner, RowRef, SegmentHeader, SegmentKind, Sensitivity,
    TenantChanges, build_segment, object_hash,
};
use keystead_crypto::{RecipientKey, VerifyingKey};
use keystead_domain::{EpochId, Instance, Key, KeyState, Kind, Tenant, TenantId};
use keystead_journal::DiskFailed;
use keystead_store::{CommittedChange, Put, StoreFailed, Stored};
use thiserror::Error;

use crate::{
    outbox::Outbox,
    ports::Ports,
    progress::Progress,
    tenants::{TenantKeys, Tenants},
    vaults::VaultSet,
};

const HEARTBEAT_MS: u64 = 5 * 60 * 1000;
const RETRY_MS: u64 = 1_000;
/// Segments built and not yet confirmed, at most: while vaults are away changes wait in the
/// database.
const IN_FLIGHT_MAX: u64 = 4;

/// Where the chain of segments stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChainEnd {
    pub(crate) sequence: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) commit_seq: u64,
}

/// What seals and signs segments.
#[derive(Debug)]
pub(crate) struct Sealing {
    pub(crate) signer: Arc<NodeSigner>,
    pub(crate) epoch: EpochId,
    pub(crate) epoch_public: RecipientKey,
    /// The epoch's root-signed record.
    pub(crate) epoch_record: Vec<u8>,
    pub(crate) recipient_set_hash: [u8; 32],
}

impl Sealing {
    /// The number of the epoch in force.
    pub(crate) fn epoch_number(&self, root: &VerifyingKey) -> u64 {
        let record = EpochRecord::verify(&self.epoch_record, root);
        record.map_or(1, |record| record.number)
    }
}

/// Why a segment could not be built.
#[derive(Debug, Error)]
pub(crate) enum ShipFailed {
    #[error(transparent)]
    Store(#[from] StoreFailed),
    #[error(transparent)]
    Disk(#[from] DiskFailed),
    #[error(transparent)]
    Build(#[from] BuildRefused),
    #[error("change {commit_seq} does not open or read")]
    Corrupt { commit_seq: u64 },
}

/// The shipper of one node.
#[derive(Debug)]
pub(crate) struct Shipper {
    pub(crate) ports: Ports,
    pub(crate) set: Arc<VaultSet>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) tenants: Arc<Tenants>,
    /// Swapped whole when an epoch begins.
    pub(crate) sealing: RwLock<Arc<Sealing>>,
    /// Owns changes that touch no tenant's aggregate.
    pub(crate) system: TenantId,
    pub(crate) end: Mutex<ChainEnd>,
    /// The chain of destructions as of the last change shipped.
    pub(crate) destructions: Mutex<[u8; 32]>,
}

impl Shipper {
    /// Ships until the node is fenced.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut committed = self.progress.committed.watch();
        while self.set.fence.reason().is_none() {
            self.wait_for_room().await;
            match self.ship_next(false).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(failed) => {
                    tracing::error!(%failed, "a segment could not be built; trying again");
                    self.ports.clock.sleep_ms(RETRY_MS).await;
                    continue;
                }
            }
            let changed = std::pin::pin!(committed.changed());
            let silence = self.ports.clock.sleep_ms(HEARTBEAT_MS);
            let heartbeat = futures_util::future::select(changed, silence).await;
            if matches!(heartbeat, futures_util::future::Either::Right(_))
                && let Err(failed) = self.ship_next(true).await
            {
                tracing::error!(%failed, "the heartbeat segment could not be built");
            }
        }
    }

    /// What seals and signs at present.
    pub(crate) fn sealing(&self) -> Arc<Sealing> {
        self.sealing.read().expect("no code panics while it holds this lock").clone()
    }

    /// The end of the chain as built here.
    pub(crate) fn end(&self) -> ChainEnd {
        *self.end.lock().expect("no code panics while it holds this lock")
    }

    async fn wait_for_room(&self) {
        let mut vaulted = self.set.vaulted();
        while self.end().sequence.saturating_sub(self.set.confirmed_sequence()) >= IN_FLIGHT_MAX {
            let moved = std::pin::pin!(vaulted.changed());
            futures_util::future::select(moved, self.ports.clock.sleep_ms(RETRY_MS)).await;
            if self.set.fence.reason().is_some() {
                return;
            }
        }
        self.outbox.release(&self.ports, self.set.confirmed_sequence()).await;
    }

    /// Builds one segment if there is something to say; says whether it did.
    async fn ship_next(&self, even_empty: bool) -> Result<bool, ShipFailed> {
        let end = self.end();
        let limit = usize::try_from(MAX_SEGMENT_CHANGES).expect("a thousand fits");
        let changes = self.ports.store.changes_after(end.commit_seq, limit).await?;
        if changes.is_empty() && !even_empty {
            return Ok(false);
        }
        let (last, images) = self.images(end.commit_seq, &changes)?;
        let next = ChainEnd { sequence: end.sequence + 1, hash: [0; 32], commit_seq: last };
        let sealing = self.sealing();
        let destructions = self.destructions(&images);
        let header = SegmentHeader {
            destruction_set_hash: destructions,
            ..self.header(&sealing, &end, &next)
        };
        let bytes: Arc<[u8]> = build_segment(
            &self.ports.entropy,
            &sealing.signer,
            &sealing.epoch_public,
            &header,
            images,
            |tenant| self.tenants.get(&tenant).map(|keys| &keys.backup),
        )?
        .into();
        self.outbox.keep(&self.ports, next.sequence, &bytes).await?;
        let next = ChainEnd { hash: object_hash(&bytes), ..next };
        *self.end.lock().expect("no code panics while it holds this lock") = next;
        *self.destructions.lock().expect("no code panics while it holds this lock") = destructions;
        self.set.segment_built(next);
        Ok(true)
    }

    /// The header of a link behind `end`, as of now.
    pub(crate) fn header(
        &self,
        sealing: &Sealing,
        end: &ChainEnd,
        next: &ChainEnd,
    ) -> SegmentHeader {
        let head = self.ports.journal.head();
        SegmentHeader {
            kind: SegmentKind::Segment,
            instance: self.set.lineage.instance,
            incarnation: self.set.lineage.incarnation,
            sequence: next.sequence,
            follows: end.sequence,
            predecessor_hash: end.hash,
            first_commit_seq: end.commit_seq + 1,
            last_commit_seq: next.commit_seq,
            at: self.ports.clock.now(),
            ledger_heads: vec![LedgerHead {
                origin: head.origin.as_str().to_owned(),
                size: head.size,
                root: head.root,
            }],
            recipient_set_hash: sealing.recipient_set_hash,
            destruction_set_hash: [0; 32],
            epoch: sealing.epoch,
        }
    }

    /// The chain of destructions after these changes: the instance's newest image tells.
    fn destructions(&self, images: &[TenantChanges]) -> [u8; 32] {
        let changes = images.iter().flat_map(|of| &of.changes);
        let puts =
            changes.flat_map(|change| change.puts.iter().map(|put| (change.commit_seq, put)));
        let newest = puts.filter(|(_, put)| put.kind == Kind::Instance).max_by_key(|(at, _)| *at);
        let told = newest.and_then(|(_, put)| Instance::from_body(&put.body).ok());
        let before = *self.destructions.lock().expect("no code panics while it holds this lock");
        told.map_or(before, |instance| instance.destruction_hash)
    }

    /// As many whole changes as a segment takes, as images per tenant.
    fn images(
        &self,
        after: u64,
        changes: &[CommittedChange],
    ) -> Result<(u64, Vec<TenantChanges>), ShipFailed> {
        let mut by_tenant = std::collections::BTreeMap::<TenantId, Vec<ChangeImage>>::new();
        let (mut last, mut bytes) = (after, 0);
        for change in changes {
            let images = images_of(&self.tenants, self.system, change)?;
            let len: usize =
                images.iter().flat_map(|(_, i)| &i.puts).map(|p| p.body.len() + 64).sum();
            if last > after && bytes + len > MAX_SEGMENT_BYTES / 2 {
                break;
            }
            bytes += len;
            last = change.commit_seq;
            for (tenant, image) in images {
                by_tenant.entry(tenant).or_default().push(image);
            }
        }
        let entry = |(tenant, changes)| TenantChanges { tenant, changes };
        Ok((last, by_tenant.into_iter().map(entry).collect()))
    }
}

/// One change as each of its tenants sees it; one that touches no aggregate is the `system`'s.
fn images_of(
    tenants: &Tenants,
    system: TenantId,
    change: &CommittedChange,
) -> Result<Vec<(TenantId, ChangeImage)>, ShipFailed> {
    let corrupt = || ShipFailed::Corrupt { commit_seq: change.commit_seq };
    let mut by_tenant = std::collections::BTreeMap::<TenantId, ChangeImage>::new();
    let empty = || ChangeImage {
        commit_seq: change.commit_seq,
        change: change.set.id,
        at: change.set.at,
        puts: Vec::new(),
        deletes: Vec::new(),
        copies: Vec::new(),
    };
    for put in &change.set.puts {
        let keys = tenants.get(&put.tenant).ok_or_else(corrupt)?;
        let image = image_of(keys, change.commit_seq, put).ok_or_else(corrupt)?;
        let into = by_tenant.entry(put.tenant).or_insert_with(empty);
        into.copies.extend(copies(put.aggregate.kind, &image.body).ok_or_else(corrupt)?);
        into.puts.push(image);
    }
    for delete in &change.set.deletes {
        let row = RowRef {
            kind: delete.aggregate.kind,
            id: delete.aggregate.id,
            revision: delete.revision,
        };
        by_tenant.entry(delete.tenant).or_insert_with(empty).deletes.push(row);
    }
    if by_tenant.is_empty() {
        by_tenant.insert(system, empty());
    }
    Ok(by_tenant.into_iter().collect())
}

fn image_of(keys: &TenantKeys, commit_seq: u64, put: &Put) -> Option<Image> {
    let stored = Stored {
        aggregate: put.aggregate,
        tenant: put.tenant,
        revision: put.expected.next(),
        commit_seq,
        body: put.body.clone(),
    };
    let body = keys.open_body(&stored).ok()?;
    Some(Image {
        kind: put.aggregate.kind,
        id: put.aggregate.id,
        revision: stored.revision,
        sensitivity: Sensitivity::Metadata,
        body: body.to_vec(),
    })
}

/// The key copies that a body relies on.
pub(crate) fn copies(kind: Kind, body: &[u8]) -> Option<Vec<CopyRef>> {
    let of = |key, versions: &[keystead_domain::KeyVersion]| -> Vec<CopyRef> {
        let copy = |version: &keystead_domain::KeyVersion| CopyRef {
            key,
            version: version.id,
            object_hash: version.copy_hash,
            key_check: version.key_check,
        };
        versions.iter().map(copy).collect()
    };
    Some(match kind {
        Kind::Key => {
            let key = Key::from_body(body).ok()?;
            // What is destroyed relies on nothing any more.
            let is_destroyed = matches!(key.state, KeyState::Destroyed { .. });
            of(key.id, if is_destroyed { &[] } else { &key.versions })
        }
        Kind::Tenant => {
            let tenant = Tenant::from_body(body).ok()?;
            [&tenant.master, &tenant.signing, &tenant.backup, &tenant.audit]
                .into_iter()
                .flat_map(|own| of(own.id, &own.versions))
                .collect()
        }
        _ => Vec::new(),
    })
}
