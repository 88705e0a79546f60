//! The only thing that waits for time.
//!
//! Invariant: a timer exists exactly as long as its future waits, so that what nobody waits for any
//! more does not move the clock.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::Sim;

/// Ends at an instant of virtual time.
#[derive(Debug)]
#[must_use = "time passes only where it is awaited"]
pub struct Sleep {
    sim: Sim,
    at_ms: u64,
    timer: Option<u64>,
}

impl Sleep {
    pub(super) fn until(sim: &Sim, at_ms: u64) -> Self {
        Self { sim: sim.clone(), at_ms, timer: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.sim.state();
        if state.now_ms >= this.at_ms {
            return Poll::Ready(());
        }
        let timer = *this.timer.get_or_insert(state.next);
        state.next = state.next.max(timer + 1);
        let before = state.timers.insert((this.at_ms, timer), cx.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            let waker = self.sim.state().timers.remove(&(self.at_ms, timer));
            drop(waker);
        }
    }
}
