//! The way back walked by a running node: everything that a restore reads and opens, with the
//! seal's epoch keys in place of a kit's, and nothing written.
//!
//! Invariant: the same code as a restore's reads, verifies and opens; a copy that is missing or
//! does not open is told version by version and stops nothing. A few materials are open at a time,
//! and whoever is served goes first.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use keystead_archive::{Algorithm, CopyKind};
use keystead_crypto::{RecipientSeed, Secret, VerifyingKey};
use keystead_domain::{EpochId, InstanceId, Key, KeyVersion, Kind, Tenant, TenantId};
use keystead_targets::{VaultOpener, VaultUrl};

use super::{
    Freshness, Loss, RestoreFailed, RestorePlan, Watcher,
    keys::{Holder, Opener, TOGETHER, living},
    rebuild::{Rebuilt, rebuild},
    sources::Sources,
    wraps::open_wraps,
};
use crate::{ports::Tasks, start::head_text};

/// What the seal holds for it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) instance: InstanceId,
    pub(crate) root: VerifyingKey,
    pub(crate) epochs: BTreeMap<EpochId, RecipientSeed>,
    pub(crate) vaults: Vec<VaultUrl>,
}

/// Takes each version's material as its copy gave it.
#[async_trait]
pub(crate) trait Exercise: Send + Sync {
    /// Called once for each version of each key that is not destroyed.
    async fn version(
        &self,
        key: &Key,
        version: &KeyVersion,
        found: Result<Secret<32>, RestoreFailed>,
    );
}

/// What was found on the way.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    /// The head, as `--expect-head` takes it.
    pub(crate) head: String,
    pub(crate) commit_seq: u64,
    pub(crate) freshness: Freshness,
    /// The recovery point that the state was rebuilt from; 1 is the base.
    pub(crate) point: u64,
    pub(crate) wraps: usize,
    /// The state at the head: tenant and body of every row.
    pub(crate) rows: BTreeMap<(Kind, [u8; 16]), (TenantId, Vec<u8>)>,
}

/// Reads and opens everything.
pub(crate) async fn rehearse(
    opener: &Arc<dyn VaultOpener>,
    held: &Held,
    exercise: &dyn Exercise,
    tasks: &Arc<dyn Tasks>,
    watcher: &dyn Watcher,
) -> Result<Rehearsed, RestoreFailed> {
    let Held { instance, root, epochs, vaults } = held;
    let sources = Sources::open(opener, vaults, *instance, root, watcher).await?;
    let mut opener = Opener::new(&sources, *root, Holder::Seal(epochs), tasks).await;
    // Too few vaults are told by the freshness; what there is is rehearsed in any case.
    let plan = RestorePlan { loss: Loss::Accepted, ..RestorePlan::default() };
    let rebuilt = rebuild(&mut opener, &plan, watcher).await?;
    let Rebuilt { chain, state, freshness, commit_seq, point, .. } = rebuilt;
    let tenants = state.tenants()?;
    for tenant in &tenants {
        open_own(&opener, tenant).await?;
    }
    opener.root_signing().await?;
    let (_, wraps) = open_wraps(&opener, &state, &tenants, watcher).await?;
    let keys = state.keys()?;
    for some in living(&keys).chunks(TOGETHER) {
        let found = opener.materials(some, watcher).await;
        for ((key, version), found) in some.iter().zip(found) {
            exercise.version(key, version, found).await;
        }
    }
    let head = head_text(chain.opening.incarnation, chain.end_sequence(), &chain.end_hash());
    Ok(Rehearsed { head, commit_seq, freshness, point, wraps, rows: state.into_rows() })
}

/// The keys of a tenant itself: what would seal and sign in its next life.
async fn open_own(opener: &Opener<'_>, tenant: &Tenant) -> Result<(), RestoreFailed> {
    let own = [
        (&tenant.master, CopyKind::MasterKey, Algorithm::Aes256Gcm),
        (&tenant.signing, CopyKind::TenantSigning, Algorithm::Ed25519),
        (&tenant.backup, CopyKind::TenantBackup, Algorithm::Aes256Gcm),
        (&tenant.audit, CopyKind::TenantAudit, Algorithm::HmacSha256),
    ];
    for (key, kind, algorithm) in own {
        opener.own_key(key, (kind, algorithm)).await?;
    }
    Ok(())
}
