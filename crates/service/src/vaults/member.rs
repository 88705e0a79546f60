//! One configured vault and what is known of it.
//!
//! Invariant: `confirmed` only grows, and only the vault's feeder moves it; `health` is what status
//! shows, never what a decision rests on.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use keystead_domain::VaultId;
use keystead_targets::{ObjectName, PutNew, Vault, VaultError};

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
    lacks_objects: AtomicBool,
    health: Mutex<Health>,
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
            // Until it was compared with the others, a vault may lack anything.
            lacks_objects: AtomicBool::new(true),
            health: Mutex::new(Health::Unasked),
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

    /// When it last answered, in monotonic milliseconds.
    pub(crate) fn seen_ms(&self) -> u64 {
        self.seen_ms.load(Ordering::Acquire)
    }

    pub(crate) fn seen(&self, at_ms: u64) {
        self.seen_ms.fetch_max(at_ms, Ordering::AcqRel);
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
