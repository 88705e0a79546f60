//! Work that goes on beside the steps of `ci`, so that downloads and tool builds cost no wall time.
//!
//! A job writes to its own log and nowhere else; who needs its result waits for it, and sees the
//! log if it failed.

use std::fs;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process::Output;

/// A job that was started and not yet waited for.
pub(crate) struct Job {
    name: &'static str,
    log: PathBuf,
    thread: JoinHandle<Result<(), Failure>>,
}

impl Job {
    /// Starts `work`; its programs write to a fresh log in the target folder.
    pub(crate) fn start(
        name: &'static str,
        checkout: &Checkout,
        work: fn(&Checkout, &Output) -> Result<(), Failure>,
    ) -> Self {
        let log = checkout.built(&format!("logs/{name}.log"));
        // The words of an earlier run would mislead; where there were none there is nothing to do.
        drop(fs::remove_file(&log));
        let (checkout, output) = (checkout.clone(), Output::Log(log.clone()));
        let thread = thread::spawn(move || work(&checkout, &output));
        Self { name, log, thread }
    }

    /// Waits for the end; prints the log if it was a bad one.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let ended = self.thread.join().unwrap_or(Err(Failure::Panicked { job: self.name }));
        if ended.is_err() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            println!("{log}");
        }
        ended
    }
}
