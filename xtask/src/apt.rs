//! What the tests need from Debian, installed only where it is missing.
//!
//! A machine that has it all is never touched, and nobody is asked for a password: without root the
//! answer is the command to type.

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process::{self, Output};

/// A package, and a command that succeeds only where it is there.
pub(crate) struct Package {
    name: &'static str,
    probe: &'static [&'static str],
}

/// Makes the environment in which the Python suites run.
pub(crate) const PYTHON: Package =
    Package { name: "python3-venv", probe: &["python3", "-c", "import ensurepip, venv"] };
/// Fetches the JavaScript clients.
pub(crate) const NPM: Package = Package { name: "npm", probe: &["npm", "--version"] };

/// Installs those of `packages` whose probe fails.
pub(crate) fn ensure(
    checkout: &Checkout,
    packages: &[Package],
    output: &Output,
) -> Result<(), Failure> {
    let missing: Vec<_> = packages
        .iter()
        .filter(|package| !is_there(checkout, package))
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if process::read(checkout.program("id").arg("-u"))?.trim() != "0" {
        return Err(Failure::Packages { missing });
    }
    process::run(checkout.program("apt-get").args(["update", "-qq"]), output)?;
    let mut install = checkout.program("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(missing);
    process::run(&mut install, output)
}

fn is_there(checkout: &Checkout, package: &Package) -> bool {
    let [program, arguments @ ..] = package.probe else { return false };
    process::succeeds(checkout.program(program).args(arguments))
}

#[cfg(test)]
mod tests {
    use super::{Package, is_there};
    use crate::checkout::Checkout;

    #[test]
    fn a_package_is_there_when_its_probe_succeeds() {
        let checkout = Checkout::at(std::env::temp_dir());
        assert!(is_there(&checkout, &Package { name: "coreutils", probe: &["true"] }));
        assert!(!is_there(&checkout, &Package { name: "coreutils", probe: &["false"] }));
        assert!(!is_there(&checkout, &Package { name: "none", probe: &["/nowhere/at-all"] }));
    }
}
