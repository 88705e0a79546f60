//! Joins the service to this machine: clock, tasks, files, database, vaults.
//!
//! Invariant: nothing is decided here; adapters are named here and nowhere else. A folder belongs
//! to one process at a time, by a lock that the kernel takes back when the process dies.

pub(crate) mod audit;
pub(crate) mod backups;
mod dev;
mod ending;
mod folder;
mod init;
mod kit_files;
pub(crate) mod kits;
mod machine;
mod readings;
mod record;
mod refused;
mod restore;
mod serve;
mod supervisor;
pub(crate) mod witness;
mod world;

pub(crate) use audit::AuditFailed;
pub(crate) use backups::BackupFailed;
pub(crate) use dev::dev;
pub(crate) use init::init;
pub(crate) use readings::Reading;
pub(crate) use refused::WiringRefused;
pub(crate) use restore::restore;
pub(crate) use serve::serve;
