//! What the `kit` commands are to do, and the two halves that `init` and `restore run` share with
//! them: a kit that is to be made, and one that is to be opened.

use std::path::{Path, PathBuf};

use keystead_domain::KitId;
use keystead_targets::VaultUrl;

use crate::cli::{KitRevokeArgs, KitVerifyArgs, NewKitArgs, UsedKitArgs};
use crate::plan::placement::{Kept, require_folder};
use crate::plan::{Desk, PlanRefused};
use crate::secrets::{Reference, SecretText, Use, read, refuse_shared, write_made};

/// A kit that is to be made. Both files are new, in two folders that exist.
#[derive(Debug)]
pub(crate) struct NewKit {
    /// Where the kit goes.
    pub(crate) out: PathBuf,
    /// At the floor.
    pub(crate) passphrase: SecretText,
    /// Where the printed secret goes.
    pub(crate) secret_out: PathBuf,
}

/// A kit that is to be opened.
#[derive(Debug)]
pub(crate) struct UsedKit {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its passphrase.
    pub(crate) passphrase: SecretText,
    /// The words of its printed secret, as they were given.
    pub(crate) secret: SecretText,
}

/// What `kit verify` is to do.
#[derive(Debug)]
pub(crate) struct KitVerifyPlan {
    /// The kit.
    pub(crate) kit: UsedKit,
    /// Vaults that were named; empty means those of the data folder.
    pub(crate) vaults: Vec<VaultUrl>,
    /// The instance's folder, where there is one.
    pub(crate) data_dir: Option<PathBuf>,
    /// Whether the server is to see it too.
    pub(crate) drill: bool,
}

/// What `kit revoke` is to do; confirmed.
#[derive(Debug)]
pub(crate) struct KitRevokePlan {
    /// The kit.
    pub(crate) kit: KitId,
}

/// Where the passphrase of a new thing comes from.
pub(super) enum NewPassphrase<'a> {
    /// From where the reference says.
    Read(&'a Reference),
    /// Made, and written there.
    Make(&'a Path),
    /// From a person.
    Ask(&'static str),
}

impl<'a> NewPassphrase<'a> {
    /// As two flags that exclude each other say.
    pub(super) fn of(
        file: Option<&'a Reference>,
        out: Option<&'a PathBuf>,
        prompt: &'static str,
    ) -> Self {
        match (out, file) {
            (Some(path), _) => Self::Make(path),
            (None, Some(reference)) => Self::Read(reference),
            (None, None) => Self::Ask(prompt),
        }
    }

    /// Whether nobody has to be asked.
    pub(super) fn is_given(&self) -> bool {
        !matches!(self, Self::Ask(_))
    }

    /// Refuses a place where the made passphrase must not lie.
    pub(super) fn check(&self, kept: &Kept) -> Result<(), PlanRefused> {
        match self {
            Self::Make(path) => kept.accept_new(path).map(drop),
            Self::Read(_) | Self::Ask(_) => Ok(()),
        }
    }

    /// The passphrase, at the floor.
    pub(super) fn obtain(&self, desk: &mut Desk<'_>) -> Result<SecretText, PlanRefused> {
        Ok(match self {
            Self::Read(reference) => read(reference, Use::NewPassphrase)?,
            Self::Make(path) => write_made(path, desk.entropy)?,
            Self::Ask(prompt) => desk.questions.new_passphrase(prompt, desk.entropy)?,
        })
    }
}

impl NewKit {
    /// From the flags of `kit create`; asks for what is missing.
    pub(crate) fn make(args: &NewKitArgs, desk: &mut Desk<'_>) -> Result<Self, PlanRefused> {
        let passphrase = NewPassphrase::of(
            args.kit_passphrase_file.as_ref(),
            args.kit_passphrase_out.as_ref(),
            "Passphrase of the new kit",
        );
        let mut flags = Vec::new();
        flags.extend(args.kit_out.is_none().then_some("--kit-out"));
        flags.extend(args.kit_secret_out.is_none().then_some("--kit-secret-out"));
        let asks = !passphrase.is_given() && !desk.questions.answers();
        flags.extend(asks.then_some("--kit-passphrase-file"));
        let (Some(out), Some(secret_out), []) = (&args.kit_out, &args.kit_secret_out, &flags[..])
        else {
            return Err(PlanRefused::Missing { flags });
        };
        let kept = Kept::apart(desk.config.data_dir.as_deref(), &[])?;
        kept.accept_kit(out, secret_out)?;
        require_folder(out)?;
        require_folder(secret_out)?;
        passphrase.check(&kept)?;
        let passphrase = passphrase.obtain(desk)?;
        Ok(Self { out: out.clone(), passphrase, secret_out: secret_out.clone() })
    }
}

impl UsedKit {
    /// The references that its flags name.
    pub(super) fn references(args: &UsedKitArgs) -> impl Iterator<Item = &Reference> {
        args.kit_passphrase_file.iter().chain(&args.kit_secret_file)
    }

    /// Reads or asks for both halves of what opens it.
    pub(super) fn obtain(args: &UsedKitArgs, desk: &mut Desk<'_>) -> Result<Self, PlanRefused> {
        Ok(Self {
            path: args.kit.clone(),
            passphrase: match &args.kit_passphrase_file {
                Some(reference) => read(reference, Use::Passphrase)?,
                None => desk.questions.secret(
                    "Passphrase of the kit",
                    Use::Passphrase,
                    "--kit-passphrase-file",
                )?,
            },
            secret: match &args.kit_secret_file {
                Some(reference) => read(reference, Use::PrintedSecret)?,
                None => desk.questions.secret(
                    "Words of the printed secret, on one line",
                    Use::PrintedSecret,
                    "--kit-secret-file",
                )?,
            },
        })
    }
}

impl KitVerifyPlan {
    /// From the flags; asks for secrets that are not named.
    pub(crate) fn make(args: &KitVerifyArgs, desk: &mut Desk<'_>) -> Result<Self, PlanRefused> {
        let data_dir = desk.config.data_dir.clone();
        if args.vaults.is_empty() && data_dir.is_none() {
            return Err(PlanRefused::Missing { flags: vec!["--data-dir or --vault"] });
        }
        refuse_shared(UsedKit::references(&args.kit))?;
        let kit = UsedKit::obtain(&args.kit, desk)?;
        Ok(Self { kit, vaults: args.vaults.clone(), data_dir, drill: args.drill })
    }
}

impl KitRevokePlan {
    /// Asks whether it is meant, unless a flag says so.
    pub(crate) fn make(args: &KitRevokeArgs, desk: &mut Desk<'_>) -> Result<Self, PlanRefused> {
        if !args.yes && !desk.questions.answers() {
            return Err(PlanRefused::Missing { flags: vec!["--yes"] });
        }
        let prompt = format!("Revoke {} for good?", args.kit);
        if !args.yes && desk.questions.line_or(&prompt, "no")? != "yes" {
            return Err(PlanRefused::NotConfirmed);
        }
        Ok(Self { kit: args.kit })
    }
}

#[cfg(test)]
mod tests;
