//! Every use case, the door, authentication and the jobs.
//!
//! Invariant: no HTTP, SQL, thread or ambient clock: the whole service runs on one current-thread
//! runtime over memory ports, and two runs from one seed are equal.

mod aliases;
mod audit;
mod authenticate;
mod command;
mod commit;
mod door;
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
mod outbox;
mod own_ledger;
mod ports;
mod progress;
mod replay;
mod report;
pub mod restore;
mod service;
mod shipper;
mod start;
pub mod status;
mod survey;
mod taken;
mod tenants;
mod tiles;
mod uses;
mod vaults;
pub mod witness;
mod wraps;

pub use aliases::{AliasChange, AliasPage, ChangeAlias, ListAliases};
pub use command::*;
pub use door::Recorded;
pub use error::{AuthFault, Error, ErrorKind, Fault, FenceReason, LedgerFault};
pub use found::FoundFailed;
pub use init::{FirstAccess, InitPlan, Initialised, NewInstance, NewKit};
pub use keystead_crypto::sigv4;
pub use kits::{CreateKit, KitChallenge, KitCreated, KitRevoked, ProveKit};
pub use ports::{Clock, RestoreSite, Site, Tasks, Witness};
pub use service::{Refusal, Service};
pub use start::{AuditDurability, StartFailed, StartOptions, start};
pub use uses::{
    DEFAULT_LEASE_MS, DataKeyLeased, GenerateLeasedDataKey, GenerateMac, GetPublicKey,
    LEASE_MAX_MS, Lease, LeaseDataKey, MacGenerated, MacVerified, MessageType, PublicKeyShown,
    Sign, SignatureVerified, SignedMessage, UnwrapDataKey, Verify, VerifyMac,
};
pub use wraps::{
    DataKeySource, ListWraps, PutWrap, Unwrapped, WrapOrigin, WrapPage, WrapPut, WrapStatement,
};
