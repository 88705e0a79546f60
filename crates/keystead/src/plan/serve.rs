//! What `serve` is to do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use keystead_service::AuditDurability;

use crate::config::WitnessPlace;
use crate::plan::{Desk, PlanRefused};
use crate::secrets::{SecretText, Use, read};

/// A run of the server.
#[derive(Debug)]
pub(crate) struct ServePlan {
    /// The instance's folder.
    pub(crate) data_dir: PathBuf,
    /// Opens the seal.
    pub(crate) passphrase: SecretText,
    /// Where to listen: loopback.
    pub(crate) listen: SocketAddr,
    /// How long uses go on while too few vaults answer.
    pub(crate) max_unfenced: Duration,
    /// Where an event must be before its request is answered.
    pub(crate) audit_durability: AuditDurability,
    /// Who is asked to cosign the ledger.
    pub(crate) witnesses: Vec<WitnessPlace>,
    /// Size of the locked region.
    pub(crate) arena_bytes: usize,
}

impl ServePlan {
    /// From the configuration; asks for the passphrase where nothing names it.
    pub(crate) fn make(desk: &mut Desk<'_>) -> Result<Self, PlanRefused> {
        let config = desk.config;
        let Some(data_dir) = config.data_dir.clone() else {
            return Err(PlanRefused::Missing { flags: vec!["--data-dir"] });
        };
        let passphrase = match &config.passphrase {
            Some(reference) => read(reference, Use::Passphrase)?,
            None => desk.questions.secret("Passphrase", Use::Passphrase, "--passphrase-file")?,
        };
        Ok(Self {
            data_dir,
            passphrase,
            listen: config.listen,
            max_unfenced: config.max_unfenced,
            audit_durability: config.audit_durability,
            witnesses: config.witnesses.clone(),
            arena_bytes: config.arena_bytes,
        })
    }
}
