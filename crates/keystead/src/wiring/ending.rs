//! The signals that end a server: the first one asks, the second one does not.
//!
//! Invariant: a second SIGTERM or SIGINT ends the process at once, wherever it is. That is safe: it
//! is a crash, and what was acknowledged survives those.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::WiringRefused;
use crate::{exit::Exit, output};

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub(super) struct StopSignals(Option<(Signal, Signal)>);

impl StopSignals {
    /// From now on these signals end nothing by themselves.
    pub(super) fn new() -> Result<Self, WiringRefused> {
        let term = signal(SignalKind::terminate()).map_err(WiringRefused::Server)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(WiringRefused::Server)?;
        Ok(Self(Some((term, interrupt))))
    }

    /// Ends at the next of them.
    pub(super) async fn next(&mut self) {
        if let Some(signals) = &mut self.0 {
            next_of(signals).await;
        }
    }

    /// The next of them ends the process at once.
    pub(super) fn end_at_next(&mut self) {
        let Some(mut signals) = self.0.take() else { return };
        tokio::spawn(async move {
            next_of(&mut signals).await;
            output::line("error", "a second signal ended the server before it was done");
            std::process::exit(Exit::Failed.code().into());
        });
    }
}

async fn next_of((term, interrupt): &mut (Signal, Signal)) {
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
}
