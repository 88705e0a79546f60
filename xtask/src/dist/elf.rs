//! What the binary needs of the machine that it will run on.
//!
//! Invariant: a library that is not glibc's fails the build; the highest symbol version of glibc
//! that is needed is told, because it decides on which distributions the binary starts.

use std::path::Path;

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process;

/// The libraries of glibc, its loader included.
const GLIBC: [&str; 6] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "ld-linux-x86-64.so.2",
];

/// Checks a binary; says the highest version of glibc that it needs.
pub(super) fn check(checkout: &Checkout, binary: &Path) -> Result<String, Failure> {
    let mut dynamic = checkout.program("readelf");
    dynamic.args(["--wide", "--dynamic"]).arg(binary);
    let foreign = foreign(&process::read(&mut dynamic)?);
    if !foreign.is_empty() {
        let problem = format!("libraries that are not glibc's: {}", foreign.join(", "));
        return Err(Failure::Output { line: process::line_of(&dynamic), problem });
    }
    let mut versions = checkout.program("readelf");
    versions.args(["--wide", "--version-info"]).arg(binary);
    let text = process::read(&mut versions)?;
    let none = || Failure::Output {
        line: process::line_of(&versions),
        problem: "no version of glibc".to_owned(),
    };
    highest(&text).map(|(major, minor)| format!("GLIBC_{major}.{minor}")).ok_or_else(none)
}

/// Needed libraries that are not glibc's.
fn foreign(dynamic: &str) -> Vec<String> {
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    let name = |line: &str| Some(line.split_once('[')?.1.split(']').next()?.to_owned());
    needed.filter_map(name).filter(|name| !GLIBC.contains(&name.as_str())).collect()
}

fn highest(versions: &str) -> Option<(u32, u32)> {
    let words = versions.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    let version = |word: &str| {
        let (major, rest) = word.strip_prefix("GLIBC_")?.split_once('.')?;
        Some((major.parse().ok()?, rest.split('.').next()?.parse().ok()?))
    };
    words.filter_map(version).max()
}

#[cfg(test)]
mod tests {
    use super::{foreign, highest};

    #[test]
    fn a_library_beside_glibc_is_found() {
        let text = " 0x01 (NEEDED)  Shared library: [libc.so.6]\n 0x0e (SONAME) [x]\n\
                     0x01 (NEEDED)  Shared library: [libssl.so.3]\n";
        assert_eq!(foreign(text), ["libssl.so.3"]);
        assert!(foreign("0x01 (NEEDED) Shared library: [libm.so.6]\n").is_empty());
    }

    #[test]
    fn the_highest_version_is_by_number_and_not_by_letters() {
        let text = "0x0010: Name: GLIBC_2.9  Flags: none\n Name: GLIBC_2.34 Flags: none\n\
                    004: 2 (GLIBC_2.2.5) 3 (GLIBC_2.17)\n Name: GCC_3.0\n";
        assert_eq!(highest(text), Some((2, 34)));
        assert_eq!(highest("nothing"), None);
    }
}
