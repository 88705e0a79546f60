//! Decides which part of which region a block gets: power-of-two classes, one free list each.
//!
//! Invariant: the slots on the free lists are disjoint, each aligned to its own size, and no slot
//! is both free and handed out. This file sees offsets only, never a byte.
//!
//! Why lazy merging: keys come and go in few sizes, so a freed slot is nearly always wanted again
//! as it is. Halves are merged only before the arena would otherwise have to grow.

/// The largest block, in bytes: the largest size class.
pub const MAX_BLOCK_BYTES: usize = 8192;

const MIN_BLOCK_BYTES: usize = 32;
const CLASSES: usize = (MAX_BLOCK_BYTES / MIN_BLOCK_BYTES).ilog2() as usize + 1;

/// A size class: class `n` holds slots of `32 << n` bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Class(usize);

impl Class {
    /// The smallest class that holds `len` bytes, if any does.
    pub(crate) fn of(len: usize) -> Option<Class> {
        let bytes = len.max(MIN_BLOCK_BYTES).checked_next_power_of_two()?;
        (bytes <= MAX_BLOCK_BYTES).then(|| Class((bytes / MIN_BLOCK_BYTES).ilog2() as usize))
    }

    /// Bytes that a slot of this class occupies.
    pub(crate) fn bytes(self) -> usize {
        MIN_BLOCK_BYTES << self.0
    }
}

/// A place in the arena: a region's number and an offset in bytes into it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Slot {
    pub(crate) region: usize,
    pub(crate) offset: usize,
}

/// The free lists.
pub(crate) struct Slots {
    free: [Vec<Slot>; CLASSES],
}

impl Slots {
    pub(crate) const fn new() -> Slots {
        Slots { free: [const { Vec::new() }; CLASSES] }
    }

    /// Adds a region of `bytes`, a multiple of [`MAX_BLOCK_BYTES`].
    pub(crate) fn add_region(&mut self, region: usize, bytes: usize) {
        let offsets = (0..bytes / MAX_BLOCK_BYTES).rev().map(|n| n * MAX_BLOCK_BYTES);
        self.free[CLASSES - 1].extend(offsets.map(|offset| Slot { region, offset }));
    }

    /// A free slot of this class, or nothing when only a further region can help.
    pub(crate) fn take(&mut self, class: Class) -> Option<Slot> {
        self.split(class).or_else(|| {
            self.merge();
            self.split(class)
        })
    }

    /// Puts back a slot that [`Slots::take`] gave for this class.
    pub(crate) fn give(&mut self, slot: Slot, class: Class) {
        self.free[class.0].push(slot);
    }

    fn split(&mut self, class: Class) -> Option<Slot> {
        let from = (class.0..CLASSES).find(|&n| !self.free[n].is_empty())?;
        let slot = self.free[from].pop()?;
        for n in (class.0..from).rev() {
            let offset = slot.offset + Class(n).bytes();
            self.free[n].push(Slot { offset, ..slot });
        }
        Some(slot)
    }

    fn merge(&mut self) {
        for n in 0..CLASSES - 1 {
            let bytes = Class(n).bytes();
            let mut halves = std::mem::take(&mut self.free[n]);
            halves.sort_unstable();
            let mut rest = halves.into_iter().peekable();
            while let Some(slot) = rest.next() {
                let buddy = Slot { offset: slot.offset ^ bytes, ..slot };
                if rest.next_if_eq(&buddy).is_some() {
                    self.free[n + 1].push(slot);
                } else {
                    self.free[n].push(slot);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_powers_of_two_from_32_to_8192() {
        for (len, bytes) in [(0, 32), (1, 32), (32, 32), (33, 64), (4097, 8192), (8192, 8192)] {
            assert_eq!(Class::of(len).map(Class::bytes), Some(bytes), "{len}");
        }
        assert_eq!(Class::of(8193), None);
        assert_eq!(Class::of(usize::MAX), None);
    }

    #[test]
    fn a_region_cut_into_the_smallest_slots_merges_back_into_the_largest() {
        let mut slots = Slots::new();
        slots.add_region(0, 2 * MAX_BLOCK_BYTES);
        let (small, large) = (Class(0), Class(CLASSES - 1));
        let taken: Vec<Slot> = std::iter::from_fn(|| slots.take(small)).collect();
        assert_eq!(taken.len(), 2 * MAX_BLOCK_BYTES / MIN_BLOCK_BYTES);
        assert_eq!(slots.take(large), None);
        taken.into_iter().for_each(|slot| slots.give(slot, small));
        assert!(slots.take(large).is_some() && slots.take(large).is_some());
        assert_eq!(slots.take(small), None);
    }

    #[test]
    fn halves_of_two_regions_never_merge() {
        let mut slots = Slots::new();
        let half = Class(CLASSES - 2);
        slots.give(Slot { region: 0, offset: 0 }, half);
        slots.give(Slot { region: 1, offset: half.bytes() }, half);
        slots.give(Slot { region: 2, offset: half.bytes() }, half);
        slots.give(Slot { region: 2, offset: 2 * half.bytes() }, half);
        assert_eq!(slots.take(Class(CLASSES - 1)), None);
    }
}
