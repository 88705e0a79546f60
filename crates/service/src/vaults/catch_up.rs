//! Brings a vault that was away to what the others hold, and rebuilds what it has confirmed.
//!
//! Invariant: objects are copied byte for byte under their own names and never judged here;
//! segments of the present incarnation go through the feeder, in order, because their confirmation
//! counts.

use std::collections::BTreeSet;

use keystead_archive::{VaultRecord, names};
use keystead_crypto::VerifyingKey;
use keystead_domain::{IncarnationId, InstanceId, VaultId};
use keystead_targets::{ObjectName, Vault, VaultError};
use thiserror::Error;

use super::{Member, VaultSet};

/// Why a vault cannot be used at present.
#[derive(Debug, Error)]
pub(crate) enum NotUsable {
    /// It gives no answer.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What it needs next is at hand nowhere.
    #[error("segment {sequence}, which it needs next, is in no vault that answers")]
    NothingToGive {
        /// Which segment.
        sequence: u64,
    },
    /// It is not the vault that was configured: unmounted, emptied, or another's.
    #[error("it does not hold the record of vault `{id}`: not mounted, emptied, or another vault")]
    NotOurs {
        /// The vault that was expected.
        id: VaultId,
    },
}

/// Checks that the vault holds its own root-signed record.
pub(crate) async fn check_record(
    vault: &dyn Vault,
    instance: InstanceId,
    id: VaultId,
    root: &VerifyingKey,
) -> Result<(), NotUsable> {
    let bytes = vault.read(&object_name(&names::vault_record(instance))).await?;
    let record = bytes.and_then(|bytes| VaultRecord::verify(&bytes, root).ok());
    match record {
        Some(record) if record.vault == id && record.instance == instance => Ok(()),
        _ => Err(NotUsable::NotOurs { id }),
    }
}

/// The names under an instance that a vault holds. Of a replaced object the first version counts.
pub(crate) async fn held(
    vault: &dyn Vault,
    instance: InstanceId,
) -> Result<BTreeSet<ObjectName>, VaultError> {
    let listed = vault.list(&format!("{instance}/")).await?;
    for object in listed.iter().filter(|object| object.versions > 1) {
        tracing::warn!(vault = %vault.url(), name = %object.name, "an object was replaced");
    }
    Ok(listed.into_iter().map(|object| object.name).collect())
}

/// The last sequence of `incarnation` up to which `held` has every segment.
pub(crate) fn contiguous(
    held: &BTreeSet<ObjectName>,
    instance: InstanceId,
    incarnation: IncarnationId,
) -> u64 {
    let holds = |sequence: u64| {
        held.contains(&object_name(&names::segment(instance, incarnation, sequence)))
    };
    (1..).take_while(|sequence| holds(*sequence)).last().unwrap_or(0)
}

impl VaultSet {
    /// Copies to `member` what any other vault holds and it lacks, segments of this incarnation
    /// apart. Returns how many objects it copied.
    pub(crate) async fn copy_missing(&self, member: &Member) -> Result<u64, NotUsable> {
        let own = held(&*member.vault, self.instance).await?;
        let mut copied = 0;
        for peer in self.members.iter().filter(|peer| peer.id != member.id) {
            // A peer that is away has nothing to give now; its own return brings us together.
            let Ok(theirs) = held(&*peer.vault, self.instance).await else { continue };
            for name in theirs.difference(&own) {
                copied += u64::from(self.copy_one(peer, member, name).await?);
            }
        }
        Ok(copied)
    }

    async fn copy_one(
        &self,
        from: &Member,
        to: &Member,
        name: &ObjectName,
    ) -> Result<bool, NotUsable> {
        let local = [names::vault_record(self.instance)];
        let segments = format!("{}/{}/", self.instance, self.incarnation);
        let ours = name.as_ref().strip_prefix(&segments).is_some_and(is_sequence);
        if ours || local.iter().any(|one| one == name.as_ref()) {
            return Ok(false);
        }
        match from.vault.read(name).await {
            Ok(Some(bytes)) => {
                to.vault.put_new(name, &bytes).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

fn is_sequence(rest: &str) -> bool {
    rest.len() == 20 && rest.bytes().all(|c| c.is_ascii_digit())
}

/// A name that `names` made, as the port wants it.
pub(crate) fn object_name(text: &str) -> ObjectName {
    text.parse().expect("names are made of ids and digits")
}
