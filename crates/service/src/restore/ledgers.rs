//! What is known of the ledgers of the incarnation that ended: the heads that the new one follows.
//!
//! Invariant: only signed heads count, of segments and of checkpoints, and the largest of each log.
//! What the lost node recorded behind it is not known, and the new log says so.

use std::collections::BTreeMap;

use keystead_archive::names;
use keystead_crypto::VerifyingKey;
use keystead_ledger::{Head, Origin, Succession};

use super::{chain::Chain, sources::Sources};
use crate::tiles::{LogIn, LogPlace};

/// The last known heads of the closed incarnation's logs.
pub(super) async fn last_heads(sources: &Sources, chain: &Chain, root: &VerifyingKey) -> Vec<Head> {
    let mut heads = BTreeMap::<Origin, Head>::new();
    for head in shipped_with_segments(chain).into_iter().chain(signed(sources, chain, root).await) {
        let known = heads.get(&head.origin).is_some_and(|known| known.size >= head.size);
        if !known {
            heads.insert(head.origin.clone(), head);
        }
    }
    heads.into_values().collect()
}

/// That a new log follows these, each with an unknown tail.
pub(super) fn following(heads: Vec<Head>, next: &Origin) -> Succession {
    heads.into_iter().fold(Succession::new(), |past, head| {
        let size = head.size;
        let with = past.clone().after(next, head);
        // None is the new log's own: its incarnation has only begun.
        with.and_then(|past| past.with_unknown_tail(size)).unwrap_or(past)
    })
}

fn shipped_with_segments(chain: &Chain) -> Vec<Head> {
    let heads = chain.segments.iter().flat_map(|link| &link.header.ledger_heads);
    let read = |head: &keystead_archive::LedgerHead| {
        let origin = Origin::new(&head.origin).ok()?;
        Some(Head { origin, size: head.size, root: head.root })
    };
    heads.filter_map(read).collect()
}

/// The largest checkpoint of each log of the incarnation in each vault.
async fn signed(sources: &Sources, chain: &Chain, root: &VerifyingKey) -> Vec<Head> {
    let (instance, incarnation) = (sources.instance, chain.opening.incarnation);
    let mut origins: Vec<Origin> =
        shipped_with_segments(chain).into_iter().map(|h| h.origin).collect();
    origins.sort_unstable();
    origins.dedup();
    let mut found = Vec::new();
    for source in &sources.all {
        for place in origins.iter().filter_map(LogPlace::of) {
            if (place.instance, place.incarnation) != (instance, incarnation) {
                continue;
            }
            let log = LogIn { vault: &*source.vault, root, place };
            match log.largest().await {
                Ok(checkpoint) => {
                    found.extend(checkpoint.map(|checkpoint| checkpoint.head().clone()));
                }
                Err(away) => {
                    let folder = names::LEDGER_FOLDER;
                    tracing::warn!(vault = %source.vault.url(), %away, folder, "not read");
                }
            }
        }
    }
    found
}
