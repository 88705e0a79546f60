//! Reads a printed secret as a person types it in at the worst moment.
//!
//! Invariant: forgiving in form and strict in content: whatever is accepted has every check word
//! and the checksum right; what is refused is named by line and place, without the words.

use bip39::Language;
use keystead_domain::KitId;
use zeroize::Zeroizing;

use super::{
    LINES, LineProblem, PrintedRefused, PrintedSecret, WORDS_PER_LINE, check_word, from_indices,
};

const MIN_PREFIX_LETTERS: usize = 4;

pub(super) fn parse(text: &str) -> Result<PrintedSecret, PrintedRefused> {
    let text = Zeroizing::new(text.to_lowercase());
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let kit = lines.next().unwrap_or_default().parse().map_err(|_| PrintedRefused::KitLine)?;
    let lines: Vec<&str> = lines.collect();
    if lines.len() != LINES {
        return Err(PrintedRefused::LineCount { found: lines.len() });
    }
    let mut indices = Zeroizing::new(Vec::with_capacity(LINES * WORDS_PER_LINE));
    let mut unfitting = Vec::new();
    for (line, number) in lines.into_iter().zip(1u8..) {
        match parse_line(kit, number, line, &mut indices) {
            Ok(()) => {}
            Err(LineProblem::CheckWord) => unfitting.push(usize::from(number)),
            Err(problem) => return Err(PrintedRefused::Line { line: number.into(), problem }),
        }
    }
    match unfitting[..] {
        [] => {}
        _ if unfitting.len() == LINES => return Err(PrintedRefused::OtherKit { kit }),
        [line, ..] => {
            return Err(PrintedRefused::Line { line, problem: LineProblem::CheckWord });
        }
    }
    let secret = from_indices(&indices).ok_or(PrintedRefused::Checksum)?;
    Ok(PrintedSecret::new(kit, secret))
}

fn parse_line(
    kit: KitId,
    number: u8,
    line: &str,
    indices: &mut Vec<u16>,
) -> Result<(), LineProblem> {
    let mut tokens: Vec<&str> = line.split_whitespace().collect();
    if tokens.first().is_some_and(|first| first.starts_with(|c: char| c.is_ascii_digit())) {
        let first = tokens.remove(0).trim_end_matches(['.', ':', ')']);
        if first != number.to_string() {
            return Err(LineProblem::Number);
        }
    }
    if tokens.len() != WORDS_PER_LINE + 1 {
        return Err(LineProblem::WordCount { found: tokens.len() });
    }
    let list = Language::English.word_list();
    let mut words = [""; WORDS_PER_LINE + 1];
    for (at, token) in tokens.iter().enumerate() {
        let index = find(token).ok_or(LineProblem::UnknownWord { position: at + 1 })?;
        words[at] = list[usize::from(index)];
        if at < WORDS_PER_LINE {
            indices.push(index);
        }
    }
    match check_word(kit, number, &words[..WORDS_PER_LINE]) == words[WORDS_PER_LINE] {
        true => Ok(()),
        false => Err(LineProblem::CheckWord),
    }
}

/// The word itself, or the only one that begins with these four letters or more.
fn find(token: &str) -> Option<u16> {
    let english = Language::English;
    if let Some(index) = english.find_word(token) {
        return Some(index);
    }
    match english.words_by_prefix(token) {
        [only] if token.len() >= MIN_PREFIX_LETTERS => english.find_word(only),
        _ => None,
    }
}
