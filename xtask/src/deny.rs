//! `cargo xtask deny`: licences, sources, bans and duplicates of the dependencies, by cargo-deny.
//!
//! The version is pinned, so that a gate changes only with a commit. Advisories are left out: they
//! need a database from the network, and their answer for one commit changes from day to day.

use std::fs;

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process::{self, Output};

const VERSION: &str = "0.20.2";

/// Installs the pinned cargo-deny where it is missing, then checks `deny.toml`.
pub(crate) fn run(checkout: &Checkout) -> Result<(), Failure> {
    install(checkout, &Output::Terminal)?;
    check(checkout)
}

/// Puts the pinned cargo-deny into the target folder, where a cache keeps it between runs.
pub(crate) fn install(checkout: &Checkout, output: &Output) -> Result<(), Failure> {
    let program = checkout.built("tools/bin/cargo-deny");
    let installed = process::read(checkout.program(&program).arg("--version"));
    if installed.is_ok_and(|printed| printed.trim() == format!("cargo-deny {VERSION}")) {
        return Ok(());
    }
    let build = checkout.built("tools/build");
    // One quiet job: it must not starve the compile that runs beside it. Its release profile asks
    // for fat LTO, minutes for a program that runs for a second.
    let mut install = checkout.program("nice");
    install.args(["-n", "19", "cargo", "install", "cargo-deny", "--version"]);
    install.arg(format!("={VERSION}")).args(["--locked", "--force", "--debug", "--jobs", "1"]);
    install.arg("--root").arg(checkout.built("tools")).arg("--target-dir").arg(&build);
    install.env("CARGO_PROFILE_DEV_DEBUG", "0");
    process::run(&mut install, output)?;
    // Only a broken build is worth resuming: a finished one would triple what a cache has to carry.
    fs::remove_dir_all(&build).map_err(Failure::file(build))
}

/// Runs the installed cargo-deny.
pub(crate) fn check(checkout: &Checkout) -> Result<(), Failure> {
    let mut deny = checkout.program(checkout.built("tools/bin/cargo-deny"));
    deny.args(["--workspace", "--locked", "check", "bans", "licenses", "sources"]);
    // An exception that nothing needs any more would let the next such case in unseen.
    deny.args(["--deny", "unmatched-skip", "--deny", "unnecessary-skip"]);
    process::run(&mut deny, &Output::Terminal)
}
