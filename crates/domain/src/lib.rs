//! Says what keys, secrets, kits, approvals and events are, and which changes are lawful.
//!
//! Invariant: pure values. Transitions consume the old value and take `now`; nothing here reads a
//! clock, a file or a random source of its own.

mod ids;
mod kind;
mod time;

pub use ids::{
    BadId, ChangeId, EpochId, IncarnationId, InstanceId, KeyId, KitId, NodeId, PrincipalId,
    RequestId, SlotId, TenantId, VaultId, VersionId, parse_hex, to_hex,
};
pub use kind::Kind;
pub use time::{BadTime, Timestamp};
