//! Where kits, secrets, vaults and data folder may lie relative to each other.
//!
//! Invariant: no vault lies in the data folder or in another vault; nothing that opens a vault lies
//! in one or in the data folder; kit and printed secret lie in different folders. Links are
//! followed first, so that another name of a place does not pass.
//!
//! These are the rules of one file system, seen from this machine. Whether two folders are
//! independent of each other (failure domains) is counted by `status`.

use std::io;
use std::path::{Component, Path, PathBuf};

use keystead_targets::VaultUrl;

use crate::plan::PlanRefused;

/// The folders that a plan keeps apart from its secrets.
pub(super) struct Kept {
    folders: Vec<PathBuf>,
}

impl Kept {
    /// The data folder and all vaults, checked against each other.
    pub(super) fn apart(data_dir: Option<&Path>, vaults: &[VaultUrl]) -> Result<Self, PlanRefused> {
        let mut folders = Vec::from_iter(data_dir.map(resolved).transpose()?);
        for vault in vaults {
            let folder = resolved(vault.folder())?;
            let nests = |other: &&PathBuf| folder.starts_with(other) || other.starts_with(&folder);
            if let Some(within) = folders.iter().find(nests) {
                let within = within.clone();
                return Err(PlanRefused::VaultWithin { vault: vault.clone(), within });
            }
            folders.push(folder);
        }
        Ok(Self { folders })
    }

    /// Refuses a new file that exists or lies in one of the folders; gives its own folder.
    pub(super) fn accept_new(&self, path: &Path) -> Result<PathBuf, PlanRefused> {
        let place = resolved(path)?;
        if let Some(within) = self.folders.iter().find(|folder| place.starts_with(folder)) {
            let within = within.clone();
            return Err(PlanRefused::OutputWithin { path: path.to_owned(), within });
        }
        match path.symlink_metadata() {
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => {}
            Ok(_) => return Err(PlanRefused::Exists { path: path.to_owned() }),
            Err(source) => return Err(PlanRefused::Folder { path: path.to_owned(), source }),
        }
        Ok(place.parent().map(Path::to_owned).unwrap_or(place))
    }

    /// Refuses a new kit and its printed secret where one person would find both.
    pub(super) fn accept_kit(&self, kit: &Path, secret: &Path) -> Result<(), PlanRefused> {
        let folder = self.accept_new(kit)?;
        if self.accept_new(secret)? == folder {
            return Err(PlanRefused::KitBesideSecret { folder });
        }
        Ok(())
    }
}

/// Refuses a file whose folder does not exist.
pub(super) fn require_folder(file: &Path) -> Result<(), PlanRefused> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let failed = |source| PlanRefused::Folder { path: folder.to_owned(), source };
    if folder.metadata().map_err(failed)?.is_dir() {
        return Ok(());
    }
    Err(failed(io::ErrorKind::NotADirectory.into()))
}

/// The path without links and dots, as far as it exists; what does not exist yet is taken as it is
/// written.
fn resolved(path: &Path) -> Result<PathBuf, PlanRefused> {
    let failed = |source| PlanRefused::Folder { path: path.to_owned(), source };
    let mut existing = std::path::absolute(path).map_err(failed)?;
    let mut missing = Vec::new();
    loop {
        match existing.canonicalize() {
            Ok(found) => return Ok(missing.iter().rev().fold(found, appended)),
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed(source)),
        }
        let Some(last) = existing.components().next_back() else { return Ok(existing) };
        missing.push(last.as_os_str().to_owned());
        existing.pop();
    }
}

fn appended(path: PathBuf, part: &std::ffi::OsString) -> PathBuf {
    match Path::new(part).components().next() {
        Some(Component::ParentDir) => path.parent().map(Path::to_owned).unwrap_or(path),
        _ => path.join(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn vault(path: &Path) -> VaultUrl {
        VaultUrl::directory(path).unwrap()
    }

    #[test]
    fn vaults_lie_apart_from_the_data_folder_and_each_other() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        let apart = |data: &str, vaults: &[&str]| {
            let vaults: Vec<_> = vaults.iter().map(|name| vault(&at(name))).collect();
            Kept::apart(Some(&at(data)), &vaults)
        };
        assert!(apart("data", &["a", "b", "data-2"]).is_ok());
        for (data, vaults) in [
            ("data", &["data"][..]),
            ("data", &["data/vault"]),
            ("a/data", &["a"]),
            ("data", &["a", "a"]),
            ("data", &["a", "a/b"]),
            ("data", &["a/b", "a"]),
        ] {
            let refused = apart(data, vaults);
            assert!(matches!(refused, Err(PlanRefused::VaultWithin { .. })), "{data} {vaults:?}");
        }
    }

    #[test]
    fn a_link_or_dots_do_not_hide_a_place() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        std::fs::create_dir_all(at("vault/deep")).unwrap();
        symlink(at("vault"), at("link")).unwrap();
        let kept = Kept::apart(Some(&at("data")), &[vault(&at("vault"))]).unwrap();
        for inside in ["vault/kit", "link/kit", "link/new/kit", "x/../vault/kit", "data/kit"] {
            let refused = kept.accept_new(&at(inside));
            assert!(matches!(refused, Err(PlanRefused::OutputWithin { .. })), "{inside}");
        }
        assert!(kept.accept_new(&at("link/../kit")).is_ok());
        assert!(kept.accept_new(&at("vault-2/kit")).is_ok());
        let double = Kept::apart(None, &[vault(&at("vault")), vault(&at("link"))]);
        assert!(matches!(double, Err(PlanRefused::VaultWithin { .. })));
    }

    #[test]
    fn kit_and_secret_lie_in_two_folders_and_are_new() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        let kept = Kept::apart(None, &[]).unwrap();
        assert!(kept.accept_kit(&at("a/kit"), &at("b/secret")).is_ok());
        let together = kept.accept_kit(&at("a/kit"), &at("./a/secret"));
        assert!(matches!(together, Err(PlanRefused::KitBesideSecret { .. })));
        std::fs::write(at("kit"), "").unwrap();
        symlink("/nowhere", at("dangling")).unwrap();
        for taken in ["kit", "dangling"] {
            let refused = kept.accept_kit(&at(taken), &at("b/secret"));
            assert!(matches!(refused, Err(PlanRefused::Exists { .. })), "{taken}");
        }
        let below_file = kept.accept_new(&at("kit/x"));
        assert!(matches!(below_file, Err(PlanRefused::Folder { .. })));
    }
}
