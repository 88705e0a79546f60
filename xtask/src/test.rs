//! `cargo xtask test`: every suite, on a machine that has Rust and apt and nothing else.
//!
//! The suites outside cargo drive the binary that users get: it is built by itself, because a build
//! of the whole workspace would link the features that only tests may have.

use std::fs;
use std::path::{Path, PathBuf};

use crate::checkout::Checkout;
use crate::clients;
use crate::failure::Failure;
use crate::process::{self, Output};

const PYTHON_SUITES: [&str; 2] = ["tests/reference", "tests/clients"];

/// Installs what is missing, then runs the Rust suites and the Python suites.
pub(crate) fn run(checkout: &Checkout) -> Result<(), Failure> {
    clients::fetch(checkout, &Output::Terminal)?;
    let binary = build(checkout)?;
    let mut cargo = checkout.cargo();
    cargo.args(["test", "--workspace", "--profile", "ci", "--locked", "--no-fail-fast"]);
    let rust = process::run(cargo.env("KEYSTEAD_BIN", &binary), &Output::Terminal);
    let python = PYTHON_SUITES.map(|suite| run_python(checkout, &binary, suite));
    std::iter::once(rust).chain(python).collect()
}

/// Builds the released binary in the profile of the tests and returns its path.
///
/// It is a copy: the next build of the workspace puts its own form under cargo's name.
pub(crate) fn build(checkout: &Checkout) -> Result<PathBuf, Failure> {
    let mut cargo = checkout.cargo();
    cargo.args(["build", "--package", "keystead", "--profile", "ci", "--locked"]);
    process::run(&mut cargo, &Output::Terminal)?;
    let folder = checkout.built("under-test");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let binary = folder.join("keystead");
    // A fresh file: one that still runs cannot be overwritten.
    let fresh = folder.join("keystead.new");
    fs::copy(checkout.built("ci/keystead"), &fresh).map_err(Failure::file(&fresh))?;
    fs::rename(&fresh, &binary).map_err(Failure::file(&binary))?;
    Ok(binary)
}

fn run_python(checkout: &Checkout, binary: &Path, suite: &str) -> Result<(), Failure> {
    if !holds_tests(&checkout.file(suite))? {
        return Ok(());
    }
    let mut pytest = checkout.program(clients::python(checkout));
    pytest.args(["-m", "pytest", "-p", "no:cacheprovider", "-q", suite]);
    pytest.env("KEYSTEAD_BIN", binary).env("NODE_PATH", clients::node_modules(checkout));
    pytest.env("ENCRYPTION_CLI", clients::encryption_cli(checkout));
    process::run(&mut pytest, &Output::Terminal)
}

/// Whether a `test_*.py` lies in `folder` or below it.
fn holds_tests(folder: &Path) -> Result<bool, Failure> {
    if !folder.exists() {
        return Ok(false);
    }
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let path = entry.map_err(Failure::file(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_test = name.starts_with("test_") && name.ends_with(".py");
        if is_test || (path.is_dir() && holds_tests(&path)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::holds_tests;

    #[test]
    fn tests_are_found_in_folders_below() {
        let folder = std::env::temp_dir().join(format!("keystead-suite-{}", std::process::id()));
        fs::create_dir_all(folder.join("a")).unwrap();
        fs::write(folder.join("a/conftest.py"), "").unwrap();
        assert!(!holds_tests(&folder).unwrap());
        fs::write(folder.join("a/test_it.py"), "").unwrap();
        assert!(holds_tests(&folder).unwrap());
        assert!(!holds_tests(&folder.join("absent")).unwrap());
        fs::remove_dir_all(&folder).unwrap();
    }
}
