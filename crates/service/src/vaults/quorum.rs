//! Puts one object into all vaults at once and waits for as many as must confirm.
//!
//! Invariant: the puts outlive the wait: a slow vault still gets its object, a failed one is marked
//! so that its feeder fetches the object from the others. A folder without its vault's record (an
//! unmounted disk, an emptied vault) gets nothing and confirms nothing.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use keystead_crypto::VerifyingKey;
use keystead_domain::InstanceId;
use keystead_targets::ObjectName;
use tokio::sync::mpsc;

use super::{Member, NotUsable, VaultSet, member::Put};
use crate::{Error, Fault, ports::Site};

/// Longest wait for enough vaults, in milliseconds.
const WAIT_MS: u64 = 10_000;

/// Puts `bytes` under `name` and returns once `vaults_min` vaults hold it.
pub(crate) async fn put_quorum(
    site: &Site,
    set: &VaultSet,
    name: &ObjectName,
    bytes: Arc<[u8]>,
) -> Result<(), Error> {
    let (report, mut reports) = mpsc::channel(set.members.len());
    for member in &set.members {
        let (member, name, bytes) = (member.clone(), name.clone(), bytes.clone());
        let report = report.clone();
        let record = set.root.map(|root| (set.lineage.instance, root));
        site.tasks.spawn(
            "vault-put",
            Box::pin(async move {
                let held = put_one(&member, record, &name, &bytes).await;
                // The waiter may have had enough already.
                let _ = report.send(held).await;
            }),
        );
    }
    drop(report);
    let confirmed = AtomicUsize::new(0);
    let enough = async {
        while let Some(held) = reports.recv().await {
            let so_far =
                confirmed.fetch_add(usize::from(held), Ordering::AcqRel) + usize::from(held);
            if so_far >= set.need {
                break;
            }
        }
    };
    futures_util::future::select(pin!(enough), site.clock.sleep_ms(WAIT_MS)).await;
    let confirmed = confirmed.load(Ordering::Acquire);
    if confirmed >= set.need {
        return Ok(());
    }
    Err(Fault::VaultsAway { confirmed, needed: set.need }.into())
}

async fn put_one(
    member: &Member,
    record: Option<(InstanceId, VerifyingKey)>,
    name: &ObjectName,
    bytes: &[u8],
) -> bool {
    let vault = member.vault.url();
    let put = async {
        if let Some((instance, root)) = record {
            member.check_record(instance, &root).await?;
        }
        Ok::<_, NotUsable>(member.put(name, bytes).await?)
    };
    match put.await {
        Ok(Put::Ours) => true,
        Ok(Put::Theirs(_)) => {
            tracing::error!(%vault, %name, "another object lies under our name");
            false
        }
        Err(away) => {
            member.lacks_objects();
            // The feeder says once that the vault is away; here it would be said for each object.
            tracing::debug!(%vault, %name, %away, "an object waits for a vault");
            false
        }
    }
}
