//! How often each key was used, by operation, since this node started.
//!
//! Invariant: memory is bounded: so many keys have a place, found by hashing and given once for the
//! life of the process; uses of further keys are counted together. No lock is taken: a place is an
//! atomic pointer that is set once. What was used over all time is in the ledger, which these
//! numbers do not replace.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use keystead_domain::KeyId;

/// How many keys have a place: 8,192 places of some 130 bytes each, taken when a key is first used.
const PLACES: usize = 8_192;
/// How many places are looked at for one key.
const PROBES: usize = 32;

/// The operations that use a key.
const USES: [&str; 12] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateLeasedDataKey",
    "GenerateMac",
    "GetPublicKey",
    "LeaseDataKey",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac",
];

/// The counters of all keys.
#[derive(Debug)]
pub(super) struct KeyUses {
    places: Vec<OnceLock<Box<Place>>>,
    uncounted: AtomicU64,
}

#[derive(Debug)]
struct Place {
    key: KeyId,
    uses: [AtomicU64; USES.len()],
}

/// How often one operation used a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUseCount {
    /// Which operation.
    pub operation: &'static str,
    /// How often it was carried out.
    pub count: u64,
}

impl Default for KeyUses {
    fn default() -> Self {
        let places = (0..PLACES).map(|_| OnceLock::new()).collect();
        Self { places, uncounted: AtomicU64::new(0) }
    }
}

impl KeyUses {
    pub(super) fn count(&self, key: KeyId, operation: &'static str) {
        let Ok(at) = USES.binary_search(&operation) else { return };
        for place in self.candidates(key) {
            let fresh = || Box::new(Place { key, uses: std::array::from_fn(|_| 0.into()) });
            let place = place.get_or_init(fresh);
            if place.key == key {
                place.uses[at].fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        self.uncounted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn of(&self, key: KeyId) -> Vec<KeyUseCount> {
        let mut taken = self.candidates(key).map_while(OnceLock::get);
        let Some(place) = taken.find(|place| place.key == key) else { return Vec::new() };
        let counts = USES.iter().zip(&place.uses);
        let read = counts.map(|(operation, count)| KeyUseCount {
            operation,
            count: count.load(Ordering::Relaxed),
        });
        read.filter(|of| of.count > 0).collect()
    }

    pub(super) fn uncounted(&self) -> u64 {
        self.uncounted.load(Ordering::Relaxed)
    }

    /// Ids are random, so their first bytes are hash enough.
    fn candidates(&self, key: KeyId) -> impl Iterator<Item = &OnceLock<Box<Place>>> {
        let start = u64::from_be_bytes(key.as_bytes()[..8].try_into().expect("an id has 16 bytes"));
        let start = usize::try_from(start % PLACES as u64).expect("below the number of places");
        (0..PROBES).map(move |step| &self.places[(start + step) % PLACES])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> KeyId {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&number.to_be_bytes());
        KeyId::from_bytes(id)
    }

    #[test]
    fn the_operations_are_sorted_and_known() {
        assert!(USES.is_sorted_by(|a, b| a < b));
        let known = super::super::known_operations();
        assert!(USES.iter().all(|name| known.contains(name)));
    }

    #[test]
    fn keys_that_hash_to_one_place_are_told_apart_and_the_rest_is_counted_together() {
        let uses = KeyUses::default();
        for number in 0..PROBES as u64 + 3 {
            uses.count(key(number), "Encrypt");
            uses.count(key(number), "Encrypt");
            uses.count(key(number), "Decrypt");
        }
        let expected = [("Decrypt", 1), ("Encrypt", 2)];
        for number in 0..PROBES as u64 {
            let seen: Vec<_> =
                uses.of(key(number)).iter().map(|u| (u.operation, u.count)).collect();
            assert_eq!(seen, expected, "{number}");
        }
        assert!(uses.of(key(PROBES as u64)).is_empty());
        assert_eq!(uses.uncounted(), 9);
        uses.count(key(0), "CreateKey");
        assert_eq!(uses.of(key(0)).len(), 2, "what uses no key is not counted");
    }
}
