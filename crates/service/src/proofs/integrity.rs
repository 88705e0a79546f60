//! Level 1: every byte in the vaults is as it was signed, a slice of all objects at a time.
//!
//! Invariant: an object passes only by its own signature under its own name; a part of a ledger,
//! which has none, by being the same in every vault. Which slice an object is in follows from its
//! name alone, so after as many runs as there are slices each byte was read.

use std::{collections::BTreeMap, sync::Arc};

use keystead_archive::{Inspected, inspect, names};
use keystead_crypto::{VerifyingKey, hash::sha256};
use keystead_domain::InstanceId;
use keystead_targets::{Listed, ObjectName, Vault};

use crate::restore::Watcher;

/// Which part of all objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) number: u64,
    pub(crate) of: u64,
}

impl Slice {
    /// All of them.
    pub(crate) const WHOLE: Self = Self { number: 0, of: 1 };

    fn holds(self, name: &ObjectName) -> bool {
        let digest = sha256(name.as_ref().as_bytes());
        let place = digest.first_chunk().expect("a digest has 32 bytes");
        u64::from_be_bytes(*place) % self.of == self.number % self.of
    }
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) vault: String,
    pub(crate) object: String,
    pub(crate) what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "vault `{}`: `{}`: {}", self.vault, self.object, self.what)
    }
}

/// What a run found.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    pub(crate) findings: Vec<Finding>,
    /// Vaults that did not answer, with why.
    pub(crate) away: Vec<String>,
}

/// Whose vaults are verified, and under which key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of {
    pub(crate) instance: InstanceId,
    pub(crate) root: VerifyingKey,
}

/// Reads every object of the slice in every vault that answers.
pub(crate) async fn verify(
    vaults: &[Arc<dyn Vault>],
    of: Of,
    slice: Slice,
    watcher: &dyn Watcher,
) -> Tally {
    let mut tally = Tally::default();
    let mut listings = Vec::new();
    for vault in vaults {
        match vault.list(&format!("{}/", of.instance)).await {
            Ok(listed) => listings.push((&**vault, by_name(listed, slice))),
            Err(away) => tally.away.push(format!("vault `{}`: {away}", vault.url())),
        }
    }
    let bytes = listings.iter().flat_map(|(_, listed)| listed.values()).map(|one| one.bytes).sum();
    watcher.phase_bytes("verify objects", bytes);
    for (at, (vault, listed)) in listings.iter().enumerate() {
        for (name, entry) in listed {
            let mut others = listings.iter().enumerate().filter(|(other, _)| *other != at);
            let twin = others.find(|(_, (_, names))| names.contains_key(name));
            let twin = twin.map(|(_, (vault, _))| *vault);
            verify_one(of.root, *vault, entry, twin, &mut tally).await;
            watcher.advance(entry.bytes);
        }
    }
    tally
}

fn by_name(listed: Vec<Listed>, slice: Slice) -> BTreeMap<ObjectName, Listed> {
    let held = listed.into_iter().filter(|entry| slice.holds(&entry.name));
    held.map(|entry| (entry.name.clone(), entry)).collect()
}

async fn verify_one(
    root: VerifyingKey,
    vault: &dyn Vault,
    entry: &Listed,
    twin: Option<&dyn Vault>,
    tally: &mut Tally,
) {
    let name = &entry.name;
    let url = vault.url().to_string();
    let mut found = |what: String| {
        let object = name.to_string();
        tally.findings.push(Finding { vault: url.clone(), object, what });
    };
    if entry.versions > 1 {
        found(format!("it was replaced or deleted: {} versions", entry.versions));
    }
    let Some(kind) = names::parse(name.as_ref()) else {
        found("no object of this instance has such a name".to_owned());
        return;
    };
    let bytes = match vault.read(name).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return found("it is listed and cannot be read".to_owned()),
        Err(failed) => return found(failed.to_string()),
    };
    match inspect(&kind, &bytes, &root) {
        Ok(Inspected::Ledger) => {
            if let Some(twin) = twin
                && let Ok(Some(other)) = twin.read(name).await
                && other != bytes
            {
                found(format!("it differs from the one in vault `{}`", twin.url()));
            }
        }
        Ok(Inspected::Link(_) | Inspected::Object) => {}
        Err(refused) => found(refused.to_string()),
    }
    tally.objects += 1;
    tally.bytes += bytes.len() as u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_share_all_names_among_them() {
        for number in 0..1000 {
            let name: ObjectName = format!("inst_00/key/{number}").parse().unwrap();
            let holding = (0..7).filter(|slice| Slice { number: *slice, of: 7 }.holds(&name));
            assert_eq!(holding.count(), 1, "{name}");
            assert!(Slice::WHOLE.holds(&name));
        }
    }
}
