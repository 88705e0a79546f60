//! Starts other programs, shows what is started, and turns a bad end into a [`Failure`].

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// Where a program's words go.
#[derive(Clone)]
pub(crate) enum Output {
    /// To whoever watches this process, as they come.
    Terminal,
    /// To the end of a file, so that a job in the background does not talk into other steps.
    Log(PathBuf),
}

/// Runs a program to its end; anything but code 0 is a failure.
pub(crate) fn run(command: &mut Command, output: &Output) -> Result<(), Failure> {
    let line = line_of(command);
    let log = match output {
        Output::Terminal => {
            println!("+ {line}");
            None
        }
        Output::Log(path) => Some(redirect(command, path.clone())?),
    };
    let status =
        command.status().map_err(|source| Failure::Start { line: line.clone(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Program { line, code: status.code(), log })
}

/// Runs a program quietly and returns what it printed.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    let line = line_of(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Failure::Start { line: line.clone(), source })?;
    if !output.status.success() {
        return Err(Failure::Program { line, code: output.status.code(), log: None });
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::Output { line, problem: "bytes that are not UTF-8".to_owned() })
}

/// Whether a program starts and ends with code 0; its words are dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The program and its arguments as one would type them.
pub(crate) fn line_of(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn redirect(command: &mut Command, path: PathBuf) -> Result<PathBuf, Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    }
    let log =
        File::options().create(true).append(true).open(&path).map_err(Failure::file(&path))?;
    let copy = log.try_clone().map_err(Failure::file(&path))?;
    command.stdin(Stdio::null()).stdout(log).stderr(copy);
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Output, read, run, succeeds};
    use crate::failure::Failure;

    #[test]
    fn a_bad_end_is_a_failure_that_names_the_program() {
        let failure = run(Command::new("/bin/sh").args(["-c", "exit 3"]), &Output::Terminal);
        let Err(Failure::Program { line, code: Some(3), log: None }) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(line, "sh -c exit 3");
        assert!(read(Command::new("/bin/sh").args(["-c", "exit 1"])).is_err());
        assert!(!succeeds(&mut Command::new("/nowhere/at-all")));
    }

    #[test]
    fn what_a_program_prints_is_read() {
        assert_eq!(read(Command::new("echo").arg("word")).unwrap(), "word\n");
    }
}
