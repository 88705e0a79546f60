//! The statements of the writer: what one change does to the tables.
//!
//! Invariant: a change is checked in the order in which every backend checks it (written twice,
//! guards, puts, deletes, index entries), against the state before it.

use std::collections::BTreeSet;

use keystead_domain::{ChangeId, Kind, VersionId};
use keystead_store::{AggregateRef, ChangeSet, Committed, Expected, IndexEntry, MaterialRow, Put};
use rusqlite::{Connection, OptionalExtension, Statement, params};

/// Why a change was not applied.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Something differs from what it expects.
    Conflict(Kind),
    /// SQLite's answer.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The writer's statements on the state and the log.
pub(crate) struct Writes<'c> {
    head: Statement<'c>,
    place: Statement<'c>,
    revision: Statement<'c>,
    put: Statement<'c>,
    delete: Statement<'c>,
    free: Statement<'c>,
    claim: Statement<'c>,
    material: Statement<'c>,
    erase: Statement<'c>,
    log: Statement<'c>,
}

impl<'c> Writes<'c> {
    /// Prepares all statements.
    pub(crate) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        let prepare = |sql: &str| connection.prepare(sql);
        Ok(Self {
            head: prepare("SELECT coalesce(max(commit_seq), 0) FROM change")?,
            place: prepare("SELECT commit_seq FROM change WHERE id = ?1")?,
            revision: prepare("SELECT revision FROM aggregate WHERE kind = ?1 AND id = ?2")?,
            put: prepare(
                "INSERT INTO aggregate (kind, id, tenant, revision, commit_seq, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (kind, id) DO UPDATE SET tenant = excluded.tenant,
                     revision = excluded.revision, commit_seq = excluded.commit_seq,
                     body = excluded.body",
            )?,
            delete: prepare("DELETE FROM aggregate WHERE kind = ?1 AND id = ?2")?,
            free: prepare("DELETE FROM index_entry WHERE kind = ?1 AND id = ?2")?,
            claim: prepare(
                "INSERT INTO index_entry (index_number, value, kind, id) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (index_number, value) DO NOTHING",
            )?,
            material: prepare(
                "INSERT INTO material (version, sealed) VALUES (?1, ?2)
                 ON CONFLICT (version) DO UPDATE SET sealed = excluded.sealed",
            )?,
            erase: prepare("DELETE FROM material WHERE version = ?1")?,
            log: prepare("INSERT INTO change (commit_seq, id, encoded) VALUES (?1, ?2, ?3)")?,
        })
    }

    /// The last place taken.
    pub(crate) fn head(&mut self) -> rusqlite::Result<i64> {
        self.head.query_row([], |row| row.get(0))
    }

    /// Where the change with this id was committed.
    pub(crate) fn place(&mut self, id: ChangeId) -> rusqlite::Result<Option<Committed>> {
        let place = self.place.query_row([id.as_bytes()], |row| row.get::<_, i64>(0)).optional()?;
        Ok(place.map(committed))
    }

    /// Applies the change at `commit_seq`; a change that is refused is to be rolled back.
    pub(crate) fn apply(
        &mut self,
        set: &ChangeSet,
        encoded: &[u8],
        commit_seq: i64,
    ) -> Result<(), Refused> {
        self.check(set)?;
        set.written().try_for_each(|aggregate| self.free(aggregate))?;
        set.deletes.iter().try_for_each(|delete| self.delete(delete.aggregate))?;
        set.puts.iter().try_for_each(|put| self.put(put, commit_seq))?;
        set.puts.iter().try_for_each(|put| self.claim(put))?;
        set.materials.iter().try_for_each(|row| self.material(row))?;
        set.erase.iter().try_for_each(|version| self.erase(*version))?;
        self.log.execute(params![commit_seq, set.id.as_bytes(), encoded])?;
        Ok(())
    }

    fn check(&mut self, set: &ChangeSet) -> Result<(), Refused> {
        if let Some(aggregate) = set.written_twice() {
            return Err(Refused::Conflict(aggregate.kind));
        }
        let guards = set.guards.iter().map(|guard| (guard.aggregate, guard.expected));
        let puts = set.puts.iter().map(|put| (put.aggregate, put.expected));
        let deletes = set.deletes.iter().map(|d| (d.aggregate, Expected::Revision(d.revision)));
        for (aggregate, expected) in guards.chain(puts).chain(deletes) {
            if self.found(aggregate)? != expected {
                return Err(Refused::Conflict(aggregate.kind));
            }
        }
        Ok(())
    }

    fn found(&mut self, AggregateRef { kind, id }: AggregateRef) -> rusqlite::Result<Expected> {
        let key = params![kind.number(), id];
        let revision = self.revision.query_row(key, |row| row.get::<_, i64>(0)).optional()?;
        Ok(revision.map_or(Expected::Absent, |r| Expected::Revision(r.unsigned_abs())))
    }

    fn free(&mut self, AggregateRef { kind, id }: AggregateRef) -> rusqlite::Result<()> {
        self.free.execute(params![kind.number(), id]).map(drop)
    }

    fn delete(&mut self, AggregateRef { kind, id }: AggregateRef) -> rusqlite::Result<()> {
        self.delete.execute(params![kind.number(), id]).map(drop)
    }

    fn put(&mut self, put: &Put, commit_seq: i64) -> rusqlite::Result<()> {
        let AggregateRef { kind, id } = put.aggregate;
        let revision = i64::try_from(put.expected.next()).expect("one was found below it");
        let (tenant, body) = (put.tenant.as_bytes(), put.body.as_bytes());
        self.put.execute(params![kind.number(), id, tenant, revision, commit_seq, body]).map(drop)
    }

    fn claim(&mut self, put: &Put) -> Result<(), Refused> {
        let AggregateRef { kind, id } = put.aggregate;
        // One named twice counts once, as in every backend; the order stays that of the change.
        let mut claimed = BTreeSet::new();
        for entry in put.index.iter().filter(|entry| claimed.insert(*entry)) {
            let IndexEntry { index, value } = entry;
            let params = params![index.number(), value, kind.number(), id];
            if self.claim.execute(params)? == 0 {
                return Err(Refused::Conflict(kind));
            }
        }
        Ok(())
    }

    fn material(&mut self, row: &MaterialRow) -> rusqlite::Result<()> {
        self.material.execute(params![row.version.as_bytes(), row.sealed.as_bytes()]).map(drop)
    }

    fn erase(&mut self, version: VersionId) -> rusqlite::Result<()> {
        self.erase.execute([version.as_bytes()]).map(drop)
    }
}

/// A place as the port counts it.
pub(crate) fn committed(place: i64) -> Committed {
    Committed { commit_seq: place.unsigned_abs() }
}
