//! `status`: the server's report, or the record that it left where it does not answer.
//!
//! Invariant: what a record says is never shown as the present: its age stands in the first line
//! and in the JSON object. The exit code speaks of promises alone.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use keystead_crypto::bytes::Malformed;
use keystead_domain::{Timestamp, to_hex};
use keystead_service::status::{RecordRefused, StatusRecord, StatusReport};
use serde::Serialize;
use thiserror::Error;

use crate::client::{CallFailed, Client, ProfileRefused};
use crate::exit::{Exit, Explained, NEWER_HINT};
use crate::failed::Failed;
use crate::output::status::{Witness, text};
use crate::output::{Form, warn};

/// The record's name in the data folder.
const RECORD: &str = "status.json";

/// The largest record that is read, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The answer as one object: the report's fields, and who gave it.
#[derive(Serialize)]
struct Answer<'a> {
    answered_by: &'static str,
    /// Only for a record.
    age_seconds: Option<i64>,
    #[serde(flatten)]
    report: &'a StatusReport,
}

/// Why nobody says how things stand.
#[derive(Debug, Error)]
pub(crate) enum StatusUnknown {
    /// No server, and no data folder was named.
    #[error(transparent)]
    Silent(CallFailed),
    /// No profile, and no data folder was named.
    #[error(transparent)]
    Stranger(ProfileRefused),
    /// No server, and the folder has no record.
    #[error("{server}, and the record `{}` cannot be read: {source}", .path.display())]
    NoRecord {
        /// What came of asking the server.
        server: Box<Self>,
        /// Where the record should be.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// No server, and what lies in the folder is not what a server wrote.
    #[error("{server}, and the record `{}` is damaged or forged", .path.display())]
    BadRecord {
        /// What came of asking the server.
        server: Box<Self>,
        /// Where the record is.
        path: PathBuf,
    },
    /// No server, and a later one wrote the record.
    #[error("{server}, and its last record cannot be read: {newer}")]
    NewerRecord {
        /// What came of asking the server.
        server: Box<Self>,
        /// Which version.
        newer: Malformed,
    },
    /// No server, and the record speaks of another instance than the profile.
    #[error("{server}, and the record `{}` is of another instance", .path.display())]
    OtherInstance {
        /// What came of asking the server.
        server: Box<Self>,
        /// Where the record is.
        path: PathBuf,
    },
}

impl Explained for StatusUnknown {
    fn exit(&self) -> Exit {
        match self {
            Self::Silent(_) | Self::NoRecord { .. } => Exit::Unavailable,
            Self::BadRecord { .. } => Exit::Corrupt,
            Self::OtherInstance { .. } | Self::NewerRecord { .. } => Exit::Usage,
            Self::Stranger(refused) => refused.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Silent(_) => Some(
                "is `keystead serve` running? `--data-dir FOLDER` shows its last record".to_owned(),
            ),
            Self::Stranger(refused) => refused.hint(),
            Self::NewerRecord { .. } => Some(NEWER_HINT.to_owned()),
            Self::NoRecord { .. } | Self::BadRecord { .. } => {
                Some("`keystead serve` writes it anew".to_owned())
            }
            Self::OtherInstance { .. } => {
                Some("check `--data-dir`, or name the other profile with `--profile`".to_owned())
            }
        }
    }
}

/// Runs `status`.
pub(crate) fn status(
    client: Result<Client, ProfileRefused>,
    data_dir: Option<&Path>,
    form: Form,
) -> Result<Exit, Failed> {
    let root = client.as_ref().ok().map(|client| to_hex(client.root_public_key()));
    let silence = match client.map(|client| client.read::<StatusReport>("/v1/status", &[])) {
        Ok(Ok(report)) => return show(&report, Witness::Server, form),
        Ok(Err(failed)) if failed.is_silence() => StatusUnknown::Silent(failed),
        Err(refused @ ProfileRefused::Missing { .. }) => StatusUnknown::Stranger(refused),
        Ok(Err(failed)) => return Err(failed.into()),
        Err(refused) => return Err(refused.into()),
    };
    let Some(data_dir) = data_dir else { return Err(silence.into()) };
    let said = silence.to_string();
    let path = data_dir.join(RECORD);
    let report = read(&path, silence, root.as_deref())?;
    warn(&format!("{said}; this is the record in `{}`", path.display()));
    show(&report, Witness::Record { age_seconds: age_seconds(&report) }, form)
}

fn show(report: &StatusReport, witness: Witness, form: Form) -> Result<Exit, Failed> {
    let (answered_by, age_seconds) = match witness {
        Witness::Server => ("server", None),
        Witness::Record { age_seconds } => ("record", age_seconds),
    };
    let answer = Answer { answered_by, age_seconds, report };
    form.answer(&answer, || text(report, witness))?;
    Ok(if report.is_broken() { Exit::Failed } else { Exit::Done })
}

/// Reads the record; `root` is the profile's, where there is one.
fn read(
    path: &Path,
    silence: StatusUnknown,
    root: Option<&str>,
) -> Result<StatusReport, StatusUnknown> {
    let (server, path) = (Box::new(silence), path.to_owned());
    let mut text = String::new();
    let all = File::open(&path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    if let Err(source) = all {
        return Err(match source.kind() {
            io::ErrorKind::InvalidData => StatusUnknown::BadRecord { server, path },
            _ => StatusUnknown::NoRecord { server, path, source },
        });
    }
    match StatusRecord::read(&text).map(|record| record.report) {
        Ok(report) if root.is_none_or(|root| root == report.root_public_key) => Ok(report),
        Ok(_) => Err(StatusUnknown::OtherInstance { server, path }),
        Err(RecordRefused::Newer(newer)) => Err(StatusUnknown::NewerRecord { server, newer }),
        Err(RecordRefused::Damaged) => Err(StatusUnknown::BadRecord { server, path }),
    }
}

/// None where its time cannot be read.
fn age_seconds(report: &StatusReport) -> Option<i64> {
    let at: Timestamp = report.at.parse().ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = Timestamp::from_micros(i64::try_from(now.as_micros()).ok()?);
    Some(now.ms_since(at) / 1000)
}
