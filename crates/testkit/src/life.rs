//! One life of one process: when it ends, nothing that belongs to it happens any more.
//!
//! Invariant: a life ends once. Its ports answer nothing afterwards, and the simulation runs none
//! of its tasks again, so that a crash stands between two instructions and undoes none.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A handle on a life; clones are handles on the same one.
#[derive(Debug, Clone)]
pub struct Life {
    number: u64,
    ended: Arc<AtomicBool>,
}

impl Life {
    /// A life that has just begun.
    #[must_use]
    pub fn begin(number: u64) -> Self {
        Self { number, ended: Arc::new(AtomicBool::new(false)) }
    }

    /// Ends it.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Is it over?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Which life of its world it is.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}
