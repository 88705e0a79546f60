//! What the program was told beside its command: files, then the environment, then flags.
//!
//! Invariant: every field has one name, one text form and one row in [`fields::FIELDS`], whichever
//! way it comes; a name that is not in the table is refused, because a misspelled field would
//! silently be its default. Secrets stand here by reference only.
//!
//! What is not here: the vaults, how many must confirm, policies. They are state of the instance,
//! signed and recorded; a file beside it could only contradict them.

mod fields;
mod layers;
mod nearest;
mod refused;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use keystead_service::AuditDurability;
use tracing_subscriber::filter::LevelFilter;

use crate::secrets::Reference;

pub(crate) use fields::{FIELDS, Field};
pub(crate) use layers::{Effective, Flags, Loaded, Source, load, user_folder};
pub(crate) use refused::ConfigRefused;
pub(crate) use values::{WitnessPlace, loopback};

/// Every field with its effective value.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// `instance.data_dir`.
    pub(crate) data_dir: Option<PathBuf>,
    /// `instance.passphrase`.
    pub(crate) passphrase: Option<Reference>,
    /// `serve.listen`: loopback.
    pub(crate) listen: SocketAddr,
    /// `serve.metrics_listen`: loopback.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// `serve.max_unfenced`: 1 minute to 24 hours.
    pub(crate) max_unfenced: Duration,
    /// `serve.arena`: 1 MiB to 1 GiB.
    pub(crate) arena_bytes: usize,
    /// `audit.durability`.
    pub(crate) audit_durability: AuditDurability,
    /// `backup.points_every`.
    pub(crate) points_every: Duration,
    /// `backup.integrity_every`.
    pub(crate) integrity_every: Duration,
    /// `backup.recovery_every`.
    pub(crate) recovery_every: Duration,
    /// `audit.witnesses`.
    pub(crate) witnesses: Vec<WitnessPlace>,
    /// `log.level`.
    pub(crate) log_level: LevelFilter,
    /// `log.format`.
    pub(crate) log_format: LogFormat,
    /// `client.profile`.
    pub(crate) profile: Option<PathBuf>,
    /// `client.timeout`: 1 second to 10 minutes.
    pub(crate) timeout: Duration,
}

/// In which form the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}
