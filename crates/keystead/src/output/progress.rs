//! Shows how far long work is: phase, amount, rate, time left.
//!
//! Invariant: it writes to standard error alone and never holds the work up; without a terminal it
//! writes plain lines: one at each end of a phase, between them one for each tenth that took a
//! second or more, and one where nothing was said for five seconds.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::line;

/// The shortest time between two lines.
const TENTH: Duration = Duration::from_secs(1);

/// After so long without a line there is one, whatever was done.
const SILENCE: Duration = Duration::from_secs(5);

/// How much a phase has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// So many bytes.
    Bytes(u64),
    /// So many things.
    Items(u64),
    /// So many things that have a name, like entries.
    Named(u64, &'static str),
    /// Things, nobody knows how many.
    Unknown,
}

/// The progress of one command. Shared by reference; any thread may advance it.
pub(crate) struct Progress {
    view: View,
    phase: Mutex<Option<Phase>>,
}

enum View {
    Terminal,
    Lines(fn(&str)),
}

struct Phase {
    name: &'static str,
    total: Total,
    done: u64,
    began: Instant,
    bar: Option<ProgressBar>,
    said: Said,
}

/// What was last told of a phase.
struct Said {
    at: Instant,
    tenths: u64,
}

impl Progress {
    /// On standard error, in the form that it can show.
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let view =
            if terminal { View::Terminal } else { View::Lines(|text| line("progress", text)) };
        Self { view, phase: Mutex::new(None) }
    }

    /// Begins a phase and ends the one before.
    pub(crate) fn phase(&self, name: &'static str, total: Total) {
        self.done();
        let bar = matches!(self.view, View::Terminal).then(|| bar(name, total));
        let began = Instant::now();
        if let View::Lines(tell) = self.view {
            tell(&format!("{name}{}", of(total)));
        }
        let said = Said { at: began, tenths: 0 };
        *self.lock() = Some(Phase { name, total, done: 0, began, bar, said });
    }

    /// So many more bytes or things of the phase are done.
    pub(crate) fn advance(&self, more: u64) {
        let mut guard = self.lock();
        let Some(phase) = guard.as_mut() else { return };
        phase.done = phase.done.saturating_add(more);
        match (&phase.bar, &self.view) {
            (Some(bar), _) => bar.inc(more),
            (None, View::Lines(tell)) => phase.tell_where_due(Instant::now(), *tell),
            (None, View::Terminal) => {}
        }
    }

    /// Ends the phase, where there is one.
    pub(crate) fn done(&self) {
        let Some(phase) = self.lock().take() else { return };
        if let Some(bar) = &phase.bar {
            bar.finish_and_clear();
        }
        let summary = phase.summary(phase.began.elapsed());
        match self.view {
            View::Terminal => line("done", &summary),
            View::Lines(tell) => tell(&summary),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Phase>> {
        self.phase.lock().expect("no code panics while it holds this lock")
    }
}

impl Phase {
    fn tell_where_due(&mut self, now: Instant, tell: fn(&str)) {
        let tenths = match self.total {
            Total::Bytes(total) | Total::Items(total) | Total::Named(total, _) => {
                self.done.saturating_mul(10) / total.max(1)
            }
            Total::Unknown => 0,
        };
        let waited = now.duration_since(self.said.at);
        let due = if tenths > self.said.tenths { TENTH } else { SILENCE };
        if waited < due {
            return;
        }
        self.said = Said { at: now, tenths };
        tell(&self.state(now.duration_since(self.began)));
    }

    /// While it goes on: amount of total, rate, time left.
    fn state(&self, elapsed: Duration) -> String {
        let amount = amount(self.done, self.total);
        let rate = rate(self.done, self.total, elapsed);
        match left(self.done, self.total, elapsed) {
            Some(left) => {
                format!("{}: {amount}{}, {rate}, {left} left", self.name, of(self.total))
            }
            None => format!("{}: {amount}, {rate}", self.name),
        }
    }

    /// Once it ended.
    fn summary(&self, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64();
        if self.done == 0 {
            return format!("{}: done in {seconds:.1} s", self.name);
        }
        let amount = amount(self.done, self.total);
        let rate = rate(self.done, self.total, elapsed);
        format!("{}: {amount} in {seconds:.1} s, {rate}", self.name)
    }
}

fn amount(count: u64, total: Total) -> String {
    match total {
        Total::Bytes(_) => HumanBytes(count).to_string(),
        Total::Items(_) | Total::Unknown => count.to_string(),
        Total::Named(_, unit) => format!("{count} {unit}"),
    }
}

fn of(total: Total) -> String {
    match total {
        Total::Bytes(bytes) => format!(" of {}", HumanBytes(bytes)),
        Total::Items(items) => format!(" of {items}"),
        Total::Named(items, unit) => format!(" of {items} {unit}"),
        Total::Unknown => String::new(),
    }
}

fn rate(done: u64, total: Total, elapsed: Duration) -> String {
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let per_second = done.saturating_mul(1000) / ms;
    format!("{}/s", amount(per_second, total))
}

fn left(done: u64, total: Total, elapsed: Duration) -> Option<HumanDuration> {
    let (Total::Bytes(all) | Total::Items(all) | Total::Named(all, _)) = total else { return None };
    let missing = all.checked_sub(done).filter(|_| done > 0)?;
    let ms = u128::from(missing).saturating_mul(elapsed.as_millis()) / u128::from(done);
    Some(HumanDuration(Duration::from_millis(u64::try_from(ms).ok()?)))
}

fn bar(name: &'static str, total: Total) -> ProgressBar {
    let (length, template) = match total {
        Total::Bytes(bytes) => (
            Some(bytes),
            "{prefix} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        ),
        Total::Items(items) | Total::Named(items, _) => {
            (Some(items), "{prefix} {wide_bar} {pos} of {len} {msg}, {per_sec}, {eta} left")
        }
        Total::Unknown => (None, "{prefix} {spinner} {pos}, {per_sec}"),
    };
    let style = ProgressStyle::with_template(template).expect("the templates are lawful");
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
    let unit = if let Total::Named(_, unit) = total { unit } else { "" };
    bar.with_style(style).with_prefix(name).with_message(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(total: Total, done: u64) -> Phase {
        let began = Instant::now();
        let said = Said { at: began, tenths: 0 };
        Phase { name: "reading segments", total, done, began, bar: None, said }
    }

    #[test]
    fn a_line_has_amount_rate_and_time_left() {
        let bytes = phase(Total::Bytes(4 << 20), 1 << 20);
        assert_eq!(
            bytes.state(Duration::from_secs(2)),
            "reading segments: 1.00 MiB of 4.00 MiB, 512.00 KiB/s, 6 seconds left"
        );
        let items = phase(Total::Items(10), 10);
        assert_eq!(items.summary(Duration::from_secs(4)), "reading segments: 10 in 4.0 s, 2/s");
        let named = phase(Total::Named(10, "entries"), 5);
        assert_eq!(
            named.state(Duration::from_secs(1)),
            "reading segments: 5 entries of 10 entries, 5 entries/s, 1 second left"
        );
        let nothing = phase(Total::Unknown, 0);
        assert_eq!(nothing.summary(Duration::from_secs(1)), "reading segments: done in 1.0 s");
        let unknown = phase(Total::Unknown, 3);
        assert_eq!(unknown.state(Duration::from_secs(1)), "reading segments: 3, 3/s");
    }

    #[test]
    fn nothing_divides_by_zero_or_overflows() {
        for total in [Total::Bytes(0), Total::Items(u64::MAX), Total::Unknown] {
            for done in [0, 1, u64::MAX] {
                let phase = phase(total, done);
                for elapsed in [Duration::ZERO, Duration::MAX] {
                    assert!(!phase.state(elapsed).is_empty() && !phase.summary(elapsed).is_empty());
                }
            }
        }
    }

    #[test]
    fn every_template_is_lawful_and_calls_out_of_order_do_no_harm() {
        for total in [Total::Bytes(1), Total::Items(1), Total::Named(1, "a"), Total::Unknown] {
            bar("a", total);
        }
        let progress = Progress { view: View::Lines(|_| {}), phase: Mutex::new(None) };
        progress.advance(1);
        progress.done();
        progress.phase("a", Total::Items(1));
        progress.phase("b", Total::Unknown);
        progress.advance(1);
        progress.done();
        assert!(progress.lock().is_none());
    }

    #[test]
    fn lines_come_once_a_second_for_a_tenth_and_after_five_seconds_without_one() {
        static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let tell: fn(&str) = |text| LINES.lock().unwrap().push(text.to_owned());
        let mut phase = phase(Total::Items(100), 0);
        let mut now = phase.began;
        for (ms, done, lines) in [
            (999, 50, 0),
            (1, 51, 1),
            (900, 90, 1),
            (100, 91, 2),
            (4999, 92, 2),
            (1, 93, 3),
            (4000, 94, 3),
            (1000, 95, 4),
        ] {
            now += Duration::from_millis(ms);
            phase.done = done;
            phase.tell_where_due(now, tell);
            assert_eq!(LINES.lock().unwrap().len(), lines, "{done}");
        }
    }
}
