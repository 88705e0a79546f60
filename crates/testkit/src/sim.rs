//! Runs tasks on one thread in virtual time: the machine under every whole-service test.
//!
//! Invariant: the seed chooses which ready task runs next; the clock moves only when no task is
//! ready and no journal has work, and then to the next timer. So a run costs no real time, repeats
//! itself exactly, and meets another interleaving under another seed. A loop that never sleeps, or
//! a wait that cannot end, stops the run and names the tasks.

mod sleep;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::BoxFuture;
use keystead_domain::Timestamp;
use keystead_journal::Journal;

use crate::{Draws, Life};

pub use sleep::Sleep;

/// 2026-01-01T00:00:00Z, when every simulation begins.
const BEGIN: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
/// Steps without the clock moving after which a run is said to loop.
const STEPS_MAX: u64 = 200_000;
const ROOT: u64 = 0;

/// A simulation; clones are handles on the same one.
#[derive(Debug, Clone)]
pub struct Sim(Arc<Mutex<State>>, Arc<Ready>);

struct State {
    draws: Draws,
    now_ms: u64,
    next: u64,
    tasks: BTreeMap<u64, Task>,
    timers: BTreeMap<(u64, u64), Waker>,
    journals: Vec<(Life, Arc<Journal>)>,
}

struct Task {
    name: &'static str,
    life: Life,
    /// Away while it is being polled.
    future: Option<BoxFuture<'static, ()>>,
}

/// Which tasks were woken. Its lock is never held while any other code runs.
#[derive(Debug, Default)]
struct Ready(Mutex<BTreeSet<u64>>);

struct Bell {
    task: u64,
    ready: Arc<Ready>,
}

enum Step {
    Root,
    Task(u64),
    Flush(Arc<Journal>),
    Idle,
}

impl Sim {
    /// A simulation at the beginning of time.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::later(seed, 0)
    }

    /// A simulation that begins so many virtual milliseconds later.
    #[must_use]
    pub fn later(seed: u64, now_ms: u64) -> Self {
        let state = State {
            draws: Draws::new(seed),
            now_ms,
            next: ROOT + 1,
            tasks: BTreeMap::new(),
            timers: BTreeMap::new(),
            journals: Vec::new(),
        };
        Self(Arc::new(Mutex::new(state)), Arc::default())
    }

    /// Virtual milliseconds since the beginning.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.state().now_ms
    }

    /// The wall clock: 2026-01-01T00:00:00Z and the virtual time since.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        BEGIN.plus_ms(i64::try_from(self.now_ms()).expect("no test lasts so long"))
    }

    /// A number below `bound`, drawn from the seed.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        self.state().draws.below(bound)
    }

    /// Runs a task for as long as `life` lasts.
    pub fn spawn(&self, life: &Life, name: &'static str, future: BoxFuture<'static, ()>) {
        if life.is_over() {
            return;
        }
        let mut state = self.state();
        let id = state.next;
        state.next += 1;
        state.tasks.insert(id, Task { name, life: life.clone(), future: Some(future) });
        drop(state);
        self.1.add(id);
    }

    /// Flushes `journal` whenever it has work, for as long as `life` lasts.
    pub fn drive(&self, life: &Life, journal: Arc<Journal>) {
        self.state().journals.push((life.clone(), journal));
    }

    /// Ends after `ms` virtual milliseconds.
    pub fn sleep_ms(&self, ms: u64) -> Sleep {
        Sleep::until(self, self.now_ms().saturating_add(ms))
    }

    /// Lets other tasks run: for nothing, or for up to `most_ms` virtual milliseconds.
    pub async fn pause(&self, most_ms: u64) {
        let ms = self.below(most_ms + 1);
        self.sleep_ms(ms).await;
        let mut yielded = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Runs everything until `root` ends, for at most `limit_ms` virtual milliseconds.
    ///
    /// # Panics
    /// When the limit passes, when nothing can happen any more, or when tasks run on and on while
    /// no time passes; the message names the tasks.
    pub fn run<T>(&self, limit_ms: u64, root: impl Future<Output = T>) -> T {
        let mut root = pin!(root);
        let waker = self.waker(ROOT);
        self.1.add(ROOT);
        let end_ms = self.now_ms().saturating_add(limit_ms);
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < STEPS_MAX, "time stands still while these run: {}", self.awake());
            match self.choose() {
                Step::Root => {
                    if let Poll::Ready(done) = root.as_mut().poll(&mut Context::from_waker(&waker))
                    {
                        return done;
                    }
                }
                Step::Task(id) => self.poll(id),
                // A failing disk has stopped the journal, which tells those who wait.
                Step::Flush(journal) => drop(journal.flush_once()),
                Step::Idle => {
                    self.advance(end_ms);
                    steps = 0;
                }
            }
            self.bury();
        }
    }

    fn choose(&self) -> Step {
        let ready = self.1.all();
        let mut state = self.state();
        let journals: Vec<_> =
            state.journals.iter().map(|(_, journal)| journal).filter(|j| j.has_work()).collect();
        let count = ready.len() + journals.len();
        if count == 0 {
            return Step::Idle;
        }
        let journals: Vec<_> = journals.into_iter().cloned().collect();
        let drawn = usize::try_from(state.draws.below(count as u64)).expect("below a usize");
        let Some(id) = ready.get(drawn) else {
            return Step::Flush(journals[drawn - ready.len()].clone());
        };
        self.1.take(*id);
        if *id == ROOT { Step::Root } else { Step::Task(*id) }
    }

    fn poll(&self, id: u64) {
        let found = self.state().tasks.get_mut(&id).and_then(|task| task.future.take());
        let Some(mut future) = found else { return };
        let polled = future.as_mut().poll(&mut Context::from_waker(&self.waker(id)));
        let mut state = self.state();
        if polled.is_ready() {
            state.tasks.remove(&id);
        } else if let Some(task) = state.tasks.get_mut(&id) {
            task.future = Some(future);
            return;
        }
        // What a task drops may spawn and wake others.
        drop(state);
        drop(future);
    }

    /// Takes away what belongs to lives that are over.
    pub(crate) fn bury(&self) {
        let mut state = self.state();
        let over = |task: &Task| task.life.is_over();
        if !state.tasks.values().any(over) && !state.journals.iter().any(|(l, _)| l.is_over()) {
            return;
        }
        let (dead, living) =
            std::mem::take(&mut state.tasks).into_iter().partition(|(_, task)| over(task));
        state.tasks = living;
        let ended: Vec<_> = state.journals.extract_if(.., |(life, _)| life.is_over()).collect();
        drop(state);
        let dead: BTreeMap<u64, Task> = dead;
        drop((dead, ended));
    }

    fn advance(&self, end_ms: u64) {
        let mut state = self.state();
        let Some(((at, _), _)) = state.timers.first_key_value() else {
            drop(state);
            panic!("nothing can happen any more; these wait: {}", self.names());
        };
        let at = *at;
        if at > end_ms {
            drop(state);
            panic!("the time of this run is over; these wait: {}", self.names());
        }
        state.now_ms = at;
        let later = state.timers.split_off(&(at + 1, 0));
        let due = std::mem::replace(&mut state.timers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    fn names(&self) -> String {
        let state = self.state();
        let names: BTreeSet<&str> = state.tasks.values().map(|task| task.name).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    fn awake(&self) -> String {
        let ready = self.1.all();
        let state = self.state();
        let name = |id: &u64| state.tasks.get(id).map_or("the test", |task| task.name);
        let names: BTreeSet<&str> = ready.iter().map(name).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    fn waker(&self, task: u64) -> Waker {
        Waker::from(Arc::new(Bell { task, ready: self.1.clone() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ready {
    fn set(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, task: u64) {
        self.set().insert(task);
    }

    fn take(&self, task: u64) {
        self.set().remove(&task);
    }

    fn all(&self) -> Vec<u64> {
        self.set().iter().copied().collect()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ready.add(self.task);
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({} tasks at {} ms)", self.tasks.len(), self.now_ms)
    }
}
