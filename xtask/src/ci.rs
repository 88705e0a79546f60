//! `cargo xtask ci`: every gate in one run, with the minutes of each.
//!
//! A failed step does not hide the later ones. Time is a gate too: a slow loop is a loop that
//! people stop using, so a run beyond its limit fails although all else holds.

use std::fs;
use std::time::{Duration, Instant};

use crate::checkout::Checkout;
use crate::clients;
use crate::deny;
use crate::failure::Failure;
use crate::job::Job;
use crate::process::{self, Output};
use crate::{demo, layers, test, tidy};

/// Whether the dependencies were built when the run began.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Cold,
    Warm,
}

impl Start {
    fn limit_minutes(self) -> f64 {
        match self {
            Self::Cold => 40.0,
            Self::Warm => 30.0,
        }
    }

    /// Half of the locked packages (some are for other platforms) is more than this program's own.
    fn of(built: usize, locked: usize) -> Self {
        if locked > 0 && built * 2 >= locked { Self::Warm } else { Self::Cold }
    }
}

/// One line of the closing table.
struct Ended {
    step: &'static str,
    took: Duration,
    failure: Option<Failure>,
}

/// Runs all steps; what must be fetched or built for later ones goes on beside the first compile.
pub(crate) fn run(checkout: &Checkout) -> Result<(), Failure> {
    let begun = Instant::now();
    let start = Start::of(count_built(checkout), count_locked(checkout)?);
    let deny = Job::start("cargo-deny", checkout, deny::install);
    let clients = Job::start("clients", checkout, clients::fetch);
    let ended = [
        time("fmt", || fmt(checkout)),
        time("check-layers", || layers::run(checkout)),
        time("tidy", || tidy::run(checkout)),
        time("clippy", || clippy(checkout)),
        time("test", || clients.finish().and_then(|()| test::run(checkout))),
        time("demo", || demo::run(checkout)),
        time("deny", || deny.finish().and_then(|()| deny::check(checkout))),
        time("docs", || docs(checkout)),
    ];
    print!("\n{}", table(&ended, begun.elapsed(), start));
    verdict(&ended, begun.elapsed(), start)
}

fn time(step: &'static str, work: impl FnOnce() -> Result<(), Failure>) -> Ended {
    println!("\n== {step}");
    let begun = Instant::now();
    let failure = work().err();
    if let Some(failure) = &failure {
        println!("error: {failure}");
    }
    Ended { step, took: begun.elapsed(), failure }
}

fn fmt(checkout: &Checkout) -> Result<(), Failure> {
    process::run(checkout.cargo().args(["fmt", "--all", "--check"]), &Output::Terminal)
}

fn clippy(checkout: &Checkout) -> Result<(), Failure> {
    let mut cargo = checkout.cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--profile", "ci", "--locked"]);
    process::run(cargo.args(["--", "-D", "warnings"]), &Output::Terminal)
}

fn docs(checkout: &Checkout) -> Result<(), Failure> {
    let mut cargo = checkout.cargo();
    cargo.args(["doc", "--no-deps", "--workspace", "--profile", "ci", "--locked"]);
    process::run(cargo.env("RUSTDOCFLAGS", "-D warnings"), &Output::Terminal)
}

/// How many units of compilation the target folder remembers; none where there is no such folder.
fn count_built(checkout: &Checkout) -> usize {
    fs::read_dir(checkout.built("ci/.fingerprint")).map_or(0, Iterator::count)
}

fn count_locked(checkout: &Checkout) -> Result<usize, Failure> {
    let path = checkout.file("Cargo.lock");
    let lock = fs::read_to_string(&path).map_err(Failure::file(path))?;
    Ok(lock.lines().filter(|line| *line == "[[package]]").count())
}

fn table(ended: &[Ended], total: Duration, start: Start) -> String {
    let mut text = String::from("step          minutes  result\n");
    let mut line = |name: &str, took: Duration, result: &str| {
        text.push_str(&format!("{name:<14}{:>7.1}  {result}\n", minutes(took)));
    };
    for Ended { step, took, failure } in ended {
        line(step, *took, if failure.is_none() { "ok" } else { "FAILED" });
    }
    let limit_minutes = start.limit_minutes();
    line("total", total, &format!("{start:?} start, limit {limit_minutes:.0}"));
    text
}

fn verdict(ended: &[Ended], total: Duration, start: Start) -> Result<(), Failure> {
    let failed: Vec<_> =
        ended.iter().filter(|ended| ended.failure.is_some()).map(|ended| ended.step).collect();
    if !failed.is_empty() {
        return Err(Failure::Steps { failed });
    }
    let limit_minutes = start.limit_minutes();
    if minutes(total) > limit_minutes {
        return Err(Failure::TooSlow { minutes: minutes(total), limit_minutes });
    }
    Ok(())
}

fn minutes(duration: Duration) -> f64 {
    duration.as_secs_f64() / 60.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ended, Start, table, verdict};
    use crate::failure::Failure;

    fn ended(step: &'static str, failure: Option<Failure>) -> Ended {
        Ended { step, took: Duration::from_secs(90), failure }
    }

    #[test]
    fn a_failed_step_fails_the_run_and_shows_in_the_table() {
        let failure = Failure::Findings { check: "tidy", count: 2 };
        let steps = [ended("fmt", None), ended("tidy", Some(failure))];
        let total = Duration::from_secs(180);
        assert!(matches!(
            verdict(&steps, total, Start::Warm),
            Err(Failure::Steps { failed }) if failed == ["tidy"]
        ));
        let table = table(&steps, total, Start::Warm);
        assert!(table.contains("fmt               1.5  ok\n"), "{table}");
        assert!(table.contains("tidy              1.5  FAILED\n"), "{table}");
    }

    #[test]
    fn the_limit_is_lower_for_a_warm_start() {
        let total = Duration::from_secs(35 * 60);
        assert!(verdict(&[ended("fmt", None)], total, Start::Cold).is_ok());
        let warm = verdict(&[ended("fmt", None)], total, Start::Warm);
        assert!(matches!(warm, Err(Failure::TooSlow { .. })));
        assert!(verdict(&[], Duration::from_secs(41 * 60), Start::Cold).is_err());
    }

    #[test]
    fn a_start_is_warm_when_most_dependencies_are_built() {
        assert_eq!(Start::of(20, 250), Start::Cold);
        assert_eq!(Start::of(270, 250), Start::Warm);
        assert_eq!(Start::of(0, 0), Start::Cold);
    }
}
