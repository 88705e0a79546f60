//! A small least-recently-used map: opened keys and derived signing keys.
//!
//! Invariant: never more than `capacity` values, so that opened keys never outgrow the arena. What
//! was found stays until at least half as many others were put in or found after it.

use std::{collections::BTreeMap, sync::Mutex};

/// A bounded cache behind one lock.
pub(crate) struct Lru<K, V> {
    inner: Mutex<Inner<K, V>>,
    capacity: usize,
}

struct Inner<K, V> {
    values: BTreeMap<K, (u64, V)>,
    ages: BTreeMap<u64, K>,
    tick: u64,
}

impl<K: Ord + Clone, V: Clone> Lru<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        let inner = Inner { values: BTreeMap::new(), ages: BTreeMap::new(), tick: 0 };
        Self { inner: Mutex::new(inner), capacity }
    }

    pub(crate) fn find(&self, key: &K) -> Option<V> {
        let inner = &mut *self.inner.lock().expect("no code panics while it holds this lock");
        let (age, value) = inner.values.get_mut(key)?;
        // One that is found again and again need not be made the newest each time.
        if inner.tick - *age < self.capacity as u64 / 2 {
            return Some(value.clone());
        }
        inner.ages.remove(age);
        inner.tick += 1;
        *age = inner.tick;
        inner.ages.insert(inner.tick, key.clone());
        Some(value.clone())
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        let inner = &mut *self.inner.lock().expect("no code panics while it holds this lock");
        inner.tick += 1;
        if let Some((age, _)) = inner.values.insert(key.clone(), (inner.tick, value)) {
            inner.ages.remove(&age);
        }
        inner.ages.insert(inner.tick, key);
        while inner.values.len() > self.capacity {
            let Some((_, oldest)) = inner.ages.pop_first() else { break };
            inner.values.remove(&oldest);
        }
    }

    pub(crate) fn forget(&self, key: &K) {
        let inner = &mut *self.inner.lock().expect("no code panics while it holds this lock");
        if let Some((age, _)) = inner.values.remove(key) {
            inner.ages.remove(&age);
        }
    }
}

impl<K, V> std::fmt::Debug for Lru<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lru(at most {})", self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_leaves_first() {
        let lru = Lru::new(2);
        lru.insert(1, 'a');
        lru.insert(2, 'b');
        assert_eq!(lru.find(&1), Some('a'));
        lru.insert(3, 'c');
        assert_eq!(lru.find(&2), None);
        assert_eq!((lru.find(&1), lru.find(&3)), (Some('a'), Some('c')));
        lru.insert(1, 'z');
        assert_eq!(lru.find(&1), Some('z'));
        lru.forget(&1);
        lru.forget(&9);
        assert_eq!((lru.find(&1), lru.find(&3)), (None, Some('c')));
        lru.insert(4, 'd');
        assert_eq!((lru.find(&3), lru.find(&4)), (Some('c'), Some('d')), "its place is free");
    }
}
