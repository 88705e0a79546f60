//! How long files, functions and lines may be, and how a file begins.

use crate::tidy::Finding;
use crate::tidy::place::Place;
use crate::tidy::source::{Class, Source, end_of_item, find_all, is_word, line_at};

const LINE_COLUMNS: usize = 100;
const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 70;
const FILE_BYTES: usize = 1 << 20;

/// Names that say where code was put and not what it is for.
const EMPTY_NAMES: [&str; 9] =
    ["utils", "util", "common", "helpers", "helper", "types", "misc", "stuff", "shared"];

/// Large files stay in every clone for ever.
pub(super) fn check_size(bytes: &[u8]) -> Vec<Finding> {
    let too_large = bytes.len() > FILE_BYTES;
    let finding = || Finding::new(1, "over 1 MiB: generate it, or fetch it with a pinned hash");
    too_large.then(finding).into_iter().collect()
}

/// Rules for text of any kind.
pub(super) fn check_text(place: &Place<'_>, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line != line.trim_end() && !place.is_vector() {
            findings.push(Finding::new(index + 1, "white space at the end of the line: remove it"));
        }
        if place.is_python() && is_too_long(line) {
            findings.push(too_long(index));
        }
    }
    findings
}

/// Rules for Rust.
pub(super) fn check_rust(place: &Place<'_>, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::from_iter(check_opening(source));
    findings.extend(check_name(place));
    findings.extend(check_lines(source));
    findings.extend(check_length(source));
    findings.extend(check_functions(source));
    findings
}

fn check_opening(source: &Source) -> Option<Finding> {
    let opens = source.comments.first().is_some_and(|line| line.starts_with("//!"));
    (!opens).then(|| Finding::new(1, "opens without `//!`: say what the file is for"))
}

fn check_name(place: &Place<'_>) -> Option<Finding> {
    let is_empty = |part: &str| EMPTY_NAMES.contains(&part);
    let folder = place.path.rsplit('/').skip(1).any(is_empty);
    (folder || is_empty(place.stem()))
        .then(|| Finding::new(1, "a name without a topic: name the file after what it holds"))
}

fn check_lines(source: &Source) -> Vec<Finding> {
    let lines = source.lines().enumerate();
    lines
        .filter(|(index, (line, classes))| {
            let line: String = line.iter().collect();
            let quotes = classes.contains(&Class::Literal);
            is_too_long(&line) && !(source.tests[*index] && quotes)
        })
        .map(|(index, _)| too_long(index))
        .collect()
}

fn is_too_long(line: &str) -> bool {
    // An address cannot be broken.
    line.chars().count() > LINE_COLUMNS && !line.contains("https://") && !line.contains("http://")
}

fn too_long(index: usize) -> Finding {
    Finding::new(index + 1, format!("over {LINE_COLUMNS} columns: break the line"))
}

fn check_length(source: &Source) -> Option<Finding> {
    let lines = source.tests.iter().filter(|is_test| !**is_test).count();
    (lines > FILE_LINES).then(|| {
        Finding::new(1, format!("{lines} lines outside tests, over {FILE_LINES}: split by topic"))
    })
}

fn check_functions(source: &Source) -> Vec<Finding> {
    let masked = source.masked();
    let mut findings = Vec::new();
    for start in find_all(&masked, "fn ") {
        let follows_word = start > 0 && is_word(masked[start - 1]);
        let names = masked.get(start + 3).is_some_and(|c| is_word(*c));
        let first = line_at(&masked, start);
        if follows_word || !names || source.tests[first] {
            continue;
        }
        let lines = line_at(&masked, end_of_item(&masked, start)) - first + 1;
        if lines > FUNCTION_LINES {
            let problem = format!("a function of {lines} lines, over {FUNCTION_LINES}: split it");
            findings.push(Finding::new(first + 1, problem));
        }
    }
    findings
}
