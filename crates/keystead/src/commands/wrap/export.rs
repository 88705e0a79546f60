//! `wrap export`: the server's statement, then its records up to the count, into a new file.
//!
//! Invariant: every line is read by the check of `wrap verify` before it is written, and the file
//! is in its place only where that check takes its end: an export that exists is whole.

use keystead_archive::WrapStatement;
use keystead_crypto::VerifyingKey;

use super::{
    WrapFailed,
    answer::{Page, Stated, Wrap},
    page, verify,
};
use crate::cli::WrapExportArgs;
use crate::client::Client;
use crate::failed::Failed;
use crate::new_file::NewFile;
use crate::output::Form;
use crate::output::progress::{Progress, Total};
use crate::wrap_export::{ExportCheck, base64, first_line};

/// Exports all records.
pub(super) fn export(args: &WrapExportArgs, client: &Client, form: Form) -> Result<(), Failed> {
    let mut file = NewFile::begin(&args.file)?;
    let stated: Stated = client.read("/v1/wrap-statement", &[])?;
    let signed = base64(&stated.statement).ok_or(WrapFailed::Answer { what: "statement" })?;
    let mut line = first_line(&signed);
    let root = VerifyingKey(*client.root_public_key());
    let check = ExportCheck::begin(&line, &root).map_err(WrapFailed::Stated)?;
    line.push(b'\n');
    file.write(&line)?;
    let whole = records(&mut file, check, client)?;
    file.finish()?;
    verify::answer(&whole, form)
}

fn records(
    file: &mut NewFile,
    mut check: ExportCheck,
    client: &Client,
) -> Result<WrapStatement, Failed> {
    let progress = Progress::new();
    progress.phase("exporting wrap records", Total::Items(check.count()));
    let (mut left, mut after) = (check.count(), None);
    while left > 0 {
        let Page::<Wrap> { wraps, next } = page(client, after.as_deref())?;
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(wraps.len());
        file.write(&lines(&mut check, &wraps[..wanted])?)?;
        progress.advance(wanted as u64);
        left -= wanted as u64;
        after = next;
        // A server without more has stated more than it has, and the check's end names what.
        if after.is_none() || wanted == 0 {
            break;
        }
    }
    progress.done();
    Ok(check.end().map_err(WrapFailed::Stated)?)
}

/// The lines of the next records.
fn lines(check: &mut ExportCheck, wraps: &[Wrap]) -> Result<Vec<u8>, WrapFailed> {
    let mut lines = Vec::new();
    for wrap in wraps {
        let line = check.line_of(&wrap.record()?);
        check.take(&line).map_err(WrapFailed::Stated)?;
        lines.extend(line);
        lines.push(b'\n');
    }
    Ok(lines)
}
