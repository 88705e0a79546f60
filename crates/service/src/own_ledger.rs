//! Before a node starts: whether its journal is the ledger that it signed and shipped.
//!
//! Invariant: what a vault holds under a checkpoint of this node was synced here before it was
//! shipped, and a crash of the machine takes nothing that was synced. So a journal that is shorter,
//! or another, was cut, altered, replaced or rolled back, and the node does not start.

use std::sync::Arc;

use keystead_archive::LedgerHead;
use keystead_domain::NodeId;
use keystead_journal::{FileName, Journal, JournalUnreadable};
use keystead_ledger::Checkpoint;

use crate::{
    StartFailed,
    logs::Entries,
    ports::{Ports, blocking},
    tiles::{LogIn, LogPlace},
    vaults::{Lineage, VaultSet},
};

/// Compares the journal with the largest signed checkpoint of each vault that answers.
pub(crate) async fn compare(
    ports: &Ports,
    set: &VaultSet,
    node: NodeId,
) -> Result<(), StartFailed> {
    let (root, Lineage { instance, incarnation, .. }) = (set.root(), set.lineage);
    for member in &set.members {
        let place = LogPlace { instance, incarnation, node };
        let log = LogIn { vault: &*member.vault, root: &root, place };
        match log.largest().await {
            Ok(Some(signed)) => against(ports, &log, &signed).await?,
            Ok(None) => {}
            // One that comes back later is compared before it gets the next tile.
            Err(away) => tracing::warn!(vault = %log.vault.url(), %away, "its ledger is not read"),
        }
    }
    Ok(())
}

async fn against(ports: &Ports, log: &LogIn<'_>, signed: &Checkpoint) -> Result<(), StartFailed> {
    let (journal, size) = (ports.journal.clone(), signed.size());
    let root = blocking(&*ports.tasks, move || journal.root_at(size));
    match root.await.ok_or(StartFailed::Internal)?? {
        Some(root) if root == *signed.root() => Ok(()),
        Some(_) => Err(differs(&ports.journal, log, signed).await?),
        None => Err(behind(&ports.journal, size, format!("vault `{}`", log.vault.url()))?),
    }
}

/// Compares the journal with the head that a segment of ours names: that holds with every vault
/// away.
pub(crate) fn against_segment(
    journal: &Journal,
    sequence: u64,
    heads: &[LedgerHead],
) -> Result<(), StartFailed> {
    let told_by = format!("segment {sequence} of the outbox");
    let own = heads.iter().find(|head| head.origin == journal.origin().as_str());
    let Some(head) = own else {
        // The base of an incarnation is older than its log.
        let other = heads.first().map(|head| StartFailed::OtherJournal {
            here: journal.origin().to_string(),
            there: head.origin.clone(),
        });
        return other.map_or(Ok(()), Err);
    };
    match journal.root_at(head.size)? {
        Some(root) if root == head.root => Ok(()),
        Some(_) => {
            let file = journal.file_of(head.size.saturating_sub(1))?;
            Err(StartFailed::JournalDiffers { file, entry: None, size: head.size, told_by })
        }
        None => Err(behind(journal, head.size, told_by)?),
    }
}

/// Says in which file the journal ends too early.
fn behind(
    journal: &Journal,
    shipped: u64,
    told_by: String,
) -> Result<StartFailed, JournalUnreadable> {
    let here = journal.head().size;
    Ok(StartFailed::JournalBehind { file: journal.file_of(here)?, here, shipped, told_by })
}

/// Says which entry of which file is not the one that was shipped.
async fn differs(
    journal: &Arc<Journal>,
    log: &LogIn<'_>,
    signed: &Checkpoint,
) -> Result<StartFailed, JournalUnreadable> {
    // Where the vault's tiles do not verify the place stays unknown.
    let entry = first_other(journal, &mut Entries::new(log, signed)).await;
    let file: FileName = journal.file_of(entry.unwrap_or(signed.size() - 1))?;
    let (size, told_by) = (signed.size(), format!("vault `{}`", log.vault.url()));
    Ok(StartFailed::JournalDiffers { file, entry, size, told_by })
}

async fn first_other(journal: &Journal, shipped: &mut Entries<'_>) -> Option<u64> {
    while let Some(leaves) = shipped.next().await.ok()? {
        let first = shipped.passed() - leaves.len() as u64;
        let here = journal.read(first, leaves.len()).unwrap_or_default();
        let same = here.iter().zip(&leaves).take_while(|(here, there)| here == there).count();
        if same < leaves.len() {
            return Some(first + same as u64);
        }
    }
    None
}

/// Where the difference is, as far as it is known.
pub(crate) fn at(entry: Option<u64>, size: u64) -> String {
    match entry {
        Some(entry) => format!("at entry {entry}"),
        None => format!("at or before entry {}", size.saturating_sub(1)),
    }
}
