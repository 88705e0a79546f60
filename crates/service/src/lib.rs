//! Every use case, the door, authentication and the jobs.
//!
//! Invariant: no HTTP, SQL, thread or ambient clock: the whole service runs on one current-thread
//! runtime over memory ports, and two runs from one seed are equal.

mod accesses;
mod aliases;
mod audit;
mod authenticate;
pub mod backups;
mod command;
mod commit;
mod door;
mod drills;
mod error;
mod follower;
mod found;
pub mod fuzz;
mod incarnation;
mod init;
mod jobs;
mod keyring;
mod keys;
mod kits;
pub mod logs;
mod lru;
pub mod metrics;
mod outbox;
mod outliving;
mod own_ledger;
mod pages;
mod points;
mod ports;
mod progress;
mod proofs;
mod readiness;
mod replay;
mod report;
pub mod restore;
mod service;
mod shipper;
mod start;
pub mod status;
mod stop;
mod survey;
mod taken;
mod tenants;
mod tiles;
mod uses;
mod vaults;
pub mod witness;
mod wraps;

pub use accesses::{ForeignAccess, LogImport, OBJECTS_MAX, VaultAccess, VaultReading};
pub use aliases::{AliasChange, AliasPage, ChangeAlias, ListAliases};
pub use command::*;
pub use door::Recorded;
pub use drills::{DrillAnswer, DrillChallenge, DrillProved, DrillTask};
pub use error::{AuthFault, Error, ErrorKind, Fault, FenceReason, LedgerFault};
pub use found::FoundFailed;
pub use init::{FirstAccess, InitPlan, Initialised, NewInstance, NewKit};
pub use keys::{FieldChange, KeyRestored, MaterialFound, RestoreKey, VersionFound};
pub use keystead_crypto::{Wiped, sigv4};
pub use keystead_targets::AccessKind;
pub use kits::{CreateKit, KitChallenge, KitCreated, KitRevoked, ProveKit};
pub use points::{CreatePoint, PointSchedule};
pub use ports::{Clock, RestoreSite, Site, Tasks, Witness};
pub use proofs::{Level, Verification, VerifySchedule};
pub use readiness::NotReady;
pub use service::{Refusal, Service};
pub use start::{AuditDurability, StartFailed, StartOptions, Upkeep, start};
pub use stop::LeftBehind;
pub use uses::{
    DEFAULT_LEASE_MS, DataKeyLeased, GenerateLeasedDataKey, GenerateMac, GetPublicKey,
    LEASE_MAX_MS, Lease, LeaseDataKey, MacGenerated, MacVerified, MessageType, PublicKeyShown,
    Sign, SignatureVerified, SignedMessage, UnwrapDataKey, Verify, VerifyMac,
};
pub use wraps::{
    DataKeySource, ListWraps, PutWrap, Unwrapped, WrapOrigin, WrapPage, WrapPut, WrapStatement,
};
