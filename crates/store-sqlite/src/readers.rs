//! The threads that read, each on a connection of its own.
//!
//! Invariant: readers share one queue, so a long list delays the others only when all are busy with
//! such; they see the last commit that was answered, since each question begins a new snapshot.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::query::Queries;

/// A question with its answer's way back inside.
pub(crate) type Question = Box<dyn for<'q, 'c> FnOnce(&'q mut Queries<'c>) + Send>;

/// Serves until every sender is gone.
pub(crate) fn serve(connection: &Connection, queue: &Mutex<mpsc::Receiver<Question>>) {
    // Opening has prepared the same statements, so this fails only with the disk; then the queue
    // closes with the last reader, and its callers hear that nobody answers.
    let Ok(mut queries) = Queries::prepare(connection) else { return };
    while let Some(question) = next(queue) {
        question(&mut queries);
    }
}

/// One reader waits at the queue; the others wait for it to get something.
fn next(queue: &Mutex<mpsc::Receiver<Question>>) -> Option<Question> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}
