//! Where the checkout lies, and where everything that is built from it goes.
//!
//! The target folder is outside the checkout unless `CARGO_TARGET_DIR` says otherwise: a fresh
//! clone then starts warm, and nothing that is built can be committed.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;

/// The two folders that every subcommand works on.
#[derive(Clone)]
pub(crate) struct Checkout {
    root: PathBuf,
    target: PathBuf,
}

impl Checkout {
    /// Finds both folders from the environment that `cargo xtask` gives.
    pub(crate) fn locate() -> Result<Self, Failure> {
        let missing = Failure::Environment { variable: "CARGO_MANIFEST_DIR" };
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).ok_or(missing)?;
        let root = package.parent().unwrap_or(&package).to_owned();
        let target = target_folder(|variable| env::var_os(variable))?;
        let target = std::path::absolute(&target).map_err(Failure::file(target))?;
        Ok(Self { root, target })
    }

    /// A file of the checkout, by its path from the top.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A path below the target folder.
    pub(crate) fn built(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// A program started at the top, with the target folder that all of them share.
    pub(crate) fn program(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        command.env("CARGO_TARGET_DIR", &self.target);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        for (variable, _) in env::vars_os() {
            if is_of_this_package(&variable) {
                command.env_remove(variable);
            }
        }
        command
    }

    /// The cargo that started this program.
    pub(crate) fn cargo(&self) -> Command {
        self.program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// A checkout at `root` for tests.
    #[cfg(test)]
    pub(crate) fn at(root: PathBuf) -> Self {
        Self { target: root.join("target"), root }
    }
}

/// Cargo tells this package's facts to its own process: to the builds that we start they are noise.
fn is_of_this_package(variable: &OsString) -> bool {
    let variable = variable.to_string_lossy();
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

fn target_folder(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Failure> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(target) = set("CARGO_TARGET_DIR") {
        return Ok(target);
    }
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let cache = cache.ok_or(Failure::Environment { variable: "HOME" })?;
    Ok(cache.join("keystead/target"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::target_folder;

    fn target(set: &[(&str, &str)]) -> Option<std::path::PathBuf> {
        let value = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into());
        target_folder(|name| -> Option<OsString> { value(name) }).ok()
    }

    #[test]
    fn the_target_folder_follows_the_nearest_variable() {
        let home = ("HOME", "/home/a");
        let cache = ("XDG_CACHE_HOME", "/cache");
        let own = ("CARGO_TARGET_DIR", "/t");
        assert_eq!(target(&[home, cache, own]).as_deref(), Some(Path::new("/t")));
        assert_eq!(target(&[home, cache]).as_deref(), Some(Path::new("/cache/keystead/target")));
        let below_home = Path::new("/home/a/.cache/keystead/target");
        assert_eq!(target(&[home]).as_deref(), Some(below_home));
        assert_eq!(target(&[home, ("XDG_CACHE_HOME", "")]).as_deref(), Some(below_home));
        assert_eq!(target(&[]), None);
    }
}
