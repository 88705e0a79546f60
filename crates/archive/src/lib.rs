//! The bytes of every vault object and of kits: with this crate alone they open.
//!
//! Invariant: bytes in, bytes out. No IO, no clock, no ambient randomness; whatever is read was
//! written by a `write` of this crate or is refused, and nothing unsigned is handed out as a value.
//! `docs/formats/` says the same for a reader in another language, and was written first.

mod certificate;
mod closing;
mod epoch_record;
mod frame;
pub mod fuzz;
mod inspect;
mod key_copy;
mod kit;
pub mod names;
mod opening;
mod passphrase;
mod printed;
mod recipient_set;
mod record;
mod refused;
mod segment;
mod sheet;
mod slot_table;
#[cfg(test)]
mod testing;
mod vault_record;
mod wrap_statement;

pub use certificate::{NodeCertificate, NodeSigner};
pub use closing::Closing;
pub use epoch_record::EpochRecord;
pub use frame::{FORMAT_VERSION, MAX_HEADER_BYTES, ObjectType, newer_format, object_hash};
pub use inspect::{InspectRefused, Inspected, Outline, inspect, outline};
pub use key_copy::{Algorithm, CopyKind, KeyCopy, KeyCopyFields, KeyCopyHeader, OpenedCopy};
pub use kit::{
    Factor, FactorBinding, FactorFailed, FactorKind, Kit, KitDraft, KitPin, KitRefused, KitRequest,
    KitSlot, KitStatement, KitSummary, KitUnfinished, MAX_KIT_BYTES, OpenedKit, SlotChallenge,
};
pub use opening::{Opening, Predecessor};
pub use passphrase::{PASSPHRASE_BITS, PASSPHRASE_WORDS, generate_passphrase};
pub use printed::{LineProblem, PrintedRefused, PrintedSecret};
pub use recipient_set::{Recipient, RecipientSet, RootId, RootKind};
pub use refused::ObjectRefused;
pub use segment::{
    BuildRefused, ChangeImage, CopyRef, Image, LedgerHead, MAX_POINT_BYTES, MAX_SEGMENT_BYTES,
    MAX_SEGMENT_CHANGES, OpenedSegment, PointState, RowRef, SegmentHeader, SegmentKind,
    Sensitivity, SkippedEntry, TenantChanges, build_point, build_segment, open_segment,
    read_segment_header,
};
pub use sheet::{KitSheet, kit_from_qr, kit_sheet, restore_command, secret_sheet};
pub use slot_table::{SlotPlace, SlotTable, TableSlot};
pub use vault_record::VaultRecord;
pub use wrap_statement::WrapStatement;
