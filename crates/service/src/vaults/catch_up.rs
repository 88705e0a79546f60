//! Brings a vault that was away to what the others hold, and rebuilds what it has confirmed.
//!
//! Invariant: objects are copied byte for byte under their own names and never judged here;
//! segments of the present incarnation go through the feeder, in order, because their confirmation
//! counts.

use std::collections::BTreeSet;

use keystead_archive::names;
use keystead_domain::{IncarnationId, InstanceId, VaultId};
use keystead_store::StoreFailed;
use keystead_targets::{ObjectName, PutNew, Vault, VaultError};
use thiserror::Error;

use super::{Lineage, Member, VaultSet};
use crate::follower::FollowFailed;

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
    /// An object that must be ours is signed by nobody.
    #[error("its object `{name}` is damaged")]
    Damaged {
        /// Which.
        name: ObjectName,
    },
    /// What it holds can be compared with nothing at present.
    #[error("its segment {sequence} cannot be compared: the next one is in no vault that answers")]
    Incomparable {
        /// Which segment.
        sequence: u64,
    },
    /// What it must hold is not known at present.
    #[error("the keys whose copies it must hold cannot be read: {0}")]
    Keys(#[from] FollowFailed),
}

impl From<StoreFailed> for NotUsable {
    fn from(failed: StoreFailed) -> Self {
        Self::Keys(failed.into())
    }
}

/// What a vault got from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copied {
    /// How many objects.
    pub(crate) objects: u64,
    /// Whether every other vault was asked and gave what it has.
    pub(crate) complete: bool,
}

/// The names under an instance that a vault holds, those of ledgers and key copies apart: these are
/// most of what a vault holds and tell nothing of who writes there or how far.
pub(crate) async fn held_chain(
    vault: &dyn Vault,
    instance: InstanceId,
) -> Result<BTreeSet<ObjectName>, VaultError> {
    let apart = &[names::LEDGER_FOLDER, names::KEY_FOLDER];
    listed(vault, &format!("{instance}/"), apart).await
}

/// The names under a prefix. Of a replaced object the first version counts.
pub(crate) async fn listed(
    vault: &dyn Vault,
    prefix: &str,
    apart: &[&str],
) -> Result<BTreeSet<ObjectName>, VaultError> {
    let listed = vault.list_apart(prefix, apart).await?;
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
    /// Copies to `member`, which holds `own`, what any other vault holds and it lacks, key copies
    /// and segments of this incarnation apart.
    pub(super) async fn copy_missing(
        &self,
        member: &Member,
        own: &BTreeSet<ObjectName>,
    ) -> Result<Copied, NotUsable> {
        let mut copied = Copied::NOTHING;
        for peer in self.peers(member) {
            match held_chain(&*peer.vault, self.lineage.instance).await {
                Ok(theirs) => {
                    let lacking = theirs.difference(own).filter(|name| self.is_shared(name));
                    copied.add(copy(peer, member, lacking).await?);
                }
                Err(_) => copied.complete = false,
            }
        }
        Ok(copied)
    }

    /// All others.
    pub(super) fn peers(&self, member: &Member) -> impl Iterator<Item = &Member> {
        let id = member.id;
        self.members.iter().map(|peer| &**peer).filter(move |peer| peer.id != id)
    }

    /// Is this an object that every vault holds as it is?
    fn is_shared(&self, name: &ObjectName) -> bool {
        let Lineage { instance, incarnation, .. } = self.lineage;
        let segments = format!("{instance}/{incarnation}/");
        let of_ours = name.as_ref().strip_prefix(&segments).is_some_and(is_sequence);
        !of_ours && name.as_ref() != names::vault_record(instance)
    }
}

/// Copies objects that `peer` is said to hold to `member`.
pub(super) async fn copy(
    peer: &Member,
    member: &Member,
    names: impl Iterator<Item = &ObjectName>,
) -> Result<Copied, NotUsable> {
    let mut copied = Copied::NOTHING;
    for name in names {
        match peer.vault.read(name).await {
            Ok(Some(bytes)) => {
                let put = member.vault.put_new(name, &bytes).await?;
                copied.objects += u64::from(put == PutNew::Created);
            }
            _ => copied.complete = false,
        }
    }
    Ok(copied)
}

impl Copied {
    /// It lacked nothing.
    pub(super) const NOTHING: Self = Self { objects: 0, complete: true };

    pub(super) fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.complete &= other.complete;
    }
}

fn is_sequence(rest: &str) -> bool {
    rest.len() == 20 && rest.bytes().all(|c| c.is_ascii_digit())
}

/// A name that `names` made, as the port wants it.
pub(crate) fn object_name(text: &str) -> ObjectName {
    text.parse().expect("names are made of ids and digits")
}
