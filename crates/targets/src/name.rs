//! Names objects so that every form of vault can hold them under the same name.
//!
//! Invariant: a name is 1 to 512 bytes of `[A-Za-z0-9._-]` segments between single slashes; no
//! segment begins with a dot or exceeds 255 bytes.
//!
//! Why so narrow: a name becomes a path, an object key and a line in a report without any escaping;
//! names that begin with a dot stay free for what a form keeps for itself.

use std::{fmt, str::FromStr};

const MAX_NAME_BYTES: usize = 512;
/// `NAME_MAX` of every file system in use: a segment becomes one folder entry.
const MAX_SEGMENT_BYTES: usize = 255;

/// The name of an object in a vault.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectName(String);

/// Why a text names no object, or is no prefix of names.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameInvalid {
    /// The name or one of its segments is empty.
    #[error("a name and each of its segments need at least one character")]
    Empty,
    /// The name exceeds 512 bytes.
    #[error("a name has at most {MAX_NAME_BYTES} bytes, not {bytes}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A segment exceeds 255 bytes.
    #[error("a segment has at most {MAX_SEGMENT_BYTES} bytes, not {bytes}")]
    SegmentTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A segment begins with a dot.
    #[error("the segment `{segment}` begins with a dot")]
    Dotted {
        /// The segment.
        segment: String,
    },
    /// A character is not in `[A-Za-z0-9._-]`.
    #[error("`{character}` is not one of A-Z a-z 0-9 . _ -")]
    CharacterRefused {
        /// The first such character.
        character: char,
    },
    /// A prefix neither is empty nor ends with a slash.
    #[error("a prefix is empty or ends with `/`")]
    PrefixUnended,
}

impl ObjectName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders above the object, outermost first, and its own segment.
    pub(crate) fn parts(&self) -> (Vec<&str>, &str) {
        let mut segments: Vec<&str> = self.0.split('/').collect();
        let leaf = segments.pop().expect("splitting gives at least one segment");
        (segments, leaf)
    }
}

/// Checks a prefix as `list` takes it and gives its folders, outermost first.
pub(crate) fn prefix_folders(prefix: &str) -> Result<Vec<&str>, NameInvalid> {
    if prefix.is_empty() {
        return Ok(Vec::new());
    }
    let name = prefix.strip_suffix('/').ok_or(NameInvalid::PrefixUnended)?;
    check(name)?;
    Ok(name.split('/').collect())
}

fn check(name: &str) -> Result<(), NameInvalid> {
    if name.len() > MAX_NAME_BYTES {
        return Err(NameInvalid::TooLong { bytes: name.len() });
    }
    name.split('/').try_for_each(check_segment)
}

fn check_segment(segment: &str) -> Result<(), NameInvalid> {
    let refused = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if segment.is_empty() {
        return Err(NameInvalid::Empty);
    }
    if let Some(character) = segment.chars().find(refused) {
        return Err(NameInvalid::CharacterRefused { character });
    }
    if segment.starts_with('.') {
        return Err(NameInvalid::Dotted { segment: segment.to_owned() });
    }
    if segment.len() > MAX_SEGMENT_BYTES {
        return Err(NameInvalid::SegmentTooLong { bytes: segment.len() });
    }
    Ok(())
}

impl TryFrom<String> for ObjectName {
    type Error = NameInvalid;

    fn try_from(name: String) -> Result<ObjectName, NameInvalid> {
        check(&name)?;
        Ok(ObjectName(name))
    }
}

impl TryFrom<&str> for ObjectName {
    type Error = NameInvalid;

    fn try_from(name: &str) -> Result<ObjectName, NameInvalid> {
        name.to_owned().try_into()
    }
}

impl FromStr for ObjectName {
    type Err = NameInvalid;

    fn from_str(name: &str) -> Result<ObjectName, NameInvalid> {
        name.try_into()
    }
}

impl AsRef<str> for ObjectName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_at_the_bounds_are_taken() {
        let segment = "s".repeat(255);
        for name in ["a", "a/b", "A-z_0.9", "tile/0/x001/234.p/5", "a..b", "-", &segment] {
            assert_eq!(ObjectName::try_from(name).unwrap().to_string(), name);
        }
        let full = format!("{segment}/{}/b", &segment[..254]);
        assert_eq!(full.len(), 512);
        assert!(full.parse::<ObjectName>().is_ok());
    }

    #[test]
    fn every_other_name_is_refused_with_its_reason() {
        use NameInvalid as No;
        let dotted = |segment: &str| No::Dotted { segment: segment.to_owned() };
        let refused = |character| No::CharacterRefused { character };
        for (name, reason) in [
            ("", No::Empty),
            ("/a", No::Empty),
            ("a/", No::Empty),
            ("a//b", No::Empty),
            (".", dotted(".")),
            ("..", dotted("..")),
            ("a/../b", dotted("..")),
            (".tmp/a", dotted(".tmp")),
            ("a b", refused(' ')),
            ("a\\b", refused('\\')),
            ("a\0", refused('\0')),
            ("\u{e9}", refused('\u{e9}')),
            ("a?b", refused('?')),
            (&"s".repeat(256), No::SegmentTooLong { bytes: 256 }),
            (&"a/".repeat(300), No::TooLong { bytes: 600 }),
        ] {
            assert_eq!(ObjectName::try_from(name), Err(reason), "{name:?}");
        }
    }

    #[test]
    fn a_prefix_is_empty_or_names_folders() {
        assert_eq!(prefix_folders(""), Ok(vec![]));
        assert_eq!(prefix_folders("a/b/"), Ok(vec!["a", "b"]));
        assert_eq!(prefix_folders("a"), Err(NameInvalid::PrefixUnended));
        assert_eq!(prefix_folders("/"), Err(NameInvalid::Empty));
        assert!(prefix_folders("../").is_err() && prefix_folders("a//").is_err());
    }

    proptest! {
        #[test]
        fn no_name_leaves_its_folder(text in "[a./\\\\ -]{0,12}") {
            if let Ok(name) = ObjectName::try_from(text.as_str()) {
                let path = std::path::Path::new(name.as_str());
                let normal = |part| matches!(part, std::path::Component::Normal(_));
                prop_assert!(path.components().all(normal));
                prop_assert_eq!(path.components().count(), name.as_str().split('/').count());
            }
        }
    }
}
