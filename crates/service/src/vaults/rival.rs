//! What a vault shows of another node: a later incarnation, a closing, segments behind our last.
//!
//! Invariant: only what the root signed, or a node that the root certified, counts. Used at start
//! and with every listing, so that a node cannot act beside its successor for longer than a listing
//! takes to come round.

use std::collections::BTreeSet;

use keystead_archive::{Closing, Opening, names, names::ObjectKind, read_segment_header};
use keystead_crypto::VerifyingKey;
use keystead_domain::{IncarnationId, Instance, InstanceId};
use keystead_targets::{ObjectName, Vault, VaultError};

/// Which life of which instance a node lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lineage {
    pub(crate) instance: InstanceId,
    pub(crate) incarnation: IncarnationId,
    /// The incarnation's number; a restore's is higher by one.
    pub(crate) number: u64,
}

/// Another node's trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rival {
    /// An opening with a higher number.
    LaterIncarnation,
    /// Our incarnation was closed.
    Closing,
    /// A segment of our incarnation behind our last one.
    Segment(u64),
    /// Another segment than ours in the place of one of ours.
    Diverged(u64),
}

impl Lineage {
    /// The present life of an instance.
    pub(crate) fn of(instance: &Instance) -> Self {
        Self {
            instance: instance.id,
            incarnation: instance.incarnation,
            number: instance.incarnation_number,
        }
    }

    /// Looks for another node among `held`; `last` is the last segment that is ours.
    pub(crate) async fn rival(
        &self,
        vault: &dyn Vault,
        held: &BTreeSet<ObjectName>,
        last: u64,
        root: &VerifyingKey,
    ) -> Result<Option<Rival>, VaultError> {
        if self.later_incarnation(vault, held, root).await? {
            return Ok(Some(Rival::LaterIncarnation));
        }
        // The highest first: a closing lies behind all segments.
        for (sequence, name) in self.beyond(held, last).into_iter().rev() {
            let Some(there) = vault.read(name).await? else { continue };
            if let Some(rival) = whose(&there, sequence, root) {
                return Ok(Some(rival));
            }
        }
        Ok(None)
    }

    fn beyond<'a>(&self, held: &'a BTreeSet<ObjectName>, last: u64) -> Vec<(u64, &'a ObjectName)> {
        let place = |name: &'a ObjectName| match names::parse(name.as_ref()) {
            Some(ObjectKind::Segment { incarnation, sequence, .. })
                if incarnation == self.incarnation && sequence > last =>
            {
                Some((sequence, name))
            }
            _ => None,
        };
        held.iter().filter_map(place).collect()
    }

    async fn later_incarnation(
        &self,
        vault: &dyn Vault,
        held: &BTreeSet<ObjectName>,
        root: &VerifyingKey,
    ) -> Result<bool, VaultError> {
        for name in held {
            let Some(ObjectKind::Opening { incarnation, .. }) = names::parse(name.as_ref()) else {
                continue;
            };
            if incarnation == self.incarnation {
                continue;
            }
            let Some(bytes) = vault.read(name).await? else { continue };
            let later = Opening::verify(&bytes, root).is_ok_and(|opening| {
                opening.instance == self.instance && opening.number > self.number
            });
            if later {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whose object lies in the place of segment `sequence`; nobody's where no key of ours signed it.
pub(crate) fn whose(there: &[u8], sequence: u64, root: &VerifyingKey) -> Option<Rival> {
    if Closing::verify(there, root).is_ok() {
        return Some(Rival::Closing);
    }
    read_segment_header(there, root).is_ok().then_some(Rival::Segment(sequence))
}
