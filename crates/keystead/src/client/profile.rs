//! The profile: which server to ask and with which access key.
//!
//! Invariant: the file has mode 0600 from its first byte on, appears whole or not at all, and never
//! replaces the profile of another instance, whose only access key it may hold. The secret half
//! goes from the file into locked memory and is printed by nothing.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use keystead_crypto::Secret;
use keystead_domain::{Account, BadAccount, parse_hex, to_hex};
use tempfile::NamedTempFile;
use thiserror::Error;
use toml::de::DeTable;
use zeroize::Zeroizing;

use crate::client::{Endpoint, EndpointInvalid};
use crate::exit::{Exit, Explained};

/// The largest profile that is read, in bytes.
const MAX_BYTES: u64 = 16 * 1024;

/// How the file begins.
const HEADING: &str = "# Written by keystead. Whoever reads this file can use the instance.\n";

/// Which server to ask and how to prove who asks.
#[derive(Debug)]
pub(crate) struct Profile {
    /// The server.
    pub(crate) endpoint: Endpoint,
    /// The account that ARNs show.
    pub(crate) account: Account,
    /// The public half of the access key.
    pub(crate) access_key_id: String,
    /// The secret half.
    pub(crate) secret_access_key: Secret<40>,
    /// The instance's root verification key: it says which instance this is.
    pub(crate) root_public_key: [u8; 32],
}

/// Why a profile is not read or not written.
#[derive(Debug, Error)]
pub(crate) enum ProfileRefused {
    /// There is no place for it.
    #[error("there is no home folder to keep the profile in")]
    NoHome,
    /// There is none.
    #[error("there is no profile `{}`", .path.display())]
    Missing {
        /// Where.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("cannot {act} the profile `{}`: {source}", .path.display())]
    Io {
        /// What was tried.
        act: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// Others can read it.
    #[error("the profile `{}` is open to others (mode {mode:04o})", .path.display())]
    Open {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no profile.
    #[error("the profile `{}` cannot be read: {fault}", .path.display())]
    Malformed {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        fault: ProfileFault,
    },
    /// It belongs to another instance.
    #[error("`{}` is the profile of another instance", .path.display())]
    OtherInstance {
        /// Where.
        path: PathBuf,
    },
}

/// What is wrong with a profile's text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ProfileFault {
    /// No UTF-8, no TOML, or too long. The parser's words are left out: they may quote the secret.
    #[error("it is not TOML")]
    NotToml,
    /// A field is missing or no text.
    #[error("`{field}` is missing")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A field that no profile has.
    #[error("`{field}` is not known")]
    Unknown {
        /// Which.
        field: String,
    },
    /// No endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointInvalid),
    /// No account.
    #[error(transparent)]
    Account(#[from] BadAccount),
    /// A half of the access key or the root key has not its form.
    #[error("`{field}` does not have its form")]
    Form {
        /// Which.
        field: &'static str,
    },
}

impl Explained for ProfileRefused {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHome => "give `--profile FILE`".to_owned(),
            Self::Missing { .. } => {
                "`init` and `restore run` write it; name another with `--profile FILE`".to_owned()
            }
            Self::Open { path, .. } => format!("run `chmod 600 {}`", path.display()),
            Self::OtherInstance { .. } => "name another file with `--profile FILE`".to_owned(),
            Self::Io { .. } | Self::Malformed { .. } => return None,
        })
    }
}

/// Where the profile lies unless somebody says otherwise: `$XDG_CONFIG_HOME/keystead/profile.toml`.
pub(crate) fn default_path() -> Result<PathBuf, ProfileRefused> {
    let variables: Vec<_> = std::env::vars_os().collect();
    let folder = crate::config::user_folder(&variables).ok_or(ProfileRefused::NoHome)?;
    Ok(folder.join("profile.toml"))
}

/// Reads the profile at `path`.
pub(crate) fn read(path: &Path) -> Result<Profile, ProfileRefused> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ProfileRefused::Missing { path: path.to_owned() },
        _ => io_failed("read", path)(source),
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(io_failed("read", path))?;
    let mode = metadata.mode() & 0o777;
    if metadata.is_file() && mode & 0o077 != 0 {
        return Err(ProfileRefused::Open { path: path.to_owned(), mode });
    }
    let length = usize::try_from(metadata.len().min(MAX_BYTES)).unwrap_or(0);
    // Room for all of it, so that no growth leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(length + 1));
    let malformed = |fault| ProfileRefused::Malformed { path: path.to_owned(), fault };
    match file.take(MAX_BYTES).read_to_string(&mut text) {
        Ok(_) => parse(&text).map_err(malformed),
        Err(bytes) if bytes.kind() == io::ErrorKind::InvalidData => {
            Err(malformed(ProfileFault::NotToml))
        }
        Err(source) => Err(io_failed("read", path)(source)),
    }
}

/// Writes `profile` to `path` with mode 0600. A profile of the same instance is replaced, as after
/// a restore.
///
/// # Errors
/// [`ProfileRefused::OtherInstance`] where `path` holds anything else.
pub(crate) fn write(path: &Path, profile: &Profile) -> Result<(), ProfileRefused> {
    let failed = || io_failed("write", path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed())?;
    let mut staged = NamedTempFile::new_in(folder).map_err(failed())?;
    let stage = |staged: &mut NamedTempFile| -> io::Result<()> {
        staged.as_file().set_permissions(Permissions::from_mode(0o600))?;
        staged.write_all(printed(profile).as_bytes())?;
        staged.as_file().sync_all()
    };
    stage(&mut staged).map_err(failed())?;
    match staged.persist_noclobber(path) {
        Ok(_) => {}
        Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => {
            require_place(path, &profile.root_public_key)?;
            taken.file.persist(path).map_err(|kept| failed()(kept.error))?;
        }
        Err(kept) => return Err(failed()(kept.error)),
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed())
}

/// Whether [`write()`] would take `path` for the instance with this root key: it is free, or holds
/// that instance's profile. To be asked before an access key is made that nobody could keep.
///
/// # Errors
/// [`ProfileRefused::OtherInstance`].
pub(crate) fn require_place(path: &Path, root_public_key: &[u8; 32]) -> Result<(), ProfileRefused> {
    match read(path) {
        Err(ProfileRefused::Missing { .. }) => Ok(()),
        Ok(old) if old.root_public_key == *root_public_key => Ok(()),
        _ => Err(ProfileRefused::OtherInstance { path: path.to_owned() }),
    }
}

fn io_failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ProfileRefused + use<> {
    let path = path.to_owned();
    move |source| ProfileRefused::Io { act, path, source }
}

const FIELDS: [&str; 5] =
    ["endpoint", "account", "access_key_id", "secret_access_key", "root_public_key"];

fn parse(text: &str) -> Result<Profile, ProfileFault> {
    let table = DeTable::parse(text).map_err(|_| ProfileFault::NotToml)?;
    let table = table.get_ref();
    let unknown = table.keys().find(|key| FIELDS.iter().all(|field| field != key.get_ref()));
    if let Some(field) = unknown {
        return Err(ProfileFault::Unknown { field: field.get_ref().to_string() });
    }
    let text = |field: &'static str| {
        let value = table.get(field).and_then(|value| value.get_ref().as_str());
        value.ok_or(ProfileFault::Missing { field })
    };
    Ok(Profile {
        endpoint: text("endpoint")?.parse()?,
        account: text("account")?.parse()?,
        access_key_id: in_form(text("access_key_id")?, "access_key_id")?.to_owned(),
        secret_access_key: Secret::from_slice(
            in_form(text("secret_access_key")?, "secret_access_key")?.as_bytes(),
        )
        .ok_or(ProfileFault::Form { field: "secret_access_key" })?,
        root_public_key: parse_hex(text("root_public_key")?)
            .ok_or(ProfileFault::Form { field: "root_public_key" })?,
    })
}

/// Both halves of an access key are of the characters that AWS clients pass on unchanged.
fn in_form<'t>(text: &'t str, field: &'static str) -> Result<&'t str, ProfileFault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    let lawful = (1..=128).contains(&text.len()) && text.chars().all(plain);
    Some(text).filter(|_| lawful).ok_or(ProfileFault::Form { field })
}

/// No value needs an escape: all are of forms without quotes, backslashes or control characters.
fn printed(profile: &Profile) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    text.push_str(HEADING);
    let mut field = |name: &str, value: &str| {
        for part in [name, " = \"", value, "\"\n"] {
            text.push_str(part);
        }
    };
    field("endpoint", &profile.endpoint.to_string());
    field("account", &profile.account.to_string());
    field("access_key_id", &profile.access_key_id);
    profile.secret_access_key.expose(|secret| {
        let secret = std::str::from_utf8(secret).expect("a secret access key is ASCII");
        field("secret_access_key", secret);
    });
    field("root_public_key", &to_hex(&profile.root_public_key));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "abcdefghijklmnopqrstuvwxyz0123456789/+AB";

    fn profile(root: u8, key: &str) -> Profile {
        Profile {
            endpoint: "http://127.0.0.1:7700".parse().unwrap(),
            account: "123456789012".parse().unwrap(),
            access_key_id: key.to_owned(),
            secret_access_key: Secret::from_slice(SECRET.as_bytes()).unwrap(),
            root_public_key: [root; 32],
        }
    }

    #[test]
    fn a_written_profile_reads_back_and_only_its_owner_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/profile.toml");
        write(&path, &profile(7, "AKIA1")).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
        let back = read(&path).unwrap();
        assert_eq!(printed(&back), printed(&profile(7, "AKIA1")));
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn another_instances_profile_is_never_replaced_and_the_same_ones_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.toml");
        write(&path, &profile(7, "AKIA1")).unwrap();
        write(&path, &profile(7, "AKIA2")).unwrap();
        assert_eq!(read(&path).unwrap().access_key_id, "AKIA2");
        assert!(require_place(&path, &[7; 32]).is_ok() && require_place(&path, &[8; 32]).is_err());
        assert!(require_place(&folder.path().join("free"), &[8; 32]).is_ok());
        let refused = write(&path, &profile(8, "AKIA3")).unwrap_err();
        assert!(matches!(refused, ProfileRefused::OtherInstance { .. }));
        std::fs::write(&path, "something else").unwrap();
        assert!(write(&path, &profile(7, "AKIA4")).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_profile_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.toml");
        write(&path, &profile(7, "AKIA1")).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = read(&path).unwrap_err();
            assert!(matches!(refused, ProfileRefused::Open { .. }));
            assert!(refused.hint().unwrap().starts_with("run `chmod 600 "));
        }
        assert!(matches!(read(&folder.path().join("x")), Err(ProfileRefused::Missing { .. })));
    }

    #[test]
    fn every_damaged_profile_is_refused_without_a_byte_of_the_secret() {
        let whole = printed(&profile(7, "AKIA1"));
        assert!(parse(&whole).is_ok());
        for (from, to) in [
            ("endpoint", "endpint"),
            ("http://", "https://"),
            ("account = \"1", "account = \""),
            ("AKIA1", ""),
            ("AKIA1", "AK IA"),
            (SECRET, &SECRET[1..]),
            ("/+AB", "/+A\\\""),
            ("/+AB", "ø+A"),
            ("\"abc", "abc"),
            ("0707", "07"),
            ("account", "more = \"x\"\naccount"),
        ] {
            let text = whole.replacen(from, to, 1);
            assert_ne!(text, *whole);
            let fault = parse(&text).unwrap_err();
            assert!(!format!("{fault} {fault:?}").contains("bcdefghij"), "{fault}");
        }
        for field in FIELDS {
            let lines = whole.lines().filter(|line| !line.starts_with(field));
            let text: String = lines.flat_map(|line| [line, "\n"]).collect();
            assert_eq!(parse(&text).unwrap_err(), ProfileFault::Missing { field });
        }
        assert!(!format!("{:?}", profile(7, "AKIA1")).contains("abcdef"));
    }
}
