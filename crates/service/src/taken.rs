//! What committed changes above the watermark take away: in force from their commit on.
//!
//! Invariant: laying it over the state at the watermark only narrows what is allowed. A key that
//! was disabled and enabled again stays disabled until the enabling is vaulted: with this machine
//! lost at any instant, nobody was served what the vaults would not know.

use std::collections::BTreeMap;

use keystead_domain::{KeyId, KeyState, TenantId};

use crate::keyring::Snapshot;

/// One thing taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// A key is in this state now, as far as that is less than before.
    Key(KeyId, KeyState),
    /// The access key with this aggregate id is no more.
    AccessKey([u8; 16]),
    /// The alias with this aggregate id is no more.
    Alias([u8; 16]),
}

/// The changes above the watermark, by what they take away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail {
    looked_at: u64,
    taken: BTreeMap<u64, Vec<Taken>>,
}

/// The state at the watermark, and what later changes take away from it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    pub(crate) base: Snapshot,
    pub(crate) tail: Tail,
}

impl Layers {
    /// What is in force.
    pub(crate) fn laid(&self) -> Snapshot {
        let mut laid = self.base.clone();
        for (commit_seq, taken) in &self.tail.taken {
            taken.iter().for_each(|taken| laid.take_away(*commit_seq, *taken));
        }
        laid
    }
}

impl Tail {
    /// Of a state that is whole up to this change.
    pub(crate) fn after(commit_seq: u64) -> Self {
        Self { looked_at: commit_seq, taken: BTreeMap::new() }
    }

    /// The last change that was looked at.
    pub(crate) fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// Adds the next change.
    pub(crate) fn add(&mut self, commit_seq: u64, taken: Vec<Taken>) {
        self.looked_at = commit_seq;
        if !taken.is_empty() {
            self.taken.insert(commit_seq, taken);
        }
    }

    /// Forgets what is below the watermark by now.
    pub(crate) fn drop_up_to(&mut self, commit_seq: u64) {
        self.looked_at = self.looked_at.max(commit_seq);
        self.taken = self.taken.split_off(&(commit_seq + 1));
    }
}

impl Snapshot {
    fn take_away(&mut self, commit_seq: u64, taken: Taken) {
        match taken {
            Taken::Alias(id) => {
                if let Some(name) = self.remove_alias(&id) {
                    self.removed_aliases.insert(name, commit_seq);
                }
            }
            Taken::Key(id, later) => self.restrict(id, later),
            Taken::AccessKey(id) => self.remove_access_key(&id),
        }
    }

    fn restrict(&mut self, id: KeyId, later: KeyState) {
        // A key that is not below the watermark yet allows nothing that could be taken.
        let Some(entry) = self.keys().get(&id) else { return };
        let state = entry.state.restricted_by(later);
        if state == entry.state {
            return;
        }
        let entry = entry.in_state(state);
        self.place(entry);
    }

    /// Removes the alias with this aggregate id, and says where it was.
    pub(crate) fn remove_alias(&mut self, id: &[u8; 16]) -> Option<(TenantId, String)> {
        let gone = self.aliases.iter().find(|(_, alias)| alias.id.as_bytes() == id);
        let name = gone.map(|(name, _)| name.clone())?;
        self.aliases.remove(&name);
        Some(name)
    }

    /// Removes the access key with this aggregate id.
    pub(crate) fn remove_access_key(&mut self, id: &[u8; 16]) {
        let gone = self.access_keys.iter().find(|(_, entry)| entry.id == *id);
        if let Some(name) = gone.map(|(name, _)| name.clone()) {
            self.access_keys.remove(&name);
        }
    }
}
