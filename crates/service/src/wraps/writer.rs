//! The one writer of wrap records: whatever waits goes into one change.
//!
//! Invariant: sequences are given out here alone, in the change that writes the records, so they
//! have no gaps whatever fails; of two requests for one subject one makes the record and the other
//! finds it. Requests that wait together share a commit: the counter contends with nobody.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use keystead_crypto::{DataKey, Sealed};
use keystead_domain::{
    ChangeId, Kind, Subject, TenantId, WrapAlgorithm, WrapFacts, WrapId, WrapLog, WrapRecord,
};
use keystead_store::{AggregateRef, ChangeSet, Expected, Loaded, Put, StoreFailed};
use tokio::sync::oneshot;

use super::find::{log_of, wrap_index};
use crate::{
    Error, Fault, Service,
    commit::{Made, commit_known},
};

/// Records in one change, at most: far below what one segment holds.
const BATCH_MAX: usize = 256;
/// How often a batch is tried against other nodes' batches.
const TRIES: usize = 8;

/// A record before it has its place.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) id: WrapId,
    pub(super) subject: Subject,
    pub(super) key_check: [u8; 32],
    pub(super) data_key: Sealed<DataKey>,
    /// Its event, without a place.
    pub(super) event: Vec<u8>,
}

/// What came of a draft.
#[derive(Debug)]
pub(super) enum Written {
    /// It is a record now.
    Made(WrapRecord, Made),
    /// The subject has one, written by this change.
    Found(WrapRecord, u64),
}

/// Drafts that wait, and whether somebody writes.
#[derive(Debug, Default)]
pub(crate) struct WrapWriter(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    is_writing: bool,
}

#[derive(Debug)]
struct Waiting {
    tenant: TenantId,
    draft: Draft,
    done: oneshot::Sender<Result<Written, Error>>,
}

/// Ends the writing, also where it panicked: who waits then hears of an internal fault.
struct Turn(Arc<Service>);

impl WrapWriter {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    /// Takes a draft in; says whether somebody has to begin writing.
    fn push(&self, waiting: Waiting) -> bool {
        let queue = &mut *self.queue();
        queue.waiting.push(waiting);
        !std::mem::replace(&mut queue.is_writing, true)
    }

    /// The next batch; where there is none, the writing has ended.
    fn take(&self) -> Vec<Waiting> {
        let queue = &mut *self.queue();
        let count = queue.waiting.len().min(BATCH_MAX);
        queue.is_writing = count > 0;
        queue.waiting.drain(..count).collect()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let queue = &mut *self.0.wraps.queue();
        if std::mem::take(&mut queue.is_writing) {
            queue.waiting.clear();
        }
    }
}

impl Service {
    /// Hands a draft to the writer and waits for what came of it.
    pub(super) async fn write_wrap(
        self: &Arc<Self>,
        tenant: TenantId,
        draft: Draft,
    ) -> Result<Written, Error> {
        let (done, answer) = oneshot::channel();
        if self.wraps.push(Waiting { tenant, draft, done }) {
            let turn = Turn(self.clone());
            self.ports.tasks.spawn("wrap-writer", Box::pin(turn.write()));
        }
        answer.await.unwrap_or_else(|_| Err(Fault::Internal.into()))
    }

    async fn write_batch(&self, batch: Vec<Waiting>) {
        let mut by_tenant = BTreeMap::<TenantId, Vec<Waiting>>::new();
        for waiting in batch {
            by_tenant.entry(waiting.tenant).or_default().push(waiting);
        }
        for (tenant, waiting) in by_tenant {
            self.write_tenant(tenant, waiting).await;
        }
    }

    async fn write_tenant(&self, tenant: TenantId, mut waiting: Vec<Waiting>) {
        for _ in 0..TRIES {
            waiting = self.answer_found(tenant, waiting).await;
            let (first, again) = once_each(waiting);
            if first.is_empty() {
                return;
            }
            waiting = again;
            let drafts: Vec<Draft> = first.iter().map(|waiting| waiting.draft.clone()).collect();
            match self.commit_wraps(tenant, &drafts).await {
                Ok((made, records)) => {
                    for (waiting, record) in first.into_iter().zip(records) {
                        // A caller that went away has its record all the same.
                        let _ = waiting.done.send(Ok(Written::Made(record, made)));
                    }
                }
                // Another node wrote one of these subjects, or its own records: look again.
                Err(Error { fault: Fault::Contended }) => waiting.extend(first),
                Err(failed) => refuse(first, &failed),
            }
        }
        refuse(waiting, &Fault::Contended.into());
    }

    /// Answers whose subjects have a record; the others remain.
    async fn answer_found(&self, tenant: TenantId, waiting: Vec<Waiting>) -> Vec<Waiting> {
        let finds = waiting.iter().map(|waiting| self.find_wrap(tenant, &waiting.draft.subject));
        let found = futures_util::future::join_all(finds).await;
        let mut remaining = Vec::with_capacity(waiting.len());
        for (waiting, found) in waiting.into_iter().zip(found) {
            let answer = match found {
                Ok(None) => {
                    remaining.push(waiting);
                    continue;
                }
                Ok(Some((record, commit_seq))) => Ok(Written::Found(record, commit_seq)),
                Err(failed) => Err(failed),
            };
            let _ = waiting.done.send(answer);
        }
        remaining
    }

    async fn commit_wraps(
        &self,
        tenant: TenantId,
        drafts: &[Draft],
    ) -> Result<(Made, Vec<WrapRecord>), Error> {
        let id = ChangeId::random(&self.ports.entropy);
        let at = log_of(tenant);
        commit_known(&self.ports, &[at], |loaded| self.decide_wraps(tenant, id, drafts, loaded))
            .await
    }

    fn decide_wraps(
        &self,
        tenant: TenantId,
        id: ChangeId,
        drafts: &[Draft],
        loaded: &Loaded,
    ) -> Result<(ChangeSet, Vec<WrapRecord>), Error> {
        let (now, at) = (self.ports.clock.now(), log_of(tenant));
        let mut log = match loaded.stored(&at) {
            Some(row) => self.read_wrap_log(row)?,
            None => WrapLog::empty(tenant),
        };
        let mut set = ChangeSet::new(id, now);
        let mut records = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let facts = WrapFacts {
                id: draft.id,
                tenant,
                subject: draft.subject.clone(),
                sequence: log.count + 1,
                algorithm: WrapAlgorithm::Aes256Gcm,
                created_at: now,
                key_check: draft.key_check,
            };
            log = log.followed_by(&facts).ok_or(Fault::Internal)?;
            let index = wrap_index(&facts);
            let record = WrapRecord { facts, data_key: draft.data_key.clone() };
            let aggregate = AggregateRef { kind: Kind::WrapRecord, id: *draft.id.as_bytes() };
            let put = self.tenant_put(tenant, aggregate, Expected::Absent, &record.to_body())?;
            set.puts.push(Put { index, ..put });
            set.events.push(draft.event.clone());
            records.push(record);
        }
        set.puts.push(self.tenant_put(tenant, at, loaded.expected(&at), &log.to_body())?);
        Ok((set, records))
    }

    /// A put of a body sealed for its place.
    pub(crate) fn tenant_put(
        &self,
        tenant: TenantId,
        aggregate: AggregateRef,
        expected: Expected,
        body: &[u8],
    ) -> Result<Put, Error> {
        let keys = self.tenants.get(&tenant).ok_or(Fault::Internal)?;
        let (entropy, AggregateRef { kind, id }) = (&self.ports.entropy, aggregate);
        let body = keys.seal_body(entropy, kind, &id, expected.next(), body);
        Ok(Put { aggregate, tenant, expected, body, index: Vec::new() })
    }
}

impl Turn {
    async fn write(self) {
        loop {
            let batch = self.0.wraps.take();
            if batch.is_empty() {
                return;
            }
            self.0.write_batch(batch).await;
        }
    }
}

/// The first draft of each subject, and those that must find what the first one makes.
fn once_each(waiting: Vec<Waiting>) -> (Vec<Waiting>, Vec<Waiting>) {
    let mut subjects = std::collections::BTreeSet::new();
    waiting.into_iter().partition(|waiting| subjects.insert(waiting.draft.subject.clone()))
}

fn refuse(waiting: Vec<Waiting>, why: &Error) {
    for waiting in waiting {
        let _ = waiting.done.send(Err(again(why)));
    }
}

/// The same failure once more: one commit fails for all who shared it.
fn again(error: &Error) -> Error {
    match &error.fault {
        Fault::Contended => Fault::Contended.into(),
        Fault::Unknown { change } => Fault::Unknown { change: *change }.into(),
        Fault::Store(StoreFailed::Full) => Fault::Store(StoreFailed::Full).into(),
        Fault::Store(StoreFailed::Unavailable { source }) => {
            Fault::Store(StoreFailed::Unavailable { source: source.to_string().into() }).into()
        }
        Fault::Corrupt { what } => Fault::Corrupt { what: what.clone() }.into(),
        _ => Fault::Internal.into(),
    }
}
