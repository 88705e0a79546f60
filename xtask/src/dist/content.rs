//! Which files a release has, and where each goes.
//!
//! Invariant: the list is here and nowhere else; what the binary makes (manual pages, completions)
//! is made by the binary that is shipped.

use std::fs;
use std::path::Path;

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process;

/// A file of the archive.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// Below the archive's folder.
    pub(super) path: String,
    pub(super) mode: u32,
    pub(super) bytes: Vec<u8>,
}

/// Files of the checkout: where from, where to.
const FILES: [(&str, &str); 12] = [
    ("LICENSE", "share/doc/keystead/LICENSE"),
    ("README.md", "share/doc/keystead/README.md"),
    ("CHANGELOG.md", "share/doc/keystead/CHANGELOG.md"),
    ("SECURITY.md", "share/doc/keystead/SECURITY.md"),
    ("docs/guides/operate.md", "share/doc/keystead/guides/operate.md"),
    ("docs/guides/first-hour.md", "share/doc/keystead/guides/first-hour.md"),
    ("docs/guides/the-worst-day.md", "share/doc/keystead/guides/the-worst-day.md"),
    ("docs/guides/without-keystead.md", "share/doc/keystead/guides/without-keystead.md"),
    ("docs/reference/exit-codes.md", "share/doc/keystead/reference/exit-codes.md"),
    ("docs/reference/metrics.md", "share/doc/keystead/reference/metrics.md"),
    ("dist/systemd/keystead.service", "lib/systemd/system/keystead.service"),
    ("dist/prometheus/keystead.rules.yml", "share/keystead/keystead.rules.yml"),
];

/// Shells, and where each looks for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/keystead"),
    ("fish", "share/fish/vendor_completions.d/keystead.fish"),
    ("zsh", "share/zsh/site-functions/_keystead"),
];

/// Everything that goes into the archive.
pub(super) fn gather(
    checkout: &Checkout,
    binary: &Path,
    sbom: &str,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = vec![
        entry("bin/keystead", 0o755, read(binary)?),
        entry("share/keystead/keystead.cdx.json", 0o644, sbom.as_bytes().to_vec()),
    ];
    for (from, to) in FILES {
        entries.push(entry(to, 0o644, read(&checkout.file(from))?));
    }
    for (shell, to) in COMPLETIONS {
        let script = process::read(checkout.program(binary).args(["completions", shell]))?;
        entries.push(entry(to, 0o644, script.into_bytes()));
    }
    entries.extend(pages(checkout, binary)?);
    Ok(entries)
}

fn pages(checkout: &Checkout, binary: &Path) -> Result<Vec<Entry>, Failure> {
    let folder = checkout.built("dist/man");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Failure::file(&folder))?;
    }
    process::read(checkout.program(binary).arg("man").arg(&folder))?;
    let mut entries = Vec::new();
    for page in fs::read_dir(&folder).map_err(Failure::file(&folder))? {
        let page = page.map_err(Failure::file(&folder))?;
        let name = page.file_name().to_string_lossy().into_owned();
        entries.push(entry(&format!("share/man/man1/{name}"), 0o644, read(&page.path())?));
    }
    Ok(entries)
}

fn entry(path: &str, mode: u32, bytes: Vec<u8>) -> Entry {
    Entry { path: path.to_owned(), mode, bytes }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(Failure::file(path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{COMPLETIONS, FILES};

    #[test]
    fn every_file_of_the_list_is_in_the_checkout_and_has_a_place_of_its_own() {
        let root = Path::new("..");
        for (from, _) in FILES {
            assert!(root.join(from).is_file(), "{from}");
        }
        let places = FILES.iter().chain(&COMPLETIONS).map(|(_, to)| *to);
        let places: BTreeSet<_> = places.collect();
        assert_eq!(places.len(), FILES.len() + COMPLETIONS.len());
        assert!(places.iter().all(|place| !place.starts_with('/') && !place.contains("..")));
    }
}
