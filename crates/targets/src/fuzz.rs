//! One oracle for each parser: what parses must print back, and lead nowhere else.
//!
//! Invariant: every function takes any text at all and never panics for another reason than a
//! broken oracle. Property tests drive them for seconds, a fuzzer for days.

use std::path::{Component, Path};

use crate::{FailureDomain, LinuxAudit, ObjectName, VaultUrl};

/// Places of vaults.
///
/// # Panics
/// Where what parsed prints as another place, or one that is not under the root.
pub fn vault_url(text: &str) {
    let Ok(url) = text.parse::<VaultUrl>() else { return };
    assert_eq!(url.to_string().parse(), Ok(url.clone()), "a place prints back");
    let plain = |part| matches!(part, Component::RootDir | Component::Normal(_));
    assert!(url.folder().is_absolute() && url.folder().components().all(plain), "{url}");
}

/// Names of objects and of failure domains.
///
/// # Panics
/// Where what parsed prints as another name, or leaves the vault's folder.
pub fn name(text: &str) {
    if let Ok(name) = text.parse::<ObjectName>() {
        assert_eq!(name.as_str(), text, "a name prints back");
        let path = Path::new(name.as_str());
        assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{text}");
        assert_eq!(path.components().count(), text.split('/').count(), "{text}");
    }
    if let Ok(domain) = text.parse::<FailureDomain>() {
        assert_eq!(domain.to_string(), text, "a failure domain prints back");
    }
}

/// Logs of the storage.
///
/// # Panics
/// Where a log has more accesses and strange lines than lines.
pub fn access_log(log: &[u8]) {
    let mut audit = LinuxAudit::new("vault", Path::new("/vault"));
    let lines: Vec<&[u8]> = log.split(|byte| *byte == b'\n').collect();
    let mut accesses: Vec<_> = lines.iter().filter_map(|line| audit.line(line)).collect();
    accesses.extend(audit.finish());
    let strange = usize::try_from(audit.unreadable()).unwrap_or(usize::MAX);
    assert!(accesses.len().saturating_add(strange) <= lines.len(), "more than was there");
}

#[cfg(test)]
mod tests;
