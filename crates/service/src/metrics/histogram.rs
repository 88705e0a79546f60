//! A histogram of fixed buckets, each an atomic.
//!
//! Invariant: an observation is two additions and a search among a few bounds. A reading that is
//! taken beside observations may miss one; it never counts one twice, and buckets that it shows are
//! cumulative.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts values by upper bound.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One more than there are bounds: the last has none.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramReading {
    /// Upper bounds, ascending, each with how many values it holds, those of lower ones included.
    pub buckets: Vec<(u64, u64)>,
    /// How many values lie above the last bound.
    pub above: u64,
    /// The sum of all values.
    pub sum: u64,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    pub(super) fn observe(&self, value: u64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.sum.fetch_add(value, Ordering::Relaxed);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> HistogramReading {
        let counts: Vec<u64> = self.counts.iter().map(|c| c.load(Ordering::Relaxed)).collect();
        let (above, counts) = counts.split_last().expect("there is one more than bounds");
        let mut so_far = 0;
        let cumulated = counts.iter().map(|count| {
            so_far += count;
            so_far
        });
        let buckets = self.bounds.iter().copied().zip(cumulated).collect();
        HistogramReading { buckets, above: *above, sum: self.sum.load(Ordering::Relaxed) }
    }
}

impl HistogramReading {
    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.last().map_or(0, |(_, so_far)| *so_far) + self.above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_its_own_value_and_buckets_are_cumulative() {
        let histogram = Histogram::new(&[10, 20]);
        for value in [0, 10, 11, 20, 21, 1_000] {
            histogram.observe(value);
        }
        let read = histogram.read();
        assert_eq!(read.buckets, [(10, 2), (20, 4)]);
        assert_eq!((read.above, read.count(), read.sum), (2, 6, 1_062));
    }
}
