//! The comparison: rounds in which the subjects take turns.
//!
//! Invariant: within a round every cell (operation × connections) is measured on each subject in
//! turn before the next cell, and who begins changes from round to round; a ratio is taken within
//! one cell of one round, so what slows the machine for a minute slows both of its sides.

use serde_json::Value;

use crate::{
    disk::{Place, Syncs},
    failed::Failed,
    load::{Load, Measured, Until, run as load},
    machine::{Cores, settle},
    operation::Operation,
    options::Options,
    subject::{BareServer, KeysteadServer, OpenBao, Subject},
};

/// How often and how long the disk is probed in each round.
const PROBE: std::time::Duration = std::time::Duration::from_millis(400);
/// How many answers of each cell are opened.
const SAMPLES: usize = 4;

/// What one subject did in one cell of one round.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) subject: &'static str,
    pub(crate) operation: Operation,
    pub(crate) connections: usize,
    pub(crate) round: usize,
    pub(crate) per_second: f64,
    pub(crate) cpu_us: f64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

/// Measures all cells.
pub(crate) fn run(
    options: &Options,
    place: &Place,
    cores: &Cores,
    syncs: &mut Syncs,
) -> Result<Vec<Cell>, Failed> {
    let subjects = subjects(options, place, *cores)?;
    let mut cells = Vec::new();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        for operation in options.operations.iter().copied() {
            place.probe(syncs, PROBE / 5)?;
            let requests: Result<Vec<_>, _> =
                subjects.iter().map(|subject| subject.requests(operation)).collect();
            let requests = requests?;
            for connections in options.connections.iter().copied() {
                for turn in 0..subjects.len() {
                    let index = (turn + round) % subjects.len();
                    let subject = &*subjects[index];
                    let (address, process) = (subject.address(), subject.process());
                    let load_of =
                        Load { address, process, connections, requests: &requests[index] };
                    let measured = measure(subject, operation, load_of, options)?;
                    cells.push(cell(subject.name(), operation, connections, round, &measured));
                    settle(process);
                }
            }
        }
    }
    Ok(cells)
}

fn subjects(
    options: &Options,
    place: &Place,
    cores: Cores,
) -> Result<Vec<Box<dyn Subject>>, Failed> {
    let mut subjects: Vec<Box<dyn Subject>> = vec![
        Box::new(BareServer::start(place, cores)?),
        Box::new(KeysteadServer::start(place, cores)?),
    ];
    match &options.bao {
        Some(program) => subjects.push(Box::new(OpenBao::start(program, place, cores)?)),
        None => eprintln!("no --bao: the comparison with OpenBao is left out"),
    }
    Ok(subjects)
}

fn measure(
    subject: &dyn Subject,
    operation: Operation,
    load_of: Load<'_>,
    options: &Options,
) -> Result<Measured, Failed> {
    let until = Until::Time { warm_up: options.warm_up, measured: options.measured };
    let wrong = |problem: String| Failed::Answer {
        subject: subject.name().to_owned(),
        operation: operation.title(),
        problem,
    };
    let measured = load(load_of, until).map_err(|failed| wrong(failed.to_string()))?;
    for (number, body) in measured.samples.iter().take(SAMPLES) {
        let answer: Value =
            serde_json::from_slice(body).map_err(|failed| wrong(failed.to_string()))?;
        subject.check(operation, *number, &answer)?;
    }
    Ok(measured)
}

fn cell(
    subject: &'static str,
    operation: Operation,
    connections: usize,
    round: usize,
    measured: &Measured,
) -> Cell {
    Cell {
        subject,
        operation,
        connections,
        round,
        per_second: measured.per_second(),
        cpu_us: measured.cpu_us(),
        p50_us: measured.p50_us,
        p99_us: measured.p99_us,
    }
}
