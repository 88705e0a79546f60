//! Time as a value: nothing in ring 0 reads a clock.
//!
//! Invariant: a [`Timestamp`] is microseconds since 1970-01-01T00:00:00Z without leap seconds, as
//! stored in every format; it prints as RFC 3339 in UTC.

use thiserror::Error;

/// An instant, in microseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

/// Why a text is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a time like 2026-11-22T03:00:00Z")]
pub struct BadTime {
    /// What was given.
    pub text: String,
}

impl Timestamp {
    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch, with their fraction: the AWS wire form.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a double holds microseconds until 2255")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Later by `ms` milliseconds.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1000)))
    }

    /// How many milliseconds `self` is after `earlier`; negative where it is before.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1000
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

impl std::str::FromStr for Timestamp {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        text.parse::<jiff::Timestamp>()
            .map(|instant| Self(instant.as_microsecond()))
            .map_err(|_| BadTime { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_rfc_3339() {
        let time = Timestamp::from_micros(1_763_780_400_000_000);
        assert_eq!(time.to_string(), "2025-11-22T03:00:00Z");
        assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert_eq!(time.plus_ms(1500).ms_since(time), 1500);
    }
}
