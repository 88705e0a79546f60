//! All that a backend holds, as one value to compare.

use keystead_crypto::{Material, Sealed};
use keystead_domain::Kind;

use super::{must, sample::version};
use crate::{Backend, CommittedChange, Index, Scan, Stored};

/// The suite gives materials versions below this number, so that a dump finds them all.
pub(super) const VERSIONS: u64 = 8;

/// Everything that the port can show.
#[derive(Debug, PartialEq)]
pub(super) struct Dump {
    head: u64,
    aggregates: Vec<Stored>,
    by_index: Vec<(Index, Vec<Stored>)>,
    materials: Vec<Option<Sealed<Material>>>,
    log: Vec<CommittedChange>,
}

/// Reads everything.
pub(super) async fn dump(backend: &dyn Backend) -> Dump {
    let mut aggregates = Vec::new();
    for kind in Kind::ALL {
        let scan = Scan::Kind { kind: *kind, after: None, limit: usize::MAX };
        aggregates.extend(must(backend.scan(scan).await));
    }
    let mut by_index = Vec::new();
    for index in Index::ALL {
        let scan =
            Scan::Index { index: *index, prefix: Vec::new(), after: None, limit: usize::MAX };
        by_index.push((*index, must(backend.scan(scan).await)));
    }
    let mut materials = Vec::new();
    for number in 0..VERSIONS {
        materials.push(must(backend.material(version(number)).await));
    }
    let head = must(backend.head().await);
    let log = must(backend.changes_after(0, usize::MAX).await);
    Dump { head, aggregates, by_index, materials, log }
}
