//! What lies in vaults and files, verified without a server and without a private key.
//!
//! Invariant: everything here needs the root's public key alone, and says for each object that does
//! not pass which one it is and where. What only an open kit can prove stays with `restore`.

use std::sync::Arc;

use keystead_archive::{Inspected, SegmentHeader, VaultRecord, inspect, names, names::ObjectKind};
use keystead_crypto::VerifyingKey;
use keystead_domain::{InstanceId, PointId};
use keystead_targets::{Vault, VaultError, VaultOpener, VaultUrl};
use thiserror::Error;

use crate::{
    proofs::{Of, Slice, verify},
    restore::{ChainEnd, RestoreFailed, Watcher, chain_end},
    vaults::object_name,
};

/// Why vaults cannot be verified at all.
#[derive(Debug, Error)]
pub enum BackupsRefused {
    /// A vault gives no answer.
    #[error("vault `{url}`: {source}")]
    Vault {
        /// Which.
        url: Box<VaultUrl>,
        /// Why.
        source: VaultError,
    },
    /// No vault holds an instance of this root.
    #[error("no vault that was named holds an instance that this root key signed")]
    NoInstance,
    /// A point is nowhere.
    #[error("recovery point `{point}` is in no vault that was named, or does not verify there")]
    NoPoint {
        /// Which.
        point: PointId,
    },
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] RestoreFailed),
}

/// What vaults hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultsVerified {
    /// Whose vaults they are.
    pub instance: InstanceId,
    /// Objects that were read, each vault's own.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where the chain of segments ends; nothing where it cannot be read.
    pub end: Option<ChainEnd>,
    /// Every recovery point on the chain, ascending.
    pub points: Vec<PointId>,
    /// What is wrong; empty where nothing is.
    pub findings: Vec<String>,
}

/// The instance whose record in the vault this root signed.
pub(crate) async fn instance_of(
    vault: &dyn Vault,
    root: &VerifyingKey,
) -> Result<Option<InstanceId>, VaultError> {
    let apart = &[names::LEDGER_FOLDER, names::KEY_FOLDER];
    for listed in vault.list_apart("", apart).await? {
        let Some(ObjectKind::Vault { instance }) = names::parse(listed.name.as_str()) else {
            continue;
        };
        let name = object_name(&names::vault_record(instance));
        let record = vault.read(&name).await?.unwrap_or_default();
        if VaultRecord::verify(&record, root).is_ok_and(|record| record.instance == instance) {
            return Ok(Some(instance));
        }
    }
    Ok(None)
}

/// Opens vaults, and says whose they are.
async fn open(
    opener: &Arc<dyn VaultOpener>,
    urls: &[VaultUrl],
    root: &VerifyingKey,
) -> Result<(InstanceId, Vec<Arc<dyn Vault>>), BackupsRefused> {
    let (mut vaults, mut instance) = (Vec::new(), None);
    for url in urls {
        let away = |source| BackupsRefused::Vault { url: Box::new(url.clone()), source };
        let vault = opener.open(url).await.map_err(away)?;
        instance = instance.or(instance_of(&*vault, root).await.map_err(away)?);
        vaults.push(vault);
    }
    Ok((instance.ok_or(BackupsRefused::NoInstance)?, vaults))
}

/// Verifies every object in the vaults, then the chain that they make together.
///
/// # Errors
/// [`BackupsRefused`]; what is wrong with objects or chain is a finding.
pub async fn verify_vaults(
    opener: &Arc<dyn VaultOpener>,
    urls: &[VaultUrl],
    root: VerifyingKey,
    watcher: &dyn Watcher,
) -> Result<VaultsVerified, BackupsRefused> {
    let (instance, vaults) = open(opener, urls, &root).await?;
    let tally = verify(&vaults, Of { instance, root }, Slice::WHOLE, watcher).await;
    let mut findings: Vec<String> = tally.findings.iter().map(ToString::to_string).collect();
    findings.extend(tally.away);
    let (end, points) = match chain_end(opener, urls, instance, &root, watcher).await {
        Ok((end, points)) => (Some(end), points),
        Err(refused) => {
            findings.push(refused.to_string());
            (None, Vec::new())
        }
    };
    let (objects, bytes) = (tally.objects, tally.bytes);
    Ok(VaultsVerified { instance, objects, bytes, end, points, findings })
}

/// The bytes of a recovery point and its verified header, from the first vault whose copy of it
/// verifies.
///
/// # Errors
/// [`BackupsRefused`].
pub async fn read_point(
    opener: &Arc<dyn VaultOpener>,
    urls: &[VaultUrl],
    root: VerifyingKey,
    point: PointId,
) -> Result<(SegmentHeader, Vec<u8>), BackupsRefused> {
    let (instance, vaults) = open(opener, urls, &root).await?;
    let PointId { incarnation, number } = point;
    let name = object_name(&names::point(instance, incarnation, number));
    let kind = ObjectKind::Point { instance, incarnation, number };
    for vault in &vaults {
        let Ok(Some(bytes)) = vault.read(&name).await else { continue };
        if let Ok(Inspected::Link(header)) = inspect(&kind, &bytes, &root) {
            return Ok((*header, bytes));
        }
    }
    Err(BackupsRefused::NoPoint { point })
}
