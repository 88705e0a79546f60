//! An operation that outlives its caller.
//!
//! Invariant: once begun it is carried out to its end: the caller drives it for as long as it
//! waits, and a task of its own where the caller has gone, so that a client that hangs up cancels
//! nothing. That costs a task only where somebody hangs up.

use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};

use crate::ports::Tasks;

/// Ends with what the operation gives, or with its panic.
pub(crate) struct Outliving<T: Send + 'static> {
    name: &'static str,
    tasks: Arc<dyn Tasks>,
    /// None once it has ended.
    work: Option<BoxFuture<'static, Result<T, Box<dyn Any + Send>>>>,
}

impl<T: Send + 'static> Outliving<T> {
    /// An operation; `name` is for logs.
    pub(crate) fn new(
        name: &'static str,
        tasks: Arc<dyn Tasks>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        Self { name, tasks, work: Some(Box::pin(AssertUnwindSafe(work).catch_unwind())) }
    }
}

impl<T: Send + 'static> Future for Outliving<T> {
    type Output = Result<T, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let work = self.work.as_mut().expect("nobody polls what has ended");
        let polled = work.as_mut().poll(cx);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Outliving<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.tasks.spawn(self.name, Box::pin(work.map(drop)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicU64, Ordering},
        },
        task::Waker,
    };

    use super::*;

    /// Keeps what it is given.
    #[derive(Default)]
    struct Kept(Mutex<Vec<BoxFuture<'static, ()>>>);

    impl std::fmt::Debug for Kept {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Kept")
        }
    }

    impl Tasks for Kept {
        fn spawn(&self, _: &'static str, task: BoxFuture<'static, ()>) {
            self.0.lock().unwrap().push(task);
        }

        fn blocking(&self, job: Box<dyn FnOnce() + Send>) {
            job();
        }

        fn drive(&self, _: Arc<keystead_journal::Journal>) {}
    }

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Counts its polls; ends at the second.
    fn twice(polls: &Arc<AtomicU64>) -> impl Future<Output = u64> + Send + use<> {
        let polls = polls.clone();
        std::future::poll_fn(move |_| match polls.fetch_add(1, Ordering::SeqCst) {
            0 => Poll::Pending,
            more => Poll::Ready(more),
        })
    }

    #[test]
    fn a_caller_that_waits_needs_no_task() {
        let (kept, polls) = (Arc::new(Kept::default()), Arc::default());
        let mut work = Outliving::new("Test", kept.clone(), twice(&polls));
        assert!(poll(&mut work).is_pending());
        assert!(matches!(poll(&mut work), Poll::Ready(Ok(1))));
        drop(work);
        assert!(kept.0.lock().unwrap().is_empty());
    }

    #[test]
    fn what_a_caller_left_is_carried_out() {
        let (kept, polls) = (Arc::new(Kept::default()), Arc::default());
        let mut work = Outliving::new("Test", kept.clone(), twice(&polls));
        assert!(poll(&mut work).is_pending());
        drop(work);
        let mut left = kept.0.lock().unwrap().pop().unwrap();
        assert!(poll(&mut left).is_ready());
        assert_eq!(polls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_panic_is_the_operations_own() {
        let kept = Arc::new(Kept::default());
        let mut work = Outliving::<()>::new("Test", kept.clone(), async { panic!("for a test") });
        assert!(matches!(poll(&mut work), Poll::Ready(Err(_))));
        drop(work);
        assert!(kept.0.lock().unwrap().is_empty());
    }
}
