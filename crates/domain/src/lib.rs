//! Says what keys, secrets, kits, approvals and events are, and which changes are lawful.
//!
//! Invariant: pure values. Transitions consume the old value and take `now`; nothing here reads a
//! clock, a file or a random source of its own.

mod arn;
pub mod fuzz;
mod ids;
mod instance;
mod key;
mod kind;
mod state;
mod time;

pub use arn::{Account, BadAccount, BadKeyName, KeyName, key_arn, uuid};
pub use ids::{
    BadId, ChangeId, EpochId, IncarnationId, InstanceId, KeyId, KitId, NodeId, PrincipalId,
    RequestId, SlotId, TenantId, VaultId, VersionId, parse_hex, to_hex,
};
pub use instance::{AccessKey, ConfiguredVault, Instance, Kit, Tenant, TenantKey};
pub use key::{Key, KeySpec, KeyVersion};
pub use kind::Kind;
pub use state::{KeyState, Transition, Unlawful};
pub use time::{BadTime, Timestamp};
