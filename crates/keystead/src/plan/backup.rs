//! Where the `backup` commands look, and with which kit one of them opens what it finds.

use std::path::PathBuf;

use keystead_targets::VaultUrl;

use crate::cli::{BackupDecryptArgs, PlacesArgs, RootPublicKey, Target};
use crate::plan::{Desk, PlanRefused, UsedKit};
use crate::secrets::refuse_shared;

/// Where to look, and what to trust.
#[derive(Debug)]
pub(crate) struct Places {
    /// Vaults that were named; empty means those of the data folder's record.
    pub(crate) vaults: Vec<VaultUrl>,
    /// The instance's folder, where there is one.
    pub(crate) data_dir: Option<PathBuf>,
    /// The root key that was named; none means the profile's.
    pub(crate) root: Option<RootPublicKey>,
}

/// What `backup test-decrypt` is to do.
#[derive(Debug)]
pub(crate) struct BackupDecryptPlan {
    /// What it opens.
    pub(crate) target: Target,
    /// With what.
    pub(crate) kit: UsedKit,
    /// Where the rest of it lies.
    pub(crate) places: Places,
}

impl Places {
    /// From the flags and the configuration.
    pub(crate) fn make(args: &PlacesArgs, desk: &Desk<'_>) -> Self {
        let data_dir = desk.config.data_dir.clone();
        Self { vaults: args.vaults.clone(), data_dir, root: args.root_public_key }
    }
}

impl BackupDecryptPlan {
    /// From the flags; asks for secrets that are not named.
    pub(crate) fn make(args: &BackupDecryptArgs, desk: &mut Desk<'_>) -> Result<Self, PlanRefused> {
        let places = Places::make(&args.places, desk);
        if places.vaults.is_empty() && places.data_dir.is_none() {
            return Err(PlanRefused::Missing { flags: vec!["--data-dir or --vault"] });
        }
        refuse_shared(UsedKit::references(&args.kit))?;
        let kit = UsedKit::obtain(&args.kit, desk)?;
        Ok(Self { target: args.target.clone(), kit, places })
    }
}
