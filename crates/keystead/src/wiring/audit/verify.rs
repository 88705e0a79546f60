//! `audit verify`: whether the ledgers in vaults are whole.

use keystead_crypto::VerifyingKey;
use keystead_domain::{Timestamp, to_hex};
use keystead_ledger::{Checkpoint, CheckpointRefused, Head, Note, NoteRefused, VerifierKey};
use keystead_service::logs::{FoundLog, LogRead};
use serde::Serialize;

use super::{AuditFailed, Opened, counting, read, refused};
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
    /// The log's verifier key, for a witness or another verifier.
    key: String,
    /// The largest checkpoint that a witness cosigned.
    cosigned: Option<Cosigned>,
    follows: Vec<Followed>,
}

#[derive(Serialize)]
struct Cosigned {
    entries: u64,
    /// The names beside the log's own; only those of --witness were verified.
    by: Vec<String>,
    /// What was verified.
    witnesses: Vec<WitnessSaid>,
}

#[derive(Serialize)]
struct WitnessSaid {
    name: String,
    at: String,
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
    let (logs, beside) = Opened::open(&args.vaults, root)?.with(async |ledgers| {
        let progress = counting("verifying the ledgers", ledgers);
        let mut each = |_: &_, _, _: &_| progress.advance(1);
        let logs = ledgers.verify(older.as_deref(), &mut each).await.map_err(refused)?;
        progress.done();
        let beside: Vec<_> = ledgers
            .logs()
            .iter()
            .map(|log| Ok((key(log), cosigned(log, &args.witnesses)?)))
            .collect::<Result<_, AuditFailed>>()?;
        require_witnesses(&args.witnesses, &beside)?;
        Ok((logs, beside))
    })?;
    let verified = Verified {
        vaults: args.vaults.iter().map(ToString::to_string).collect(),
        entries: logs.iter().map(|log| log.head.size).sum(),
        logs: logs.iter().zip(beside).map(|(read, (key, by))| log(read, key, by)).collect(),
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

/// The key that verifies the log's checkpoints.
fn key(log: &FoundLog<'_>) -> String {
    VerifierKey::of_log(&log.head().origin, log.signer()).to_string()
}

/// What witnesses say of a log; each line by a key that was given must verify.
fn cosigned(
    log: &FoundLog<'_>,
    witnesses: &[VerifierKey],
) -> Result<Option<Cosigned>, AuditFailed> {
    let Some((checkpoint, note)) = log.cosigned() else { return Ok(None) };
    let note = Note::parse(note).expect("it was read as a signed note");
    let mut said = Vec::new();
    for key in witnesses {
        let at = match Checkpoint::cosigned_at(&note, key.name(), key.public()) {
            Ok(at) => at,
            Err(CheckpointRefused::Note(NoteRefused::NotSigned { .. })) => continue,
            Err(refused) => {
                let log = checkpoint.origin().clone();
                return Err(AuditFailed::Cosignature { log, refused: Box::new(refused) });
            }
        };
        let micros = i64::try_from(at).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let at = Timestamp::from_micros(micros).to_string();
        said.push(WitnessSaid { name: key.name().to_string(), at });
    }
    let names = note.signatures().iter().map(|line| line.name().to_string());
    let by = names.filter(|name| name != checkpoint.origin().as_str()).collect();
    Ok(Some(Cosigned { entries: checkpoint.size(), by, witnesses: said }))
}

/// The newest log must be cosigned by each witness that was named.
fn require_witnesses(
    wanted: &[VerifierKey],
    found: &[(String, Option<Cosigned>)],
) -> Result<(), AuditFailed> {
    let newest = found.last().and_then(|(_, cosigned)| cosigned.as_ref());
    for key in wanted {
        let name = key.name().to_string();
        let has = newest.is_some_and(|of| of.witnesses.iter().any(|said| said.name == name));
        if !has {
            return Err(AuditFailed::NotCosigned { name });
        }
    }
    Ok(())
}

fn log(read: &LogRead, key: String, cosigned: Option<Cosigned>) -> Log {
    let follows = read.follows.iter().map(|(head, tail_unknown)| {
        let (origin, entries, root) = parts(head);
        Followed { origin, entries, root, tail_unknown: *tail_unknown }
    });
    let (origin, entries, root) = parts(&read.head);
    let (missing, follows) = (read.missing, follows.collect());
    Log { origin, entries, missing, root, key, cosigned, follows }
}

fn parts(head: &Head) -> (String, u64, String) {
    (head.origin.to_string(), head.size, to_hex(&head.root))
}

fn text(verified: &Verified) -> String {
    let mut table = Table::new(["LOG", "ENTRIES", "MISSING", "ROOT"]);
    for log in &verified.logs {
        table.row([&log.origin, &log.entries.to_string(), &log.missing.to_string(), &log.root]);
    }
    let mut text = format!("{} entries, none altered\n\n{}\n", verified.entries, table.text());
    for log in &verified.logs {
        text += &format!("key  {}\n", log.key);
        if let Some(Cosigned { entries, by, witnesses }) = &log.cosigned {
            text += &format!("     {entries} entries cosigned by {}\n", by.join(", "));
            for said in witnesses {
                text += &format!("     verified: {} at {}\n", said.name, said.at);
            }
        }
    }
    text
}
