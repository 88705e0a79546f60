//! Finds every log of an instance in its vaults, and reads them all against each other.
//!
//! Invariant: of several vaults the one that holds most of a log counts for it, and what the others
//! hold must be its beginning. A log stands behind all that it follows.

use std::collections::BTreeMap;

use keystead_archive::{names, names::ObjectKind};
use keystead_crypto::VerifyingKey;
use keystead_domain::{IncarnationId, InstanceId};
use keystead_ledger::{Head, Origin};
use keystead_targets::Vault;

use super::{
    EachEntry, FoundLog, LogRead, LogsRefused,
    found::{Claim, Claimed},
};
use crate::{
    backups::instance_of,
    tiles::{LogIn, LogPlace},
};

/// The logs of an instance.
#[derive(Debug)]
pub struct Ledgers<'v> {
    logs: Vec<FoundLog<'v>>,
}

impl<'v> Ledgers<'v> {
    /// Looks into the vaults and reads the first entry of each log.
    ///
    /// # Errors
    /// [`LogsRefused`].
    pub async fn find(
        vaults: &[&'v dyn Vault],
        root: &'v VerifyingKey,
    ) -> Result<Self, LogsRefused> {
        let mut found = BTreeMap::<Origin, FoundLog<'v>>::new();
        for vault in vaults.iter().copied() {
            for place in places(vault, root, None).await? {
                let log = LogIn { vault, root, place };
                let Some(signed) = log.largest_signed().await? else {
                    // Another vault may have the checkpoint; where none has, nobody vouches.
                    unsigned(&mut found, log);
                    continue;
                };
                match found.get_mut(&place.origin()) {
                    Some(known) => known.beside(log, signed),
                    None => drop(found.insert(place.origin(), FoundLog::new(log, Some(signed)))),
                }
            }
        }
        let mut logs = Vec::new();
        for mut log in found.into_values() {
            log.read_first().await?;
            logs.push(log);
        }
        Ok(Self { logs: in_order(logs) })
    }

    /// Every log, each behind all that it follows.
    #[must_use]
    pub fn logs(&self) -> &[FoundLog<'v>] {
        &self.logs
    }

    /// How many entries all logs have.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.logs.iter().map(|log| log.head().size).sum()
    }

    /// Reads every log whole, each once. `older` is a checkpoint that was kept elsewhere.
    ///
    /// # Errors
    /// [`LogsRefused`], at the first thing that is wrong.
    pub async fn verify(
        &self,
        older: Option<&[u8]>,
        each: EachEntry<'_>,
    ) -> Result<Vec<LogRead>, LogsRefused> {
        let mut claims = self.claims(older).await?;
        let mut read = Vec::new();
        for log in &self.logs {
            let claimed = claims.remove(&log.head().origin).unwrap_or_default();
            read.push(log.read_whole(claimed, each).await?);
        }
        Ok(read)
    }

    /// What must come out of each log, by whoever says so.
    async fn claims(
        &self,
        older: Option<&[u8]>,
    ) -> Result<BTreeMap<Origin, Vec<Claimed>>, LogsRefused> {
        let mut claims = BTreeMap::<Origin, Vec<Claimed>>::new();
        let mut claim = |head: &Head, by| {
            let Head { origin, size, root } = head.clone();
            claims.entry(origin).or_default().push(Claimed { size, root, by });
        };
        for log in &self.logs {
            let next = &log.head().origin;
            for (head, tail_unknown) in log.follows() {
                let (next, tail_unknown) = (next.clone(), *tail_unknown);
                claim(head, Claim::Next { next, tail_unknown });
            }
            if let Some((cosigned, _)) = log.cosigned() {
                claim(cosigned.head(), Claim::Cosigned);
            }
            for (head, vault) in log.elsewhere() {
                claim(head, Claim::Vault(vault.clone()));
            }
        }
        if let Some(older) = older {
            claim(&self.kept(older).await?, Claim::Kept);
        }
        Ok(claims)
    }

    /// The head in a note that somebody kept, under the keys of the log that it names.
    async fn kept(&self, note: &[u8]) -> Result<Head, LogsRefused> {
        for log in &self.logs {
            if let Some(signed) = log.log().verify(note).await? {
                return Ok(signed.checkpoint.head().clone());
            }
        }
        Err(LogsRefused::OlderUnknown)
    }
}

fn unsigned<'v>(found: &mut BTreeMap<Origin, FoundLog<'v>>, log: LogIn<'v>) {
    found.entry(log.place.origin()).or_insert_with(|| FoundLog::new(log, None));
}

/// Each behind all that it follows; logs that follow each other, which no node writes, at the end.
fn in_order(mut left: Vec<FoundLog<'_>>) -> Vec<FoundLog<'_>> {
    let mut sorted: Vec<FoundLog<'_>> = Vec::new();
    while !left.is_empty() {
        let waits = |log: &FoundLog<'_>| {
            let follows = |of: &FoundLog<'_>| {
                log.follows().iter().any(|(head, _)| head.origin == of.head().origin)
            };
            left.iter().any(follows)
        };
        let next = left.iter().position(|log| !waits(log)).unwrap_or(0);
        sorted.push(left.remove(next));
    }
    sorted
}

/// Every log that has a folder, but for those of the incarnation `but`.
pub(crate) async fn places(
    vault: &dyn Vault,
    root: &VerifyingKey,
    but: Option<IncarnationId>,
) -> Result<Vec<LogPlace>, LogsRefused> {
    let instance = instance(vault, root).await?;
    // Openings lie beside these folders, and key copies are without number.
    let apart = &[names::LEDGER_FOLDER, names::KEY_FOLDER];
    let listed = vault.list_apart(&format!("{instance}/"), apart).await?;
    let openings = listed.iter().filter_map(|listed| match names::parse(listed.name.as_str()) {
        Some(ObjectKind::Opening { incarnation, .. }) => Some(incarnation),
        _ => None,
    });
    let mut found = BTreeMap::new();
    for incarnation in openings.filter(|incarnation| Some(*incarnation) != but) {
        let folder = format!("{instance}/{incarnation}/{}/", names::LEDGER_FOLDER);
        for listed in vault.list(&folder).await? {
            if let Some(ObjectKind::Ledger { node, .. }) = names::parse(listed.name.as_str()) {
                let place = LogPlace { instance, incarnation, node };
                found.insert(place.origin(), place);
            }
        }
    }
    Ok(found.into_values().collect())
}

async fn instance(vault: &dyn Vault, root: &VerifyingKey) -> Result<InstanceId, LogsRefused> {
    instance_of(vault, root).await?.ok_or(LogsRefused::NoInstance)
}
