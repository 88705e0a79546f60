//! Who is connected, and who has to go when no place is left: strangers first, the oldest first.
//!
//! Invariant: a connection that has brought one proven request is never closed for another's sake,
//! so a flood of connections that prove nothing locks nobody out; memory is bounded by the places.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::Poll,
};

use futures_util::task::AtomicWaker;

/// What is known of one connection, and what it is told.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    is_proven: AtomicBool,
    /// 0 while nothing was said, else a [`Call`].
    called: AtomicU8,
    /// Of the task that serves the connection, which asks at each of its turns: cheaper to ask than
    /// what a channel has ready for many.
    waker: AtomicWaker,
}

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Call {
    /// Take no new request, and end with the one that is under way.
    Drain = 1,
    /// Give up the place at once.
    Leave = 2,
}

impl Standing {
    /// A request of this connection was signed by a key that is known.
    pub(crate) fn prove(&self) {
        self.is_proven.store(true, Ordering::Relaxed);
    }

    /// Ends when this connection is told something. One task alone may wait for it.
    pub(crate) fn called(&self) -> impl Future<Output = Call> + '_ {
        std::future::poll_fn(|cx| {
            // First the waker, or what is said in between would wake nobody.
            self.waker.register(cx.waker());
            match self.called.load(Ordering::Acquire) {
                0 => Poll::Pending,
                called if called == Call::Drain as u8 => Poll::Ready(Call::Drain),
                _ => Poll::Ready(Call::Leave),
            }
        })
    }

    fn call(&self, call: Call) {
        self.called.store(call as u8, Ordering::Release);
        self.waker.wake();
    }
}

/// All connections, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Crowd(Mutex<(u64, BTreeMap<u64, Arc<Standing>>)>);

impl Crowd {
    /// Lets a connection in.
    pub(crate) fn enter(self: &Arc<Self>) -> Place {
        let (next, all) = &mut *self.lock();
        let (number, standing) = (*next, Arc::new(Standing::default()));
        *next += 1;
        all.insert(number, standing.clone());
        Place { number, standing, crowd: self.clone() }
    }

    /// Tells the oldest connection that has proved nothing to go; another one each time.
    pub(crate) fn make_room(&self) {
        let (_, all) = &mut *self.lock();
        let stranger = all.iter().find(|(_, of)| !of.is_proven.load(Ordering::Relaxed));
        let Some(number) = stranger.map(|(number, _)| *number) else { return };
        if let Some(standing) = all.remove(&number) {
            standing.call(Call::Leave);
        }
    }

    /// Tells all that are left to end in order.
    pub(crate) fn drain(&self) {
        self.lock().1.values().for_each(|standing| standing.call(Call::Drain));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (u64, BTreeMap<u64, Arc<Standing>>)> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

/// A connection's place in the crowd; it ends with its owner.
#[derive(Debug)]
pub(crate) struct Place {
    number: u64,
    pub(crate) standing: Arc<Standing>,
    crowd: Arc<Crowd>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.lock().1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn called(place: &Place) -> Option<Call> {
        place.standing.called().now_or_never()
    }

    #[test]
    fn the_oldest_stranger_goes_first_and_who_is_proven_stays() {
        let crowd = Arc::new(Crowd::default());
        let places: Vec<Place> = (0..4).map(|_| crowd.enter()).collect();
        places[0].standing.prove();
        drop(crowd.enter());
        crowd.make_room();
        crowd.make_room();
        places[3].standing.prove();
        crowd.make_room();
        let told: Vec<Option<Call>> = places.iter().map(called).collect();
        assert_eq!(told, [None, Some(Call::Leave), Some(Call::Leave), None]);
        crowd.drain();
        let told: Vec<Option<Call>> = places.iter().map(called).collect();
        let (drain, leave) = (Some(Call::Drain), Some(Call::Leave));
        assert_eq!(told, [drain, leave, leave, drain], "who has to leave is not called back");
        drop(places);
        assert!(crowd.lock().1.is_empty());
    }

    #[tokio::test]
    async fn who_waits_already_is_woken() {
        let crowd = Arc::new(Crowd::default());
        let place = crowd.enter();
        let standing = place.standing.clone();
        let waiting = tokio::spawn(async move { standing.called().await });
        tokio::task::yield_now().await;
        crowd.drain();
        assert_eq!(waiting.await.unwrap(), Call::Drain);
    }
}
