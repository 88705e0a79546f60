//! `cargo xtask demo`: builds what the demonstration needs and plays it.

use crate::checkout::Checkout;
use crate::clients;
use crate::failure::Failure;
use crate::process::{self, Output};
use crate::test;

/// Plays the demonstration with the binary that users get, from the top of the checkout.
pub(crate) fn run(checkout: &Checkout) -> Result<(), Failure> {
    clients::fetch(checkout, &Output::Terminal)?;
    let binary = test::build(checkout)?;
    let mut demo = checkout.cargo();
    demo.args(["run", "--quiet", "--package", "keystead-demo", "--profile", "ci", "--locked"]);
    demo.env("KEYSTEAD_BIN", binary).env("KEYSTEAD_PYTHON", clients::python(checkout));
    process::run(&mut demo, &Output::Terminal)
}
