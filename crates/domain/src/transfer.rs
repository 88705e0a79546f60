//! A backup of a tenant's keys as a transfer between two accounts of a TigerBeetle ledger, for
//! those who keep their record of backups there.
//!
//! Invariant: what is made here that ledger takes (no id, account, code or ledger is 0, no id is
//! 2^128 - 1: TigerBeetle, reference, Transfer), and what is read is what was packed: a bit that
//! means nothing is refused. Nothing is rounded or guessed: a status that nobody knows is an error.
//!
//! Why two layouts are read: a program that shifted in 64 bits wrote the upper half of the value
//! into the lower one. Such a value has nothing in its upper half, which no good one has.

use std::num::NonZeroU32;

use thiserror::Error;

use crate::{TenantId, Timestamp};

/// The account that backups are debited from; 0 is no account.
pub const SYSTEM_ACCOUNT: u128 = 1;
/// The code of transfers that are backups.
pub const BACKUP_CODE: u16 = 12;

/// How far a backup has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BackupStatus {
    /// Made in one place, or being made.
    Begun = 1,
    /// In every place where it is to be.
    Complete = 2,
    /// Not made.
    Failed = 3,
}

/// What a transfer says of a backup, in its `user_data_128`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupFacts {
    /// Of what; [`Self::KMS`] for keys.
    pub backup_type: u8,
    /// Of how much of it; [`Self::FULL`] for all.
    pub scope: u8,
    /// [`Self::UNCOMPRESSED`] where it is not compressed.
    pub compression: u8,
    /// [`Self::ENCRYPTED`] where it is encrypted.
    pub encryption: u8,
    /// How far it has come.
    pub status: BackupStatus,
    /// How many days it is kept; 0 is for ever.
    pub retention_days: u16,
}

/// A transfer as TigerBeetle takes it; its `timestamp` is the cluster's to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupTransfer {
    /// The backup's id.
    pub id: u128,
    /// [`SYSTEM_ACCOUNT`].
    pub debit_account: u128,
    /// The tenant's.
    pub credit_account: u128,
    /// One backup. How many bytes it has is said by the inventory of recovery points.
    pub amount: u128,
    /// [`BACKUP_CODE`].
    pub code: u16,
    /// The packed [`BackupFacts`].
    pub user_data_128: u128,
    /// When it began, in seconds since 1970.
    pub user_data_64: u64,
    /// The tenant's.
    pub ledger: u32,
}

/// Why there is no such transfer, or why a value says nothing of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadTransfer {
    /// A word that is no status of a backup.
    #[error("`{word}` is no status of a backup")]
    Word {
        /// What was given.
        word: String,
    },
    /// A number that is no status of a backup.
    #[error("{number} is no status of a backup")]
    Status {
        /// What was found.
        number: u8,
    },
    /// Bits that mean nothing are set.
    #[error("reserved bits are set")]
    Reserved,
    /// 0 and 2^128 - 1 are no ids.
    #[error("0 and 2^128 - 1 are no ids")]
    Id,
    /// The tenant's account is the one that is debited.
    #[error("the tenant's account is the system's")]
    OneAccount,
    /// An instant that the ledger cannot hold.
    #[error("a backup cannot have begun before 1970")]
    Before1970,
}

/// The lowest bit of each part of the packed value.
const TYPE_AT: u32 = 120;
const SCOPE_AT: u32 = 112;
const COMPRESSION_AT: u32 = 104;
const ENCRYPTION_AT: u32 = 96;
const STATUS_AT: u32 = 88;
const RETENTION_AT: u32 = 72;

impl BackupStatus {
    /// The status that a word stands for.
    ///
    /// # Errors
    /// [`BadTransfer::Word`] for every other word.
    pub fn from_word(word: &str) -> Result<Self, BadTransfer> {
        match word {
            "started" | "exported" | "backed_up" => Ok(Self::Begun),
            "replicated" | "completed" => Ok(Self::Complete),
            "failed" => Ok(Self::Failed),
            _ => Err(BadTransfer::Word { word: word.to_owned() }),
        }
    }

    fn from_number(number: u8) -> Result<Self, BadTransfer> {
        let all = [Self::Begun, Self::Complete, Self::Failed];
        let found = all.into_iter().find(|status| *status as u8 == number);
        found.ok_or(BadTransfer::Status { number })
    }
}

impl BackupFacts {
    /// Keys of a key management service.
    pub const KMS: u8 = 4;
    /// All of it.
    pub const FULL: u8 = 1;
    /// Not compressed.
    pub const UNCOMPRESSED: u8 = 1;
    /// Encrypted.
    pub const ENCRYPTED: u8 = 2;

    /// A backup of keys: always full, always encrypted, kept for ever.
    #[must_use]
    pub const fn of_keys(status: BackupStatus) -> Self {
        Self {
            backup_type: Self::KMS,
            scope: Self::FULL,
            compression: Self::UNCOMPRESSED,
            encryption: Self::ENCRYPTED,
            status,
            retention_days: 0,
        }
    }

    /// As a transfer's `user_data_128` holds it; the low 72 bits are reserved.
    #[must_use]
    pub fn pack(self) -> u128 {
        u128::from(self.backup_type) << TYPE_AT
            | u128::from(self.scope) << SCOPE_AT
            | u128::from(self.compression) << COMPRESSION_AT
            | u128::from(self.encryption) << ENCRYPTION_AT
            | u128::from(self.status as u8) << STATUS_AT
            | u128::from(self.retention_days) << RETENTION_AT
    }

    /// What [`Self::pack`] packed, also where it stands in the lower half.
    ///
    /// # Errors
    /// [`BadTransfer`] for a status that is none, and for reserved bits.
    pub fn unpack(packed: u128) -> Result<Self, BadTransfer> {
        let packed = if packed >> 64 == 0 { packed << 64 } else { packed };
        if packed << (u128::BITS - RETENTION_AT) != 0 {
            return Err(BadTransfer::Reserved);
        }
        let [backup_type, scope, compression, encryption, status, high, low, ..] =
            packed.to_be_bytes();
        Ok(Self {
            backup_type,
            scope,
            compression,
            encryption,
            status: BackupStatus::from_number(status)?,
            retention_days: u16::from_be_bytes([high, low]),
        })
    }
}

impl BackupTransfer {
    /// The transfer of a backup to a tenant.
    ///
    /// # Errors
    /// [`BadTransfer`] where the ledger would not take it.
    pub fn new(
        id: u128,
        tenant: TenantId,
        ledger: NonZeroU32,
        facts: BackupFacts,
        began_at: Timestamp,
    ) -> Result<Self, BadTransfer> {
        let credit_account = u128::from_be_bytes(*tenant.as_bytes());
        if [id, credit_account].iter().any(|id| matches!(*id, 0 | u128::MAX)) {
            return Err(BadTransfer::Id);
        }
        if credit_account == SYSTEM_ACCOUNT {
            return Err(BadTransfer::OneAccount);
        }
        let seconds = began_at.as_micros().div_euclid(1_000_000);
        Ok(Self {
            id,
            debit_account: SYSTEM_ACCOUNT,
            credit_account,
            amount: 1,
            code: BACKUP_CODE,
            user_data_128: facts.pack(),
            user_data_64: u64::try_from(seconds).map_err(|_| BadTransfer::Before1970)?,
            ledger: ledger.get(),
        })
    }
}

#[cfg(test)]
mod tests;
