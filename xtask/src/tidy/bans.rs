//! What may not be written, where, and what to write instead.
//!
//! A ban names the rule's own words only in literals, so that this table does not trip over itself.

use crate::layers::Ring;
use crate::tidy::Finding;
use crate::tidy::place::Place;
use crate::tidy::source::{Source, is_word};

/// Where a ban holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scope {
    /// In all Rust.
    Everywhere,
    /// In all Rust that is not test code.
    OutsideTests,
    /// Where time, tasks and order must come from outside: ring 0 and the service, tests apart.
    Deterministic,
    /// Rings 0 to 2 and the testkit, their tests included.
    Timeless,
    /// All Rust but the one file that makes randomness.
    OutsideEntropy,
    /// The crates of rings 0 to 2 and the fronts, tests apart: configuration is the binary's.
    Unconfigured,
}

impl Scope {
    fn holds(self, place: &Place<'_>, is_test: bool) -> bool {
        match self {
            Self::Everywhere => true,
            Self::OutsideTests => !is_test,
            Self::Deterministic => matches!(place.ring, Some(Ring::Pure | Ring::App)) && !is_test,
            Self::Timeless => {
                matches!(
                    place.ring,
                    Some(Ring::Pure | Ring::Port | Ring::Adapter | Ring::App | Ring::Dev)
                )
            }
            Self::OutsideEntropy => !place.path.starts_with("crates/crypto/src/entropy"),
            Self::Unconfigured => {
                place.path.starts_with("crates/")
                    && !place.path.starts_with("crates/keystead/")
                    && !is_test
            }
        }
    }
}

/// One row of the table.
pub(super) struct Ban {
    pub(super) pattern: &'static str,
    pub(super) instead: &'static str,
    pub(super) scope: Scope,
}

const fn ban(pattern: &'static str, scope: Scope, instead: &'static str) -> Ban {
    Ban { pattern, instead, scope }
}

/// Bans on code. A pattern stands for whole words; one that ends in `_` begins a word.
pub(super) const BANS: [Ban; 32] = [
    ban("fn get_", Scope::Everywhere, "name the value: `fn policy()`"),
    ban("todo!", Scope::Everywhere, "write it or leave it out"),
    ban("unimplemented!", Scope::Everywhere, "write it or leave it out"),
    ban("#[allow(", Scope::Everywhere, "`#[expect(lint, reason = \"…\")]`"),
    ban("#![allow(", Scope::Everywhere, "`#![expect(lint, reason = \"…\")]`"),
    ban("#[ignore", Scope::Everywhere, "make it run, or remove it"),
    ban("assert!(true", Scope::Everywhere, "assert what could be false"),
    ban("HashMap", Scope::Deterministic, "`BTreeMap`: the same order in every run"),
    ban("HashSet", Scope::Deterministic, "`BTreeSet`: the same order in every run"),
    ban("thread::", Scope::Deterministic, "the `Tasks` port; threads live in adapters"),
    ban("tokio::spawn", Scope::Deterministic, "the `Tasks` port"),
    ban("tokio::task", Scope::Deterministic, "the `Tasks` port"),
    ban("tokio::time", Scope::Deterministic, "the `Clock` port"),
    ban("tokio::fs", Scope::Deterministic, "a port of ring 1"),
    ban("std::fs", Scope::Deterministic, "a port of ring 1"),
    ban("std::net", Scope::Deterministic, "a port of ring 1"),
    ban("SystemTime::now", Scope::Timeless, "`now: Timestamp` as a value, or the `Clock` port"),
    ban("Instant::now", Scope::Timeless, "`now: Timestamp` as a value, or the `Clock` port"),
    ban("Timestamp::now", Scope::Timeless, "`now: Timestamp` as a value, or the `Clock` port"),
    ban("Zoned::now", Scope::Timeless, "`now: Timestamp` as a value, or the `Clock` port"),
    ban("thread_rng", Scope::OutsideEntropy, "`&Entropy` as a value"),
    ban("OsRng", Scope::OutsideEntropy, "`&Entropy` as a value"),
    ban("SysRng", Scope::OutsideEntropy, "`&Entropy` as a value"),
    ban("SystemRandom", Scope::OutsideEntropy, "`&Entropy` as a value"),
    ban("getrandom", Scope::OutsideEntropy, "`&Entropy` as a value"),
    ban("rand::random", Scope::OutsideEntropy, "`&Entropy` as a value"),
    ban("RandomState", Scope::OutsideTests, "`BTreeMap`, or a hasher with a fixed key"),
    ban("env::var", Scope::Unconfigured, "a value that the binary hands over"),
    ban("env::var_os", Scope::Unconfigured, "a value that the binary hands over"),
    ban("process::exit", Scope::Unconfigured, "an error that the binary turns into a code"),
    ban("Box<dyn Error>", Scope::OutsideTests, "an enum by thiserror"),
    ban(".unwrap()", Scope::OutsideTests, "`expect(\"why it cannot fail\")`, or return the error"),
];

/// Words that end, or are, a type's name when it has no topic of its own.
const EMPTY_WORDS: [&str; 5] = ["Manager", "Helper", "Util", "Utils", "Impl"];
/// Words that say nothing as the last one of a name.
const EMPTY_LAST_WORDS: [&str; 2] = ["Info", "Data"];

/// Marks of unfinished work; they belong into an issue.
const LEFTOVERS: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Folders of single machines; spelled in two parts, as this file is checked too.
const MACHINE_PATHS: [&str; 3] =
    [concat!("/wo", "rk/"), concat!("/fa", "rm/"), concat!("/tmp/ba", "sh_jobs")];

/// Bans on text of any kind.
pub(super) fn check_text(place: &Place<'_>, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if MACHINE_PATHS.iter().any(|path| line.contains(path)) {
            findings.push(Finding::new(index + 1, "a path of one machine: take it as a parameter"));
        }
        if !place.is_rust() && !place.is_vector() {
            findings.extend(leftover(index, line));
        }
    }
    findings
}

/// Bans on Rust.
pub(super) fn check_rust(place: &Place<'_>, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, code) in source.code.iter().enumerate() {
        let is_test = source.tests[index];
        let holding = BANS.iter().filter(|ban| ban.scope.holds(place, is_test));
        for ban in holding.filter(|ban| contains(code, ban.pattern)) {
            let problem = format!("`{}`: use {}", ban.pattern, ban.instead);
            findings.push(Finding::new(index + 1, problem));
        }
        findings.extend(unskipped_span(index, code));
        findings.extend(empty_name(index, code));
        findings.extend(leftover(index, &source.comments[index]));
    }
    findings
}

fn leftover(index: usize, text: &str) -> Option<Finding> {
    let mark = LEFTOVERS.iter().find(|mark| contains(text, mark))?;
    Some(Finding::new(index + 1, format!("`{mark}`: do it, or open an issue and say so in words")))
}

/// A span records every argument unless told otherwise, and arguments hold secrets.
fn unskipped_span(index: usize, code: &str) -> Option<Finding> {
    let bare = code.contains("#[instrument") || code.contains("#[tracing::instrument");
    (bare && !code.contains("skip_all"))
        .then(|| Finding::new(index + 1, "`#[instrument]`: use `#[instrument(skip_all)]`"))
}

fn empty_name(index: usize, code: &str) -> Option<Finding> {
    let words: Vec<&str> = code.split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect();
    let defined = words
        .windows(2)
        .find(|pair| matches!(pair[0], "struct" | "enum" | "trait" | "type" | "union"))?;
    let name = defined[1];
    let parts = camel_words(name);
    let says_nothing = parts.iter().any(|part| EMPTY_WORDS.contains(&part.as_str()))
        || parts.last().is_some_and(|part| EMPTY_LAST_WORDS.contains(&part.as_str()));
    says_nothing.then(|| {
        Finding::new(index + 1, format!("`{name}`: name the type after what it is in the field"))
    })
}

fn camel_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if !c.is_uppercase() => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    words
}

/// Whether `pattern` stands in `text` and no word goes on beyond it.
fn contains(text: &str, pattern: &str) -> bool {
    let starts_word = pattern.starts_with(is_word);
    let ends_word = pattern.ends_with(is_word) && !pattern.ends_with('_');
    text.match_indices(pattern).any(|(at, _)| {
        let goes_on_before = text[..at].chars().next_back().is_some_and(is_word);
        let goes_on_after = text[at + pattern.len()..].chars().next().is_some_and(is_word);
        !(starts_word && goes_on_before || ends_word && goes_on_after)
    })
}
