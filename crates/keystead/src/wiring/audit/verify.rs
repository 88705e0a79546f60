//! `audit verify`: whether the ledgers in vaults are whole.

use keystead_crypto::VerifyingKey;
use keystead_domain::to_hex;
use keystead_ledger::Head;
use keystead_service::logs::LogRead;
use serde::Serialize;

use super::{Opened, counting, read, refused};
use crate::{
    cli::AuditVerifyArgs,
    failed::Failed,
    output::{Form, Table, warn},
};

#[derive(Serialize)]
struct Verified {
    vaults: Vec<String>,
    entries: u64,
    logs: Vec<Log>,
}

#[derive(Serialize)]
struct Log {
    origin: String,
    entries: u64,
    /// Entries that a later log knows of and that are not here.
    missing: u64,
    root: String,
    follows: Vec<Followed>,
}

#[derive(Serialize)]
struct Followed {
    origin: String,
    entries: u64,
    root: String,
    /// Whether more may have been recorded after it than anybody knows.
    tail_unknown: bool,
}

/// Verifies every ledger.
pub(super) fn verify(args: &AuditVerifyArgs, root: VerifyingKey, form: Form) -> Result<(), Failed> {
    let older = args.checkpoint.as_deref().map(read).transpose()?;
    let logs = Opened::open(&args.vaults, root)?.with(async |ledgers| {
        let progress = counting("verifying the ledgers", ledgers);
        let mut each = |_: &_, _, _: &_| progress.advance(1);
        let logs = ledgers.verify(older.as_deref(), &mut each).await.map_err(refused)?;
        progress.done();
        Ok(logs)
    })?;
    let verified = Verified {
        vaults: args.vaults.iter().map(ToString::to_string).collect(),
        entries: logs.iter().map(|log| log.head.size).sum(),
        logs: logs.iter().map(log).collect(),
    };
    let missing: u64 = logs.iter().map(|log| log.missing).sum();
    if missing > 0 {
        warn(&format!(
            "{missing} entries more are known of and not in these vaults: lost with a node before \
             they reached a vault, in another vault, or cut off"
        ));
    }
    Ok(form.answer(&verified, || text(&verified))?)
}

fn log(read: &LogRead) -> Log {
    let follows = read.follows.iter().map(|(head, tail_unknown)| {
        let (origin, entries, root) = parts(head);
        Followed { origin, entries, root, tail_unknown: *tail_unknown }
    });
    let (origin, entries, root) = parts(&read.head);
    Log { origin, entries, missing: read.missing, root, follows: follows.collect() }
}

fn parts(head: &Head) -> (String, u64, String) {
    (head.origin.to_string(), head.size, to_hex(&head.root))
}

fn text(verified: &Verified) -> String {
    let mut table = Table::new(["LOG", "ENTRIES", "MISSING", "ROOT"]);
    for log in &verified.logs {
        table.row([&log.origin, &log.entries.to_string(), &log.missing.to_string(), &log.root]);
    }
    format!("{} entries, none altered\n\n{}", verified.entries, table.text())
}
