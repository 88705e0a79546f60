//! Memory for one computation, from the system and back to it.
//!
//! Invariant: the memory is nobody else's while the computation runs, and gone when it ends, by a
//! panic too.
//!
//! Why not the allocator: it keeps what is freed for later, and a passphrase takes 64 MiB and more
//! once at each start. What is unmapped the system has back at once, with what was in it.

use std::{io, ptr, ptr::NonNull};

/// A mapping that ends with its owner.
struct Mapping {
    start: NonNull<libc::c_void>,
    bytes: usize,
}

impl Mapping {
    fn new(bytes: usize) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping at an address that the kernel chooses aliases nothing.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start).expect("the kernel maps nothing at 0 unasked");
        Ok(Self { start, bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is our own mapping, and whoever borrowed it has ended before its owner.
        unsafe { libc::munmap(self.start.as_ptr(), self.bytes) };
    }
}

/// Lends `count` values, each as it is by default, to `work`.
///
/// # Errors
/// Where the system does not give the memory.
///
/// # Panics
/// Where the values are none, or take more bytes than there are addresses.
pub fn with_scratch<T: Copy + Default, R>(
    count: usize,
    work: impl FnOnce(&mut [T]) -> R,
) -> io::Result<R> {
    let bytes = count.checked_mul(size_of::<T>()).filter(|bytes| *bytes > 0);
    let mapping = Mapping::new(bytes.expect("some values that fit the address space"))?;
    let first = mapping.start.cast::<T>();
    assert!(first.is_aligned(), "pages are aligned for every type that needs less than a page");
    for index in 0..count {
        // SAFETY: the mapping has room for `count` values and nobody refers to it yet.
        unsafe { first.add(index).write(T::default()) };
    }
    // SAFETY: all `count` values are initialised and aligned, and the mapping outlives the slice,
    // which `work` cannot keep.
    let values = unsafe { std::slice::from_raw_parts_mut(first.as_ptr(), count) };
    Ok(work(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    #[repr(align(64))]
    struct Wide(u64);

    impl Default for Wide {
        fn default() -> Self {
            Self(7)
        }
    }

    #[test]
    fn the_values_are_lent_as_they_are_by_default_and_may_be_changed() {
        let sum = with_scratch(1_000, |values: &mut [Wide]| {
            assert!(values.iter().all(|value| *value == Wide::default()));
            values.iter_mut().for_each(|value| value.0 += 1);
            values.iter().map(|value| value.0).sum::<u64>()
        });
        assert_eq!(sum.unwrap(), 8_000);
    }

    #[test]
    fn it_ends_where_the_work_panics() {
        for _ in 0..10 {
            let panicked = std::panic::catch_unwind(|| {
                with_scratch(1 << 20, |_: &mut [u64]| panic!("for a test"))
            });
            assert!(panicked.is_err());
        }
    }

    #[test]
    fn what_the_system_does_not_have_is_refused() {
        assert!(with_scratch(1 << 45, |_: &mut [u64]| ()).is_err());
    }
}
