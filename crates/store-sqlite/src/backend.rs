//! The handle: it hands changes to the writer and questions to the readers, and ends them in order.
//!
//! Invariant: a caller that goes away cancels nothing; dropping the handle commits what was queued,
//! joins all threads, and closes the writer's connection last, so that it folds the log in.

use std::{
    fmt, io,
    path::Path,
    sync::{Arc, Mutex, atomic::Ordering},
    thread::{self, JoinHandle},
};

use async_trait::async_trait;
use keystead_crypto::{Material, Sealed};
use keystead_domain::{ChangeId, VersionId};
use keystead_store::{
    AggregateRef, Backend, ChangeSet, CommitFailed, Committed, CommittedChange, Scan, StoreFailed,
    Stored,
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    failure::Stopped,
    group::Waiting,
    open::{DatabaseFile, OpenFailed},
    query::Queries,
    readers::{self, Question},
    writer::{self, Request, Vitals},
};

const READERS: usize = 3;
/// How many changes may wait; more make their callers wait before they queue.
const QUEUED_CHANGES: usize = 1024;
const QUEUED_QUESTIONS: usize = 256;

/// An SQLite database with its threads.
pub struct SqliteBackend {
    // Options, so that dropping can close each queue before it joins who serves it.
    changes: Option<mpsc::Sender<Request>>,
    questions: Option<mpsc::Sender<Question>>,
    writer: Option<JoinHandle<()>>,
    readers: Vec<JoinHandle<()>>,
    vitals: Arc<Vitals>,
}

impl SqliteBackend {
    /// Opens the database at `path`; makes one, readable by its owner alone, where there is none.
    /// It takes no lock: who opens it must hold the data folder's.
    ///
    /// # Errors
    /// [`OpenFailed`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenFailed> {
        let (file, writer) = DatabaseFile::open(path.as_ref())?;
        let (changes, queue) = mpsc::channel(QUEUED_CHANGES);
        let (questions, asked) = mpsc::channel(QUEUED_QUESTIONS);
        let mut backend = Self {
            changes: Some(changes),
            questions: Some(questions),
            writer: None,
            readers: Vec::new(),
            vitals: Arc::new(Vitals::default()),
        };
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..READERS {
            let (connection, asked) = (file.reader()?, Arc::clone(&asked));
            let serve = move || readers::serve(&connection, &asked);
            backend.readers.push(start("store-reader", serve).map_err(|error| file.io(error))?);
        }
        let vitals = Arc::clone(&backend.vitals);
        let serve = move || writer::serve(&writer, queue, &vitals);
        backend.writer = Some(start("store-writer", serve).map_err(|error| file.io(error))?);
        Ok(backend)
    }

    /// How many transactions the writer has committed: changes divided by it is the mean group.
    #[must_use]
    pub fn groups(&self) -> u64 {
        self.vitals.groups.load(Ordering::Relaxed)
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Queries<'_>) -> Result<T, StoreFailed> + Send + 'static,
    ) -> Result<T, StoreFailed> {
        let (answer, answered) = oneshot::channel();
        // Nobody listens where the caller's task was dropped.
        let question: Question = Box::new(move |queries| drop(answer.send(question(queries))));
        let questions = self.questions.as_ref().ok_or(Stopped)?;
        questions.send(question).await.map_err(|_| Stopped)?;
        let answer = answered.await.map_err(|_| Stopped)?;
        if self.vitals.stopped.load(Ordering::SeqCst) {
            return Err(Stopped.into());
        }
        answer
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    async fn load(&self, wanted: &[AggregateRef]) -> Result<Vec<Option<Stored>>, StoreFailed> {
        let wanted = wanted.to_vec();
        self.ask(move |queries| queries.load(&wanted)).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Stored>, StoreFailed> {
        self.ask(move |queries| queries.scan(&scan)).await
    }

    async fn material(&self, version: VersionId) -> Result<Option<Sealed<Material>>, StoreFailed> {
        self.ask(move |queries| queries.material(version)).await
    }

    async fn commit(&self, set: ChangeSet) -> Result<Committed, CommitFailed> {
        let waiting = Waiting { encoded: set.encode(), set };
        let (answer, answered) = oneshot::channel();
        let stopped = |_| CommitFailed::Failed(Stopped.into());
        let changes = self.changes.as_ref().ok_or(Stopped).map_err(StoreFailed::from)?;
        changes.send(Request { waiting, answer }).await.map_err(stopped)?;
        // The writer answers everybody; if it died instead, it may have died after the COMMIT.
        answered.await.unwrap_or(Err(CommitFailed::Unknown))
    }

    async fn outcome(&self, id: ChangeId) -> Result<Option<Committed>, StoreFailed> {
        self.ask(move |queries| queries.outcome(id)).await
    }

    async fn changes_after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<CommittedChange>, StoreFailed> {
        self.ask(move |queries| queries.changes_after(seq, limit)).await
    }

    async fn head(&self) -> Result<u64, StoreFailed> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself is not general over the connection's lifetime"
        )]
        let head = self.ask(|queries| queries.head());
        head.await
    }
}

impl Drop for SqliteBackend {
    fn drop(&mut self) {
        // A thread that panicked has nothing left to wait for.
        self.questions = None;
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
        self.changes = None;
        self.writer.take().into_iter().for_each(|writer| drop(writer.join()));
    }
}

fn start(name: &str, serve: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(serve)
}

impl fmt::Debug for SqliteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteBackend").field("groups", &self.groups()).finish_non_exhaustive()
    }
}
