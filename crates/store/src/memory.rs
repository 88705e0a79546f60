//! Keeps a whole database in memory: what tests run on and what other backends are compared with.
//!
//! Invariant: a commit checks everything before it changes anything, under one lock, so no reader
//! sees half a change. Clones are handles of one database: dropping one and using another is what
//! "closed and opened again" means here.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use keystead_crypto::{Material, Sealed};
use keystead_domain::{ChangeId, Kind, VersionId};

use crate::{
    AggregateRef, Backend, ChangeSet, CommitFailed, Committed, CommittedChange, Expected, Index,
    IndexEntry, Scan, StoreFailed, Stored,
};

/// A handle of a database in memory; a clone is another handle of the same one.
#[derive(Debug, Clone, Default)]
pub struct MemoryBackend(Arc<Mutex<State>>);

impl MemoryBackend {
    /// A new, empty database.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A second database with the same content, as a copied folder or an old backup has.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// Every sealed material, by version: what no other call of the port lists.
    #[must_use]
    pub fn materials(&self) -> Vec<(VersionId, Sealed<Material>)> {
        let state = self.state();
        state.materials.iter().map(|(version, row)| (*version, row.clone())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing between the first and the last write of a commit can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn load(&self, wanted: &[AggregateRef]) -> Result<Vec<Option<Stored>>, StoreFailed> {
        let state = self.state();
        Ok(wanted.iter().map(|aggregate| state.stored(aggregate).cloned()).collect())
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Stored>, StoreFailed> {
        Ok(self.state().scan(&scan))
    }

    async fn material(&self, version: VersionId) -> Result<Option<Sealed<Material>>, StoreFailed> {
        Ok(self.state().materials.get(&version).cloned())
    }

    async fn commit(&self, set: ChangeSet) -> Result<Committed, CommitFailed> {
        let mut state = self.state();
        if let Some(commit_seq) = state.places.get(&set.id) {
            return Ok(Committed { commit_seq: *commit_seq });
        }
        state.check(&set).map_err(|kind| CommitFailed::Conflict { kind })?;
        Ok(state.apply(set))
    }

    async fn outcome(&self, id: ChangeId) -> Result<Option<Committed>, StoreFailed> {
        let place = self.state().places.get(&id).copied();
        Ok(place.map(|commit_seq| Committed { commit_seq }))
    }

    async fn changes_after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<CommittedChange>, StoreFailed> {
        let state = self.state();
        let after = state.log.iter().skip(usize::try_from(seq).unwrap_or(usize::MAX)).take(limit);
        Ok(after.cloned().collect())
    }

    async fn head(&self) -> Result<u64, StoreFailed> {
        Ok(self.state().head())
    }
}

#[derive(Debug, Clone, Default)]
struct State {
    aggregates: BTreeMap<AggregateRef, Row>,
    index: BTreeMap<(Index, Vec<u8>), AggregateRef>,
    materials: BTreeMap<VersionId, Sealed<Material>>,
    log: Vec<CommittedChange>,
    places: BTreeMap<ChangeId, u64>,
}

#[derive(Debug, Clone)]
struct Row {
    stored: Stored,
    entries: Vec<IndexEntry>,
}

impl State {
    fn head(&self) -> u64 {
        self.log.last().map_or(0, |change| change.commit_seq)
    }

    fn stored(&self, aggregate: &AggregateRef) -> Option<&Stored> {
        self.aggregates.get(aggregate).map(|row| &row.stored)
    }

    fn found(&self, aggregate: &AggregateRef) -> Expected {
        self.stored(aggregate).map_or(Expected::Absent, |s| Expected::Revision(s.revision))
    }

    fn scan(&self, scan: &Scan) -> Vec<Stored> {
        match scan {
            Scan::Kind { kind, after, limit } => {
                let end = AggregateRef { kind: *kind, id: [0xff; 16] };
                let start = after
                    .map_or(Bound::Included(AggregateRef { kind: *kind, id: [0; 16] }), |id| {
                        Bound::Excluded(AggregateRef { kind: *kind, id })
                    });
                // A range from behind the last id to the last id is one that BTreeMap refuses.
                if start == Bound::Excluded(end) {
                    return Vec::new();
                }
                let rows = self.aggregates.range((start, Bound::Included(end)));
                rows.take(*limit).map(|(_, row)| row.stored.clone()).collect()
            }
            Scan::Index { index, prefix, after, limit } => self
                .index
                .range((*index, prefix.clone())..)
                .take_while(|((i, value), _)| i == index && value.starts_with(prefix))
                .filter(|((_, value), _)| after.as_ref().is_none_or(|after| value > after))
                .take(*limit)
                .filter_map(|(_, aggregate)| self.stored(aggregate).cloned())
                .collect(),
        }
    }

    /// The kind of the first aggregate that stands against the change.
    fn check(&self, set: &ChangeSet) -> Result<(), Kind> {
        if let Some(aggregate) = set.written_twice() {
            return Err(aggregate.kind);
        }
        let guards = set.guards.iter().map(|guard| (guard.aggregate, guard.expected));
        let puts = set.puts.iter().map(|put| (put.aggregate, put.expected));
        let deletes = set.deletes.iter().map(|d| (d.aggregate, Expected::Revision(d.revision)));
        let differs =
            |(aggregate, expected): &(AggregateRef, Expected)| self.found(aggregate) != *expected;
        match guards.chain(puts).chain(deletes).find(differs) {
            Some((aggregate, _)) => Err(aggregate.kind),
            None => self.check_index(set),
        }
    }

    fn check_index(&self, set: &ChangeSet) -> Result<(), Kind> {
        let written: BTreeSet<AggregateRef> = set.written().collect();
        let mut claimed = BTreeMap::new();
        for put in &set.puts {
            for entry in &put.index {
                let place = (entry.index, entry.value.clone());
                let holder = self.index.get(&place).filter(|holder| !written.contains(holder));
                let rival = claimed.insert(place, put.aggregate).filter(|r| *r != put.aggregate);
                if holder.is_some() || rival.is_some() {
                    return Err(put.aggregate.kind);
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, mut set: ChangeSet) -> Committed {
        let commit_seq = self.head() + 1;
        set.written().for_each(|aggregate| self.remove(&aggregate));
        for put in &set.puts {
            for entry in &put.index {
                self.index.insert((entry.index, entry.value.clone()), put.aggregate);
            }
            let stored = Stored {
                aggregate: put.aggregate,
                tenant: put.tenant,
                revision: put.expected.next(),
                commit_seq,
                body: put.body.clone(),
            };
            self.aggregates.insert(put.aggregate, Row { stored, entries: put.index.clone() });
        }
        for row in set.materials.drain(..) {
            self.materials.insert(row.version, row.sealed);
        }
        for version in &set.erase {
            self.materials.remove(version);
        }
        self.places.insert(set.id, commit_seq);
        self.log.push(CommittedChange { commit_seq, set });
        Committed { commit_seq }
    }

    fn remove(&mut self, aggregate: &AggregateRef) {
        let Some(row) = self.aggregates.remove(aggregate) else { return };
        for entry in row.entries {
            self.index.remove(&(entry.index, entry.value));
        }
    }
}
