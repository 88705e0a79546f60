//! The canonical bytes of a change: what a row of the change log holds.
//!
//! Invariant: one change has one encoding, and `materials` is no part of it: those rows are local.
//!
//! Layout, in the encoding of `keystead_crypto::bytes`: `u16` version 1; change id (16); time in
//! microseconds (`i64`); then the lists of puts (aggregate, tenant id (16), expected, sealed body
//! as bytes, list of index entries: index number `u8`, value as bytes), deletes (aggregate, tenant
//! id, revision `u64`), guards (aggregate, expected), events (bytes), jobs (name as text,
//! argument as bytes) and erased materials (version id (8)). An aggregate is its kind `u16` and its
//! id (16); expected is an option of a revision `u64`. Lists keep their order. Revisions run from 1
//! to 2^63 - 1, as databases count.

use keystead_crypto::{
    Sealed,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{ChangeId, Kind, TenantId, Timestamp, VersionId};

use crate::{AggregateRef, ChangeSet, Delete, Expected, FollowUp, Guard, Index, IndexEntry, Put};

const VERSION: u16 = 1;

impl ChangeSet {
    /// Its canonical bytes, without materials.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(VERSION);
        self.id.write(&mut w);
        w.i64(self.at.as_micros());
        w.list(self.puts.iter(), write_put);
        w.list(self.deletes.iter(), write_delete);
        w.list(self.guards.iter(), write_guard);
        w.list(self.events.iter(), |w, event| {
            w.bytes(event);
        });
        w.list(self.jobs.iter(), |w, follow_up| {
            w.text(&follow_up.job).bytes(&follow_up.argument);
        });
        w.list(self.erase.iter(), |w, version| version.write(w));
        w.finish()
    }

    /// The change with these canonical bytes; it has no materials.
    ///
    /// # Errors
    /// [`Malformed`] where [`ChangeSet::encode`] would not have written them.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let found = r.u16()?;
        if found != VERSION {
            return Err(Malformed::Version { what: "change set", found, known: VERSION });
        }
        let set = Self {
            id: ChangeId::read(&mut r)?,
            at: Timestamp::from_micros(r.i64()?),
            puts: r.list(read_put)?,
            deletes: r.list(read_delete)?,
            guards: r.list(read_guard)?,
            events: r.list(|r| Ok(r.bytes()?.to_vec()))?,
            jobs: r.list(read_follow_up)?,
            materials: Vec::new(),
            erase: r.list(VersionId::read)?,
        };
        r.finish()?;
        Ok(set)
    }
}

fn write_aggregate(w: &mut Writer, aggregate: AggregateRef) {
    aggregate.kind.write(w);
    w.raw(&aggregate.id);
}

fn read_aggregate(r: &mut Reader<'_>) -> Result<AggregateRef, Malformed> {
    Ok(AggregateRef { kind: Kind::read(r)?, id: r.array()? })
}

fn write_expected(w: &mut Writer, expected: Expected) {
    let revision = match expected {
        Expected::Absent => None,
        Expected::Revision(revision) => Some(revision),
    };
    w.option(revision, |w, revision| {
        w.u64(revision);
    });
}

fn read_expected(r: &mut Reader<'_>) -> Result<Expected, Malformed> {
    Ok(r.option("expected", read_revision)?.map_or(Expected::Absent, Expected::Revision))
}

fn read_revision(r: &mut Reader<'_>) -> Result<u64, Malformed> {
    let revision = r.u64()?;
    let counted = revision >= 1 && i64::try_from(revision).is_ok();
    counted.then_some(revision).ok_or(Malformed::BadValue { field: "revision" })
}

fn write_put(w: &mut Writer, put: &Put) {
    write_aggregate(w, put.aggregate);
    put.tenant.write(w);
    write_expected(w, put.expected);
    w.bytes(put.body.as_bytes());
    w.list(put.index.iter(), |w, entry| {
        w.u8(entry.index.number()).bytes(&entry.value);
    });
}

fn read_put(r: &mut Reader<'_>) -> Result<Put, Malformed> {
    Ok(Put {
        aggregate: read_aggregate(r)?,
        tenant: TenantId::read(r)?,
        expected: read_expected(r)?,
        body: Sealed::from_bytes(r.bytes()?.to_vec())?,
        index: r.list(read_entry)?,
    })
}

fn read_entry(r: &mut Reader<'_>) -> Result<IndexEntry, Malformed> {
    let index = Index::from_number(r.u8()?).ok_or(Malformed::BadValue { field: "index" })?;
    Ok(IndexEntry { index, value: r.bytes()?.to_vec() })
}

fn write_delete(w: &mut Writer, delete: &Delete) {
    write_aggregate(w, delete.aggregate);
    delete.tenant.write(w);
    w.u64(delete.revision);
}

fn read_delete(r: &mut Reader<'_>) -> Result<Delete, Malformed> {
    let aggregate = read_aggregate(r)?;
    Ok(Delete { aggregate, tenant: TenantId::read(r)?, revision: read_revision(r)? })
}

fn write_guard(w: &mut Writer, guard: &Guard) {
    write_aggregate(w, guard.aggregate);
    write_expected(w, guard.expected);
}

fn read_guard(r: &mut Reader<'_>) -> Result<Guard, Malformed> {
    Ok(Guard { aggregate: read_aggregate(r)?, expected: read_expected(r)? })
}

fn read_follow_up(r: &mut Reader<'_>) -> Result<FollowUp, Malformed> {
    Ok(FollowUp { job: r.text("job")?.to_owned(), argument: r.bytes()?.to_vec() })
}

#[cfg(test)]
mod tests;
