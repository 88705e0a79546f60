//! `cargo xtask fixtures`: makes the small instance of this version that every later version opens.
//!
//! A released version's folder is never made anew: what its users hold is what it wrote then. The
//! folder of the version in `Cargo.toml` is, until that is released.

use std::fs;

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process::{self, Output};
use crate::test;

/// Replaces the folder of the present version.
pub(crate) fn run(checkout: &Checkout) -> Result<(), Failure> {
    let binary = test::build(checkout)?;
    let mut cargo = checkout.cargo();
    cargo.args(["build", "--package", "keystead-driver", "--example", "make_fixtures"]);
    process::run(cargo.args(["--profile", "ci", "--locked"]), &Output::Terminal)?;
    let folder = checkout.file("tests/fixtures").join(env!("CARGO_PKG_VERSION"));
    // Only now: what does not build must not have cost what is there.
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Failure::file(&folder))?;
    }
    let mut make = checkout.program(checkout.built("ci/examples/make_fixtures"));
    process::run(make.arg(&folder).env("KEYSTEAD_BIN", binary), &Output::Terminal)
}
