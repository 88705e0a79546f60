//! One configured vault and what is known of it.
//!
//! Invariant: `confirmed` is what the vault was last seen to hold and only its feeder moves it,
//! back too, where the vault has lost something; `health` is what status shows, never what a
//! decision rests on.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use keystead_archive::{VaultRecord, names};
use keystead_crypto::VerifyingKey;
use keystead_domain::{InstanceId, VaultId};
use keystead_targets::{ObjectName, PutNew, Vault, VaultError};

use super::catch_up::{NotUsable, object_name};

/// How a vault was last found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Health {
    /// Not asked yet.
    Unasked,
    /// It holds all that it must.
    Current,
    /// It answers and lacks this many objects.
    Behind(u64),
    /// It does not answer, or is not the vault that it should be.
    Away(String),
}

/// One vault.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: VaultId,
    pub(crate) vault: Arc<dyn Vault>,
    confirmed: AtomicU64,
    seen_ms: AtomicU64,
    listed_ms: AtomicU64,
    lacks_objects: AtomicBool,
    is_incomplete: AtomicBool,
    copies_due_ms: AtomicU64,
    health: Mutex<Health>,
    /// The record that was last found there and proved to be this vault's.
    record: Mutex<Option<Vec<u8>>>,
}

/// What a put of ours met.
#[derive(Debug)]
pub(crate) enum Put {
    /// Our bytes lie under the name.
    Ours,
    /// Other bytes lie there.
    Theirs(Vec<u8>),
}

impl Member {
    pub(crate) fn new(id: VaultId, vault: Arc<dyn Vault>) -> Self {
        Self {
            id,
            vault,
            confirmed: AtomicU64::new(0),
            seen_ms: AtomicU64::new(0),
            listed_ms: AtomicU64::new(0),
            // Until it was compared with the others, a vault may lack anything.
            lacks_objects: AtomicBool::new(true),
            is_incomplete: AtomicBool::new(false),
            copies_due_ms: AtomicU64::new(u64::MAX),
            health: Mutex::new(Health::Unasked),
            record: Mutex::new(None),
        }
    }

    /// Checks that the vault holds its own root-signed record. It is read each time; the signature
    /// over bytes that were proved before is not computed again.
    pub(crate) async fn check_record(
        &self,
        instance: InstanceId,
        root: &VerifyingKey,
    ) -> Result<(), NotUsable> {
        let there = self.vault.read(&object_name(&names::vault_record(instance))).await?;
        let proved = |record: &Option<Vec<u8>>| there.is_some() && *record == there;
        if proved(&self.record.lock().expect("no code panics while it holds this lock")) {
            return Ok(());
        }
        let record = there.as_deref().and_then(|bytes| VaultRecord::verify(bytes, root).ok());
        match record {
            Some(record) if record.vault == self.id && record.instance == instance => {
                *self.record.lock().expect("no code panics while it holds this lock") = there;
                Ok(())
            }
            _ => Err(NotUsable::NotOurs { id: self.id }),
        }
    }

    /// Puts an object and makes sure that it is ours: *exists* is read back and compared.
    pub(crate) async fn put(&self, name: &ObjectName, bytes: &[u8]) -> Result<Put, VaultError> {
        if self.vault.put_new(name, bytes).await? == PutNew::Created {
            return Ok(Put::Ours);
        }
        let there = self.vault.read(name).await?.unwrap_or_default();
        Ok(if there == bytes { Put::Ours } else { Put::Theirs(there) })
    }

    /// The last segment that this vault holds with every earlier one.
    pub(crate) fn confirmed(&self) -> u64 {
        self.confirmed.load(Ordering::Acquire)
    }

    pub(crate) fn confirm(&self, sequence: u64) {
        self.confirmed.fetch_max(sequence, Ordering::AcqRel);
    }

    /// What a listing has shown: it may be less than was confirmed before.
    pub(crate) fn recount(&self, sequence: u64) {
        let before = self.confirmed.swap(sequence, Ordering::AcqRel);
        if before > sequence {
            tracing::warn!(vault = %self.vault.url(), before, sequence, "a vault lost segments");
        }
    }

    /// When it last answered, in monotonic milliseconds.
    pub(crate) fn seen_ms(&self) -> u64 {
        self.seen_ms.load(Ordering::Acquire)
    }

    pub(crate) fn seen(&self, at_ms: u64) {
        self.seen_ms.fetch_max(at_ms, Ordering::AcqRel);
    }

    /// When it was last listed, in monotonic milliseconds.
    pub(crate) fn listed_ms(&self) -> u64 {
        self.listed_ms.load(Ordering::Acquire)
    }

    pub(crate) fn listed(&self, at_ms: u64) {
        self.listed_ms.store(at_ms, Ordering::Release);
    }

    /// Whether another vault may hold something that it lacks and could not be asked.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.is_incomplete.load(Ordering::Acquire)
    }

    pub(crate) fn set_complete(&self, complete: bool) {
        self.is_incomplete.store(!complete, Ordering::Release);
    }

    /// When key copies that it lacked and nobody gave are looked for again, in monotonic
    /// milliseconds; never where it lacks none.
    pub(crate) fn copies_due_ms(&self) -> u64 {
        self.copies_due_ms.load(Ordering::Acquire)
    }

    pub(crate) fn set_copies_due(&self, at_ms: u64) {
        self.copies_due_ms.store(at_ms, Ordering::Release);
    }

    /// Marks that an object could not be put here, so that the feeder compares it with the others.
    pub(crate) fn lacks_objects(&self) {
        self.lacks_objects.store(true, Ordering::Release);
    }

    /// Takes the mark away; the feeder is about to compare.
    pub(crate) fn take_lack(&self) -> bool {
        self.lacks_objects.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn health(&self) -> Health {
        self.health.lock().expect("no code panics while it holds this lock").clone()
    }

    pub(crate) fn set_health(&self, health: Health) {
        let mut present = self.health.lock().expect("no code panics while it holds this lock");
        if let Health::Away(reason) = &health
            && *present != health
        {
            tracing::warn!(vault = %self.vault.url(), reason, "a vault is away");
        }
        *present = health;
    }
}
