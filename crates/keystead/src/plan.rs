//! Turns flags, configuration and answers into what `init`, `serve`, `restore run` and `kit` are to
//! do, complete and with its secrets read.
//!
//! Invariant: a plan lacks nothing: no question is asked and no reference followed after it exists.
//! Without a terminal, everything that is missing is named at once.

mod backup;
mod init;
mod kit;
mod placement;
mod refused;
mod restore;
mod serve;

pub(crate) use backup::{BackupDecryptPlan, Places};
pub(crate) use init::InitPlan;
pub(crate) use kit::{KitRevokePlan, KitVerifyPlan, NewKit, UsedKit};
pub(crate) use refused::PlanRefused;
pub(crate) use restore::RestorePlan;
pub(crate) use restore::{Effects, Loss};
pub(crate) use serve::ServePlan;

use std::net::SocketAddr;
use std::path::PathBuf;

use keystead_crypto::Entropy;

use crate::client::{ProfileRefused, default_path};
use crate::config::Config;
use crate::output::warn;
use crate::secrets::Questions;

/// What every plan is made from, beside its flags.
pub(crate) struct Desk<'a> {
    /// The effective configuration, flags included.
    pub(crate) config: &'a Config,
    /// Who can be asked.
    pub(crate) questions: &'a mut dyn Questions,
    /// Makes passphrases.
    pub(crate) entropy: &'a Entropy,
}

/// Where the profile lies: as flag or configuration say, or in the user's folder.
pub(crate) fn profile_path(config: &Config) -> Result<PathBuf, ProfileRefused> {
    config.profile.clone().map_or_else(default_path, Ok)
}

/// Where `serve` will listen, for the profile that is written now.
fn address(config: &Config) -> SocketAddr {
    if config.listen.port() == 0 {
        warn("which free port `serve` will take is not known now: give `--endpoint` to commands");
    }
    config.listen
}
