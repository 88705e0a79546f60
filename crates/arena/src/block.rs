//! Owns a fixed number of bytes in the arena, for one secret.
//!
//! Invariant: between `new` and drop nobody else reaches these bytes, and they are zero before the
//! first write and after drop. Access lasts as long as a closure runs, so no borrow of a secret
//! outlives the sight of its reader.

use crate::pool;
use crate::slots::{Class, MAX_BLOCK_BYTES, Slot};
use std::{fmt, ptr::NonNull, slice};
use zeroize::Zeroize;

/// Bytes in the locked arena: zeroised on drop, neither cloned nor printed.
///
/// In a forked child the bytes read as zero: fork to exec only.
pub struct Block {
    bytes: NonNull<u8>,
    len: usize,
    slot: Slot,
    class: Class,
}

// SAFETY: a Block owns its bytes alone, as a Box would, and they live as long as the process.
unsafe impl Send for Block {}
// SAFETY: through a shared Block bytes are only read.
unsafe impl Sync for Block {}

impl Block {
    /// A zeroed block of `len` bytes (0..=8192), aligned to 32 bytes or more. The first block maps
    /// the region with its default size if nobody called [`init`](crate::init); a full arena grows
    /// by a further locked region.
    ///
    /// # Panics
    /// When `len` exceeds [`MAX_BLOCK_BYTES`], or when the arena is full and the kernel refuses to
    /// lock more memory.
    #[must_use]
    pub fn new(len: usize) -> Block {
        let Some(class) = Class::of(len) else {
            panic!("a block holds at most {MAX_BLOCK_BYTES} bytes, not {len}");
        };
        match pool::take(class) {
            Ok((slot, bytes)) => Block { bytes, len, slot, class },
            Err(refused) => panic!("no locked memory left for a key: {refused}"),
        }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the block has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lends the bytes to `f`.
    pub fn expose<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        // SAFETY: the slot holds at least `len` initialised bytes that this Block owns; the shared
        // borrow of `self` keeps writers away for as long as the slice lives.
        f(unsafe { slice::from_raw_parts(self.bytes.as_ptr(), self.len) })
    }

    /// Lends the bytes to `f` for writing.
    pub fn expose_mut<R>(&mut self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        // SAFETY: as in `expose`; the unique borrow of `self` makes this the only slice.
        f(unsafe { slice::from_raw_parts_mut(self.bytes.as_ptr(), self.len) })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.expose_mut(|bytes| bytes.zeroize());
        pool::give(self.slot, self.class);
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} bytes)", self.len)
    }
}
