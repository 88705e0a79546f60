//! The folder of a run, and what a sync costs on its disk.
//!
//! Invariant: the probe does what a journal does (append a group's few hundred bytes, `fdatasync`)
//! on the file system where the data folders lie, while the run goes on.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{failed::Failed, options::Options, statistics::percentile};

/// Where everything that a run writes lies.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new(options: &Options) -> Result<Self, Failed> {
        let within = options.folder.clone().unwrap_or_else(std::env::temp_dir);
        fs::create_dir_all(&within).map_err(Failed::file(&within))?;
        let folder = tempfile::Builder::new().prefix("keystead-bench-").tempdir_in(&within);
        let mut folder = folder.map_err(Failed::file(&within))?;
        folder.disable_cleanup(options.keep);
        Ok(Self { folder })
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Appends and syncs for `time`.
    pub(crate) fn probe(&self, syncs: &mut Syncs, time: Duration) -> Result<(), Failed> {
        let path = self.at("probe");
        probe(&path, syncs, time).map_err(Failed::file(&path))
    }
}

fn probe(path: &Path, syncs: &mut Syncs, time: Duration) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let began = Instant::now();
    while began.elapsed() < time {
        let before = Instant::now();
        file.write_all(&[7; 300])?;
        file.sync_data()?;
        syncs.micros.push(u64::try_from(before.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    fs::remove_file(path)
}

/// How long syncs took in this run, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Syncs {
    micros: Vec<u64>,
}

impl Syncs {
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let micros = percentile(&mut self.micros.clone(), percent);
        Duration::from_micros(micros).as_secs_f64() * 1e3
    }

    pub(crate) fn count(&self) -> usize {
        self.micros.len()
    }
}
