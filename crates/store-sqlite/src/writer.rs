//! The one thread that writes: it takes what waits, commits it as a group, and answers.
//!
//! Invariant: a group is whatever has queued up while the last one was synced, so one caller alone
//! waits for one sync and many share one. Where a COMMIT leaves its outcome open the thread stops
//! for good: only the recovery of the log, by opening the database again, can tell what is there,
//! and what a failed sync has left in the file must not be built upon.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use keystead_store::CommitFailed;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::{
    failure::{Class, Stopped, class, store_failed},
    group::{Answer, GroupFailed, Groups, Waiting},
};

/// How many changes share a transaction at most.
const GROUP_CHANGES: usize = 256;
/// How many encoded bytes share a transaction at most, the last change apart.
const GROUP_BYTES: usize = 8 << 20;

/// A change and whom to tell.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) waiting: Waiting,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// What the threads tell the handle.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    /// How many transactions were committed.
    pub(crate) groups: AtomicU64,
    /// Whether the writer has stopped because an outcome is open.
    pub(crate) stopped: AtomicBool,
}

/// Serves until every sender is gone or an outcome is open.
pub(crate) fn serve(connection: &Connection, mut queue: mpsc::Receiver<Request>, vitals: &Vitals) {
    // Opening has prepared the same statements, so this fails only with the disk; then the queue
    // closes, and its callers hear that nobody answers.
    let Ok(mut groups) = Groups::prepare(connection) else { return };
    while let Some(first) = queue.blocking_recv() {
        let (group, answers) = gather(first, &mut queue);
        match commit(&mut groups, &group, vitals) {
            Some(outcomes) => tell(answers, outcomes),
            None => return stop(queue, answers, vitals),
        }
    }
}

fn gather(
    first: Request,
    queue: &mut mpsc::Receiver<Request>,
) -> (Vec<Waiting>, Vec<oneshot::Sender<Answer>>) {
    let (mut group, mut answers) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    let mut next = Some(first);
    while let Some(Request { waiting, answer }) = next {
        bytes += waiting.encoded.len();
        group.push(waiting);
        answers.push(answer);
        let is_full = group.len() == GROUP_CHANGES || bytes >= GROUP_BYTES;
        next = if is_full { None } else { queue.try_recv().ok() };
    }
    (group, answers)
}

/// The answers to a group; none where its outcome is open.
fn commit(groups: &mut Groups<'_>, group: &[Waiting], vitals: &Vitals) -> Option<Vec<Answer>> {
    match groups.commit(group) {
        Ok(answers) => {
            vitals.groups.fetch_add(1, Ordering::Relaxed);
            Some(answers)
        }
        // One change that the disk cannot hold must not refuse the small ones beside it.
        Err(GroupFailed::NotCommitted(error)) if group.len() > 1 && lacks_space(&error) => {
            let mut answers = Vec::new();
            for one in group.chunks(1) {
                answers.extend(commit(groups, one, vitals)?);
            }
            Some(answers)
        }
        Err(GroupFailed::NotCommitted(error)) => {
            let failed = |_| Err(store_failed("change", Arc::clone(&error)).into());
            Some(group.iter().map(failed).collect())
        }
        Err(GroupFailed::Open) => None,
    }
}

fn lacks_space(error: &rusqlite::Error) -> bool {
    matches!(class(error), Class::Full | Class::FullIndex)
}

fn tell(answers: Vec<oneshot::Sender<Answer>>, outcomes: Vec<Answer>) {
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        // Nobody listens where the caller's task was dropped; the change stands all the same.
        drop(answer.send(outcome));
    }
}

fn stop(
    mut queue: mpsc::Receiver<Request>,
    in_doubt: Vec<oneshot::Sender<Answer>>,
    vitals: &Vitals,
) {
    // Before anybody hears `Unknown`: an outcome asked for from here on is refused, not guessed.
    vitals.stopped.store(true, Ordering::SeqCst);
    queue.close();
    let outcomes = in_doubt.iter().map(|_| Err(CommitFailed::Unknown)).collect();
    tell(in_doubt, outcomes);
    while let Some(Request { answer, .. }) = queue.blocking_recv() {
        drop(answer.send(Err(CommitFailed::Failed(Stopped.into()))));
    }
}
