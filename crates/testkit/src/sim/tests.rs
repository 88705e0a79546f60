//! The simulation repeats itself, passes time at no cost, and names what hangs.

use super::*;

fn life() -> Life {
    Life::begin(0)
}

/// Three tasks that sleep and yield, as the order in which they wrote.
fn course(seed: u64) -> Vec<(u64, u64)> {
    let sim = Sim::new(seed);
    let written = Arc::new(Mutex::new(Vec::new()));
    for task in 0..3 {
        let (own, written) = (sim.clone(), written.clone());
        let work = async move {
            for _ in 0..10 {
                own.pause(2).await;
                let at = own.now_ms();
                written.lock().unwrap().push((task, at));
            }
        };
        sim.spawn(&life(), "writer", Box::pin(work));
    }
    sim.run(1_000, sim.sleep_ms(100));
    let written = written.lock().unwrap().clone();
    assert_eq!(written.len(), 30);
    written
}

#[test]
fn a_seed_repeats_its_interleaving_and_another_has_another() {
    assert_eq!(course(1), course(1));
    assert_ne!(course(1), course(2));
}

#[test]
fn time_passes_only_when_nothing_else_can_happen() {
    let sim = Sim::new(1);
    let at = sim.run(u64::MAX, async {
        sim.sleep_ms(1_000 * 60 * 60 * 24 * 365).await;
        sim.now()
    });
    assert_eq!(at.to_string(), "2027-01-01T00:00:00Z");
}

#[test]
fn a_timer_that_nobody_waits_for_does_not_move_the_clock() {
    let sim = Sim::new(1);
    sim.run(100, async {
        let (short, long) = (pin!(sim.sleep_ms(10)), pin!(sim.sleep_ms(1_000)));
        futures_util::future::select(short, long).await;
    });
    assert_eq!(sim.now_ms(), 10);
    assert!(sim.state().timers.is_empty());
}

#[test]
fn tasks_of_a_life_that_ended_are_dropped_at_once() {
    let (sim, own) = (Sim::new(1), life());
    let held = Arc::new(());
    let (inner, kept) = (sim.clone(), held.clone());
    let task = async move {
        inner.sleep_ms(50).await;
        drop(kept);
        panic!("this life was over");
    };
    sim.spawn(&own, "mortal", Box::pin(task));
    sim.run(100, async {
        sim.sleep_ms(10).await;
        own.end();
        sim.sleep_ms(80).await;
    });
    assert_eq!(Arc::strong_count(&held), 1);
    sim.spawn(&own, "late", Box::pin(async { panic!("spawned after the end") }));
    sim.run(100, sim.sleep_ms(10));
}

#[test]
#[should_panic(expected = "time stands still while these run: spinner")]
fn a_loop_that_never_sleeps_is_named() {
    let sim = Sim::new(1);
    let forever = std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    sim.spawn(&life(), "spinner", Box::pin(forever));
    sim.run(100, sim.sleep_ms(10));
}

#[test]
#[should_panic(expected = "nothing can happen any more; these wait: waiter")]
fn a_wait_that_cannot_end_is_named() {
    let sim = Sim::new(1);
    sim.spawn(&life(), "waiter", Box::pin(std::future::pending()));
    sim.run(100, std::future::pending::<()>());
}

#[test]
#[should_panic(expected = "the time of this run is over; these wait: ticker")]
fn a_run_that_takes_too_long_is_named() {
    let sim = Sim::new(1);
    let inner = sim.clone();
    let ticks = async move {
        loop {
            inner.sleep_ms(10).await;
        }
    };
    sim.spawn(&life(), "ticker", Box::pin(ticks));
    sim.run(100, std::future::pending::<()>());
}
