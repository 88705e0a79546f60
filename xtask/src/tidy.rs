//! `cargo xtask tidy`: the rules of style that neither rustfmt nor clippy knows.
//!
//! A rule that is only written down is a rule that drifts; here each finding names its line and
//! what to write instead. The scanner is a heuristic over tokens and not a parser: it is small,
//! and where it errs it errs loudly, in review, with the rule in sight.

mod attributes;
mod bans;
mod place;
mod shape;
mod source;
#[cfg(test)]
mod tests;

use std::fs;

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process;
use crate::tidy::place::Place;
use crate::tidy::source::Source;

/// A broken rule: where, and what to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    /// Counted from 1; 1 for what concerns the whole file.
    line: usize,
    problem: String,
}

impl Finding {
    fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

/// Checks each file that git tracks and prints what it finds.
pub(crate) fn run(checkout: &Checkout) -> Result<(), Failure> {
    let listed = process::read(checkout.program("git").args(["ls-files", "-z"]))?;
    let mut count = 0;
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let file = checkout.file(path);
        // A file that is deleted but not yet committed as such is no finding, nor is a link.
        if !file.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let bytes = fs::read(&file).map_err(Failure::file(file))?;
        for Finding { line, problem } in check(path, &bytes) {
            println!("{path}:{line}: {problem}");
            count += 1;
        }
    }
    if count == 0 { Ok(()) } else { Err(Failure::Findings { check: "tidy", count }) }
}

/// All findings in one file, in the order of its lines.
fn check(path: &str, bytes: &[u8]) -> Vec<Finding> {
    let mut findings = shape::check_size(bytes);
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')) {
        let place = Place::of(path);
        findings.extend(shape::check_text(&place, text));
        findings.extend(bans::check_text(&place, text));
        if place.is_rust() {
            let source = Source::new(&place, text);
            findings.extend(shape::check_rust(&place, &source));
            findings.extend(bans::check_rust(&place, &source));
            findings.extend(attributes::check(&source));
        }
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}
