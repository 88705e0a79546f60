//! `cargo xtask dist`: everything that a machine needs to run a release, in one archive.
//!
//! Invariant: two runs over one commit give the same bytes: files are in the order of their names,
//! with the owner root, fixed modes and the time of the commit; nothing in the archive names the
//! machine or the hour that made it. The binary needs glibc and nothing else, and that is checked,
//! not hoped.

mod content;
mod elf;
mod sbom;
mod tar;

use std::fs;
use std::path::{Path, PathBuf};

use crate::checkout::Checkout;
use crate::dist::content::Entry;
use crate::dist::sbom::Sbom;
use crate::failure::Failure;
use crate::process::{self, Output};

/// The one platform.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds, checks and packs.
pub(crate) fn run(checkout: &Checkout) -> Result<(), Failure> {
    let binary = build(checkout)?;
    let glibc = elf::check(checkout, &binary)?;
    let sbom = Sbom::read(checkout, TARGET, &sha256(checkout, &binary)?)?;
    let name = format!("keystead-{}-x86_64-linux", sbom.version());
    let folder = checkout.built("dist");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let entries = content::gather(checkout, &binary, &sbom.text())?;
    let packed = pack(checkout, &folder, &name, &entries)?;
    let sum = sha256(checkout, &packed)?;
    write(&folder.join(format!("{name}.tar.gz.sha256")), &format!("{sum}  {name}.tar.gz\n"))?;
    write(&folder.join(format!("{name}.cdx.json")), &sbom.text())?;
    println!("{}: {} files, SHA-256 {sum}", packed.display(), entries.len());
    println!("the binary needs {glibc} and no other library");
    println!("the bill of materials has {} components", sbom.components());
    Ok(())
}

/// The binary in the release profile; paths of this machine do not enter it.
fn build(checkout: &Checkout) -> Result<PathBuf, Failure> {
    let mut cargo = checkout.cargo();
    cargo.args(["build", "--release", "--locked", "--package", "keystead", "--target", TARGET]);
    let home = process::read(checkout.program("sh").args(["-c", CARGO_HOME]))?;
    let from = [(home.trim(), "/cargo"), (&*checkout.file("").display().to_string(), "/keystead")];
    let remap = |flag: &str| -> Vec<String> {
        from.iter()
            .map(|(from, to)| format!("{flag}={}={to}", from.trim_end_matches('/')))
            .collect()
    };
    let mut rust = remap("--remap-path-prefix");
    rust.extend(["-L".to_owned(), format!("native={}", unwinder(checkout)?.display())]);
    cargo.env("RUSTFLAGS", rust.join(" "));
    cargo.env("CFLAGS", remap("-ffile-prefix-map").join(" "));
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    process::run(&mut cargo, &Output::Terminal)?;
    Ok(checkout.built(TARGET).join("release/keystead"))
}

/// A folder in which the linker finds the static unwinder under the name of the shared one, which
/// belongs to the compiler and not to glibc.
fn unwinder(checkout: &Checkout) -> Result<PathBuf, Failure> {
    let folder = checkout.built("dist/link");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    write(&folder.join("libgcc_s.so"), "INPUT(-lgcc_eh)\n")?;
    Ok(folder)
}

/// Where cargo keeps the sources of packages.
const CARGO_HOME: &str = "echo ${CARGO_HOME:-$HOME/.cargo}";

fn pack(
    checkout: &Checkout,
    folder: &Path,
    name: &str,
    entries: &[Entry],
) -> Result<PathBuf, Failure> {
    let time = commit_time(checkout)?;
    let path = folder.join(format!("{name}.tar"));
    let bytes = tar::archive(name, time, entries);
    fs::write(&path, bytes).map_err(Failure::file(&path))?;
    // Neither name nor time of the file: they would differ from run to run.
    process::run(checkout.program("gzip").args(["-9", "-n", "-f"]).arg(&path), &Output::Terminal)?;
    Ok(folder.join(format!("{name}.tar.gz")))
}

/// Seconds since 1970 of the commit that is checked out.
fn commit_time(checkout: &Checkout) -> Result<u64, Failure> {
    let mut git = checkout.program("git");
    git.args(["log", "-1", "--format=%ct"]);
    let line = process::line_of(&git);
    let text = process::read(&mut git)?;
    text.trim().parse().map_err(|_| Failure::Output { line, problem: format!("`{text}`") })
}

fn sha256(checkout: &Checkout, path: &Path) -> Result<String, Failure> {
    let text = process::read(checkout.program("sha256sum").arg("--").arg(path))?;
    Ok(text.split_whitespace().next().unwrap_or_default().to_owned())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::file(path))
}
