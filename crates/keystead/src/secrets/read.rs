//! Reads a secret from where its reference says.
//!
//! Invariant: exactly one newline at the end is dropped and nothing else is changed, so that what a
//! file gives is what a person types; nothing empty and nothing over 4,096 bytes is taken; no error
//! repeats a byte of it.

use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use keystead_crypto::{PassphraseWeak, judge};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::exit::{Exit, Explained};
use crate::output::warn;
use crate::secrets::{Reference, SecretText};

/// The longest secret, in bytes.
const MAX_BYTES: usize = 4096;

/// For what a secret is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// It opens something that exists: one line, of any strength.
    Passphrase,
    /// It will protect something: one line, and the floor holds.
    NewPassphrase,
    /// The words of a printed secret, on as many lines as the sheet has.
    PrintedSecret,
}

/// Why a secret was not taken.
#[derive(Debug, Error)]
pub(crate) enum IntakeRefused {
    /// Its place cannot be read.
    #[error("cannot read {what} from `{from}`: {source}")]
    Unreadable {
        /// What it is.
        what: &'static str,
        /// Where it should be.
        from: String,
        /// What the system answered.
        source: io::Error,
    },
    /// The reference needs something of the environment that is not there.
    #[error("cannot read {what}: the environment has no `{variable}`")]
    Absent {
        /// What it is.
        what: &'static str,
        /// The variable.
        variable: String,
    },
    /// There is nothing.
    #[error("{what} in `{from}` is empty")]
    Empty {
        /// What it is.
        what: &'static str,
        /// Where it was read.
        from: String,
    },
    /// There is too much.
    #[error("{what} in `{from}` is over {MAX_BYTES} bytes long")]
    Long {
        /// What it is.
        what: &'static str,
        /// Where it was read.
        from: String,
    },
    /// It is not UTF-8.
    #[error("{what} in `{from}` is not UTF-8 text")]
    NotText {
        /// What it is.
        what: &'static str,
        /// Where it was read.
        from: String,
    },
    /// It could not be typed.
    #[error("{what} in `{from}` holds a line break or another control character")]
    Control {
        /// What it is.
        what: &'static str,
        /// Where it was read.
        from: String,
    },
    /// It is below the floor.
    #[error(transparent)]
    Weak(#[from] PassphraseWeak),
    /// Two secrets would come from one stream.
    #[error("`{from}` is named for two secrets, and a stream can be read once only")]
    Shared {
        /// The stream.
        from: String,
    },
    /// A question where nobody can answer.
    #[error("{what} is needed and there is no terminal to ask on")]
    NoTerminal {
        /// What is needed.
        what: &'static str,
        /// The flag that gives it.
        flag: &'static str,
    },
    /// The terminal failed.
    #[error("cannot ask on the terminal: {source}")]
    Terminal {
        /// What the system answered.
        source: io::Error,
    },
    /// Two entries differ.
    #[error("the two entries differ")]
    Differ,
    /// A made passphrase cannot be written.
    #[error("cannot write the new passphrase to `{}`: {source}", .path.display())]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

impl Explained for IntakeRefused {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Weak(weak) => format!(
                "{} Or let one be made: leave the answer empty on a terminal, or give the flag \
                 that ends in passphrase-out",
                weak.verdict.advice.join(" ")
            ),
            Self::NoTerminal { flag, .. } => format!("give `{flag} FILE`"),
            Self::Unwritable { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                "name a new file, or read the existing one with the flag that ends in \
                 passphrase-file"
                    .to_owned()
            }
            Self::Control { .. } => "a passphrase is one line of text".to_owned(),
            Self::Differ => "type the same passphrase twice".to_owned(),
            Self::Unreadable { .. } | Self::Unwritable { .. } => {
                "check the path and its permissions".to_owned()
            }
            Self::Absent { variable, .. } => format!("set `{variable}`, or name a file"),
            Self::Empty { .. } | Self::Long { .. } | Self::NotText { .. } => {
                "check that it is the right file: it should hold the secret and nothing else"
                    .to_owned()
            }
            Self::Shared { .. } => "name a file or another descriptor for one of them".to_owned(),
            Self::Terminal { .. } => "name a file that holds it".to_owned(),
        })
    }
}

impl Use {
    /// How errors call it.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Passphrase | Self::NewPassphrase => "the passphrase",
            Self::PrintedSecret => "the printed secret",
        }
    }

    /// Whether `secret` may serve for this.
    pub(super) fn check(self, secret: &SecretText, from: &str) -> Result<(), IntakeRefused> {
        let from = || from.to_owned();
        let what = self.what();
        let (bytes, control) = secret.expose(|text| (text.len(), text.contains(char::is_control)));
        let lines = self == Self::PrintedSecret;
        match self {
            _ if bytes == 0 => Err(IntakeRefused::Empty { what, from: from() }),
            _ if bytes > MAX_BYTES => Err(IntakeRefused::Long { what, from: from() }),
            _ if control && !lines => Err(IntakeRefused::Control { what, from: from() }),
            Self::Passphrase | Self::PrintedSecret => Ok(()),
            Self::NewPassphrase => Ok(secret.expose(|text| judge(text).at_floor().map(drop))?),
        }
    }
}

/// Reads the secret that `reference` names, for `use_`.
pub(crate) fn read(reference: &Reference, use_: Use) -> Result<SecretText, IntakeRefused> {
    let from = place(reference);
    let bytes = all_of(reference, use_.what(), &from)?;
    let secret = SecretText::from_bytes(without_newline(bytes))
        .ok_or_else(|| IntakeRefused::NotText { what: use_.what(), from: from.clone() })?;
    use_.check(&secret, &from)?;
    Ok(secret)
}

/// Reads a secret of raw bytes, called `what`: all of them, no newline dropped.
pub(crate) fn read_bytes(
    reference: &Reference,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, IntakeRefused> {
    let from = place(reference);
    let bytes = all_of(reference, what, &from)?;
    match bytes.len() {
        0 => Err(IntakeRefused::Empty { what, from }),
        length if length > MAX_BYTES => Err(IntakeRefused::Long { what, from }),
        _ => Ok(bytes),
    }
}

fn place(reference: &Reference) -> String {
    match reference {
        Reference::File(path) => path.display().to_string(),
        other => other.to_string(),
    }
}

fn all_of(
    reference: &Reference,
    what: &'static str,
    from: &str,
) -> Result<Zeroizing<Vec<u8>>, IntakeRefused> {
    match reference {
        Reference::Environment(name) => from_environment(name, what),
        Reference::Credential(name) => from_file(&credential_path(name, what)?, what, from),
        Reference::File(path) => from_file(path, what, from),
        Reference::Descriptor(number) => from_file(&format!("/dev/fd/{number}").into(), what, from),
        Reference::Stdin => from_stdin(what),
    }
}

/// Refuses two secrets from one stream, before the first is read.
pub(crate) fn refuse_shared<'a>(
    references: impl IntoIterator<Item = &'a Reference>,
) -> Result<(), IntakeRefused> {
    let mut seen = Vec::new();
    for reference in references {
        let Some(stream) = reference.stream() else { continue };
        if seen.contains(&stream) {
            return Err(IntakeRefused::Shared { from: reference.to_string() });
        }
        seen.push(stream);
    }
    Ok(())
}

fn from_environment(name: &str, what: &'static str) -> Result<Zeroizing<Vec<u8>>, IntakeRefused> {
    use std::os::unix::ffi::OsStringExt;
    let absent = || IntakeRefused::Absent { what, variable: name.to_owned() };
    Ok(Zeroizing::new(std::env::var_os(name).ok_or_else(absent)?.into_vec()))
}

fn credential_path(name: &str, what: &'static str) -> Result<PathBuf, IntakeRefused> {
    let variable = "CREDENTIALS_DIRECTORY";
    let folder = std::env::var_os(variable);
    let absent = || IntakeRefused::Absent { what, variable: variable.to_owned() };
    Ok(PathBuf::from(folder.ok_or_else(absent)?).join(name))
}

fn from_file(
    path: &PathBuf,
    what: &'static str,
    from: &str,
) -> Result<Zeroizing<Vec<u8>>, IntakeRefused> {
    let read = || -> io::Result<_> {
        let file = File::open(path)?;
        warn_where_open_to_others(&file.metadata()?, &path.display().to_string());
        bounded(file)
    };
    read().map_err(|source| IntakeRefused::Unreadable { what, from: from.to_owned(), source })
}

/// Past the standard library's buffer, which would keep a copy.
fn from_stdin(what: &'static str) -> Result<Zeroizing<Vec<u8>>, IntakeRefused> {
    let read = || {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(io::Error::other("it is a terminal: leave the flag out to be asked"));
        }
        bounded(File::from(stdin.as_fd().try_clone_to_owned()?))
    };
    let from = "standard input".to_owned();
    read().map_err(|source| IntakeRefused::Unreadable { what, from, source })
}

/// At most one byte more than a longest secret with its newline, in a buffer that never grows.
fn bounded(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; MAX_BYTES + 3]);
    let mut filled = 0;
    let mut file = file;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(again) if again.kind() == io::ErrorKind::Interrupted => {}
            Err(failed) => return Err(failed),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn without_newline(mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    bytes
}

fn warn_where_open_to_others(metadata: &Metadata, path: &str) {
    let mode = metadata.mode() & 0o777;
    if metadata.is_file() && mode & 0o077 != 0 {
        warn(&format!("`{path}` is open to others (mode {mode:04o}): run `chmod 600 {path}`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use tempfile::NamedTempFile;

    fn holding(bytes: &[u8]) -> (NamedTempFile, Reference) {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let reference = Reference::File(file.path().to_owned());
        (file, reference)
    }

    fn text_of(bytes: &[u8], use_: Use) -> Result<String, IntakeRefused> {
        let (_file, reference) = holding(bytes);
        read(&reference, use_).map(|secret| secret.expose(str::to_owned))
    }

    #[test]
    fn exactly_one_newline_at_the_end_is_dropped() {
        for (bytes, text) in
            [(&b" a b "[..], " a b "), (b"ab\n", "ab"), (b"ab\r\n", "ab"), ("ø\n".as_bytes(), "ø")]
        {
            assert_eq!(text_of(bytes, Use::Passphrase).unwrap(), text);
        }
        assert!(matches!(text_of(b"ab\n\n", Use::Passphrase), Err(IntakeRefused::Control { .. })));
        assert_eq!(text_of(b"one\ntwo\n\n", Use::PrintedSecret).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn nothing_too_much_and_no_text_are_refused() {
        for empty in [&b""[..], b"\n", b"\r\n"] {
            assert!(matches!(text_of(empty, Use::Passphrase), Err(IntakeRefused::Empty { .. })));
        }
        let longest = vec![b'a'; MAX_BYTES];
        assert_eq!(text_of(&longest, Use::Passphrase).unwrap().len(), MAX_BYTES);
        assert!(text_of(&[&longest[..], b"\r\n"].concat(), Use::Passphrase).is_ok());
        for more in [1, 2, 3, 4, 70_000] {
            let bytes = vec![b'a'; MAX_BYTES + more];
            assert!(matches!(text_of(&bytes, Use::Passphrase), Err(IntakeRefused::Long { .. })));
        }
        assert!(matches!(
            text_of(b"\xff\xfe", Use::Passphrase),
            Err(IntakeRefused::NotText { .. })
        ));
        assert!(matches!(text_of(b"a\tb", Use::Passphrase), Err(IntakeRefused::Control { .. })));
    }

    #[test]
    fn raw_bytes_are_taken_as_they_are() {
        let bytes_of = |bytes: &[u8]| {
            let (_file, reference) = holding(bytes);
            read_bytes(&reference, "the data key").map(|bytes| bytes.to_vec())
        };
        for bytes in [&b"\n"[..], b"a\r\n", b"\xff\0", &[7; MAX_BYTES]] {
            assert_eq!(bytes_of(bytes).unwrap(), bytes);
        }
        assert!(matches!(bytes_of(b""), Err(IntakeRefused::Empty { .. })));
        assert!(matches!(bytes_of(&[7; MAX_BYTES + 1]), Err(IntakeRefused::Long { .. })));
    }

    #[test]
    fn the_floor_holds_for_new_passphrases_only() {
        assert!(text_of(b"letmein", Use::Passphrase).is_ok());
        let weak = text_of(b"letmein", Use::NewPassphrase).unwrap_err();
        assert!(matches!(weak, IntakeRefused::Weak(_)));
        assert!(weak.hint().unwrap().contains("passphrase-out"));
        assert!(text_of(b"gravel-otter-lunar-sphinx-mend\n", Use::NewPassphrase).is_ok());
    }

    #[test]
    fn a_missing_file_is_named_and_no_error_repeats_a_secret() {
        let missing = Reference::File("/nowhere/passphrase".into());
        let said = read(&missing, Use::Passphrase).unwrap_err().to_string();
        assert!(said.contains("`/nowhere/passphrase`"), "{said}");
        for bytes in [&b"hunter2"[..], b"hunter2\nhunter2", b"hunter2\xff"] {
            let Err(refused) = text_of(bytes, Use::NewPassphrase) else { panic!("taken") };
            let said = format!("{refused} {:?} {refused:?}", refused.hint());
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn two_secrets_do_not_come_from_one_stream() {
        let file = Reference::File("a".into());
        let three = Reference::Descriptor(3);
        assert!(refuse_shared([&file, &file, &Reference::Stdin, &three]).is_ok());
        assert!(refuse_shared([&Reference::Stdin, &file, &Reference::Stdin]).is_err());
        assert!(refuse_shared([&three, &three]).is_err());
    }
}
