//! The events of an instance's ledgers as text: how a line is written and read, and whether what is
//! there holds under the root's public key.
//!
//! Invariant: pure: lines in, a verdict out; no file, no clock, no server. The leaf counts; what
//! stands readable beside it is made from it again and compared (`docs/formats/audit-export.md`).

mod check;
mod event;
mod filter;
mod line;
mod refused;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read};

use keystead_crypto::VerifyingKey;

pub(crate) use check::{Checked, ExportCheck};
pub(crate) use event::{Shown, shown};
pub(crate) use filter::{EventFilter, OutcomeKind};
pub(crate) use line::{Extent, LogPart, event_line, first_line, last_line, log_line};
pub(crate) use refused::ExportRefused;

/// The longest line, in bytes without its end.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Verifies a whole file, line by line; `passed` hears how many bytes each line had. `kept` is a
/// checkpoint that was kept elsewhere.
///
/// # Errors
/// [`ExportRefused`] as the inner result; what `input` says as the outer one.
pub(crate) fn verify(
    mut input: impl BufRead,
    root: &VerifyingKey,
    kept: Option<&[u8]>,
    mut passed: impl FnMut(u64),
) -> io::Result<Result<Checked, ExportRefused>> {
    let mut check = match ExportCheck::begin(root, kept) {
        Ok(check) => check,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        input.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line)?;
        passed(line.len() as u64);
        let taken = match line.pop() {
            Some(b'\n') => check.take(&line),
            Some(_) => Err(check.cut()),
            None => return Ok(check.end()),
        };
        if let Err(refused) = taken {
            return Ok(Err(refused));
        }
    }
}
