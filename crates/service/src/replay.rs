//! Brings rows and committed changes into a keyring's snapshot: at start from state and log, later
//! change by change.
//!
//! Invariant: a snapshot at change *n* is the same whether the node was there or started later. A
//! row that is newer than *n* is replaced by what the log says it was at *n*, so a restart never
//! takes from a key what a change above the watermark gave or left.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use keystead_crypto::bytes::Malformed;
use keystead_domain::{AccessKey, Alias, Key, KeyState, Kind};
use keystead_store::{AggregateRef, CommittedChange, Expected, Put, Stored};

use crate::{
    follower::FollowFailed,
    keyring::{AccessEntry, Snapshot},
    pages::Pages,
    ports::Ports,
    taken::{Layers, Tail, Taken},
    tenants::Tenants,
};

const BATCH: usize = 1000;

/// The state as of a change that is vaulted and in the ledger, and what later ones take away.
pub(crate) async fn load_layers(
    ports: &Ports,
    tenants: &Tenants,
    applied: u64,
) -> Result<Layers, FollowFailed> {
    let mut base = Snapshot::at(applied);
    let (tail, replaced) = read_tail(ports, tenants, applied).await?;
    for row in newest_below(ports, applied, replaced).await? {
        apply_row(ports, tenants, &mut base, &row).await?;
    }
    for kind in [Kind::AccessKey, Kind::Key, Kind::Alias] {
        apply_kind(ports, tenants, &mut base, kind).await?;
    }
    Ok(Layers { base, tail })
}

/// Brings the rows of a kind that are below the watermark in, page by page: all of them at once
/// would be the larger part of the memory of a large instance. A page is read while the one before
/// it is opened.
async fn apply_kind(
    ports: &Ports,
    tenants: &Tenants,
    base: &mut Snapshot,
    kind: Kind,
) -> Result<(), FollowFailed> {
    let mut pages = Pages::of(kind);
    let mut page = pages.next(&*ports.store).await?;
    while !page.is_empty() {
        let next = pages.next(&*ports.store);
        let (next, applied) = futures_util::join!(next, apply_page(ports, tenants, base, &page));
        applied?;
        page = next?;
    }
    Ok(())
}

/// Every other row first, then those between: rows come in order of id, and a tree that grows at
/// its end alone keeps each of its nodes half empty. So the first half of a page makes half empty
/// nodes, which the other half fills.
async fn apply_page(
    ports: &Ports,
    tenants: &Tenants,
    base: &mut Snapshot,
    page: &[Stored],
) -> Result<(), FollowFailed> {
    let upto = base.revision;
    let rows = page.iter().step_by(2).chain(page.iter().skip(1).step_by(2));
    for row in rows.filter(|row| row.commit_seq <= upto) {
        apply_row(ports, tenants, base, row).await?;
    }
    Ok(())
}

/// What the changes after `applied` take away, and the revisions that they replaced.
async fn read_tail(
    ports: &Ports,
    tenants: &Tenants,
    applied: u64,
) -> Result<(Tail, BTreeMap<AggregateRef, u64>), FollowFailed> {
    let (mut tail, mut replaced) = (Tail::after(applied), BTreeMap::new());
    loop {
        let changes = ports.store.changes_after(tail.looked_at(), BATCH).await?;
        for change in &changes {
            for put in change.set.puts.iter().filter(|put| is_kept(put.aggregate.kind)) {
                let revision = put.expected.next() - 1;
                replaced.entry(put.aggregate).or_insert(revision);
            }
            tail.add(change.commit_seq, taken(tenants, change)?);
        }
        if changes.len() < BATCH {
            replaced.retain(|_, revision| *revision > 0);
            return Ok((tail, replaced));
        }
    }
}

/// The rows with these revisions, looked for in the log from `upto` back.
pub(crate) async fn newest_below(
    ports: &Ports,
    upto: u64,
    mut wanted: BTreeMap<AggregateRef, u64>,
) -> Result<Vec<Stored>, FollowFailed> {
    let (mut found, mut end) = (Vec::new(), upto);
    while !wanted.is_empty() && end > 0 {
        let start = end.saturating_sub(BATCH as u64);
        let count = usize::try_from(end - start).unwrap_or(BATCH);
        for change in ports.store.changes_after(start, count).await?.iter().rev() {
            for put in &change.set.puts {
                if wanted.get(&put.aggregate) == Some(&put.expected.next()) {
                    wanted.remove(&put.aggregate);
                    found.push(stored(put, change.commit_seq));
                }
            }
        }
        end = start;
    }
    match wanted.keys().next() {
        None => Ok(found),
        Some(missing) => Err(FollowFailed::Corrupt { kind: missing.kind, commit_seq: upto }),
    }
}

/// One aggregate's row as of a change.
pub(crate) async fn row_at(
    ports: &Ports,
    aggregate: AggregateRef,
    upto: u64,
) -> Result<Option<Stored>, FollowFailed> {
    let newest = ports.store.load(&[aggregate]).await?.into_iter().flatten().next();
    let Some(row) = newest else { return Ok(None) };
    let mut at = upto;
    while at < row.commit_seq {
        let changes = ports.store.changes_after(at, BATCH).await?;
        let mut puts = changes.iter().flat_map(|change| &change.set.puts);
        if let Some(put) = puts.find(|put| put.aggregate == aggregate) {
            let Expected::Revision(before) = put.expected else { return Ok(None) };
            return Ok(newest_below(ports, upto, [(aggregate, before)].into()).await?.pop());
        }
        at = changes.last().map_or(row.commit_seq, |change| change.commit_seq);
    }
    Ok(Some(row))
}

fn is_kept(kind: Kind) -> bool {
    matches!(kind, Kind::Key | Kind::AccessKey | Kind::Alias)
}

/// What a change takes away.
pub(crate) fn taken(
    tenants: &Tenants,
    change: &CommittedChange,
) -> Result<Vec<Taken>, FollowFailed> {
    let mut taken = Vec::new();
    for put in change.set.puts.iter().filter(|put| put.aggregate.kind == Kind::Key) {
        let key = read_key(tenants, &stored(put, change.commit_seq))?;
        if !matches!(key.state, KeyState::Active { .. }) {
            taken.push(Taken::Key(key.id, key.state));
        }
    }
    for delete in &change.set.deletes {
        match delete.aggregate.kind {
            Kind::AccessKey => taken.push(Taken::AccessKey(delete.aggregate.id)),
            Kind::Alias => taken.push(Taken::Alias(delete.aggregate.id)),
            _ => {}
        }
    }
    Ok(taken)
}

/// Brings all of a change into a snapshot.
pub(crate) async fn apply(
    ports: &Ports,
    tenants: &Tenants,
    to: &mut Snapshot,
    change: &CommittedChange,
) -> Result<(), FollowFailed> {
    for put in &change.set.puts {
        apply_row(ports, tenants, to, &stored(put, change.commit_seq)).await?;
    }
    for delete in &change.set.deletes {
        match delete.aggregate.kind {
            Kind::AccessKey => to.remove_access_key(&delete.aggregate.id),
            Kind::Alias => drop(to.remove_alias(&delete.aggregate.id)),
            _ => {}
        }
    }
    Ok(())
}

/// Brings one row into a snapshot; kinds that uses do not need are none of its business.
async fn apply_row(
    ports: &Ports,
    tenants: &Tenants,
    to: &mut Snapshot,
    row: &Stored,
) -> Result<(), FollowFailed> {
    match row.aggregate.kind {
        Kind::Key => {
            to.put_key(read_key(tenants, row)?);
        }
        Kind::AccessKey => {
            let key = AccessKey::from_body(&open(tenants, row)?).map_err(unread(row))?;
            let secret = ports.store.material(key.secret).await?.ok_or_else(|| corrupt(row))?;
            let name = key.access_key_id.clone();
            let (id, principal) = (row.aggregate.id, OnceLock::new());
            let entry = AccessEntry { id, key, secret, principal };
            to.access_keys.insert(name, Arc::new(entry));
        }
        Kind::Alias => {
            let alias = Alias::from_body(&open(tenants, row)?).map_err(unread(row))?;
            to.aliases.insert((alias.tenant, alias.name.to_string()), Arc::new(alias));
        }
        _ => {}
    }
    Ok(())
}

/// The key that a row is.
pub(crate) fn read_key(tenants: &Tenants, row: &Stored) -> Result<Key, FollowFailed> {
    Key::from_body(&open(tenants, row)?).map_err(unread(row))
}

fn open(tenants: &Tenants, row: &Stored) -> Result<zeroize::Zeroizing<Vec<u8>>, FollowFailed> {
    let keys = tenants.get(&row.tenant).ok_or_else(|| corrupt(row))?;
    keys.open_body(row).map_err(|_| corrupt(row))
}

fn unread(row: &Stored) -> impl Fn(Malformed) -> FollowFailed {
    move |bad| if bad.is_newer() { FollowFailed::Newer(bad) } else { corrupt(row) }
}

fn corrupt(row: &Stored) -> FollowFailed {
    FollowFailed::Corrupt { kind: row.aggregate.kind, commit_seq: row.commit_seq }
}

fn stored(put: &Put, commit_seq: u64) -> Stored {
    Stored {
        aggregate: put.aggregate,
        tenant: put.tenant,
        revision: put.expected.next(),
        commit_seq,
        body: put.body.clone(),
    }
}
