//! What this node has done since it started, as numbers that cost a request next to nothing.
//!
//! Invariant: the hot path adds to atomics and takes no lock; memory is bounded by tables that are
//! made at the start (fronts, known operations, outcomes, so many keys). Nothing here names a
//! principal, an address or a value of a request: what a stranger chose is counted as `Unknown`.

mod disk;
mod histogram;
mod key_uses;
mod operations;
mod vitals;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{AuthFault, Error, ErrorKind, Fault, Front};

pub(crate) use disk::MeasuredDisk;
pub use histogram::{Histogram, HistogramReading};
pub use key_uses::KeyUseCount;
use key_uses::KeyUses;
use operations::OPERATIONS;
pub(crate) use vitals::health_name;
pub use vitals::{Census, KitVitals, VaultVitals, Vitals};

/// Upper bounds of request times, in microseconds.
const REQUEST_US: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 10_000_000,
];

/// Upper bounds of sync times, in microseconds.
const SYNC_US: &[u64] =
    &[50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// Upper bounds of what one sync carries, in bytes.
const GROUP_BYTES: &[u64] = &[256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];

/// How long a full disk is believed to be full, in milliseconds.
const FULL_FOR_MS: u64 = 30_000;

const FRONTS: [&str; 3] = ["aws", "v1", "job"];
const OUTCOMES: usize = ErrorKind::ALL.len() + 1;
/// Why a request was turned away before anybody was proved to have sent it.
const UNPROVEN: [&str; 9] = [
    "missing",
    "incomplete",
    "unknown_access_key",
    "bad_signature",
    "skewed",
    "wrong_service",
    "body",
    "fenced",
    "other",
];

/// The counters of one node.
#[derive(Debug)]
pub struct Metrics {
    /// By front, then operation.
    requests: Vec<Requests>,
    unproven: Vec<AtomicU64>,
    in_flight: AtomicU64,
    journal_sync: Histogram,
    journal_group: Histogram,
    /// When the journal's disk was last found full, in monotonic milliseconds; 0 where it is not.
    journal_full_at_ms: AtomicU64,
    key_uses: KeyUses,
}

/// Requests of one operation through one front.
#[derive(Debug)]
struct Requests {
    outcomes: [AtomicU64; OUTCOMES],
    took: Histogram,
}

/// How often something happened, with its labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCount {
    /// `aws`, `v1` or `job`.
    pub front: &'static str,
    /// A known operation, or `Unknown`.
    pub operation: &'static str,
    /// `ok`, or the kind of the error.
    pub outcome: &'static str,
    /// How often.
    pub count: u64,
}

/// Counts a request as in flight for as long as it lives, also where its task panics.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let requests = || Requests {
            outcomes: std::array::from_fn(|_| AtomicU64::new(0)),
            took: Histogram::new(REQUEST_US),
        };
        Self {
            requests: (0..FRONTS.len() * OPERATIONS.len()).map(|_| requests()).collect(),
            unproven: (0..FRONTS.len() * UNPROVEN.len()).map(|_| AtomicU64::new(0)).collect(),
            in_flight: AtomicU64::new(0),
            journal_sync: Histogram::new(SYNC_US),
            journal_group: Histogram::new(GROUP_BYTES),
            journal_full_at_ms: AtomicU64::new(0),
            key_uses: KeyUses::default(),
        }
    }
}

impl Metrics {
    /// Counts one more request as running.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(self.clone())
    }

    /// How many requests are running.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Counts a request that is answered, with the time it took where it was carried out.
    pub(crate) fn answered(
        &self,
        front: Front,
        operation: &str,
        error: Option<&Error>,
        took_us: Option<u64>,
    ) {
        let of = &self.requests[place(front) * OPERATIONS.len() + operations::index(operation)];
        let outcome = error.map_or(0, |error| usize::from(error.kind().number()));
        of.outcomes[outcome].fetch_add(1, Ordering::Relaxed);
        if let Some(took_us) = took_us {
            of.took.observe(took_us);
        }
    }

    /// Counts a request that nobody was proved to have sent.
    pub(crate) fn unproven(&self, front: Front, error: &Error) {
        let reason = unproven_reason(&error.fault);
        self.unproven[place(front) * UNPROVEN.len() + reason].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a use of a key.
    pub(crate) fn key_used(&self, key: keystead_domain::KeyId, operation: &'static str) {
        self.key_uses.count(key, operation);
    }

    /// How often a key was used since this node started, by operation.
    #[must_use]
    pub fn uses_of(&self, key: keystead_domain::KeyId) -> Vec<KeyUseCount> {
        self.key_uses.of(key)
    }

    /// Uses of keys beyond the bound of the table, which are counted without a key.
    #[must_use]
    pub fn uses_uncounted(&self) -> u64 {
        self.key_uses.uncounted()
    }

    /// Answered requests whose sender was proved, those that occurred.
    pub fn requests(&self) -> impl Iterator<Item = RequestCount> + '_ {
        self.labelled().flat_map(|(front, operation, of)| {
            let counts = of.outcomes.iter().enumerate();
            let read = move |(at, count): (usize, &AtomicU64)| RequestCount {
                front,
                operation,
                outcome: outcome_name(at),
                count: count.load(Ordering::Relaxed),
            };
            counts.map(read).filter(|of| of.count > 0)
        })
    }

    /// How long requests took, those that occurred: front, operation, times in microseconds.
    pub fn request_times(
        &self,
    ) -> impl Iterator<Item = (&'static str, &'static str, HistogramReading)> + '_ {
        self.labelled()
            .map(|(front, operation, of)| (front, operation, of.took.read()))
            .filter(|(_, _, took)| took.count() > 0)
    }

    /// Requests that nobody was proved to have sent: front, reason, count.
    pub fn unproven_requests(
        &self,
    ) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        let of = |(at, count): (usize, &AtomicU64)| {
            let (front, reason) = (at / UNPROVEN.len(), at % UNPROVEN.len());
            (FRONTS[front], UNPROVEN[reason], count.load(Ordering::Relaxed))
        };
        // No request is the job's own: those two are always shown, so that a rate has a beginning.
        self.unproven.iter().take(2 * UNPROVEN.len()).enumerate().map(of)
    }

    /// How long the journal's syncs took, in microseconds.
    #[must_use]
    pub fn journal_sync(&self) -> HistogramReading {
        self.journal_sync.read()
    }

    /// How much each sync carried, in bytes.
    #[must_use]
    pub fn journal_group(&self) -> HistogramReading {
        self.journal_group.read()
    }

    /// Whether the journal's disk was found full and not written to since. Without a request nobody
    /// finds out that there is room again, so after a while the next one is let through to try.
    #[must_use]
    pub(crate) fn journal_full(&self, now_ms: u64) -> bool {
        let at_ms = self.journal_full_at_ms.load(Ordering::Relaxed);
        at_ms > 0 && now_ms.saturating_sub(at_ms) < FULL_FOR_MS
    }

    fn labelled(&self) -> impl Iterator<Item = (&'static str, &'static str, &Requests)> {
        self.requests
            .iter()
            .enumerate()
            .map(|(at, of)| (FRONTS[at / OPERATIONS.len()], OPERATIONS[at % OPERATIONS.len()], of))
    }
}

/// Every operation that requests are counted by.
#[must_use]
pub fn known_operations() -> &'static [&'static str] {
    &OPERATIONS
}

fn place(front: Front) -> usize {
    match front {
        Front::Aws => 0,
        Front::Native => 1,
        Front::Job => 2,
    }
}

fn outcome_name(at: usize) -> &'static str {
    match at.checked_sub(1).map(|at| ErrorKind::ALL[at]) {
        None => "ok",
        Some(ErrorKind::Invalid) => "invalid",
        Some(ErrorKind::NotFound) => "not_found",
        Some(ErrorKind::Denied) => "denied",
        Some(ErrorKind::ApprovalRequired) => "approval_required",
        Some(ErrorKind::WrongState) => "wrong_state",
        Some(ErrorKind::Conflict) => "conflict",
        Some(ErrorKind::Limit) => "limit",
        Some(ErrorKind::Unavailable) => "unavailable",
        Some(ErrorKind::UnknownOutcome) => "unknown_outcome",
        Some(ErrorKind::Corrupt) => "corrupt",
        Some(ErrorKind::Internal) => "internal",
    }
}

fn unproven_reason(fault: &Fault) -> usize {
    match fault {
        Fault::Unauthenticated(AuthFault::Missing) => 0,
        Fault::Unauthenticated(AuthFault::Incomplete) => 1,
        Fault::Unauthenticated(AuthFault::UnknownAccessKey) => 2,
        Fault::Unauthenticated(AuthFault::BadSignature) => 3,
        Fault::Unauthenticated(AuthFault::Skewed) => 4,
        Fault::Unauthenticated(AuthFault::WrongService) => 5,
        Fault::Field { .. } => 6,
        Fault::Fenced { .. } => 7,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_by_front_operation_and_outcome() {
        let metrics = Metrics::default();
        metrics.answered(Front::Aws, "Encrypt", None, Some(300));
        metrics.answered(Front::Aws, "Encrypt", Some(&Fault::Ciphertext.into()), Some(20));
        metrics.answered(Front::Native, "what a stranger wrote", None, None);
        let seen: Vec<_> =
            metrics.requests().map(|of| (of.front, of.operation, of.outcome)).collect();
        let expected =
            [("aws", "Encrypt", "ok"), ("aws", "Encrypt", "invalid"), ("v1", "Unknown", "ok")];
        assert_eq!(seen, expected);
        let times: Vec<_> = metrics.request_times().collect();
        assert_eq!(times.len(), 1, "what was not carried out took no time");
        assert_eq!((times[0].2.count(), times[0].2.sum), (2, 320));
    }

    #[test]
    fn every_kind_of_error_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = (0..OUTCOMES).map(outcome_name).collect();
        assert_eq!(names.len(), OUTCOMES);
    }

    #[test]
    fn unproven_requests_are_counted_by_reason() {
        let metrics = Metrics::default();
        metrics.unproven(Front::Aws, &Fault::Unauthenticated(AuthFault::Skewed).into());
        let seen: Vec<_> = metrics.unproven_requests().filter(|(_, _, count)| *count > 0).collect();
        assert_eq!(seen, [("aws", "skewed", 1)]);
    }

    #[test]
    fn a_request_in_flight_is_counted_until_it_ends_however_it_ends() {
        let metrics = Arc::new(Metrics::default());
        let running = (metrics.begin(), metrics.begin());
        assert_eq!(metrics.in_flight(), 2);
        drop(running);
        assert_eq!(metrics.in_flight(), 0);
    }
}
