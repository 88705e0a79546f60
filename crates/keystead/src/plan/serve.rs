//! What `serve` is to do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use keystead_service::{AuditDurability, PointSchedule, Upkeep, VerifySchedule};

use crate::config::{Config, WitnessPlace};
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
    /// Where metrics and probes are answered without a signature: loopback, or nowhere.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// How long uses go on while too few vaults answer.
    pub(crate) max_unfenced: Duration,
    /// Where an event must be before its request is answered.
    pub(crate) audit_durability: AuditDurability,
    /// When recovery points are made and the vaults verified.
    pub(crate) upkeep: Upkeep,
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
            metrics_listen: config.metrics_listen,
            max_unfenced: config.max_unfenced,
            audit_durability: config.audit_durability,
            upkeep: upkeep(config),
            witnesses: config.witnesses.clone(),
            arena_bytes: config.arena_bytes,
        })
    }
}

fn upkeep(config: &Config) -> Upkeep {
    let ms = |every: Duration| u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    let PointSchedule { after_segments, .. } = Upkeep::default().points;
    Upkeep {
        points: PointSchedule { every_ms: ms(config.points_every), after_segments },
        verify: VerifySchedule {
            integrity_every_ms: ms(config.integrity_every),
            recovery_every_ms: ms(config.recovery_every),
        },
    }
}
