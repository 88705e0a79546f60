//! The `Vault` port: put-new, list, read back; its memory and directory forms, a faulty wrapper and
//! the suite that every form passes.
//!
//! Invariant: nothing here sees a key. Objects are opaque bytes under names, sealed and signed by
//! others; a form of vault promises only that they are new once, durable, and read back unchanged.

mod access_log;
mod blocking;
pub mod conformance;
mod directory;
mod domain;
mod errors;
mod fault;
mod faulty;
pub mod fuzz;
mod memory;
mod name;
mod reopening;
mod url;
mod vault;

pub use access_log::{AccessKind, Accessor, LinuxAudit, LoggedAccess};
pub use blocking::{Blocking, Inline};
pub use directory::DirectoryVault;
pub use domain::{DomainInvalid, FailureDomain};
pub use errors::{Absence, VaultError};
pub use fault::Fault;
pub use faulty::{FaultPlan, FaultyVault};
pub use memory::{MemorySnapshot, MemoryVault};
pub use name::{NameInvalid, ObjectName};
pub use reopening::{ReopeningVault, VaultOpener};
pub use url::{UrlInvalid, VaultUrl};
pub use vault::{Listed, PutNew, Vault};

#[cfg(test)]
fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
