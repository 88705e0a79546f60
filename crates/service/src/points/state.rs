//! The whole state as of one commit, read from a database that goes on.
//!
//! Invariant: what comes out is what a restore would rebuild from base and segments up to that
//! commit: rows that later changes touched are taken from the log as they were. The rows are read
//! first and the log after them, so that a change in between is in the log at least.

use std::collections::{BTreeMap, BTreeSet};

use keystead_domain::Kind;
use keystead_store::{AggregateRef, Expected, Stored};

use crate::{follower::FollowFailed, ports::Ports, replay::newest_below, start::scan_all};

const BATCH: usize = 1000;

/// All rows as of `upto`, by kind and id.
pub(crate) async fn rows_at(ports: &Ports, upto: u64) -> Result<Vec<Stored>, FollowFailed> {
    let mut rows = BTreeMap::new();
    for kind in Kind::ALL {
        let found = scan_all(ports, *kind).await?;
        let old = found.into_iter().filter(|row| row.commit_seq <= upto);
        rows.extend(old.map(|row| (row.aggregate, row)));
    }
    let mut replaced = replaced_after(ports, upto).await?;
    // What was read before a change touched it is as it was.
    replaced.retain(|aggregate, _| !rows.contains_key(aggregate));
    for row in newest_below(ports, upto, replaced).await? {
        rows.insert(row.aggregate, row);
    }
    Ok(rows.into_values().collect())
}

/// The revision that each row had which a change after `upto` touched first.
async fn replaced_after(
    ports: &Ports,
    upto: u64,
) -> Result<BTreeMap<AggregateRef, u64>, FollowFailed> {
    let (mut replaced, mut made_later) = (BTreeMap::new(), BTreeSet::new());
    let mut at = upto;
    loop {
        let changes = ports.store.changes_after(at, BATCH).await?;
        for change in &changes {
            for put in &change.set.puts {
                match put.expected {
                    Expected::Revision(before) if !made_later.contains(&put.aggregate) => {
                        replaced.entry(put.aggregate).or_insert(before);
                    }
                    Expected::Absent if !replaced.contains_key(&put.aggregate) => {
                        made_later.insert(put.aggregate);
                    }
                    _ => {}
                }
            }
            for delete in &change.set.deletes {
                if !made_later.contains(&delete.aggregate) {
                    replaced.entry(delete.aggregate).or_insert(delete.revision);
                }
            }
        }
        match changes.last() {
            Some(last) if changes.len() == BATCH => at = last.commit_seq,
            _ => return Ok(replaced),
        }
    }
}
