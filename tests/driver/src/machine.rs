//! A machine: a folder of its own for home, configuration and data, and the binary that runs in it.
//!
//! Invariant: a command sees this folder and no setting of the person who runs the tests; it has no
//! terminal, so what it would ask it must be told.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{Failed, Serving};

/// A machine.
#[derive(Debug, Clone)]
pub struct Machine {
    folder: PathBuf,
    binary: PathBuf,
    settings: Vec<(String, String)>,
}

/// A command that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The program and its arguments.
    pub line: String,
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// The binary under test: `KEYSTEAD_BIN`, or where a build in the profile of the tests puts it.
///
/// # Errors
/// [`Failed::NoBinary`].
pub fn binary() -> Result<PathBuf, Failed> {
    let named = std::env::var_os("KEYSTEAD_BIN").map(PathBuf::from);
    let path = named.unwrap_or_else(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        target.unwrap_or_else(|| "target".into()).join("ci/keystead")
    });
    if path.is_file() { Ok(path) } else { Err(Failed::NoBinary { path }) }
}

/// Writes a new file that nobody else may read.
///
/// # Errors
/// [`Failed::File`], also where it exists.
pub fn make_private(path: &Path, text: &str) -> Result<(), Failed> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(Failed::file(path))?;
    file.write_all(text.as_bytes()).map_err(Failed::file(path))
}

impl Machine {
    /// A new machine in `folder`, which is made where it is absent.
    ///
    /// # Errors
    /// [`Failed::NoBinary`], [`Failed::File`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, Failed> {
        let folder = folder.into();
        let make = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        make.map_err(Failed::file(&folder))?;
        Ok(Self { folder, binary: binary()?, settings: Vec::new() })
    }

    /// The same machine with an environment variable set.
    #[must_use]
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.settings.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// A path in its folder.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The profile that `init` and `restore run` write.
    #[must_use]
    pub fn profile(&self) -> PathBuf {
        self.at("config/keystead/profile.toml")
    }

    /// The binary with `args`, not yet started.
    #[must_use]
    pub fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(&self.binary);
        for (variable, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(variable);
        }
        command.env("HOME", &self.folder).env("XDG_CONFIG_HOME", self.at("config"));
        command.env("XDG_DATA_HOME", self.at("share"));
        command.envs(self.settings.iter().map(|(variable, value)| (variable, value)));
        command.current_dir(&self.folder).stdin(Stdio::null()).args(args);
        command
    }

    /// Runs the binary to its end, whatever end that is.
    ///
    /// # Errors
    /// [`Failed::Start`].
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Ended, Failed> {
        let mut command = self.command(args);
        let line = line_of(&command);
        let output = command.output();
        let output = output.map_err(|source| Failed::Start { program: line.clone(), source })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ended {
            line,
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }

    /// Runs the binary with `--json` and returns the object that it printed.
    ///
    /// # Errors
    /// [`Failed`], also where it ended with another code than 0.
    pub fn answer<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Value, Failed> {
        let mut args: Vec<OsString> = args.iter().map(|arg| arg.as_ref().to_owned()).collect();
        args.push("--json".into());
        self.run(&args)?.succeeded()?.json()
    }

    /// Starts anything that prints where it listens as its first line.
    ///
    /// # Errors
    /// [`Failed`], also where it ends before it is ready.
    pub fn listen<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Serving, Failed> {
        Serving::start(self.command(args), &self.folder)
    }

    /// Serves the instance in `data_dir` on a free port of loopback, or where `more` says.
    ///
    /// # Errors
    /// [`Failed`], also where the server ends before it is ready.
    pub fn serve<A: AsRef<OsStr>>(
        &self,
        data_dir: &Path,
        passphrase: &Path,
        more: &[A],
    ) -> Result<Serving, Failed> {
        let mut args: Vec<OsString> = vec!["serve".into(), "--json".into()];
        args.extend(["--data-dir".into(), data_dir.into()]);
        args.extend(["--passphrase-file".into(), passphrase.into()]);
        if !more.iter().any(|arg| arg.as_ref() == "--listen") {
            args.extend(["--listen".into(), "127.0.0.1:0".into()]);
        }
        args.extend(more.iter().map(|arg| arg.as_ref().to_owned()));
        self.serve_as(&args)
    }

    /// Runs a command line that serves and prints its first line as JSON.
    ///
    /// # Errors
    /// [`Failed`], also where the server ends before it is ready.
    pub fn serve_as<A: AsRef<OsStr>>(&self, line: &[A]) -> Result<Serving, Failed> {
        Serving::start(self.command(line), &self.folder)
    }
}

impl Ended {
    /// This, where the code is 0.
    ///
    /// # Errors
    /// [`Failed::Ended`].
    pub fn succeeded(self) -> Result<Self, Failed> {
        if self.code == Some(0) {
            return Ok(self);
        }
        Err(Failed::Ended { line: self.line, code: self.code, stderr: self.stderr })
    }

    /// The one JSON value on standard output.
    ///
    /// # Errors
    /// [`Failed::Printed`].
    pub fn json(&self) -> Result<Value, Failed> {
        // What was printed may hold a secret that is shown once.
        let failed = |_| Failed::Printed { line: self.line.clone(), printed: "no JSON".into() };
        serde_json::from_str(&self.stdout).map_err(failed)
    }

    /// The lines of standard error that begin with `start`, without it.
    #[must_use]
    pub fn said(&self, start: &str) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix(start)).collect()
    }
}

/// The program and its arguments as one would type them.
pub(crate) fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn is_setting(variable: &OsString) -> bool {
    let variable = variable.to_string_lossy();
    ["KEYSTEAD_", "AWS_", "XDG_"].iter().any(|start| variable.starts_with(start))
}
