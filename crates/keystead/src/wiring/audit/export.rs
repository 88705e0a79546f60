//! `audit export`: events with what is needed to check them, into a new file.
//!
//! Invariant: the ledgers are verified against each other first; the file is in its place only
//! where all of it was written.

use std::collections::BTreeMap;

use keystead_crypto::VerifyingKey;
use keystead_ledger::{Leaf, Origin};
use keystead_service::logs::{FoundLog, Ledgers, ProofTiles};
use serde::Serialize;

use super::{Opened, counting, refused};
use crate::{
    audit_export::{EventFilter, Extent, LogPart, event_line, first_line, last_line, log_line},
    cli::AuditExportArgs,
    failed::Failed,
    new_file::NewFile,
    output::{Form, progress::Progress},
};

#[derive(Serialize)]
struct Exported {
    output: String,
    whole: bool,
    logs: usize,
    events: u64,
}

/// Exports events.
pub(super) fn export(args: &AuditExportArgs, root: VerifyingKey, form: Form) -> Result<(), Failed> {
    let filter = args.filter.filter();
    let extent = if filter.is_none() { Extent::Whole } else { Extent::Chosen };
    let mut file = NewFile::begin(&args.output)?;
    let (logs, events) = Opened::open(&args.ledgers.vaults, root)?.with(async |ledgers| {
        let counts = counts(ledgers, &filter).await?;
        file.write(&first_line(&root, extent, ledgers.logs().len()))?;
        let progress = counting("exporting events", ledgers);
        for log in ledgers.logs() {
            let count = counts.get(&log.head().origin).copied().unwrap_or(0);
            let (head, note, certificate) = (log.head(), log.note(), log.certificate());
            file.write(&log_line(&LogPart { head, note, certificate }, count))?;
            write_log(&mut file, log, (&filter, extent), &progress).await?;
        }
        progress.done();
        let events = counts.values().sum();
        file.write(&last_line(events))?;
        Ok((ledgers.logs().len(), events))
    })?;
    file.finish()?;
    let output = args.output.display().to_string();
    let exported = Exported { output, whole: extent == Extent::Whole, logs, events };
    let text = || format!("{events} events of {logs} ledgers in {}\n", exported.output);
    Ok(form.answer(&exported, text)?)
}

/// How many events of each log the filter chooses; everything is verified on the way.
async fn counts(
    ledgers: &Ledgers<'_>,
    filter: &EventFilter,
) -> Result<BTreeMap<Origin, u64>, Failed> {
    let progress = counting("verifying the ledgers", ledgers);
    let mut counts = BTreeMap::<Origin, u64>::new();
    let mut each = |log: &Origin, _, leaf: &Leaf| {
        progress.advance(1);
        if filter.takes(leaf.event().act()) {
            *counts.entry(log.clone()).or_default() += 1;
        }
    };
    ledgers.verify(None, &mut each).await.map_err(refused)?;
    progress.done();
    Ok(counts)
}

async fn write_log(
    file: &mut NewFile,
    log: &FoundLog<'_>,
    (filter, extent): (&EventFilter, Extent),
    progress: &Progress,
) -> Result<(), Failed> {
    let (mut entries, mut tiles) = (log.entries_checked(), ProofTiles::default());
    while let Some(leaves) = entries.next().await.map_err(refused)? {
        let first = entries.passed() - leaves.len() as u64;
        for (index, leaf) in (first..).zip(&leaves) {
            if !filter.takes(leaf.event().act()) {
                continue;
            }
            let proof = match extent {
                Extent::Whole => None,
                Extent::Chosen => {
                    let size = log.head().size;
                    Some(log.prove(index, size, &mut tiles).await.map_err(refused)?)
                }
            };
            file.write(&event_line(index, leaf, proof.as_deref()))?;
        }
        progress.advance(leaves.len() as u64);
    }
    Ok(())
}
