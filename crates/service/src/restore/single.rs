//! Opens one recovery point with a kit, and everything that it names: into memory, and no further.
//!
//! Invariant: nothing is written anywhere; what was opened is wiped when the answer is made. A
//! point counts as opened only where each key copy that it relies on opened too.

use std::collections::BTreeMap;

use keystead_archive::{
    Inspected, OpenedKit, SegmentHeader, SegmentKind, inspect, names, names::ObjectKind,
    read_segment_header,
};
use keystead_crypto::{Secret, VerifyingKey};
use keystead_domain::{Key, Kind, PointId, Timestamp};
use keystead_targets::VaultUrl;

use super::{
    Held, RestoreFailed, Watcher,
    keys::{Holder, JOBS, Opener, TOGETHER, living},
    sources::Sources,
    state::State,
};
use crate::{RestoreSite, Site, proofs::Quiet};

/// Where a point is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointSource {
    /// From a vault, by its name.
    Vault(PointId),
    /// From these bytes.
    Bytes(Vec<u8>),
}

/// What a point held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointOpened {
    /// Its verified header.
    pub header: SegmentHeader,
    /// How many aggregates of each kind.
    pub rows: BTreeMap<&'static str, u64>,
    /// Key versions whose copies opened.
    pub versions: u64,
    /// Copies that are missing or do not open, as people read it.
    pub findings: Vec<String>,
    /// Entries of erased tenants, which nothing opens.
    pub skipped: usize,
}

/// Opens a point of the kit's instance.
///
/// # Errors
/// [`RestoreFailed`].
pub async fn open_point(
    site: &RestoreSite,
    kit: &OpenedKit,
    vaults: &[VaultUrl],
    source: PointSource,
    watcher: &dyn Watcher,
) -> Result<PointOpened, RestoreFailed> {
    let (instance, root) = (kit.statement.instance, kit.statement.root);
    let sources = Sources::open(&site.vaults, vaults, instance, &root, watcher).await?;
    let (name, bytes) = match source {
        PointSource::Bytes(bytes) => ("the file".to_owned(), bytes),
        PointSource::Vault(PointId { incarnation, number }) => {
            let name = names::point(instance, incarnation, number);
            let fits =
                |bytes: &[u8]| read_segment_header(bytes, &root).ok().map(|_| bytes.to_vec());
            let found = sources.read_first(&name, fits).await;
            let bytes = found.ok_or_else(|| RestoreFailed::State {
                what: format!("recovery point `{name}` is in no vault that was read, or damaged"),
            })?;
            (name, bytes)
        }
    };
    let refused = |refused| RestoreFailed::Object { name: name.clone(), refused };
    let header = read_segment_header(&bytes, &root).map_err(refused)?;
    if header.instance != instance {
        return Err(RestoreFailed::NothingHere { instance: instance.to_string() });
    }
    let mut opener = Opener::new(&sources, root, Holder::Kit(&kit.seed), &site.tasks).await;
    let opened = opener.open(&name, &bytes, header.epoch).await?;
    let mut state = State::default();
    state.apply(opened, None);
    let skipped = state.skipped;
    let (versions, findings) = open_copies(&opener, &header, &state.keys()?, watcher).await;
    let mut rows = BTreeMap::new();
    for (kind, _) in state.into_rows().into_keys() {
        *rows.entry(Kind::name(kind)).or_default() += 1;
    }
    Ok(PointOpened { header, rows, versions, findings, skipped })
}

/// One key beside what the vaults have of it.
#[derive(Debug)]
pub(crate) struct KeyInVaults {
    /// The key as the point has it, and when that was made; nothing where it does not have it.
    pub(crate) then: Option<(Key, Timestamp)>,
    /// For each version that the key has now, in order; an error says what is wrong with its copy.
    pub(crate) materials: Vec<Result<Secret<32>, RestoreFailed>>,
}

/// Opens the copies of a key, and finds it in a full point.
pub(crate) async fn key_in_vaults(
    site: &Site,
    held: &Held,
    point: PointId,
    key: &Key,
) -> Result<KeyInVaults, RestoreFailed> {
    let Held { instance, root, epochs, vaults } = held;
    let sources = Sources::open(&site.vaults, vaults, *instance, root, &Quiet).await?;
    let name = names::point(*instance, point.incarnation, point.number);
    let (header, bytes) = read_full(&sources, root, point, &name).await?;
    let mut opener = Opener::new(&sources, *root, Holder::Seal(epochs), &site.tasks).await;
    let mut state = State::default();
    state.apply(opener.open(&name, &bytes, header.epoch).await?, None);
    let found = state.keys()?.into_iter().find(|found| found.id == key.id);
    let versions: Vec<_> = key.versions.iter().map(|version| (key, version)).collect();
    let materials = opener.materials(&versions, &Quiet).await;
    Ok(KeyInVaults { then: found.map(|then| (then, header.at)), materials })
}

/// A full point from the first vault whose object of that name is one.
async fn read_full(
    sources: &Sources,
    root: &VerifyingKey,
    point: PointId,
    name: &str,
) -> Result<(SegmentHeader, Vec<u8>), RestoreFailed> {
    let kind = ObjectKind::Point {
        instance: sources.instance,
        incarnation: point.incarnation,
        number: point.number,
    };
    let fits = |bytes: &[u8]| match inspect(&kind, bytes, root) {
        Ok(Inspected::Link(header)) if header.kind == SegmentKind::FullPoint => {
            Some((*header, bytes.to_vec()))
        }
        _ => None,
    };
    let found = sources.read_first(name, fits).await;
    found.ok_or_else(|| RestoreFailed::State {
        what: format!("`{point}` is no full recovery point in any vault that was read"),
    })
}

/// Opens each copy that a full point relies on, some at a time.
async fn open_copies(
    opener: &Opener<'_>,
    header: &SegmentHeader,
    keys: &[Key],
    watcher: &dyn Watcher,
) -> (u64, Vec<String>) {
    let (mut versions, mut findings) = (0, Vec::new());
    if header.kind != SegmentKind::FullPoint {
        return (versions, findings);
    }
    let all = living(keys);
    watcher.phase("open key copies", all.len() as u64);
    for some in all.chunks(TOGETHER * JOBS) {
        for found in opener.materials(some, watcher).await {
            match found {
                Ok(_) => versions += 1,
                Err(failed) => findings.push(failed.to_string()),
            }
        }
    }
    (versions, findings)
}
