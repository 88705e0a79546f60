//! What is known of all keys together: how many are in each state, and what comes due when.
//!
//! Invariant: it changes with each key and is never counted anew: an instance may hold a million
//! keys, and nobody walks over them to learn that none is due.

use imbl::OrdSet;
use keystead_domain::{KeyId, KeyState, Timestamp};

use super::KeyEntry;

/// The words for the states, in the order of [`place`].
const STATES: [&str; 6] =
    ["active", "suspended", "deactivated", "compromised", "doomed", "destroyed"];

/// Sums over keys, and those that have something coming.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    states: [u64; STATES.len()],
    /// Of keys that are not destroyed.
    versions: u64,
    destroyed_versions: u64,
    dooms: OrdSet<(Timestamp, KeyId)>,
    rotations: OrdSet<(Timestamp, KeyId)>,
}

impl Tally {
    /// Counts a key in.
    pub(super) fn add(&mut self, entry: &KeyEntry) {
        self.states[place(&entry.state)] += 1;
        *self.versions_with(entry) += entry.version_count() as u64;
        if let KeyState::Doomed { due } = entry.state {
            self.dooms.insert((due, entry.id));
        }
        if let Some(schedule) = entry.rotation() {
            self.rotations.insert((schedule.next, entry.id));
        }
    }

    /// Takes a key out again that was counted in.
    pub(super) fn remove(&mut self, entry: &KeyEntry) {
        self.states[place(&entry.state)] -= 1;
        *self.versions_with(entry) -= entry.version_count() as u64;
        if let KeyState::Doomed { due } = entry.state {
            self.dooms.remove(&(due, entry.id));
        }
        if let Some(schedule) = entry.rotation() {
            self.rotations.remove(&(schedule.next, entry.id));
        }
    }

    /// How many keys are in each state, those that none is in too.
    pub(crate) fn states(&self) -> impl Iterator<Item = (&'static str, u64)> {
        STATES.into_iter().zip(self.states)
    }

    /// How many versions the keys have that are not destroyed.
    pub(crate) fn versions(&self) -> u64 {
        self.versions
    }

    /// How many keys are destroyed, and how many versions they had.
    pub(crate) fn destroyed(&self) -> (u64, u64) {
        let destroyed = KeyState::Destroyed { at: Timestamp::from_micros(0) };
        (self.states[place(&destroyed)], self.destroyed_versions)
    }

    /// When the next key is due for destruction.
    pub(crate) fn next_doom(&self) -> Option<Timestamp> {
        self.dooms.get_min().map(|(due, _)| *due)
    }

    /// The keys that are due for destruction at `now`, the longest due first.
    pub(crate) fn doomed_by(&self, now: Timestamp) -> impl Iterator<Item = KeyId> {
        due(&self.dooms, now)
    }

    /// The keys whose next version is due at `now`, the longest due first.
    pub(crate) fn rotating_by(&self, now: Timestamp) -> impl Iterator<Item = KeyId> {
        due(&self.rotations, now)
    }

    fn versions_with(&mut self, entry: &KeyEntry) -> &mut u64 {
        match entry.state {
            KeyState::Destroyed { .. } => &mut self.destroyed_versions,
            _ => &mut self.versions,
        }
    }
}

fn due(of: &OrdSet<(Timestamp, KeyId)>, now: Timestamp) -> impl Iterator<Item = KeyId> {
    of.iter().take_while(move |(at, _)| *at <= now).map(|(_, key)| *key)
}

fn place(state: &KeyState) -> usize {
    match state {
        KeyState::Active { .. } => 0,
        KeyState::Suspended { .. } => 1,
        KeyState::Deactivated { .. } => 2,
        KeyState::Compromised { .. } => 3,
        KeyState::Doomed { .. } => 4,
        KeyState::Destroyed { .. } => 5,
    }
}

#[cfg(test)]
mod tests;
