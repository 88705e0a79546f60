//! What `init` is to do.
//!
//! Invariant: at most five questions: data folder, vaults, passphrase, the two folders of the kit,
//! the kit's passphrase; whatever flags or configuration say is not asked.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use keystead_domain::Account;
use keystead_targets::VaultUrl;

use crate::cli::{InitArgs, NewKitArgs};
use crate::config::Config;
use crate::plan::kit::NewPassphrase;
use crate::plan::placement::{Kept, require_folder};
use crate::plan::refused::smallest_majority;
use crate::plan::{Desk, NewKit, PlanRefused};
use crate::secrets::{Reference, SecretText, refuse_shared};

/// Names of the files in the two folders that a person answers with.
const KIT_FILE: &str = "recovery.kit";
const SECRET_FILE: &str = "printed-secret.txt";

/// A new instance.
#[derive(Debug)]
pub(crate) struct InitPlan {
    /// Where it goes.
    pub(crate) data_dir: PathBuf,
    /// At least one, apart from the data folder and from each other.
    pub(crate) vaults: Vec<VaultUrl>,
    /// More than half of the vaults, at most all.
    pub(crate) vaults_min: usize,
    /// At the floor.
    pub(crate) passphrase: SecretText,
    /// The first kit.
    pub(crate) kit: NewKit,
    /// The account that ARNs show, where somebody chose one.
    pub(crate) account: Option<Account>,
    /// Where `serve` will listen: the profile's endpoint.
    pub(crate) listen: SocketAddr,
    /// Where the profile goes.
    pub(crate) profile: PathBuf,
}

impl InitPlan {
    /// From the flags; asks for what is missing.
    pub(crate) fn make(args: &InitArgs, desk: &mut Desk<'_>) -> Result<Self, PlanRefused> {
        let (instance, kit) = new_passphrases(args, desk.config);
        if !desk.questions.answers() {
            refuse_missing(args, desk, &instance, &kit)?;
        }
        refuse_shared(references(args, desk))?;
        let profile = free_profile(desk)?;
        let data_dir = data_dir(desk)?;
        let vaults = vaults(args, &data_dir, desk)?;
        let kept = Kept::apart(Some(&data_dir), &vaults)?;
        vault_folders(args, &vaults)?;
        let vaults_min = vaults_min(args.vaults_min, vaults.len())?;
        instance.check(&kept)?;
        kit.check(&kept)?;
        let given = args.kit.kit_out.as_ref().zip(args.kit.kit_secret_out.as_ref());
        if let Some((out, secret_out)) = given {
            kept.accept_kit(out, secret_out)?;
            require_folder(out)?;
            require_folder(secret_out)?;
        }
        let passphrase = instance.obtain(desk)?;
        let (out, secret_out) = kit_places(args, &kept, desk)?;
        let kit = NewKit { out, passphrase: kit.obtain(desk)?, secret_out };
        Ok(Self {
            data_dir,
            vaults,
            vaults_min,
            passphrase,
            kit,
            account: args.account.clone(),
            listen: super::address(desk.config),
            profile,
        })
    }
}

fn new_passphrases<'a>(
    args: &'a InitArgs,
    config: &'a Config,
) -> (NewPassphrase<'a>, NewPassphrase<'a>) {
    let instance = NewPassphrase::of(
        config.passphrase.as_ref(),
        args.passphrase.passphrase_out.as_ref(),
        "Passphrase that opens the instance",
    );
    let kit = NewPassphrase::of(
        args.kit.kit_passphrase_file.as_ref(),
        args.kit.kit_passphrase_out.as_ref(),
        "Passphrase of the recovery kit",
    );
    (instance, kit)
}

fn refuse_missing(
    args: &InitArgs,
    desk: &Desk<'_>,
    instance: &NewPassphrase<'_>,
    kit: &NewPassphrase<'_>,
) -> Result<(), PlanRefused> {
    let needed = [
        (desk.config.data_dir.is_some(), "--data-dir"),
        (!args.vaults.is_empty(), "--vault"),
        (instance.is_given(), "--passphrase-file"),
        (args.kit.kit_out.is_some(), "--kit-out"),
        (kit.is_given(), "--kit-passphrase-file"),
        (args.kit.kit_secret_out.is_some(), "--kit-secret-out"),
    ];
    let flags: Vec<_> = needed.iter().filter(|(given, _)| !given).map(|(_, flag)| *flag).collect();
    if flags.is_empty() { Ok(()) } else { Err(PlanRefused::Missing { flags }) }
}

fn references<'a>(args: &'a InitArgs, desk: &'a Desk<'_>) -> impl Iterator<Item = &'a Reference> {
    let made = args.passphrase.passphrase_out.is_some();
    let instance = desk.config.passphrase.iter().filter(move |_| !made);
    instance.chain(&args.kit.kit_passphrase_file)
}

/// Before anything is made: its access key is shown once, and the profile is where it is kept.
fn free_profile(desk: &Desk<'_>) -> Result<PathBuf, PlanRefused> {
    let path = super::profile_path(desk.config)?;
    match path.symlink_metadata() {
        Err(absent) if absent.kind() == std::io::ErrorKind::NotFound => Ok(path),
        Ok(_) => Err(PlanRefused::ProfileTaken { path }),
        Err(source) => Err(PlanRefused::Folder { path, source }),
    }
}

fn data_dir(desk: &mut Desk<'_>) -> Result<PathBuf, PlanRefused> {
    if let Some(folder) = &desk.config.data_dir {
        return Ok(folder.clone());
    }
    let default = default_data_dir();
    Ok(desk.questions.line_or("Data folder", &default.display().to_string())?.into())
}

fn default_data_dir() -> PathBuf {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share"));
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    base.or_else(home).unwrap_or_else(|| "/var/lib".into()).join("keystead")
}

fn vaults(
    args: &InitArgs,
    data_dir: &Path,
    desk: &mut Desk<'_>,
) -> Result<Vec<VaultUrl>, PlanRefused> {
    if !args.vaults.is_empty() {
        return Ok(args.vaults.clone());
    }
    let beside = |suffix: &str| {
        let mut name = data_dir.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name).display().to_string()
    };
    let default = format!("{}, {}", beside("-vault-a"), beside("-vault-b"));
    let prompt = "Vault folders, best on disks of their own, separated by commas";
    let answer = desk.questions.line_or(prompt, &default)?;
    let folders = answer.split(',').map(str::trim).filter(|part| !part.is_empty());
    let vaults: Vec<_> = folders.map(vault).collect::<Result<_, _>>()?;
    if vaults.is_empty() {
        Err(PlanRefused::Missing { flags: vec!["--vault"] })
    } else {
        Ok(vaults)
    }
}

/// An answer may be a folder or the place of a vault as flags write it.
fn vault(answer: &str) -> Result<VaultUrl, PlanRefused> {
    if answer.starts_with("dir:") {
        return Ok(answer.parse()?);
    }
    let failed = |source| PlanRefused::Folder { path: answer.into(), source };
    Ok(VaultUrl::directory(&std::path::absolute(answer).map_err(failed)?)?)
}

/// A folder that a person answered with just now is made; one that a flag names may be a disk that
/// is not mounted.
fn vault_folders(args: &InitArgs, vaults: &[VaultUrl]) -> Result<(), PlanRefused> {
    if args.vaults.is_empty() {
        return vaults.iter().try_for_each(|vault| make_folder(vault.folder()));
    }
    match vaults.iter().find(|vault| !vault.folder().is_dir()) {
        Some(vault) => Err(PlanRefused::VaultMissing { vault: vault.clone() }),
        None => Ok(()),
    }
}

fn vaults_min(given: Option<usize>, vaults: usize) -> Result<usize, PlanRefused> {
    let least = smallest_majority(vaults);
    match given {
        None => Ok(least.min(vaults)),
        Some(given) if (least..=vaults).contains(&given) => Ok(given),
        Some(given) => Err(PlanRefused::VaultsMin { given, vaults }),
    }
}

fn kit_places(
    args: &InitArgs,
    kept: &Kept,
    desk: &mut Desk<'_>,
) -> Result<(PathBuf, PathBuf), PlanRefused> {
    let NewKitArgs { kit_out, kit_secret_out, .. } = &args.kit;
    if let (Some(out), Some(secret_out)) = (kit_out, kit_secret_out) {
        return Ok((out.clone(), secret_out.clone()));
    }
    let prompt = "Folders for the recovery kit and for its printed secret, separated by a comma";
    let answer = desk.questions.line_or(prompt, "keystead-kit, keystead-secret")?;
    let folders: Vec<PathBuf> = answer.split(',').map(|part| part.trim().into()).collect();
    let [kit, secret] = &folders[..] else { return Err(PlanRefused::TwoFolders { answer }) };
    let out = kit_out.clone().unwrap_or_else(|| kit.join(KIT_FILE));
    let secret_out = kit_secret_out.clone().unwrap_or_else(|| secret.join(SECRET_FILE));
    kept.accept_kit(&out, &secret_out)?;
    for folder in [&out, &secret_out].iter().filter_map(|path| path.parent()) {
        make_folder(folder)?;
    }
    Ok((out, secret_out))
}

fn make_folder(folder: &Path) -> Result<(), PlanRefused> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| PlanRefused::Folder { path: folder.to_owned(), source })
}

#[cfg(test)]
mod tests;
