//! The whole state as of one commit, read from a database that goes on.
//!
//! Invariant: what comes out is what a restore would rebuild from base and segments up to that
//! commit: rows that later changes touched are taken from the log as they were. The rows are read
//! first and the log after them, so that a change in between is in the log at least.

use std::collections::{BTreeMap, BTreeSet};

use keystead_domain::Kind;
use keystead_store::{AggregateRef, Expected, Stored};

use crate::{follower::FollowFailed, pages::Pages, ports::Ports, replay::newest_below};

const BATCH: usize = 1000;

/// All rows as of `upto`, by kind and id.
pub(crate) async fn rows_at(ports: &Ports, upto: u64) -> Result<Vec<Stored>, FollowFailed> {
    let (mut pages, mut rows) = (PagesAt::new(upto), Vec::new());
    while let Some(page) = pages.next(ports).await? {
        rows.extend(page);
    }
    rows.sort_by_key(|row| row.aggregate);
    Ok(rows)
}

/// The same, page by page: those that later changes touched come last.
#[derive(Debug)]
pub(crate) struct PagesAt {
    upto: u64,
    kinds: std::slice::Iter<'static, Kind>,
    pages: Option<Pages>,
    /// What was given, ascending: some twenty megabytes where there are a million keys.
    given: Vec<AggregateRef>,
    is_over: bool,
}

impl PagesAt {
    pub(crate) fn new(upto: u64) -> Self {
        let (kinds, given) = (Kind::ALL.iter(), Vec::new());
        Self { upto, kinds, pages: None, given, is_over: false }
    }

    /// The next rows; `None` behind the last.
    pub(crate) async fn next(
        &mut self,
        ports: &Ports,
    ) -> Result<Option<Vec<Stored>>, FollowFailed> {
        while let Some(mut pages) = self.pages.take().or_else(|| self.next_kind()) {
            let page = pages.next(&*ports.store).await?;
            if page.is_empty() {
                continue;
            }
            self.pages = Some(pages);
            let upto = self.upto;
            let rows: Vec<Stored> = page.into_iter().filter(|row| row.commit_seq <= upto).collect();
            self.given.extend(rows.iter().map(|row| row.aggregate));
            return Ok(Some(rows));
        }
        match std::mem::replace(&mut self.is_over, true) {
            true => Ok(None),
            false => self.replaced(ports).await.map(Some),
        }
    }

    fn next_kind(&mut self) -> Option<Pages> {
        self.kinds.next().map(|kind| Pages::of(*kind))
    }

    /// What was read before a change touched it is as it was; all else is in the log.
    async fn replaced(&self, ports: &Ports) -> Result<Vec<Stored>, FollowFailed> {
        let mut replaced = replaced_after(ports, self.upto).await?;
        replaced.retain(|aggregate, _| self.given.binary_search(aggregate).is_err());
        newest_below(ports, self.upto, replaced).await
    }
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
