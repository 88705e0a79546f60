//! A server that runs: from its first line to its end.
//!
//! Invariant: it is ended with its owner, whatever ended that; its log is a file that outlives it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{Failed, machine::line_of};

/// A server that answers.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    endpoint: String,
    metrics: Option<String>,
    said: Value,
    log: PathBuf,
}

impl Serving {
    /// Starts `command` and waits until it says where it listens; its log goes to a new file in
    /// `folder`.
    ///
    /// # Errors
    /// [`Failed`], also where it ends before that.
    pub fn start(mut command: Command, folder: &Path) -> Result<Self, Failed> {
        let line = line_of(&command);
        let (log, file) = new_log(folder)?;
        command.stdout(Stdio::piped()).stderr(file);
        let child = command.spawn();
        let child = child.map_err(|source| Failed::Start { program: line.clone(), source })?;
        let mut serving =
            Self { child, endpoint: String::new(), metrics: None, said: Value::Null, log };
        let printed = serving.first_line();
        serving.said = serde_json::from_str(&printed).unwrap_or_default();
        match url(&printed, "listening") {
            Some(endpoint) => {
                serving.endpoint = endpoint;
                serving.metrics = url(&printed, "metrics");
            }
            None if printed.is_empty() => return Err(serving.ended(line)),
            None => return Err(Failed::Printed { line, printed }),
        }
        Ok(serving)
    }

    /// Where it answers: `http://HOST:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where it answers metrics and probes, where it does: `http://HOST:PORT`.
    #[must_use]
    pub fn metrics(&self) -> Option<&str> {
        self.metrics.as_deref()
    }

    /// Which process it is.
    #[must_use]
    pub fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// How much memory it holds, in bytes (VmRSS).
    ///
    /// # Panics
    /// Where it has ended.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("the kernel says it in kB") * 1024
    }

    /// The object that it printed first.
    #[must_use]
    pub fn said(&self) -> &Value {
        &self.said
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it by SIGKILL: it can do nothing more.
    pub fn kill(mut self) {
        self.end();
    }

    /// The same while others still use it.
    pub fn kill_now(&self) {
        kill_process(self.process(), Signal::KILL)
            .expect("the child is ours and was not waited for");
    }

    /// Asks it to stop (SIGTERM) and waits; returns its exit code.
    pub fn stop(self) -> Option<i32> {
        self.ask_to_stop();
        self.wait()
    }

    /// Asks it to stop (SIGTERM).
    pub fn ask_to_stop(&self) {
        kill_process(self.process(), Signal::TERM)
            .expect("the child is ours and was not waited for");
    }

    /// Waits until it ends by itself; returns its exit code.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().ok()?.code()
    }

    fn first_line(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.child.stdout.take().expect("it is a pipe");
        // A server that dies first says nothing: an empty line.
        let _ = BufReader::new(stdout).read_line(&mut line);
        line.trim_end().to_owned()
    }

    fn ended(mut self, line: String) -> Failed {
        let code = self.child.wait().ok().and_then(|status| status.code());
        Failed::Ended { line, code, stderr: self.log() }
    }

    fn end(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.end();
    }
}

fn url(line: &str, name: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    Some(line.get(name)?.as_str()?.to_owned())
}

fn new_log(folder: &Path) -> Result<(PathBuf, File), Failed> {
    for number in 1.. {
        let path = folder.join(format!("serve-{number}.log"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(failed) if failed.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(failed) => return Err(Failed::file(path)(failed)),
        }
    }
    unreachable!("the numbers do not end before the names do")
}
