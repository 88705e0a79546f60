//! Level 1: every byte in the vaults is as it was signed, a slice of all objects at a time.
//!
//! Invariant: an object passes only by its own signature under its own name; a part of a ledger,
//! which has none, by being the same in every vault. Which slice an object is in follows from its
//! name alone, so after as many runs as there are slices each byte was read.

use std::collections::BTreeMap;

use keystead_archive::{Inspected, inspect, names};
use keystead_crypto::hash::sha256;
use keystead_targets::{Listed, ObjectName};

use crate::{Service, vaults::Member};

/// Which part of all objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) number: u64,
    pub(super) of: u64,
}

impl Slice {
    /// All of them.
    pub(super) const WHOLE: Self = Self { number: 0, of: 1 };

    fn holds(self, name: &ObjectName) -> bool {
        let digest = sha256(name.as_ref().as_bytes());
        let place = digest.first_chunk().expect("a digest has 32 bytes");
        u64::from_be_bytes(*place) % self.of == self.number % self.of
    }
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) vault: String,
    pub(super) object: String,
    pub(super) what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "vault `{}`: `{}`: {}", self.vault, self.object, self.what)
    }
}

/// What a run found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) findings: Vec<Finding>,
    /// Vaults that did not answer, with why.
    pub(super) away: Vec<String>,
}

/// Reads every object of the slice in every vault that answers.
pub(super) async fn verify(service: &Service, slice: Slice) -> Tally {
    let mut tally = Tally::default();
    let mut listings = Vec::new();
    for member in &service.set.members {
        match member.vault.list(&format!("{}/", service.instance.id)).await {
            Ok(listed) => listings.push((member, by_name(listed))),
            Err(away) => tally.away.push(format!("vault `{}`: {away}", member.vault.url())),
        }
    }
    for (at, (member, listed)) in listings.iter().enumerate() {
        for (name, entry) in listed.iter().filter(|(name, _)| slice.holds(name)) {
            let mut others = listings.iter().enumerate().filter(|(other, _)| *other != at);
            let twin = others.find(|(_, (_, names))| names.contains_key(name));
            let twin = twin.map(|(_, (member, _))| &***member);
            verify_one(service, member, entry, twin, &mut tally).await;
        }
    }
    tally
}

fn by_name(listed: Vec<Listed>) -> BTreeMap<ObjectName, Listed> {
    listed.into_iter().map(|entry| (entry.name.clone(), entry)).collect()
}

async fn verify_one(
    service: &Service,
    member: &Member,
    entry: &Listed,
    twin: Option<&Member>,
    tally: &mut Tally,
) {
    let name = &entry.name;
    let vault = member.vault.url().to_string();
    let mut found = |what: String| {
        let object = name.to_string();
        tally.findings.push(Finding { vault: vault.clone(), object, what });
    };
    if entry.versions > 1 {
        found(format!("it was replaced or deleted: {} versions", entry.versions));
    }
    let Some(kind) = names::parse(name.as_ref()) else {
        found("no object of this instance has such a name".to_owned());
        return;
    };
    let bytes = match member.vault.read(name).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return found("it is listed and cannot be read".to_owned()),
        Err(failed) => return found(failed.to_string()),
    };
    match inspect(&kind, &bytes, &service.root) {
        Ok(Inspected::Ledger) => {
            if let Some(twin) = twin
                && let Ok(Some(other)) = twin.vault.read(name).await
                && other != bytes
            {
                found(format!("it differs from the one in vault `{}`", twin.vault.url()));
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
