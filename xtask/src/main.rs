//! The project's own commands and gates; `cargo xtask help` lists them.
//!
//! Exit code 0 means that every check held, 1 that one did not, 2 that the command line was wrong.
//! They are a program and not shell scripts so that the gates themselves can be tested.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these commands talk to a terminal and to nothing else"
)]

mod apt;
mod bench;
mod checkout;
mod ci;
mod clients;
mod demo;
mod deny;
mod dist;
mod failure;
mod fixtures;
mod job;
mod layers;
mod process;
mod test;
mod tidy;

use std::process::ExitCode;

use crate::checkout::Checkout;
use crate::failure::Failure;

/// One word that follows `cargo xtask`.
struct Subcommand {
    name: &'static str,
    summary: &'static str,
    run: Run,
}

/// What a subcommand does.
enum Run {
    /// It takes no arguments.
    Plain(fn(&Checkout) -> Result<(), Failure>),
    /// Its arguments go to the program that it starts.
    WithArguments(fn(&Checkout, &[String]) -> Result<(), Failure>),
}

const SUBCOMMANDS: [Subcommand; 9] = [
    Subcommand {
        name: "ci",
        summary: "run every gate below and the others, with the minutes that each took",
        run: Run::Plain(ci::run),
    },
    Subcommand {
        name: "test",
        summary: "install what the tests need, then run the Rust and the Python suites",
        run: Run::Plain(test::run),
    },
    Subcommand {
        name: "demo",
        summary: "lose a server, a data folder and a vault, and recover every key and document",
        run: Run::Plain(demo::run),
    },
    Subcommand {
        name: "check-layers",
        summary: "compare each crate's dependencies with the ring table in xtask/src/layers.rs",
        run: Run::Plain(layers::run),
    },
    Subcommand {
        name: "tidy",
        summary: "check the tracked files against the style rules that no other tool knows",
        run: Run::Plain(tidy::run),
    },
    Subcommand {
        name: "deny",
        summary: "check licences, sources and duplicate versions of the dependencies",
        run: Run::Plain(deny::run),
    },
    Subcommand {
        name: "bench",
        summary: "build the release and measure it (--quick, --only uses|scale, --rounds N)",
        run: Run::WithArguments(bench::run),
    },
    Subcommand {
        name: "dist",
        summary: "build a release and pack it with its manual, unit, rules and bill of materials",
        run: Run::Plain(dist::run),
    },
    Subcommand {
        name: "fixtures",
        summary: "make tests/fixtures/ of this version anew, with every format in it",
        run: Run::Plain(fixtures::run),
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, arguments)) = arguments.split_first() else {
        return refuse("a subcommand is missing");
    };
    if ["help", "--help", "-h"].contains(&name.as_str()) && arguments.is_empty() {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    match SUBCOMMANDS.iter().find(|subcommand| subcommand.name == name) {
        None => refuse(&format!("no subcommand `{name}`")),
        Some(Subcommand { run: Run::Plain(run), .. }) if arguments.is_empty() => start(run),
        Some(Subcommand { run: Run::Plain(_), .. }) => {
            refuse(&format!("`{name}` takes no arguments"))
        }
        Some(Subcommand { run: Run::WithArguments(run), .. }) => {
            start(|checkout| run(checkout, arguments))
        }
    }
}

fn start(run: impl FnOnce(&Checkout) -> Result<(), Failure>) -> ExitCode {
    match Checkout::locate().and_then(|checkout| run(&checkout)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(1)
        }
    }
}

fn refuse(problem: &str) -> ExitCode {
    eprint!("error: {problem}\n\n{}", usage());
    ExitCode::from(2)
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask <subcommand>\n\n");
    for Subcommand { name, summary, .. } in &SUBCOMMANDS {
        text.push_str(&format!("  {name:<14}{summary}\n"));
    }
    text.push_str("  help          print this list\n");
    text
}

#[cfg(test)]
mod tests {
    use super::{SUBCOMMANDS, usage};

    #[test]
    fn help_gives_each_subcommand_one_line() {
        for subcommand in &SUBCOMMANDS {
            let start = format!("  {} ", subcommand.name);
            assert_eq!(usage().lines().filter(|line| line.starts_with(&start)).count(), 1);
        }
    }
}
