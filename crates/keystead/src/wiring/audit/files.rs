//! `audit verify --proof` and `--export`: files that show by themselves whether they hold.

use std::{
    fs::{File, Metadata},
    io::BufReader,
    path::Path,
};

use keystead_crypto::VerifyingKey;
use keystead_domain::to_hex;
use keystead_ledger::Checkpoint;
use keystead_service::logs::{Proven, proven};
use serde::Serialize;

use super::{AuditFailed, read};
use crate::{
    audit_export::{self, Extent, Shown, shown},
    cli::AuditVerifyArgs,
    failed::Failed,
    output::{
        Form, Table,
        progress::{Progress, Total},
    },
};

#[derive(Serialize)]
struct Proof {
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    log: String,
    index: u64,
    entries: u64,
    root: String,
    /// How many entries the older checkpoint has that the proof goes on from.
    since_entries: Option<u64>,
    /// The names of all who signed the checkpoint; the log's own signature was checked, and those
    /// of the witnesses that were named.
    signed_by: Vec<String>,
    event: Shown,
}

#[derive(Serialize)]
struct Export {
    whole: bool,
    events: u64,
    logs: Vec<Log>,
}

#[derive(Serialize)]
struct Log {
    origin: String,
    entries: u64,
    root: String,
}

/// Verifies a proof of one event.
pub(super) fn proof(
    path: &Path,
    args: &AuditVerifyArgs,
    root: &VerifyingKey,
    form: Form,
) -> Result<(), Failed> {
    let kept = args.checkpoint.as_deref().map(read).transpose()?;
    let proven = proven(&read(path)?, root, kept.as_deref()).map_err(|refused| {
        AuditFailed::Proof { path: path.to_owned(), refused: Box::new(refused) }
    })?;
    for key in &args.witnesses {
        let said = Checkpoint::cosigned_at(&proven.checkpoint, key.name(), key.public());
        said.map_err(|refused| AuditFailed::Cosignature {
            log: proven.head.origin.clone(),
            refused: Box::new(refused),
        })?;
    }
    say_proven(&proven, None, form)
}

/// Says what a proof proves.
pub(super) fn say_proven(proven: &Proven, output: Option<&Path>, form: Form) -> Result<(), Failed> {
    let signed_by = proven.checkpoint.signatures().iter().map(|line| line.name().to_string());
    let proof = Proof {
        output: output.map(|path| path.display().to_string()),
        log: proven.head.origin.to_string(),
        index: proven.index,
        entries: proven.head.size,
        root: to_hex(&proven.head.root),
        since_entries: proven.older.as_ref().map(|older| older.size),
        signed_by: signed_by.collect(),
        event: shown(&proven.leaf.event()),
    };
    Ok(form.answer(&proof, || proof_text(&proof))?)
}

fn proof_text(proof: &Proof) -> String {
    let Proof { log, index, entries, root, event, .. } = proof;
    let mut text = format!("entry {index} of {entries} is in log {log}\n\n");
    let error = event.error.as_ref().map_or(String::new(), |error| format!(": {error}"));
    let resource = event.resource.as_ref().map_or("", |resource| &resource.id);
    for (name, value) in [
        ("time", event.at.as_str()),
        ("operation", &event.operation),
        ("outcome", &format!("{}{error}", event.outcome)),
        ("resource", resource),
        ("by", event.principal.as_deref().unwrap_or("")),
        ("request", event.request.as_deref().unwrap_or("")),
        ("root", root),
    ] {
        if !value.is_empty() {
            text += &format!("{name:<10} {value}\n");
        }
    }
    if let Some(size) = proof.since_entries {
        text += &format!("since      a checkpoint of {size} entries, which the log goes on from\n");
    }
    if let Some(output) = &proof.output {
        text += &format!("proof      {output}\n");
    }
    text
}

/// Verifies an export.
pub(super) fn export(
    path: &Path,
    kept: Option<&Path>,
    root: &VerifyingKey,
    form: Form,
) -> Result<(), Failed> {
    let kept = kept.map(read).transpose()?;
    let unreadable = |source| AuditFailed::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().ok().filter(Metadata::is_file).map(|file| file.len());
    let progress = Progress::new();
    progress.phase("verifying the export", length.map_or(Total::Unknown, Total::Bytes));
    let passed = |bytes| progress.advance(bytes);
    let read = audit_export::verify(BufReader::new(file), root, kept.as_deref(), passed);
    let checked = read.map_err(unreadable)?.map_err(|refused| AuditFailed::Export {
        path: path.to_owned(),
        refused: Box::new(refused),
    })?;
    progress.done();
    let logs = checked.logs.iter().map(|head| Log {
        origin: head.origin.to_string(),
        entries: head.size,
        root: to_hex(&head.root),
    });
    let whole = checked.extent == Extent::Whole;
    let export = Export { whole, events: checked.events, logs: logs.collect() };
    Ok(form.answer(&export, || export_text(&export))?)
}

fn export_text(export: &Export) -> String {
    let mut table = Table::new(["LOG", "ENTRIES", "ROOT"]);
    for log in &export.logs {
        table.row([&log.origin, &log.entries.to_string(), &log.root]);
    }
    let extent = if export.whole { "none missing, none altered" } else { "chosen, none altered" };
    format!("{} events, {extent}\n\n{}", export.events, table.text())
}
