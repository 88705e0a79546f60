//! Measures Keystead: beside a bare server and OpenBao in one run, and its memory, start, changes
//! and restore.
//!
//! Invariant: nothing is counted as speed that was not answered well: every answer's status and
//! length are looked at, and samples of each round are opened. Subjects take turns within each
//! round, so that a machine that drifts drifts for all of them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to a terminal and to whoever started it"
)]

mod bare;
mod connection;
mod disk;
mod failed;
mod load;
mod machine;
mod operation;
mod options;
mod presigned;
mod report;
mod results;
mod rounds;
mod scale;
mod statistics;
mod subject;
mod verdict;

use std::process::ExitCode;

use crate::{failed::Failed, options::Options};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.first().map(String::as_str) {
        Some("bare") => bare::serve(),
        _ => Options::read(&arguments).and_then(|options| measure(&options)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("error: {failed}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what was asked for, prints it, and writes it down where that was asked for too.
fn measure(options: &Options) -> Result<(), Failed> {
    let place = disk::Place::new(options)?;
    let cores = machine::Cores::find();
    cores.announce();
    let mut report = report::Report::begin(options, &cores);
    if options.wants("uses") {
        report.uses = Some(rounds::run(options, &place, &cores, &mut report.syncs)?);
    }
    if options.wants("scale") {
        report.scale = scale::run(options, &place, &cores, &mut report.syncs)?;
    }
    let text = report.text();
    print!("{text}");
    match &options.results {
        Some(path) => results::rewrite(path, &text),
        None => Ok(()),
    }
}
