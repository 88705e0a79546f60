//! `audit list`: the newest events that a filter chooses, verified on the way.

use std::collections::VecDeque;

use keystead_crypto::VerifyingKey;
use keystead_ledger::{Leaf, Origin};
use serde::Serialize;

use super::{Opened, counting, refused};
use crate::{
    audit_export::{Shown, shown},
    cli::AuditListArgs,
    failed::Failed,
    output::{Form, Table, moment},
};

#[derive(Serialize)]
struct Listed {
    /// All that were read.
    entries: u64,
    /// Those that the filter chose.
    matched: u64,
    /// The newest of these, oldest first.
    events: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    log: String,
    index: u64,
    #[serde(flatten)]
    event: Shown,
}

/// Lists events.
pub(super) fn list(args: &AuditListArgs, root: VerifyingKey, form: Form) -> Result<(), Failed> {
    let (filter, limit) = (args.filter.filter(), args.limit as usize);
    let listed = Opened::open(&args.ledgers.vaults, root)?.with(async |ledgers| {
        let progress = counting("reading the ledgers", ledgers);
        let (mut newest, mut matched) = (VecDeque::<(Origin, u64, Leaf)>::new(), 0);
        let mut each = |log: &Origin, index, leaf: &Leaf| {
            progress.advance(1);
            if !filter.takes(leaf.event().act()) {
                return;
            }
            matched += 1;
            newest.push_back((log.clone(), index, leaf.clone()));
            if newest.len() > limit {
                newest.pop_front();
            }
        };
        ledgers.verify(None, &mut each).await.map_err(refused)?;
        progress.done();
        let events = newest.iter().map(|(log, index, leaf)| {
            let event = shown(&leaf.event());
            Line { log: log.to_string(), index: *index, event }
        });
        Ok(Listed { entries: ledgers.entries(), matched, events: events.collect() })
    })?;
    Ok(form.answer(&listed, || text(&listed))?)
}

fn text(listed: &Listed) -> String {
    let mut logs: Vec<&str> = Vec::new();
    let header = ["TIME", "LOG", "INDEX", "OPERATION", "OUTCOME", "RESOURCE", "BY", "REQUEST"];
    let mut table = Table::new(header);
    for Line { log, index, event } in &listed.events {
        if logs.last() != Some(&log.as_str()) {
            logs.push(log);
        }
        let outcome = match &event.error {
            Some(error) => format!("{}: {error}", event.outcome),
            None => event.outcome.to_owned(),
        };
        let resource = event.resource.as_ref().map_or("", |resource| &resource.id);
        table.row([
            &moment(&event.at),
            &logs.len().to_string(),
            &index.to_string(),
            &event.operation,
            &outcome,
            resource,
            event.principal.as_deref().unwrap_or(event.kind),
            event.request.as_deref().unwrap_or(""),
        ]);
    }
    let mut text = table.text();
    text += "\n";
    for (number, log) in (1..).zip(logs) {
        text += &format!("log {number}  {log}\n");
    }
    let (shown, matched, entries) = (listed.events.len(), listed.matched, listed.entries);
    text += &format!("{shown} of {matched} events that match, of {entries}\n");
    text
}
