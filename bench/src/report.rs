//! The tables of a run: what it was run on, each bar with its verdict, all figures.
//!
//! Invariant: a figure stands with the command, the machine and the syncs that it was measured
//! with; what was not measured is not in the table, and never a number.

use crate::{
    disk::Syncs,
    machine::Cores,
    operation::{CONNECTIONS, OPERATIONS, Operation},
    options::Options,
    rounds::Cell,
    statistics::{median, range},
    verdict::{Bar, Kind, Verdict},
};

const KEYSTEAD: &str = "Keystead";
const SUBJECTS: [&str; 3] = ["bare", KEYSTEAD, "OpenBao"];
/// How many connections the bars are for.
const BAR_CONNECTIONS: usize = 64;

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    line: String,
    quick: bool,
    are_apart: bool,
    pub(crate) syncs: Syncs,
    pub(crate) uses: Option<Vec<Cell>>,
    pub(crate) scale: Vec<Verdict>,
}

impl Report {
    pub(crate) fn begin(options: &Options, cores: &Cores) -> Self {
        Self {
            line: options.line.clone(),
            quick: options.quick,
            are_apart: cores.are_apart(),
            syncs: Syncs::default(),
            uses: None,
            scale: Vec::new(),
        }
    }

    /// As Markdown.
    pub(crate) fn text(&self) -> String {
        let mut text = self.preamble();
        text.push_str("\n### Bars\n\n| what | figure | bar | verdict |\n|---|---:|---:|---|\n");
        let cells = self.uses.as_deref().unwrap_or_default();
        for verdict in bars(cells).iter().chain(&self.scale) {
            text.push_str(&line(verdict, &self.syncs));
        }
        if !cells.is_empty() {
            text.push_str(&uses_table(cells));
        }
        text
    }

    fn preamble(&self) -> String {
        let (p50, p99) = (self.syncs.percentile_ms(50), self.syncs.percentile_ms(99));
        let mut text = format!(
            "Run of {}, `cargo xtask bench {}`, on {}.\n\nSyncs of this run (append 300 bytes, \
             `fdatasync`, on the disk of the data folders; {} of them): p50 {p50:.3} ms, p99 \
             {p99:.3} ms. Absolute bars bind up to 1 ms at p99.\n",
            today(),
            self.line,
            machine(),
            self.syncs.count(),
        );
        if self.quick {
            text.push_str("\n**A quick run**: it shows that all parts work, not how fast.\n");
        }
        if !self.are_apart {
            text.push_str("\n**One core**: load and servers shared it; ratios mean little.\n");
        }
        text
    }
}

/// The bars of the comparison, each the median of its rounds' ratios.
fn bars(cells: &[Cell]) -> Vec<Verdict> {
    let mut bars = Vec::new();
    for operation in OPERATIONS {
        let per_second = |cell: &Cell| cell.per_second;
        let title = |what: &str| format!("{}: {what}", operation.title());
        let mut push = |what: &str, figure: Option<f64>, bar| {
            bars.extend(figure.map(|figure| Verdict {
                what: title(what),
                figure,
                unit: "×",
                bar,
                kind: Kind::Ratio,
            }));
        };
        let of_bare = ratio(cells, operation, "bare", per_second);
        push("throughput over bare", of_bare, Bar::AtLeast(0.7));
        let of_bao = ratio(cells, operation, "OpenBao", per_second);
        push("throughput over OpenBao", of_bao, Bar::AtLeast(5.0));
        let p99 = |cell: &Cell| crate::load::count(usize::try_from(cell.p99_us).unwrap_or(0));
        push("p99 over bare", ratio(cells, operation, "bare", p99), Bar::AtMost(3.0));
    }
    bars
}

/// The median over the rounds of Keystead's figure over that of `other`.
fn ratio(
    cells: &[Cell],
    operation: Operation,
    other: &str,
    figure: impl Fn(&Cell) -> f64,
) -> Option<f64> {
    let of = |subject: &str, round: usize| {
        cells
            .iter()
            .find(|cell| {
                (cell.subject, cell.round) == (subject, round)
                    && (cell.operation, cell.connections) == (operation, BAR_CONNECTIONS)
            })
            .map(&figure)
    };
    let rounds = cells.iter().map(|cell| cell.round + 1).max().unwrap_or_default();
    let ratios = (0..rounds).map(|round| Some(of(KEYSTEAD, round)? / of(other, round)?));
    let ratios: Option<Vec<f64>> = ratios.collect();
    ratios.filter(|ratios| !ratios.is_empty()).map(median)
}

fn line(verdict: &Verdict, syncs: &Syncs) -> String {
    let Verdict { what, figure, unit, bar, .. } = verdict;
    let figure = match figure {
        figure if *figure >= 100.0 => format!("{figure:.0}"),
        figure => format!("{figure:.2}"),
    };
    format!("| {what} | {figure}{unit} | {} | {} |\n", bar.text(unit), verdict.word(syncs))
}

fn uses_table(cells: &[Cell]) -> String {
    let mut text = String::from(
        "\n### All figures\n\nMedians of the rounds; in brackets the slowest and the fastest round. \
         `CPU` is processor time of the server for each answer.\n\n\
         | operation | connections | server | answers/s | p50 ms | p99 ms | CPU µs |\n\
         |---|---:|---|---:|---:|---:|---:|\n",
    );
    for operation in OPERATIONS {
        for connections in CONNECTIONS {
            for subject in SUBJECTS {
                let of: Vec<&Cell> = cells
                    .iter()
                    .filter(|cell| cell.subject == subject && cell.operation == operation)
                    .filter(|cell| cell.connections == connections)
                    .collect();
                if !of.is_empty() {
                    text.push_str(&uses_line(&of));
                }
            }
        }
    }
    text
}

fn uses_line(of: &[&Cell]) -> String {
    let Cell { subject, operation, connections, .. } = of[0];
    let ms = |micros: u64| std::time::Duration::from_micros(micros).as_secs_f64() * 1e3;
    let (least, most) = range(of.iter().map(|cell| cell.per_second));
    format!(
        "| {} | {connections} | {subject} | {:.0} ({least:.0}–{most:.0}) | {:.2} | {:.2} | {:.1} |\n",
        operation.title(),
        median(of.iter().map(|cell| cell.per_second)),
        median(of.iter().map(|cell| ms(cell.p50_us))),
        median(of.iter().map(|cell| ms(cell.p99_us))),
        median(of.iter().map(|cell| cell.cpu_us)),
    )
}

/// The date in UTC.
fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    let seconds = now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or_default());
    let stamp = keystead_crypto::sigv4::amz_date(seconds);
    format!("{}-{}-{}", &stamp[..4], &stamp[4..6], &stamp[6..8])
}

/// The processor, its cores and the memory.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or("an unknown processor").to_owned()
    };
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let gib = kib.unwrap_or_default() >> 20;
    format!("{cores} cores ({}), {gib} GiB of memory", value("model name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(subject: &'static str, round: usize, per_second: f64, p99_us: u64) -> Cell {
        let (operation, connections) = (Operation::Sign, BAR_CONNECTIONS);
        Cell { subject, operation, connections, round, per_second, cpu_us: 1.0, p50_us: 1, p99_us }
    }

    #[test]
    fn a_ratio_is_the_median_of_those_within_rounds() {
        // The second round runs at half speed for both: its ratio is what it always is.
        let cells = [
            cell("bare", 0, 100.0, 10),
            cell(KEYSTEAD, 0, 80.0, 20),
            cell("bare", 1, 50.0, 10),
            cell(KEYSTEAD, 1, 40.0, 40),
        ];
        let bars = bars(&cells);
        assert_eq!(bars.len(), 2, "nothing is said of what was not measured");
        assert!((bars[0].figure - 0.8).abs() < 1e-9, "{bars:?}");
        assert!((bars[1].figure - 3.0).abs() < 1e-9, "{bars:?}");
    }

    #[test]
    fn a_subject_that_is_missing_from_a_round_gives_no_ratio() {
        let cells = [cell("bare", 0, 1.0, 1), cell(KEYSTEAD, 0, 1.0, 1), cell(KEYSTEAD, 1, 1.0, 1)];
        assert!(bars(&cells).is_empty());
    }
}
