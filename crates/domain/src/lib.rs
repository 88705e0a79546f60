//! Says what keys, secrets, kits, approvals and events are, and which changes are lawful.
//!
//! Invariant: pure values. Transitions consume the old value and take `now`; nothing here reads a
//! clock, a file or a random source of its own.

mod alias;
mod arn;
pub mod fuzz;
mod idempotency;
mod ids;
mod instance;
mod key;
mod kind;
mod point;
mod rotation;
mod spec;
mod state;
mod time;
mod transfer;
mod wrap;

pub use alias::{Alias, AliasName, BadAlias};
pub use arn::{Account, BadAccount, BadKeyName, KeyName, key_arn, uuid};
pub use idempotency::IdempotencyKey;
pub(crate) use ids::parse_hex_byte;
pub use ids::{
    AliasId, BadId, ChangeId, EpochId, IdempotencyId, IncarnationId, InstanceId, KeyId, KitId,
    NodeId, PrincipalId, RequestId, SlotId, TenantId, VaultId, VersionId, WrapId, parse_hex,
};
pub use instance::{AccessKey, ConfiguredVault, Instance, Kit, Tenant, TenantKey};
pub use key::{Key, KeyVersion};
pub(crate) use keystead_crypto::bytes::hex_digits;
pub use keystead_crypto::bytes::to_hex;
pub use kind::Kind;
pub use point::{BadPoint, PointId, PointKind, RecoveryPoint};
pub use rotation::RotationSchedule;
pub use spec::{KeySpec, KeyUsage, MacAlgorithm, SigningAlgorithm};
pub use state::{KeyState, Transition, Unlawful};
pub use time::{BadTime, Timestamp};
pub use transfer::{
    BACKUP_CODE, BackupFacts, BackupStatus, BackupTransfer, BadTransfer, SYSTEM_ACCOUNT,
};
pub use wrap::{
    BadSubject, DATA_KEY_BYTES, SUBJECT_MAX_BYTES, Subject, WrapAlgorithm, WrapEnvelope, WrapFacts,
    WrapLog, WrapRecord,
};
