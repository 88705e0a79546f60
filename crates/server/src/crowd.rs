//! Who is connected, and who has to go when no place is left: strangers first, the oldest first.
//!
//! Invariant: a connection that has brought one proven request is never closed for another's sake,
//! so a flood of connections that prove nothing locks nobody out; memory is bounded by the places.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

/// What is known of one connection.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    is_proven: AtomicBool,
    leaves: Notify,
}

impl Standing {
    /// A request of this connection was signed by a key that is known.
    pub(crate) fn prove(&self) {
        self.is_proven.store(true, Ordering::Relaxed);
    }

    /// Ends when this connection has to give up its place.
    pub(crate) async fn leave(&self) {
        self.leaves.notified().await;
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
            standing.leaves.notify_one();
        }
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

    fn must_leave(place: &Place) -> bool {
        place.standing.leave().now_or_never().is_some()
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
        let gone: Vec<bool> = places.iter().map(must_leave).collect();
        assert_eq!(gone, [false, true, true, false]);
        drop(places);
        assert!(crowd.lock().1.is_empty());
    }
}
