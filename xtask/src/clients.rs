//! Fetches the real clients and the reference libraries that the Python suites import.
//!
//! All versions are exact, and an environment is rebuilt when what it was built from has changed.
//! It lies in the target folder: a cache keeps it, and the checkout stays as git made it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::apt;
use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process::{self, Output};

const REQUIREMENTS: [&str; 2] =
    ["tests/clients/requirements.txt", "tests/reference/requirements.txt"];
const PACKAGE: &str = "tests/clients/package.json";
const PACKAGE_LOCK: &str = "tests/clients/package-lock.json";

/// Brings the Python environment and the JavaScript packages up to date with the checkout.
pub(crate) fn fetch(checkout: &Checkout, output: &Output) -> Result<(), Failure> {
    fetch_python(checkout, output)?;
    fetch_javascript(checkout, output)
}

/// The interpreter of the Python environment.
pub(crate) fn python(checkout: &Checkout) -> PathBuf {
    checkout.built("clients/venv/bin/python")
}

/// The folder in which the JavaScript clients lie.
pub(crate) fn node_modules(checkout: &Checkout) -> PathBuf {
    checkout.built("clients/npm/node_modules")
}

fn fetch_python(checkout: &Checkout, output: &Output) -> Result<(), Failure> {
    let files = REQUIREMENTS.into_iter().filter(|file| checkout.file(file).exists());
    let files: Vec<_> = files.collect();
    if files.is_empty() {
        return Ok(());
    }
    apt::ensure(checkout, &[apt::PYTHON], output)?;
    fetch_environment(checkout, &checkout.built("clients/venv"), &files, output)
}

/// Makes a Python environment of exact versions, or finds it made.
pub(crate) fn fetch_environment(
    checkout: &Checkout,
    venv: &Path,
    files: &[&'static str],
    output: &Output,
) -> Result<(), Failure> {
    let mut wanted = String::new();
    for file in files {
        let text = read(&checkout.file(file))?;
        require_pins(file, &text)?;
        wanted.push_str(&text);
    }
    wanted.push_str(&process::read(checkout.program("python3").arg("--version"))?);
    rebuild_if_changed(venv, &wanted, || {
        process::run(checkout.program("python3").args(["-m", "venv"]).arg(venv), output)?;
        let mut install = checkout.program(venv.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]);
        install.args(files.iter().flat_map(|file| ["-r", file]));
        process::run(&mut install, output)
    })
}

fn fetch_javascript(checkout: &Checkout, output: &Output) -> Result<(), Failure> {
    if !checkout.file(PACKAGE).exists() {
        return Ok(());
    }
    apt::ensure(checkout, &[apt::NPM], output)?;
    let (package, lock) = (read(&checkout.file(PACKAGE))?, read(&checkout.file(PACKAGE_LOCK))?);
    let folder = checkout.built("clients/npm");
    rebuild_if_changed(&folder, &format!("{package}{lock}"), || {
        fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
        write(&folder.join("package.json"), &package)?;
        write(&folder.join("package-lock.json"), &lock)?;
        let mut install = checkout.program("npm");
        install.current_dir(&folder).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        process::run(&mut install, output)
    })
}

/// Empties `folder` and runs `build` unless the last build that ended well was for `wanted`.
fn rebuild_if_changed(
    folder: &Path,
    wanted: &str,
    build: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let stamp = folder.join("built-from");
    if fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::file(folder))?;
    }
    build()?;
    write(&stamp, wanted)
}

fn require_pins(file: &'static str, text: &str) -> Result<(), Failure> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    match lines.filter(|line| !line.is_empty()).find(|line| !line.contains("==")) {
        Some(line) => Err(Failure::Unpinned { file, requirement: line.to_owned() }),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(Failure::file(path))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::file(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{rebuild_if_changed, require_pins};
    use crate::failure::Failure;

    #[test]
    fn a_requirement_without_an_exact_version_is_refused() {
        assert!(require_pins("r", "# comment\nboto3==1.2 # why\n\npytest==9.0.1\n").is_ok());
        let refused = require_pins("r", "boto3==1.2\npytest>=9\n");
        let Err(Failure::Unpinned { requirement, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(requirement, "pytest>=9");
    }

    #[test]
    fn an_environment_is_rebuilt_when_its_source_changed_or_its_build_failed() {
        let folder = std::env::temp_dir().join(format!("keystead-xtask-{}", std::process::id()));
        let mut builds = 0;
        let mut build = |wanted, ends_well| {
            let result = rebuild_if_changed(&folder, wanted, || {
                builds += 1;
                fs::create_dir(&folder).unwrap();
                if ends_well { Ok(()) } else { Err(Failure::Environment { variable: "X" }) }
            });
            (result.is_ok(), builds)
        };
        assert_eq!(build("a", false), (false, 1));
        assert_eq!(build("a", true), (true, 2));
        assert_eq!(build("a", true), (true, 2));
        assert_eq!(build("b", true), (true, 3));
        fs::remove_dir_all(&folder).unwrap();
    }
}
