//! What `restore run` is to do.

use std::net::SocketAddr;
use std::path::PathBuf;

use keystead_domain::Timestamp;
use keystead_targets::VaultUrl;

use crate::cli::{Head, RestoreArgs};
use crate::plan::kit::NewPassphrase;
use crate::plan::placement::{Kept, require_folder};
use crate::plan::{Desk, NewKit, PlanRefused, UsedKit};
use crate::secrets::{Reference, SecretText, refuse_shared};

/// Whether changes that only missing vaults hold may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Too few vaults end the restore.
    Refused,
    /// Somebody decided to go on.
    Accepted,
}

/// Whether a restore acts on the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effects {
    /// It closes, opens, rotates, revokes.
    Real,
    /// It writes into the new folder and nowhere else.
    Isolated,
}

/// A recovery.
#[derive(Debug)]
pub(crate) struct RestorePlan {
    /// All that were named.
    pub(crate) vaults: Vec<VaultUrl>,
    /// Those that the new configuration leaves out: named above or only in the instance's state.
    pub(crate) without_vaults: Vec<VaultUrl>,
    /// Opens the backups.
    pub(crate) kit: UsedKit,
    /// Where the instance goes.
    pub(crate) data_dir: PathBuf,
    /// The new instance's passphrase, at the floor.
    pub(crate) passphrase: SecretText,
    /// A new kit, where asked for; the used one is then revoked.
    pub(crate) new_kit: Option<NewKit>,
    /// The time to go back to.
    pub(crate) to: Option<Timestamp>,
    /// What the vaults must contain.
    pub(crate) expect_head: Option<Head>,
    /// What to do where vaults are missing.
    pub(crate) loss: Loss,
    /// Whether it acts.
    pub(crate) effects: Effects,
    /// Where `serve` will listen: the profile's endpoint.
    pub(crate) listen: SocketAddr,
    /// Where the profile goes; none where the restore is isolated.
    pub(crate) profile: Option<PathBuf>,
}

impl RestorePlan {
    /// From the flags; asks for secrets that are not named.
    pub(crate) fn make(args: &RestoreArgs, desk: &mut Desk<'_>) -> Result<Self, PlanRefused> {
        let passphrase = NewPassphrase::of(
            desk.config.passphrase.as_ref(),
            args.passphrase.passphrase_out.as_ref(),
            "New passphrase of the instance",
        );
        let kit_passphrase = NewPassphrase::of(
            args.kit_out_passphrase_file.as_ref(),
            args.kit_out_passphrase_out.as_ref(),
            "Passphrase of the new kit",
        );
        refuse_missing(args, desk, &passphrase, &kit_passphrase)?;
        refuse_shared(references(args, desk))?;
        let data_dir = desk.config.data_dir.clone();
        let kept = Kept::apart(data_dir.as_deref(), &args.vaults)?;
        let new_kit = args.kit_out.as_ref().zip(args.kit_secret_out.as_ref());
        if let Some((out, secret_out)) = new_kit {
            kept.accept_kit(out, secret_out)?;
            require_folder(out)?;
            require_folder(secret_out)?;
            kit_passphrase.check(&kept)?;
        }
        passphrase.check(&kept)?;
        let kit = UsedKit::obtain(&args.kit, desk)?;
        let passphrase = passphrase.obtain(desk)?;
        let new_kit = match new_kit {
            Some((out, secret_out)) => Some(NewKit {
                out: out.clone(),
                passphrase: kit_passphrase.obtain(desk)?,
                secret_out: secret_out.clone(),
            }),
            None => None,
        };
        let effects = if args.isolated { Effects::Isolated } else { Effects::Real };
        let profile = match effects {
            Effects::Real => Some(super::profile_path(desk.config)?),
            Effects::Isolated => None,
        };
        Ok(Self {
            vaults: args.vaults.clone(),
            without_vaults: args.without_vaults.clone(),
            kit,
            data_dir: data_dir.expect("its absence was refused"),
            passphrase,
            new_kit,
            to: args.to,
            expect_head: args.expect_head.clone(),
            loss: if args.accept_loss { Loss::Accepted } else { Loss::Refused },
            effects,
            listen: super::address(desk.config),
            profile,
        })
    }
}

fn refuse_missing(
    args: &RestoreArgs,
    desk: &Desk<'_>,
    passphrase: &NewPassphrase<'_>,
    kit_passphrase: &NewPassphrase<'_>,
) -> Result<(), PlanRefused> {
    let asks = desk.questions.answers();
    let kit = args.kit_out.is_some();
    let needed = [
        (desk.config.data_dir.is_some(), "--data-dir"),
        (asks || args.kit.kit_passphrase_file.is_some(), "--kit-passphrase-file"),
        (asks || args.kit.kit_secret_file.is_some(), "--kit-secret-file"),
        (asks || passphrase.is_given(), "--passphrase-file"),
        (!kit || args.kit_secret_out.is_some(), "--kit-secret-out"),
        (!kit || asks || kit_passphrase.is_given(), "--kit-out-passphrase-file"),
    ];
    let flags: Vec<_> = needed.iter().filter(|(given, _)| !given).map(|(_, flag)| *flag).collect();
    if flags.is_empty() { Ok(()) } else { Err(PlanRefused::Missing { flags }) }
}

fn references<'a>(
    args: &'a RestoreArgs,
    desk: &'a Desk<'_>,
) -> impl Iterator<Item = &'a Reference> {
    let made = args.passphrase.passphrase_out.is_some();
    let instance = desk.config.passphrase.iter().filter(move |_| !made);
    instance.chain(UsedKit::references(&args.kit)).chain(&args.kit_out_passphrase_file)
}

#[cfg(test)]
mod tests;
