//! Makes text from elsewhere harmless for a terminal, and instants short for people.
//!
//! Invariant: no control character of a server's answer, a file or an argument reaches a terminal,
//! where it could move the cursor, hide a line or answer a question.

use std::borrow::Cow;

/// The text, with control characters other than line breaks written as `\u{…}`.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| c == '\n' || !(c.is_control() || is_direction(c));
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if harmless(c) { c.to_string() } else { c.escape_unicode().to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// An RFC 3339 instant without its fraction of a second; any other text as it is.
pub(crate) fn moment(text: &str) -> Cow<'_, str> {
    match text.split_once('.') {
        Some((seconds, fraction)) if fraction.ends_with('Z') && seconds.len() == 19 => {
            Cow::Owned(format!("{seconds}Z"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// Marks that reverse how the rest of a line reads.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert!(matches!(shown("ø plain\nline"), Cow::Borrowed(_)));
        assert_eq!(shown("a\u{1b}[2Jb\rc"), "a\\u{1b}[2Jb\\u{d}c");
        assert_eq!(shown("x\u{202e}y"), "x\\u{202e}y");
    }

    #[test]
    fn a_moment_loses_its_fraction_and_nothing_else() {
        assert_eq!(moment("2026-11-22T04:12:31.855533Z"), "2026-11-22T04:12:31Z");
        for same in ["2026-11-22T04:12:31Z", "not proven", "a.bZ", ""] {
            assert_eq!(moment(same), same);
        }
    }
}
