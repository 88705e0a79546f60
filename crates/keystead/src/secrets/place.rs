//! Says where a secret lies, in one text for flags and one for the configuration.
//!
//! Invariant: a reference holds no secret and may be shown; what is displayed parses back to an
//! equal value.

use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Stdin,
    /// Behind an open descriptor, 3 or more.
    Descriptor(u32),
    /// In an environment variable.
    Environment(String),
    /// In `$CREDENTIALS_DIRECTORY`, where systemd puts a unit's credentials.
    Credential(String),
}

/// Why a text refers to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ReferenceInvalid {
    /// Nothing at all.
    #[error("no file is named; write a path, `-` or fd:N")]
    Empty,
    /// Not a descriptor that a caller can have opened.
    #[error("`{text}` names no open descriptor; write fd:3 or higher")]
    Descriptor {
        /// The text.
        text: String,
    },
    /// A configuration's reference where a path stands.
    #[error("`{text}` is a reference of the configuration; here write a path, `-` or fd:N")]
    OfConfiguration {
        /// The text.
        text: String,
    },
    /// No scheme that the configuration knows. The text is not repeated: it may be the secret.
    #[error(
        "a secret stands here only as a reference: file:PATH, env:NAME, credential:NAME, fd:N or -"
    )]
    Scheme,
    /// A credential's name is a path.
    #[error("`{name}` is no name of a credential (letters, digits, `-`, `_`, `.`)")]
    Credential {
        /// The name.
        name: String,
    },
    /// No name of a variable.
    #[error("`{name}` is no name of an environment variable")]
    Environment {
        /// The name.
        name: String,
    },
}

impl Reference {
    /// As flags write it: a path, `-` or `fd:N`.
    pub(crate) fn from_flag(text: &str) -> Result<Self, ReferenceInvalid> {
        match text.split_once(':') {
            _ if text.is_empty() => Err(ReferenceInvalid::Empty),
            _ if text == "-" => Ok(Self::Stdin),
            Some(("fd", number)) => descriptor(number, text),
            Some(("file" | "env" | "credential", _)) => {
                Err(ReferenceInvalid::OfConfiguration { text: text.to_owned() })
            }
            _ => Ok(Self::File(text.into())),
        }
    }

    /// What of this process it uses up by being read, where it does.
    pub(super) fn stream(&self) -> Option<u32> {
        match self {
            Self::Stdin => Some(0),
            Self::Descriptor(number) => Some(*number),
            Self::File(_) | Self::Environment(_) | Self::Credential(_) => None,
        }
    }
}

/// As the configuration writes it.
impl FromStr for Reference {
    type Err = ReferenceInvalid;

    fn from_str(text: &str) -> Result<Self, ReferenceInvalid> {
        match text.split_once(':') {
            _ if text == "-" => Ok(Self::Stdin),
            Some(("fd", number)) => descriptor(number, text),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) => environment(name),
            Some(("credential", name)) => credential(name),
            _ => Err(ReferenceInvalid::Scheme),
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Stdin => f.write_str("-"),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::Credential(name) => write!(f, "credential:{name}"),
        }
    }
}

fn descriptor(number: &str, text: &str) -> Result<Reference, ReferenceInvalid> {
    let plain = number.bytes().all(|c| c.is_ascii_digit());
    let number = number.parse().ok().filter(|number| plain && (3..=65_535).contains(number));
    let refused = || ReferenceInvalid::Descriptor { text: text.to_owned() };
    number.map(Reference::Descriptor).ok_or_else(refused)
}

fn environment(name: &str) -> Result<Reference, ReferenceInvalid> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(ReferenceInvalid::Environment { name: name.to_owned() });
    }
    Ok(Reference::Environment(name.to_owned()))
}

fn credential(name: &str) -> Result<Reference, ReferenceInvalid> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(ReferenceInvalid::Credential { name: name.to_owned() });
    }
    Ok(Reference::Credential(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_takes_a_path_a_dash_or_a_descriptor() {
        for (text, reference) in [
            ("secret.txt", Reference::File("secret.txt".into())),
            ("./env:odd", Reference::File("./env:odd".into())),
            ("-", Reference::Stdin),
            ("fd:3", Reference::Descriptor(3)),
        ] {
            assert_eq!(Reference::from_flag(text), Ok(reference));
        }
        for bad in ["", "fd:", "fd:0", "fd:2", "fd:-3", "fd:+3", "fd:70000", "env:A", "file:/a"] {
            assert!(Reference::from_flag(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_configuration_takes_references_that_display_round_trips() {
        for text in ["file:/etc/p", "file:p:q", "env:A", "credential:a-b_c.d", "fd:3", "-"] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_may_be_the_secret_itself_is_refused_and_not_repeated() {
        for bad in ["hunter2", "file:", "", "pass:word", "FILE:/a", "vault:x"] {
            let refused = bad.parse::<Reference>().unwrap_err();
            assert_eq!(refused, ReferenceInvalid::Scheme);
            assert!(!refused.to_string().contains("hunter2"));
        }
        for bad in ["env:", "env:A=B", "credential:", "credential:../a", "credential:.a"] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }
}
