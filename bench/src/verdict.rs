//! The bars, and whether they are reached.
//!
//! Invariant: a ratio binds wherever it was measured; an absolute figure binds where the run's disk
//! syncs in at most 1 ms at the 99th percentile, and stands beside the syncs elsewhere.

use crate::disk::Syncs;

/// The slowest disk on which absolute bars bind, in milliseconds at the 99th percentile.
const BINDING_SYNC_MS: f64 = 1.0;

/// In which direction a figure is good.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// It is to be at least so much.
    AtLeast(f64),
    /// It is to be at most so much.
    AtMost(f64),
}

/// What a bar's figure depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Both sides were measured here.
    Ratio,
    /// The disk has its part in it.
    Absolute,
    /// Memory: no disk changes it.
    Memory,
}

/// One line of the table of bars.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) figure: f64,
    pub(crate) unit: &'static str,
    pub(crate) bar: Bar,
    pub(crate) kind: Kind,
}

impl Bar {
    pub(crate) fn is_reached_by(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(bar) => figure >= bar,
            Self::AtMost(bar) => figure <= bar,
        }
    }

    pub(crate) fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(bar) => format!("≥ {bar}{unit}"),
            Self::AtMost(bar) => format!("≤ {bar}{unit}"),
        }
    }
}

impl Verdict {
    /// `reached`, `MISSED`, or why neither binds.
    pub(crate) fn word(&self, syncs: &Syncs) -> &'static str {
        let is_slow = syncs.percentile_ms(99) > BINDING_SYNC_MS;
        match (self.bar.is_reached_by(self.figure), self.kind) {
            (true, _) => "reached",
            (false, Kind::Absolute) if is_slow => "not reached; does not bind on this disk",
            (false, _) => "MISSED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_a_direction_and_its_own_value_reaches_it() {
        assert!(Bar::AtLeast(5.0).is_reached_by(5.0) && !Bar::AtLeast(5.0).is_reached_by(4.9));
        assert!(Bar::AtMost(3.0).is_reached_by(3.0) && !Bar::AtMost(3.0).is_reached_by(3.1));
    }

    #[test]
    fn a_figure_that_is_missed_is_never_called_reached() {
        let verdict = |kind| Verdict {
            what: String::new(),
            figure: 1.0,
            unit: "",
            bar: Bar::AtLeast(2.0),
            kind,
        };
        let fast = Syncs::default();
        for kind in [Kind::Ratio, Kind::Absolute, Kind::Memory] {
            assert_eq!(verdict(kind).word(&fast), "MISSED");
        }
    }
}
