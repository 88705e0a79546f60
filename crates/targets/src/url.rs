//! Says where a vault is, in one line that an operator writes and every report repeats.
//!
//! Invariant: what is displayed parses back to an equal value, and two texts for one place parse to
//! equal values (escapes and a final slash do not count).
//!
//! Why refuse rather than guess: a mistyped place would be a backup that is somewhere else.

use std::path::Path;
use std::{fmt, str::FromStr};

/// The place of a vault: `dir:///A` or `dir:///A?domain=NAME`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VaultUrl {
    folder: String,
    domain: Option<String>,
}

/// Why a text is no place of a vault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UrlInvalid {
    /// The text begins with no scheme that we know.
    #[error("`{url}` is no known kind of vault; supported is dir:///FOLDER[?domain=NAME]")]
    SchemeUnknown {
        /// The text.
        url: String,
    },
    /// The path does not begin at the root of the file system.
    #[error("`{url}` has no absolute path; write dir:///FOLDER with three slashes")]
    PathNotAbsolute {
        /// The text.
        url: String,
    },
    /// The path has no segment, an empty one, `.` or `..`, or is not UTF-8.
    #[error("`{path}` is no plain absolute path of a folder (no `.`, `..` or `//`)")]
    PathInvalid {
        /// The path, decoded where it could be.
        path: String,
    },
    /// An escape is not `%` and two hexadecimal digits, or gives no UTF-8, or a raw `#` stands.
    #[error("`{text}` is not escaped well; write `%` as %25, `?` as %3F and `#` as %23")]
    EscapeInvalid {
        /// The part with the escape.
        text: String,
    },
    /// A key after `?` is unknown.
    #[error("`{key}` is not known; supported is domain=NAME")]
    QueryUnknown {
        /// The key.
        key: String,
    },
    /// The failure domain is given twice.
    #[error("`domain` is given twice")]
    DomainRepeated,
    /// The failure domain's name is empty, over 128 bytes, or has control characters.
    #[error("`{domain}` is no name of a failure domain (1 to 128 bytes, no control characters)")]
    DomainInvalid {
        /// The name.
        domain: String,
    },
}

impl VaultUrl {
    /// The place of a folder, with no declared failure domain.
    ///
    /// # Errors
    /// [`UrlInvalid`] where the path is not absolute, not plain or not UTF-8.
    pub fn directory(path: &Path) -> Result<VaultUrl, UrlInvalid> {
        let Some(text) = path.to_str() else {
            return Err(UrlInvalid::PathInvalid { path: path.display().to_string() });
        };
        Ok(VaultUrl { folder: checked_folder(text.to_owned())?, domain: None })
    }

    /// The same place with a declared failure domain.
    ///
    /// # Errors
    /// [`UrlInvalid::DomainInvalid`].
    pub fn with_domain(self, name: &str) -> Result<VaultUrl, UrlInvalid> {
        Ok(VaultUrl { domain: Some(checked_domain(name.to_owned())?), ..self })
    }

    /// The folder's absolute path.
    #[must_use]
    pub fn folder(&self) -> &Path {
        Path::new(&self.folder)
    }

    /// The failure domain that the operator declared.
    #[must_use]
    pub fn declared_domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }
}

impl FromStr for VaultUrl {
    type Err = UrlInvalid;

    fn from_str(url: &str) -> Result<VaultUrl, UrlInvalid> {
        let Some(rest) = url.strip_prefix("dir:") else {
            return Err(UrlInvalid::SchemeUnknown { url: url.to_owned() });
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let Some(path) = path.strip_prefix("//").filter(|path| path.starts_with('/')) else {
            return Err(UrlInvalid::PathNotAbsolute { url: url.to_owned() });
        };
        let folder = checked_folder(decoded(path)?)?;
        Ok(VaultUrl { folder, domain: parsed_query(query)? })
    }
}

impl fmt::Display for VaultUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dir://{}", Escaped(&self.folder))?;
        match &self.domain {
            Some(domain) => write!(f, "?domain={}", Escaped(domain)),
            None => Ok(()),
        }
    }
}

fn parsed_query(query: &str) -> Result<Option<String>, UrlInvalid> {
    let mut domain = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key != "domain" {
            return Err(UrlInvalid::QueryUnknown { key: key.to_owned() });
        }
        if domain.replace(checked_domain(decoded(value)?)?).is_some() {
            return Err(UrlInvalid::DomainRepeated);
        }
    }
    Ok(domain)
}

fn checked_folder(path: String) -> Result<String, UrlInvalid> {
    let plain = path.strip_suffix('/').unwrap_or(&path);
    let bad = |segment: &str| matches!(segment, "" | "." | "..") || segment.contains('\0');
    match plain.strip_prefix('/') {
        Some(inner) if !inner.split('/').any(bad) => Ok(plain.to_owned()),
        _ => Err(UrlInvalid::PathInvalid { path }),
    }
}

fn checked_domain(domain: String) -> Result<String, UrlInvalid> {
    let plain = (1..=128).contains(&domain.len()) && !domain.contains(char::is_control);
    if plain { Ok(domain) } else { Err(UrlInvalid::DomainInvalid { domain }) }
}

fn decoded(text: &str) -> Result<String, UrlInvalid> {
    let invalid = || UrlInvalid::EscapeInvalid { text: text.to_owned() };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => escaped_byte(rest.next(), rest.next()).ok_or_else(invalid)?,
            b'#' => return Err(invalid()),
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

fn escaped_byte(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|n| u8::try_from(n).ok());
    Some(digit(high?)? << 4 | digit(low?)?)
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if character.is_whitespace() || character.is_control() || "%?#&`".contains(character) {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    write!(f, "%{byte:02X}")?;
                }
            } else {
                write!(f, "{character}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(url: &str) -> VaultUrl {
        url.parse().unwrap()
    }

    #[test]
    fn a_folder_and_its_domain_are_read() {
        let plain = parsed("dir:///srv/a");
        assert_eq!((plain.folder(), plain.declared_domain()), (Path::new("/srv/a"), None));
        let declared = parsed("dir:///srv/a?domain=cellar");
        assert_eq!(declared.declared_domain(), Some("cellar"));
        assert_ne!(plain, declared);
        assert_eq!(plain.with_domain("cellar"), Ok(declared));
    }

    #[test]
    fn two_spellings_of_one_place_are_equal() {
        assert_eq!(parsed("dir:///srv/a/"), parsed("dir:///srv/a"));
        assert_eq!(parsed("dir:///srv/%61%20b"), parsed("dir:///srv/a b"));
        assert_eq!(parsed("dir:///a?"), parsed("dir:///a"));
        assert_eq!(VaultUrl::directory(Path::new("/srv/a")), Ok(parsed("dir:///srv/a")));
    }

    #[test]
    fn display_escapes_what_would_be_read_otherwise() {
        let url = VaultUrl::directory(Path::new("/100% a?b#c&d")).unwrap();
        let url = url.with_domain("a&b=c").unwrap();
        assert_eq!(url.to_string(), "dir:///100%25%20a%3Fb%23c%26d?domain=a%26b=c");
        assert_eq!(parsed(&url.to_string()), url);
    }

    #[test]
    fn every_other_text_is_refused_with_what_is_supported() {
        for (url, said) in [
            ("", "supported is dir:///FOLDER"),
            ("s3://bucket/a", "supported is dir:///FOLDER"),
            ("/srv/a", "supported is dir:///FOLDER"),
            ("DIR:///a", "supported is dir:///FOLDER"),
            ("dir:srv", "three slashes"),
            ("dir:/srv", "three slashes"),
            ("dir://host/a", "three slashes"),
            ("dir:///", "plain absolute path"),
            ("dir:////a", "plain absolute path"),
            ("dir:///a/../b", "plain absolute path"),
            ("dir:///a/%2e%2E/b", "plain absolute path"),
            ("dir:///a/./b", "plain absolute path"),
            ("dir:///a%00", "plain absolute path"),
            ("dir:///a%2", "escaped"),
            ("dir:///a%zz", "escaped"),
            ("dir:///a%+1", "escaped"),
            ("dir:///a%ff", "escaped"),
            ("dir:///a#b", "escaped"),
            ("dir:///a?dom=b", "supported is domain=NAME"),
            ("dir:///a?domain=b&lock=1", "`lock` is not known"),
            ("dir:///a?domain=b&domain=b", "twice"),
            ("dir:///a?domain=", "failure domain"),
            ("dir:///a?domain", "failure domain"),
            ("dir:///a?domain=%0A", "failure domain"),
        ] {
            let refused = url.parse::<VaultUrl>().unwrap_err().to_string();
            assert!(refused.contains(said), "{url}: {refused}");
        }
        assert!(VaultUrl::directory(Path::new("srv/a")).is_err());
    }

    proptest! {
        #[test]
        fn display_round_trips(path in "(/[^/\0]{1,8}){1,3}", domain in "\\PC{0,9}") {
            let Ok(mut url) = VaultUrl::directory(Path::new(&path)) else { return Ok(()) };
            if !domain.is_empty() {
                url = url.with_domain(&domain).unwrap();
            }
            prop_assert_eq!(url.to_string().parse::<VaultUrl>(), Ok(url));
        }

        #[test]
        fn no_text_panics(text in "(dir:///)?[a%?#&=/.2f]{0,12}") {
            if let Ok(url) = text.parse::<VaultUrl>() {
                prop_assert_eq!(url.to_string().parse::<VaultUrl>(), Ok(url));
            }
        }
    }
}
