//! The questions that readers ask, prepared once per connection.
//!
//! Invariant: each answer comes from one snapshot: one statement, or one read transaction. Nothing
//! is believed: a row that our writer could not have written is named and not repaired.

use std::fmt;

use keystead_crypto::{Material, Sealed};
use keystead_domain::{ChangeId, Kind, TenantId, VersionId, to_hex};
use keystead_store::{
    AggregateRef, ChangeSet, Committed, CommittedChange, Scan, StoreFailed, Stored,
};
use rusqlite::{Connection, Params, Row, Statement, params};

use crate::{failure::store_failed, row::Cells};

const AGGREGATE: &str = "aggregate";
const CHANGE: &str = "change";
const MATERIAL: &str = "material";

/// A reader's connection with its statements.
pub(crate) struct Queries<'c> {
    connection: &'c Connection,
    by_id: Statement<'c>,
    by_kind: Statement<'c>,
    by_index: Statement<'c>,
    by_index_to_end: Statement<'c>,
    material: Statement<'c>,
    outcome: Statement<'c>,
    changes: Statement<'c>,
    head: Statement<'c>,
}

impl<'c> Queries<'c> {
    /// Prepares all statements.
    pub(crate) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        let prepare = |sql: &str| connection.prepare(sql);
        let entries = "SELECT a.* FROM index_entry e JOIN aggregate a USING (kind, id)
                       WHERE e.index_number = ?1 AND e.value >= ?2";
        let order = "ORDER BY e.value LIMIT ?3";
        Ok(Self {
            connection,
            by_id: prepare("SELECT * FROM aggregate WHERE kind = ?1 AND id = ?2")?,
            by_kind: prepare(
                "SELECT * FROM aggregate WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?,
            by_index: prepare(&format!("{entries} AND e.value < ?4 {order}"))?,
            by_index_to_end: prepare(&format!("{entries} {order}"))?,
            material: prepare("SELECT * FROM material WHERE version = ?1")?,
            outcome: prepare("SELECT commit_seq FROM change WHERE id = ?1")?,
            changes: prepare(
                "SELECT * FROM change WHERE commit_seq > ?1 ORDER BY commit_seq LIMIT ?2",
            )?,
            head: prepare("SELECT coalesce(max(commit_seq), 0) FROM change")?,
        })
    }

    /// See `Backend::load`.
    pub(crate) fn load(
        &mut self,
        wanted: &[AggregateRef],
    ) -> Result<Vec<Option<Stored>>, StoreFailed> {
        self.transaction("BEGIN")?;
        let found = wanted.iter().map(|aggregate| self.stored(*aggregate)).collect();
        // Where SQLite has ended the snapshot by itself, `found` says why.
        if !self.connection.is_autocommit() {
            self.transaction("COMMIT")?;
        }
        found
    }

    fn transaction(&self, sql: &'static str) -> Result<(), StoreFailed> {
        self.connection.execute_batch(sql).map_err(|error| store_failed(AGGREGATE, error))
    }

    fn stored(&mut self, aggregate: AggregateRef) -> Result<Option<Stored>, StoreFailed> {
        let key = params![aggregate.kind.number(), aggregate.id];
        Ok(rows(AGGREGATE, &mut self.by_id, key, stored)?.pop())
    }

    /// See `Backend::scan`.
    pub(crate) fn scan(&mut self, scan: &Scan) -> Result<Vec<Stored>, StoreFailed> {
        match scan {
            Scan::Kind { kind, after, limit } => {
                // Every id follows the empty one.
                let after = after.as_ref().map_or(&[][..], |id| id);
                let params = params![kind.number(), after, row_limit(*limit)];
                rows(AGGREGATE, &mut self.by_kind, params, stored)
            }
            Scan::Index { index, prefix, after, limit } => {
                let (number, limit) = (index.number(), row_limit(*limit));
                let start = start(prefix, after.as_deref());
                match end(prefix) {
                    Some(end) => {
                        let params = params![number, start, limit, end];
                        rows(AGGREGATE, &mut self.by_index, params, stored)
                    }
                    None => {
                        let params = params![number, start, limit];
                        rows(AGGREGATE, &mut self.by_index_to_end, params, stored)
                    }
                }
            }
        }
    }

    /// See `Backend::material`.
    pub(crate) fn material(
        &mut self,
        version: VersionId,
    ) -> Result<Option<Sealed<Material>>, StoreFailed> {
        let found = rows(MATERIAL, &mut self.material, [version.as_bytes()], |row| {
            Cells::new(MATERIAL, row, version).sealed("sealed")
        });
        Ok(found?.pop())
    }

    /// See `Backend::outcome`.
    pub(crate) fn outcome(&mut self, id: ChangeId) -> Result<Option<Committed>, StoreFailed> {
        let found = rows(CHANGE, &mut self.outcome, [id.as_bytes()], |row| {
            let commit_seq = Cells::new(CHANGE, row, id).counted("commit_seq")?;
            Ok(Committed { commit_seq })
        });
        Ok(found?.pop())
    }

    /// See `Backend::changes_after`.
    pub(crate) fn changes_after(
        &mut self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<CommittedChange>, StoreFailed> {
        let Ok(after) = i64::try_from(seq) else { return Ok(Vec::new()) };
        let mut next = seq;
        rows(CHANGE, &mut self.changes, [after, row_limit(limit)], |row| {
            next += 1;
            committed_change(row, next)
        })
    }

    /// See `Backend::head`.
    pub(crate) fn head(&mut self) -> Result<u64, StoreFailed> {
        let head = self.head.query_row([], |row| row.get::<_, i64>(0));
        let head = head.map_err(|error| store_failed(CHANGE, error))?;
        Ok(u64::try_from(head).expect("the schema checks that places are positive"))
    }
}

/// Runs a statement to its end and turns each row into a value.
fn rows<T>(
    table: &'static str,
    statement: &mut Statement<'_>,
    params: impl Params,
    mut take: impl FnMut(&Row<'_>) -> Result<T, StoreFailed>,
) -> Result<Vec<T>, StoreFailed> {
    let failed = |error| store_failed(table, error);
    let mut rows = statement.query(params).map_err(failed)?;
    let mut values = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        values.push(take(row)?);
    }
    Ok(values)
}

/// An aggregate as people would name it, as far as it is known.
struct Named {
    kind: Option<Kind>,
    id: [u8; 16],
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.kind {
            write!(f, "{kind} ")?;
        }
        f.write_str(&to_hex(&self.id))
    }
}

fn stored(row: &Row<'_>) -> Result<Stored, StoreFailed> {
    let cells = Cells::new(AGGREGATE, row, "of unknown id");
    let id = cells.array("id")?;
    let cells = cells.named(Named { kind: None, id });
    let number = u16::try_from(cells.counted("kind")?).ok();
    let kind = number.and_then(Kind::from_number).ok_or_else(|| cells.corrupt("kind"))?;
    let cells = cells.named(Named { kind: Some(kind), id });
    Ok(Stored {
        aggregate: AggregateRef { kind, id },
        tenant: TenantId::from_bytes(cells.array("tenant")?),
        revision: cells.counted("revision")?,
        commit_seq: cells.counted("commit_seq")?,
        body: cells.sealed("body")?,
    })
}

/// The row at place `expected`; any other means that the log has a gap.
fn committed_change(row: &Row<'_>, expected: u64) -> Result<CommittedChange, StoreFailed> {
    let cells = Cells::new(CHANGE, row, expected);
    let commit_seq = cells.counted("commit_seq")?;
    if commit_seq != expected {
        return Err(cells.corrupt("commit_seq"));
    }
    let id = ChangeId::from_bytes(cells.array("id")?);
    let encoded = cells.blob("encoded")?;
    let set = ChangeSet::decode(encoded).map_err(|_| cells.corrupt("encoded"))?;
    if set.id != id {
        return Err(cells.corrupt("id"));
    }
    Ok(CommittedChange { commit_seq, set })
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The least value that begins with `prefix` and comes behind `after`.
fn start(prefix: &[u8], after: Option<&[u8]>) -> Vec<u8> {
    // In the order of bytes nothing lies between a value and the value with a zero behind it.
    let behind = after.map(|after| [after, &[0]].concat()).unwrap_or_default();
    behind.max(prefix.to_vec())
}

/// The least value behind all that begin with `prefix`, if any value is.
fn end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
