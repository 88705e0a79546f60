//! Rust text with each character marked as code, comment or literal, and each line as test or not.
//!
//! Rules about code must not trip over prose, nor rules about comments over a quoted sample. The
//! scanner knows nested comments, raw, byte and C strings, and tells lifetimes from characters.

use crate::tidy::place::Place;

/// What a character of Rust text belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Class {
    Code,
    Comment,
    Literal,
}

/// One Rust file.
pub(super) struct Source {
    chars: Vec<char>,
    classes: Vec<Class>,
    /// The code with all else blanked, line by line.
    pub(super) code: Vec<String>,
    /// The comments with all else blanked, line by line.
    pub(super) comments: Vec<String>,
    /// Whether each line is test code.
    pub(super) tests: Vec<bool>,
}

impl Source {
    pub(super) fn new(place: &Place<'_>, text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let classes = classify(&chars);
        let code = lines_of(&chars, &classes, Class::Code);
        let comments = lines_of(&chars, &classes, Class::Comment);
        let tests = vec![place.is_test(); code.len()];
        let mut source = Self { chars, classes, code, comments, tests };
        source.mark_test_items();
        source
    }

    /// The whole code, with all else blanked.
    pub(super) fn masked(&self) -> Vec<char> {
        let blank = |(c, class)| if class == Class::Code || c == '\n' { c } else { ' ' };
        self.chars.iter().copied().zip(self.classes.iter().copied()).map(blank).collect()
    }

    /// The original lines, each with the class of its characters.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&[char], &[Class])> {
        let mut from = 0;
        self.chars.split(|c| *c == '\n').map(move |line| {
            let classes = &self.classes[from..from + line.len()];
            from += line.len() + 1;
            (line, classes)
        })
    }

    /// Marks the items under `#[cfg(test)]`.
    fn mark_test_items(&mut self) {
        let masked = self.masked();
        for attribute in ["#[cfg(test)]", "#[cfg(all(test"] {
            for start in find_all(&masked, attribute) {
                let end = end_of_item(&masked, start + attribute.len());
                let (first, last) = (line_at(&masked, start), line_at(&masked, end));
                self.tests[first..=last].fill(true);
            }
        }
    }
}

/// The line, counted from 0, of a place in the text.
pub(super) fn line_at(chars: &[char], place: usize) -> usize {
    chars[..place.min(chars.len())].iter().filter(|c| **c == '\n').count()
}

/// Where `pattern` begins, each time.
pub(super) fn find_all(chars: &[char], pattern: &str) -> Vec<usize> {
    let pattern: Vec<char> = pattern.chars().collect();
    let windows = chars.windows(pattern.len()).enumerate();
    windows.filter(|(_, window)| *window == pattern).map(|(place, _)| place).collect()
}

/// The closing brace of the item whose head contains `from`, or its semicolon.
pub(super) fn end_of_item(masked: &[char], from: usize) -> usize {
    let mut depth = 0_i32;
    for (place, c) in masked.iter().enumerate().skip(from) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' => {
                depth -= 1;
                if depth <= 0 {
                    return place;
                }
            }
            ';' if depth == 0 => return place,
            _ => {}
        }
    }
    masked.len()
}

fn lines_of(chars: &[char], classes: &[Class], kept: Class) -> Vec<String> {
    let blank = |(c, class): (&char, &Class)| if *class == kept || *c == '\n' { *c } else { ' ' };
    let text: String = chars.iter().zip(classes).map(blank).collect();
    text.split('\n').map(str::to_owned).collect()
}

fn classify(chars: &[char]) -> Vec<Class> {
    let mut classes = Vec::with_capacity(chars.len());
    while classes.len() < chars.len() {
        let (class, length) = token(chars, classes.len());
        let length = length.clamp(1, chars.len() - classes.len());
        classes.extend(std::iter::repeat_n(class, length));
    }
    classes
}

/// The class of what begins at `at`, and how many characters it has.
fn token(chars: &[char], at: usize) -> (Class, usize) {
    let rest = &chars[at..];
    match rest {
        ['/', '/', ..] => (Class::Comment, line_comment(rest)),
        ['/', '*', ..] => (Class::Comment, block_comment(rest)),
        ['"', ..] => (Class::Literal, quoted(rest)),
        ['\'', ..] => match character(rest) {
            Some(length) => (Class::Literal, length),
            None => (Class::Code, 1),
        },
        [first, ..] if is_word(*first) => word(rest),
        _ => (Class::Code, 1),
    }
}

fn line_comment(rest: &[char]) -> usize {
    rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a string with escapes, quotes included.
fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal; none for a lifetime.
fn character(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', _, tail @ ..] => Some(tail.iter().position(|c| *c == '\'')? + 4),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// A word, or the literal that a word such as `br##` begins.
fn word(rest: &[char]) -> (Class, usize) {
    let length = rest.iter().position(|c| !is_word(*c)).unwrap_or(rest.len());
    let (word, tail) = rest.split_at(length);
    let word: String = word.iter().collect();
    match (word.as_str(), tail) {
        ("b" | "c", ['"', ..]) => (Class::Literal, length + quoted(tail)),
        ("b", ['\'', ..]) => (Class::Literal, length + character(tail).unwrap_or(1)),
        ("r" | "br" | "cr", ['"' | '#', ..]) => match raw(tail) {
            Some(raw) => (Class::Literal, length + raw),
            None => (Class::Code, length),
        },
        _ => (Class::Code, length),
    }
}

/// The length of `##"…"##`; none where the hashes begin a raw identifier.
fn raw(tail: &[char]) -> Option<usize> {
    let hashes = tail.iter().position(|c| *c != '#')?;
    if tail[hashes] != '"' {
        return None;
    }
    let mut close = vec!['"'];
    close.extend(std::iter::repeat_n('#', hashes));
    let body = &tail[hashes + 1..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(tail.len(), |end| hashes + 1 + end + close.len()))
}

/// Whether a character may stand in an identifier.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{Place, Source};

    fn code(text: &str) -> String {
        Source::new(&Place::of("a.rs"), text).masked().into_iter().collect()
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        assert_eq!(code("a // b\nc"), "a     \nc");
        assert_eq!(code("a /* b /* c */ d */ e"), "a                   e");
        assert_eq!(code(r#"f("a\"b", c)"#), "f(      , c)");
        assert_eq!(code(r##"r#"a"b"# + b"c" + br"d" "##), "         +      +       ");
        assert_eq!(code("let r#type = 1;"), "let r#type = 1;");
    }

    #[test]
    fn lifetimes_are_code_and_characters_are_not() {
        assert_eq!(code("&'a str"), "&'a str");
        assert_eq!(code("('\"', b'\\'', '\\u{41}', x)"), "(   ,      ,         , x)");
    }

    #[test]
    fn an_open_literal_ends_with_the_file() {
        assert_eq!(code("a \"b"), "a   ");
        assert_eq!(code("a r#\"b\""), "a      ");
        assert_eq!(code("a /* b"), "a     ");
    }

    #[test]
    fn test_items_are_marked_to_their_closing_brace() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { [1; 2]; }\n}\nfn c() {}\n";
        let source = Source::new(&Place::of("a.rs"), text);
        assert_eq!(source.tests, [false, true, true, true, true, false, false]);
        let outside = Source::new(&Place::of("a.rs"), "#[cfg(test)]\nmod tests;\nfn c() {}");
        assert_eq!(outside.tests, [true, true, false]);
        let whole = Source::new(&Place::of("crates/a/tests/it/main.rs"), "fn c() {}");
        assert_eq!(whole.tests, [true]);
    }
}
