//! Lets the binary decide on which threads file system calls run.
//!
//! Invariant: no async task of ours ever waits inside a system call that may take seconds (a sync,
//! a network file system); the port names the work, the binary brings the threads.

use tokio::sync::oneshot;

/// Runs jobs that block, each exactly once, in any order and on any thread.
pub trait Blocking: Send + Sync {
    /// Takes a job over; it need not have run when this returns.
    fn run(&self, job: Box<dyn FnOnce() + Send>);

    /// The same for a job that nobody's answer waits for at this moment: where the processor is
    /// short, others go first.
    fn run_behind(&self, job: Box<dyn FnOnce() + Send>) {
        self.run(job);
    }
}

/// Runs each job at once on the caller's thread: for tests and for commands that do one thing.
#[derive(Clone, Copy, Debug)]
pub struct Inline;

impl Blocking for Inline {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        job();
    }
}

/// The job's result, or nothing when the job was dropped or panicked before it had one.
pub(crate) async fn finished<T: Send + 'static>(
    blocking: &dyn Blocking,
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (job, told) = telling(job);
    blocking.run(job);
    told.await.ok()
}

/// The same for a job of [`Blocking::run_behind`].
pub(crate) async fn finished_behind<T: Send + 'static>(
    blocking: &dyn Blocking,
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (job, told) = telling(job);
    blocking.run_behind(job);
    told.await.ok()
}

fn telling<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> (Box<dyn FnOnce() + Send>, oneshot::Receiver<T>) {
    let (tell, told) = oneshot::channel();
    // Nobody listens any more when the caller's task was dropped; the job is done all the same.
    (Box::new(move || drop(tell.send(job()))), told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    struct Forgetful;

    impl Blocking for Forgetful {
        fn run(&self, job: Box<dyn FnOnce() + Send>) {
            drop(job);
        }
    }

    #[test]
    fn a_job_that_never_ran_gives_nothing() {
        assert_eq!(wait(finished(&Inline, || 7)), Some(7));
        assert_eq!(wait(finished(&Forgetful, || 7)), None);
    }
}
