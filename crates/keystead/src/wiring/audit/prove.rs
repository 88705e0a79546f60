//! `audit prove`: one event with its way to a signed checkpoint, into a new file.
//!
//! Invariant: what is written was verified as a stranger does it.

use keystead_crypto::VerifyingKey;
use keystead_ledger::{Leaf, LogProof, Note, OlderProof, Origin, ProofExtra};
use keystead_service::logs::{FoundLog, Ledgers, ProofTiles, proven};

use super::{AuditFailed, Opened, counting, files, read, refused};
use crate::{cli::AuditProveArgs, failed::Failed, new_file::NewFile, output::Form};

/// Proves one event.
pub(super) fn prove(args: &AuditProveArgs, root: VerifyingKey, form: Form) -> Result<(), Failed> {
    let mut file = NewFile::begin(&args.output)?;
    let since = args.since.as_deref().map(read).transpose()?;
    let bytes = Opened::open(&args.ledgers.vaults, root)?.with(async |ledgers| {
        let (log, index) = place(args, ledgers).await?;
        Ok(proof(log, index, since.as_deref()).await?.to_string().into_bytes())
    })?;
    let proven = proven(&bytes, &root, since.as_deref())
        .map_err(|refused| AuditFailed::NoProof(Box::new(refused)))?;
    file.write(&bytes)?;
    file.finish()?;
    files::say_proven(&proven, Some(&args.output), form)
}

/// Which log, and where in it.
async fn place<'l, 'v>(
    args: &AuditProveArgs,
    ledgers: &'l Ledgers<'v>,
) -> Result<(&'l FoundLog<'v>, u64), Failed> {
    let (origin, index) = match (args.index, args.request) {
        (Some(index), _) => (args.log.clone(), index),
        (None, Some(request)) => {
            let found = events_of(ledgers, request.as_bytes()).await?;
            match &found[..] {
                [(origin, index)] => (Some(origin.clone()), *index),
                [] => return Err(AuditFailed::NoEvent { request }.into()),
                several => {
                    let count = several.len();
                    return Err(AuditFailed::Several { request, count }.into());
                }
            }
        }
        (None, None) => (None, 0),
    };
    let is_meant =
        |log: &&FoundLog<'_>| origin.as_ref().is_none_or(|origin| log.head().origin == *origin);
    let logs: Vec<_> = ledgers.logs().iter().filter(is_meant).collect();
    match logs[..] {
        [log] => Ok((log, index)),
        _ => Err(AuditFailed::WhichLog { count: logs.len() }.into()),
    }
}

async fn events_of(
    ledgers: &Ledgers<'_>,
    request: &[u8; 16],
) -> Result<Vec<(Origin, u64)>, Failed> {
    let progress = counting("looking for the event", ledgers);
    let mut found = Vec::new();
    let mut each = |log: &Origin, index, leaf: &Leaf| {
        progress.advance(1);
        if leaf.event().act().request.as_ref() == Some(request) {
            found.push((log.clone(), index));
        }
    };
    ledgers.verify(None, &mut each).await.map_err(refused)?;
    progress.done();
    Ok(found)
}

async fn proof(
    log: &FoundLog<'_>,
    index: u64,
    since: Option<&[u8]>,
) -> Result<LogProof, AuditFailed> {
    let leaf = log.entry(index).await.map_err(refused)?;
    let was = match since {
        Some(note) => Some(log.certificate_of(note).await.map_err(refused)?),
        None => None,
    };
    let least = was.as_ref().map_or(0, |(was, _)| was.size()).max(index + 1);
    let (checkpoint, note, certificate) = log.proving(least);
    let size = checkpoint.size();
    let hashes = log.prove(index, size, &mut ProofTiles::default()).await.map_err(refused)?;
    let older = match (since, was) {
        (Some(since), Some((was, certificate))) => {
            let growth = log.prove_growth(was.size(), size).await.map_err(refused)?;
            Some(OlderProof { checkpoint: since.to_vec(), certificate, growth })
        }
        _ => None,
    };
    let certificate = certificate.to_vec();
    let extra = ProofExtra { leaf: leaf.as_bytes().to_vec(), certificate, older };
    let checkpoint = Note::parse(note).expect("it was read as a signed note");
    Ok(LogProof { extra: Some(extra.encode()), index, hashes, checkpoint })
}
