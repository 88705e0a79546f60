//! Makes text from elsewhere harmless for a terminal.
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
}
