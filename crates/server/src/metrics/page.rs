//! Writes OpenMetrics text: families in turn, each with its type, its help and its samples.
//!
//! Invariant: a family is written once and whole, numbers as the format wants them, label values
//! escaped; the text ends in `# EOF`, so that a reader knows that it has all.

use std::fmt::{Display, Write};

use keystead_service::metrics::HistogramReading;

use super::families::{Family, Kind};

/// A text in the making.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// Labels with their values.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    /// Begins a family.
    pub(super) fn family(&mut self, family: Family) -> Samples<'_> {
        let Family { name, kind, help } = family;
        self.line(format_args!("# TYPE {name} {}", kind.name()));
        self.line(format_args!("# HELP {name} {help}"));
        Samples { page: self, family }
    }

    /// A family of one sample without labels.
    pub(super) fn one(&mut self, family: Family, value: impl Display) {
        self.family(family).add(&[], value);
    }

    /// The same, where there is a value.
    pub(super) fn maybe(&mut self, family: Family, value: Option<impl Display>) {
        if let Some(value) = value {
            self.one(family, value);
        }
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a string takes every text");
    }
}

/// The samples of one family.
#[derive(Debug)]
pub(super) struct Samples<'p> {
    page: &'p mut Page,
    family: Family,
}

impl Samples<'_> {
    /// A sample.
    pub(super) fn add(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        let suffix = match self.family.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        self.sample(suffix, labels, None, value)
    }

    /// A histogram whose values are whole units of which `unit` writes the bounds and the sum.
    pub(super) fn histogram(
        &mut self,
        labels: Labels<'_>,
        read: &HistogramReading,
        unit: impl Fn(u64) -> String,
    ) -> &mut Self {
        for (bound, count) in &read.buckets {
            self.sample("_bucket", labels, Some(&unit(*bound)), count);
        }
        let count = read.count();
        self.sample("_bucket", labels, Some("+Inf"), count);
        self.sample("_count", labels, None, count);
        self.sample("_sum", labels, None, unit(read.sum))
    }

    fn sample(
        &mut self,
        suffix: &str,
        labels: Labels<'_>,
        bound: Option<&str>,
        value: impl Display,
    ) -> &mut Self {
        let labels = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        let labels: Vec<String> =
            labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let name = self.family.name;
        match labels.is_empty() {
            true => self.page.line(format_args!("{name}{suffix} {value}")),
            false => {
                self.page.line(format_args!("{name}{suffix}{{{}}} {value}", labels.join(",")));
            }
        }
        self
    }
}

/// Microseconds as seconds, exactly, with a fraction as the format wants it.
pub(super) fn seconds_of_us(us: u64) -> String {
    let fraction = format!("{:06}", us % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    format!("{}.{}", us / 1_000_000, if fraction.is_empty() { "0" } else { fraction })
}

/// Milliseconds as seconds.
pub(super) fn seconds_of_ms(ms: u64) -> String {
    seconds_of_us(ms.saturating_mul(1_000))
}

/// A count of bytes as a bound.
pub(super) fn whole(count: u64) -> String {
    format!("{count}.0")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{super::families, *};

    #[test]
    fn seconds_are_exact() {
        for (us, text) in [(0, "0.0"), (50, "0.00005"), (1_000_000, "1.0"), (2_500_001, "2.500001")]
        {
            assert_eq!(seconds_of_us(us), text);
        }
        assert_eq!(seconds_of_ms(1_500), "1.5");
    }

    #[test]
    fn a_family_is_written_with_its_suffix_and_escaped_labels() {
        let mut page = Page::default();
        page.family(families::REQUESTS).add(&[("front", "a\"b\\c\nd")], 7);
        page.one(families::READY, 1);
        let text = page.finish();
        assert!(text.contains("keystead_requests_total{front=\"a\\\"b\\\\c\\nd\"} 7\n"), "{text}");
        assert!(text.contains("# TYPE keystead_ready gauge\n"), "{text}");
        assert!(text.contains("\nkeystead_ready 1\n") && text.ends_with("# EOF\n"), "{text}");
    }
}
