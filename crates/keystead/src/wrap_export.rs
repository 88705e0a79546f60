//! The file of a tenant's wrap records: how a line is written and read, and whether none is
//! missing.
//!
//! Invariant: pure: lines in, a verdict out; no file, no clock, no server. What is written here was
//! read by the same check that strangers run, `docs/formats/wrap-export.md`.

mod check;
mod line;
mod refused;
#[cfg(test)]
pub(crate) mod tests;

use std::io::{self, BufRead, Read};

use keystead_archive::WrapStatement;
use keystead_crypto::VerifyingKey;

pub(crate) use check::ExportCheck;
pub(crate) use line::{algorithm, base64, envelope, first_line};
pub(crate) use refused::ExportRefused;

/// The longest line, in bytes without its end.
const MAX_LINE_BYTES: u64 = 65_536;

/// Verifies a whole file, line by line; `passed` hears how many bytes each line had.
///
/// # Errors
/// [`ExportRefused`] as the inner result; what `input` says as the outer one.
pub(crate) fn verify(
    mut input: impl BufRead,
    root: &VerifyingKey,
    mut passed: impl FnMut(u64),
) -> io::Result<Result<WrapStatement, ExportRefused>> {
    let mut line = Vec::new();
    let mut check: Option<ExportCheck> = None;
    loop {
        let ended = next_line(&mut input, &mut line)?;
        passed(line.len() as u64 + 1);
        let taken = match (ended, &mut check) {
            (End::OfFile, _) => break,
            (End::Cut, Some(check)) => check.cut(),
            (End::Cut, None) => Err(ExportRefused::Malformed { line: 1, fault: "cut off" }),
            (End::OfLine, Some(check)) => check.take(&line),
            (End::OfLine, None) => ExportCheck::begin(&line, root).map(|begun| check = Some(begun)),
        };
        if let Err(refused) = taken {
            return Ok(Err(refused));
        }
    }
    let empty = ExportRefused::Malformed { line: 1, fault: "not there" };
    Ok(check.ok_or(empty).and_then(ExportCheck::end))
}

/// How a line ended.
enum End {
    /// As it should.
    OfLine,
    /// There is no line left.
    OfFile,
    /// The file ends inside it, or it is too long.
    Cut,
}

fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<End> {
    line.clear();
    input.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', line)?;
    Ok(match line.pop() {
        Some(b'\n') => End::OfLine,
        Some(_) => End::Cut,
        None => End::OfFile,
    })
}
