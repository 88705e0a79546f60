//! Vectors of recovery points, full and metadata-only.
//!
//! Invariant: only what differs from a segment is here again.

use keystead_archive::{SegmentHeader, SegmentKind, TenantChanges};
use keystead_domain::TenantId;
use serde_json::{Value, json};

use crate::{
    forged,
    segment::{Chain, bare_changes, lawful_entry, secret_change},
    world::flipped,
};

pub(crate) fn vectors() -> Value {
    let chain = Chain::new(0x7270);
    let [one, two] = chain.tenants;
    let full = chain.header(SegmentKind::FullPoint, 1, 9);
    let metadata = SegmentHeader { sequence: 4, ..chain.header(SegmentKind::MetadataPoint, 1, 9) };
    let base =
        SegmentHeader { sequence: 1, follows: 0, ..chain.header(SegmentKind::FullPoint, 1, 0) };
    let of = |tenant, changes| TenantChanges { tenant, changes };
    let full = chain.build(
        &full,
        &[
            of(one, vec![chain.change(9, b"one", Some(b"a value")), chain.change(9, b"two", None)]),
            of(two, vec![chain.change(3, b"old", None), chain.change(9, b"new", None)]),
        ],
    );
    let metadata = chain.build(&metadata, &[of(one, vec![chain.change(9, b"one", None)])]);
    let base = chain.build(&base, &[]);
    let mut all = vec![
        chain.opened("a full point of two tenants", &full, &[one, two]),
        chain.opened("a metadata point", &metadata, &[one]),
        chain.opened("a base with nothing in it", &base, &[]),
        chain.opened("a tenant was erased: its entry is skipped", &full, &[one]),
    ];
    all.extend(refused(&chain, one, &full, &metadata));
    json!({ "format": "docs/formats/segment.md", "vectors": all })
}

fn refused(chain: &Chain, one: TenantId, full: &[u8], metadata: &[u8]) -> Vec<Value> {
    let header = forged::header_of(full);
    let (fields, body) = (&header[..header.len() - 32], forged::body_of(full));
    let edited = |at: usize, value: u8| {
        let mut fields = fields.to_vec();
        fields[at] = value;
        forged::with_digest(8, "recovery-point", &chain.node.key, &fields, &body)
    };
    let first = 1 + 32 + 16 + 32 + 7;
    let as_segment = forged::with_digest(7, "segment", &chain.node.key, fields, &body);
    let bare = |commits: &[u64]| [(one, lawful_entry(&bare_changes(commits), &[]))];
    let secret = [(one, lawful_entry(&secret_change(9, 1), &[b"a value"]))];
    let mut newer = full.to_vec();
    newer[11] = 2;
    let end = full.len() - 1;
    vec![
        chain.refused("a value in a metadata point", &chain.forge(metadata, &secret), "malformed"),
        chain.refused("commits that fall", &chain.forge(full, &bare(&[9, 8])), "bad entry"),
        chain.refused("a commit after the last", &chain.forge(full, &bare(&[10])), "bad entry"),
        chain.refused("first commit 2", &edited(first, 2), "malformed"),
        chain.refused("a full point made a metadata point", &edited(0, 3), "does not open"),
        chain.refused("another number than it was sealed for", &edited(40, 9), "does not open"),
        chain.refused("a point in the frame of a segment", &as_segment, "malformed"),
        chain.refused("an altered header", &flipped(full, 60), "bad signature"),
        chain.refused("an altered body", &flipped(full, end), "other body"),
        chain.refused("cut off", &full[..end], "other body"),
        chain.refused("a newer version", &newer, "newer version"),
    ]
}
