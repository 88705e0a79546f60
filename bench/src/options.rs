//! What the command line asks for.

use std::{path::PathBuf, time::Duration};

use crate::{
    failed::Failed,
    operation::{CONNECTIONS, OPERATIONS, Operation},
};

pub(crate) const USAGE: &str = "\
usage: keystead-bench [--quick] [--only uses|scale]... [--rounds N] [--keys N]...
                      [--operation NAME]... [--connections N]...
                      [--keep] [--bao FILE] [--folder FOLDER] [--results FILE]

  --quick           few and short rounds, small scale: whether it runs, not how fast
  --only NAME       `uses` (beside the others) or `scale` (memory, start, changes, restore)
  --operation NAME  compare these alone: encrypt-32, encrypt-4096, decrypt-4096, data-key, sign
  --connections N   compare at so many alone: 1, 16, 64
  --rounds N        how many rounds the medians are of
  --keys N          measure memory and start at N keys too (repeatable)
  --bao FILE        the server of OpenBao; without it the comparison is left out, and it says so
  --keep            leave what the run wrote where it is
  --folder FOLDER   where data folders, vaults and audit files go: it decides the disk
  --results FILE    write the tables into this file, between its two marks
";

/// What is to be measured, and how long.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) only: Vec<String>,
    /// What is compared; all of it where nothing is named.
    pub(crate) operations: Vec<Operation>,
    /// At how many connections; at each number where none is named.
    pub(crate) connections: Vec<usize>,
    pub(crate) rounds: usize,
    /// How long each cell of a round is measured.
    pub(crate) measured: Duration,
    /// How long it runs before.
    pub(crate) warm_up: Duration,
    /// At how many keys memory and start are measured, ascending.
    pub(crate) keys: Vec<usize>,
    /// How many wrap records the restore brings back.
    pub(crate) wraps: usize,
    pub(crate) bao: Option<PathBuf>,
    /// Whether the folder of the run stays.
    pub(crate) keep: bool,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) results: Option<PathBuf>,
    /// As it was typed, for the report.
    pub(crate) line: String,
}

impl Options {
    /// Reads the arguments.
    pub(crate) fn read(arguments: &[String]) -> Result<Self, Failed> {
        let quick = arguments.iter().any(|argument| argument == "--quick");
        let mut options = Self::preset(quick);
        options.line = said(arguments);
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => continue,
                "--keep" => {
                    options.keep = true;
                    continue;
                }
                _ => {}
            }
            let missing = || usage(format!("`{word}` needs a value, or is not known"));
            let value = words.next().ok_or_else(missing)?;
            options.set(word, value)?;
        }
        options.keys.sort_unstable();
        if options.operations.is_empty() {
            options.operations = OPERATIONS.to_vec();
        }
        if options.connections.is_empty() {
            options.connections = CONNECTIONS.to_vec();
        }
        Ok(options)
    }

    /// Whether this part is asked for.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }

    fn preset(quick: bool) -> Self {
        let millis = |full, short| Duration::from_millis(if quick { short } else { full });
        Self {
            quick,
            only: Vec::new(),
            operations: Vec::new(),
            connections: Vec::new(),
            rounds: if quick { 3 } else { 5 },
            measured: millis(2_000, 500),
            warm_up: millis(500, 200),
            keys: vec![if quick { 1_000 } else { 10_000 }],
            wraps: if quick { 10_000 } else { 100_000 },
            bao: None,
            keep: false,
            folder: None,
            results: None,
            line: String::new(),
        }
    }

    fn set(&mut self, word: &str, value: &str) -> Result<(), Failed> {
        let number = || value.parse::<usize>().ok().filter(|number| *number > 0);
        let bad = || usage(format!("`{value}` is no value for `{word}`"));
        match word {
            "--only" if ["uses", "scale"].contains(&value) => self.only.push(value.to_owned()),
            "--operation" => {
                let named = |operation: &Operation| operation.name() == value;
                self.operations.extend([OPERATIONS.into_iter().find(named).ok_or_else(bad)?]);
            }
            "--connections" => {
                let known = number().filter(|number| CONNECTIONS.contains(number));
                self.connections.push(known.ok_or_else(bad)?);
            }
            "--rounds" => self.rounds = number().ok_or_else(bad)?,
            "--keys" => self.keys.push(number().ok_or_else(bad)?),
            "--bao" => self.bao = Some(value.into()),
            "--folder" => self.folder = Some(value.into()),
            "--results" => self.results = Some(value.into()),
            "--only" => return Err(bad()),
            _ => return Err(usage(format!("`{word}` is not known"))),
        }
        Ok(())
    }
}

fn usage(problem: String) -> Failed {
    Failed::Usage { problem }
}

/// What was asked for, without where things lie on this machine.
fn said(arguments: &[String]) -> String {
    let mut words = arguments.iter();
    let mut said = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bao" | "--folder" | "--results" => drop(words.next()),
            _ => said.push(word.as_str()),
        }
    }
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, Failed> {
        Options::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn values_are_taken_and_what_is_not_known_is_refused() {
        let options = read("--quick --rounds 7 --only uses --keys 5 --keys 3").unwrap();
        assert_eq!((options.rounds, options.quick), (7, true));
        assert_eq!(options.keys, [3, 5, 1_000]);
        assert!(options.wants("uses") && !options.wants("scale"));
        let one = read("--operation sign --connections 64").unwrap();
        assert_eq!((one.operations, one.connections), (vec![Operation::Sign], vec![64]));
        assert_eq!(options.connections, CONNECTIONS, "no filter means all");
        for bad in [
            "--operation none",
            "--connections 2",
            "--rounds",
            "--rounds 0",
            "--rounds x",
            "--only all",
            "--fast 1",
            "quick",
        ] {
            assert!(matches!(read(bad), Err(Failed::Usage { .. })), "{bad}");
        }
    }
}
