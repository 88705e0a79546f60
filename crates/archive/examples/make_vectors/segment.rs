//! Vectors of segments, and what vectors of recovery points share with them.
//!
//! Invariant: changes are given as values, so that a reader's parse can be compared field by field.

use keystead_archive::{
    ChangeImage, CopyRef, Image, LedgerHead, OpenedSegment, RowRef, SegmentHeader, SegmentKind,
    Sensitivity, TenantChanges, build_segment, open_segment,
};
use keystead_crypto::{
    BackupWrap, Entry, KeyVersion, SealContext, SealKey, Secret, bytes::Writer, labels, seal_stream,
};
use keystead_domain::{ChangeId, KeyId, Kind, TenantId, VersionId};
use serde_json::{Value, json};

use crate::{
    forged,
    world::{Node, World, flipped, hex, secret_hex},
};

/// An instance with backup keys for two tenants.
pub(crate) struct Chain {
    pub(crate) world: World,
    pub(crate) node: Node,
    pub(crate) tenants: [TenantId; 2],
    raw: [Secret<32>; 2],
}

impl Chain {
    pub(crate) fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let mut tenants = [TenantId::random(&world.entropy), TenantId::random(&world.entropy)];
        tenants.sort();
        let raw = [world.entropy.secret(), world.entropy.secret()];
        Self { node: world.signer(), world, tenants, raw }
    }

    fn version(&self, tenant: TenantId) -> Option<(KeyVersion, &Secret<32>)> {
        let at = self.tenants.iter().position(|one| *one == tenant)?;
        let number = u8::try_from(at + 1).expect("there are two");
        let id = KeyVersion { key: *tenant.as_bytes(), version: [number; 8] };
        Some((id, &self.raw[at]))
    }

    pub(crate) fn key(&self, tenant: TenantId) -> Option<Box<SealKey<BackupWrap>>> {
        self.version(tenant).map(|(id, raw)| Box::new(SealKey::new(id, raw)))
    }

    pub(crate) fn header(&self, kind: SegmentKind, first: u64, last: u64) -> SegmentHeader {
        let head = |origin: &str, size| LedgerHead {
            origin: origin.into(),
            size,
            root: self.world.entropy.array(),
        };
        SegmentHeader {
            kind,
            instance: self.world.instance,
            incarnation: self.world.incarnation,
            sequence: 3,
            follows: 2,
            predecessor_hash: self.world.entropy.array(),
            first_commit_seq: first,
            last_commit_seq: last,
            at: self.world.now,
            ledger_heads: vec![head("example/a", 12), head("example/b", 0)],
            recipient_set_hash: self.world.entropy.array(),
            destruction_set_hash: [0; 32],
            epoch: self.world.epoch,
        }
    }

    pub(crate) fn change(&self, commit_seq: u64, body: &[u8], value: Option<&[u8]>) -> ChangeImage {
        let image = |sensitivity, body: &[u8]| Image {
            kind: Kind::Key,
            id: self.world.entropy.array(),
            revision: 1,
            sensitivity,
            body: body.to_vec(),
        };
        let metadata = image(Sensitivity::Metadata, body);
        let secret = value.map(|value| image(Sensitivity::SecretValue, value));
        ChangeImage {
            commit_seq,
            change: ChangeId::random(&self.world.entropy),
            at: self.world.now,
            puts: secret.into_iter().chain([metadata]).collect(),
            deletes: vec![RowRef {
                kind: Kind::Tenant,
                id: self.world.entropy.array(),
                revision: 4,
            }],
            copies: vec![CopyRef {
                key: KeyId::random(&self.world.entropy),
                version: VersionId::random(&self.world.entropy),
                object_hash: self.world.entropy.array(),
                key_check: self.world.entropy.array(),
            }],
        }
    }

    pub(crate) fn build(&self, header: &SegmentHeader, changes: &[TenantChanges]) -> Vec<u8> {
        let public = self.world.epoch_seed.public();
        let key = |tenant| self.key(tenant);
        build_segment(
            &self.world.entropy,
            &self.node.signer,
            &public,
            header,
            changes.to_vec(),
            key,
        )
        .expect("lawful")
    }

    fn vector(&self, name: &str, object: &[u8], keys: &[TenantId]) -> Value {
        let keys: Vec<Value> = keys
            .iter()
            .filter_map(|tenant| {
                let (id, raw) = self.version(*tenant)?;
                Some(json!({
                    "tenant": hex(tenant.as_bytes()), "key": hex(id.key),
                    "version": hex(id.version), "raw": secret_hex(raw),
                }))
            })
            .collect();
        json!({
            "name": name,
            "root_key": hex(self.world.root.public().0),
            "epoch_seed": secret_hex(self.world.epoch_seed.secret()),
            "backup_keys": keys,
            "object": hex(object),
        })
    }

    pub(crate) fn refused(&self, name: &str, object: &[u8], why: &str) -> Value {
        let mut made = self.vector(name, object, &self.tenants);
        made["refused"] = json!(why);
        made
    }

    pub(crate) fn opened(&self, name: &str, object: &[u8], keys: &[TenantId]) -> Value {
        let (root, seed) = (self.world.root.public(), &self.world.epoch_seed);
        let key = |tenant: TenantId, _| {
            if keys.contains(&tenant) { self.key(tenant) } else { None }
        };
        let opened = open_segment(object, &root, seed, key).expect("lawful");
        let mut made = self.vector(name, object, keys);
        made["header"] = header_json(&opened.header);
        made["entries"] = entries_json(&opened);
        made["skipped"] = opened.skipped.iter().map(|one| hex(one.tenant.as_bytes())).collect();
        made
    }

    /// An object with a list of entries as it stands, sealed and signed as a lawful one is.
    pub(crate) fn forge(&self, lawful: &[u8], entries: &[(TenantId, Vec<u8>)]) -> Vec<u8> {
        let header = forged::header_of(lawful);
        let (object, what) = match header[0] {
            1 => (7, "segment"),
            _ => (8, "recovery-point"),
        };
        let mut list = Writer::new();
        list.list(entries.iter(), |w, (tenant, plain)| {
            let key = self.key(*tenant).expect("a tenant of ours");
            let sealed =
                key.seal::<Entry>(&self.world.entropy, &self.context(&header, *tenant), plain);
            w.raw(tenant.as_bytes()).bytes(sealed.as_bytes());
        });
        let content_key: Secret<32> = self.world.entropy.secret();
        let fields = &header[..header.len() - 32 - 4 - 1168];
        let info = forged::info(labels::HPKE_CONTENT, object, fields);
        let public = self.world.epoch_seed.public();
        let sealed_key =
            content_key.expose(|key| public.seal(&self.world.entropy, &info, &[], key));
        let fields = [fields, &1168u32.to_be_bytes(), &sealed_key].concat();
        let binding = forged::binding(object, &fields);
        let body = seal_stream(&content_key, &binding, list.as_slice());
        forged::with_digest(object, what, &self.node.key, &fields, &body)
    }

    fn context(&self, header: &[u8], tenant: TenantId) -> SealContext {
        let kind = if header[0] == 1 { "segment" } else { "point" };
        SealContext::new(tenant.as_bytes(), kind, &header[1..1 + 16 + 16 + 8], 0)
    }
}

/// An entry's plaintext as the format has it, with any length and values.
pub(crate) fn entry(list: &[u8], length: u32, values: &[&[u8]]) -> Vec<u8> {
    let packed = zstd::bulk::compress(list, 3).expect("memory into memory");
    let mut w = Writer::new();
    w.u32(length).bytes(&packed).list(values.iter(), |w, value| {
        w.bytes(value);
    });
    w.finish()
}

/// A list of changes without puts, deletes or copies.
pub(crate) fn bare_changes(commits: &[u64]) -> Vec<u8> {
    let mut w = Writer::new();
    w.list(commits.iter(), |w, commit| {
        w.u64(*commit).raw(&[7; 16]).i64(0).u32(0).u32(0).u32(0);
    });
    w.finish()
}

/// One change that puts one image whose body is the next secret value.
pub(crate) fn secret_change(commit: u64, sensitivity: u8) -> Vec<u8> {
    let mut w = Writer::new();
    w.u32(1).u64(commit).raw(&[7; 16]).i64(0);
    w.u32(1).u16(Kind::Key.number()).raw(&[8; 16]).u64(1).u8(sensitivity);
    w.u32(0).u32(0).finish()
}

pub(crate) fn lawful_entry(list: &[u8], values: &[&[u8]]) -> Vec<u8> {
    entry(list, u32::try_from(list.len()).expect("small"), values)
}

pub(crate) fn vectors() -> Value {
    let chain = Chain::new(0x7365);
    let [one, two] = chain.tenants;
    let header = chain.header(SegmentKind::Segment, 5, 7);
    let changes = [
        TenantChanges { tenant: one, changes: vec![chain.change(5, b"first", None)] },
        TenantChanges {
            tenant: two,
            changes: vec![
                chain.change(6, b"second", Some(b"a secret value")),
                chain.change(7, &[b'x'; 300], None),
            ],
        },
    ];
    let segment = chain.build(&header, &changes);
    let heartbeat = chain.build(&chain.header(SegmentKind::Segment, 8, 7), &[]);
    let first =
        SegmentHeader { sequence: 1, follows: 0, ..chain.header(SegmentKind::Segment, 1, 0) };
    let first = chain.build(&first, &[]);
    let mut all = vec![
        chain.opened("three commits of two tenants", &segment, &[one, two]),
        chain.opened("an empty one", &heartbeat, &[]),
        chain.opened("the first of an incarnation", &first, &[]),
        chain.opened("a tenant was erased: its entry is skipped", &segment, &[two]),
    ];
    all.extend(outside(&chain, &segment, &heartbeat));
    all.extend(inside(&chain, &segment));
    json!({ "format": "docs/formats/segment.md", "vectors": all })
}

/// What needs no private key to be refused.
fn outside(chain: &Chain, segment: &[u8], heartbeat: &[u8]) -> Vec<Value> {
    let header = forged::header_of(segment);
    let (fields, body) = (&header[..header.len() - 32], forged::body_of(segment));
    let key = &chain.node.key;
    let edited = |at: usize, value: u8| {
        let mut fields = fields.to_vec();
        fields[at] = value;
        forged::with_digest(7, "segment", key, &fields, &body)
    };
    let (sequence, follows, first) = (1 + 32 + 7, 1 + 32 + 15, 1 + 32 + 16 + 32 + 7);
    let last = first + 8;
    let as_point = forged::with_digest(8, "recovery-point", key, fields, &body);
    let swapped = forged::frame(7, "segment", key, &header, &forged::body_of(heartbeat));
    let by_root = forged::frame(7, "segment", &chain.world.root, &header, &body);
    let other = World::new(0x7366).signer();
    let by_other = forged::frame(7, "segment", &other.key, &header, &body);
    let mut newer = segment.to_vec();
    newer[11] = 2;
    let end = segment.len() - 1;
    vec![
        chain.refused("signed by the root and not by the node", &by_root, "bad signature"),
        chain.refused("signed by a node that the root never certified", &by_other, "bad signature"),
        chain.refused("an altered header", &flipped(segment, 70), "bad signature"),
        chain.refused("an altered body", &flipped(segment, end), "other body"),
        chain.refused("the body of another segment", &swapped, "other body"),
        chain.refused("cut off", &segment[..end], "other body"),
        chain.refused(
            "another incarnation than the node's",
            &edited(17, !fields[17]),
            "other node",
        ),
        chain.refused("another instance than the node's", &edited(1, !fields[1]), "other node"),
        chain.refused("sequence 0", &edited(sequence, 0), "malformed"),
        chain.refused("a predecessor left out", &edited(follows, 1), "malformed"),
        chain.refused("first commit 0", &edited(first, 0), "malformed"),
        chain.refused("first commit two after the last", &edited(last, 3), "malformed"),
        chain.refused("over 1,000 commits", &edited(last - 1, 4), "malformed"),
        chain.refused("an unknown kind", &edited(0, 4), "malformed"),
        chain.refused("a segment in the frame of a point", &as_point, "malformed"),
        chain.refused("a newer version", &newer, "newer version"),
    ]
}

/// What is found when it is opened.
fn inside(chain: &Chain, segment: &[u8]) -> Vec<Value> {
    [inside_order(chain, segment), inside_entry(chain, segment)].concat()
}

/// Which commits are there, in which order.
fn inside_order(chain: &Chain, segment: &[u8]) -> Vec<Value> {
    let [one, two] = chain.tenants;
    let header = forged::header_of(segment);
    let fields = &header[..header.len() - 32];
    let mut moved = fields.to_vec();
    moved[1 + 32 + 16] ^= 1;
    let moved =
        forged::with_digest(7, "segment", &chain.node.key, &moved, &forged::body_of(segment));
    let forge = |entries: &[(TenantId, Vec<u8>)]| chain.forge(segment, entries);
    let bare = |commits: &[u64]| lawful_entry(&bare_changes(commits), &[]);
    vec![
        chain.refused("the body moved to another header", &moved, "does not open"),
        chain.refused("a commit in no entry", &forge(&[(one, bare(&[5, 7]))]), "missing commit"),
        chain.refused("no entry at all", &forge(&[]), "missing commit"),
        chain.refused(
            "a commit beyond the range",
            &forge(&[(one, bare(&[5, 6, 7, 8]))]),
            "bad entry",
        ),
        chain.refused("commits that fall", &forge(&[(one, bare(&[6, 5, 7]))]), "bad entry"),
        chain.refused(
            "a commit twice in one entry",
            &forge(&[(one, bare(&[5, 5, 6, 7]))]),
            "bad entry",
        ),
        chain.refused(
            "entries that do not ascend",
            &forge(&[(two, bare(&[5])), (one, bare(&[6, 7]))]),
            "malformed",
        ),
        chain.refused(
            "a tenant twice",
            &forge(&[(one, bare(&[5])), (one, bare(&[6, 7]))]),
            "malformed",
        ),
    ]
}

/// What one entry holds.
fn inside_entry(chain: &Chain, segment: &[u8]) -> Vec<Value> {
    let [one, _] = chain.tenants;
    let forge = |entries: &[(TenantId, Vec<u8>)]| chain.forge(segment, entries);
    let list = bare_changes(&[5, 6, 7]);
    let length = u32::try_from(list.len()).expect("small");
    let bomb = vec![0; 2 << 20];
    let value = secret_change(5, 1);
    let two_frames = {
        let frame = zstd::bulk::compress(&list, 3).expect("memory into memory");
        Writer::new().u32(length).bytes(&[&frame[..], &frame].concat()).u32(0).finish()
    };
    vec![
        chain.refused(
            "a stated length too short",
            &forge(&[(one, entry(&list, length - 1, &[]))]),
            "bad entry",
        ),
        chain.refused(
            "a stated length too long",
            &forge(&[(one, entry(&list, length + 1, &[]))]),
            "bad entry",
        ),
        chain.refused(
            "more than it states: a bomb",
            &forge(&[(one, entry(&bomb, 10, &[]))]),
            "bad entry",
        ),
        chain.refused(
            "a length over the bound",
            &forge(&[(one, entry(&bomb, 2 << 20, &[]))]),
            "bad entry",
        ),
        chain.refused("two compressed frames", &forge(&[(one, two_frames)]), "bad entry"),
        chain.refused(
            "a value that is not there",
            &forge(&[(one, lawful_entry(&value, &[]))]),
            "malformed",
        ),
        chain.refused(
            "a value that nothing refers to",
            &forge(&[(one, lawful_entry(&list, &[b"left over"]))]),
            "bad entry",
        ),
        chain.refused(
            "an unknown sensitivity",
            &forge(&[(one, lawful_entry(&secret_change(5, 2), &[b"x"]))]),
            "malformed",
        ),
        chain.refused(
            "bytes after the last change",
            &forge(&[(one, lawful_entry(&[&list[..], &[0]].concat(), &[]))]),
            "malformed",
        ),
    ]
}

fn header_json(header: &SegmentHeader) -> Value {
    let heads: Vec<Value> = header
        .ledger_heads
        .iter()
        .map(|head| json!({ "origin": head.origin, "size": head.size, "root": hex(head.root) }))
        .collect();
    json!({
        "kind": header.kind as u8, "instance": hex(header.instance.as_bytes()),
        "incarnation": hex(header.incarnation.as_bytes()), "sequence": header.sequence,
        "follows": header.follows, "predecessor_hash": hex(header.predecessor_hash),
        "first_commit_seq": header.first_commit_seq, "last_commit_seq": header.last_commit_seq,
        "at": header.at.as_micros(), "ledger_heads": heads,
        "recipient_set_hash": hex(header.recipient_set_hash),
        "destruction_set_hash": hex(header.destruction_set_hash),
        "epoch": hex(header.epoch.as_bytes()),
    })
}

fn entries_json(opened: &OpenedSegment) -> Value {
    let entry = |one: &TenantChanges| {
        let changes: Vec<Value> = one.changes.iter().map(change_json).collect();
        json!({ "tenant": hex(one.tenant.as_bytes()), "changes": changes })
    };
    opened.entries.iter().map(entry).collect()
}

fn change_json(change: &ChangeImage) -> Value {
    let put = |image: &Image| {
        json!({
            "kind": image.kind.number(), "id": hex(image.id), "revision": image.revision,
            "sensitivity": image.sensitivity as u8, "body": hex(&image.body),
        })
    };
    let delete = |row: &RowRef| {
        let kind = row.kind.number();
        json!({ "kind": kind, "id": hex(row.id), "revision": row.revision })
    };
    let copy = |copy: &CopyRef| {
        json!({
            "key": hex(copy.key.as_bytes()), "version": hex(copy.version.as_bytes()),
            "object_hash": hex(copy.object_hash), "key_check": hex(copy.key_check),
        })
    };
    json!({
        "commit_seq": change.commit_seq, "change": hex(change.change.as_bytes()),
        "at": change.at.as_micros(),
        "puts": change.puts.iter().map(put).collect::<Vec<_>>(),
        "deletes": change.deletes.iter().map(delete).collect::<Vec<_>>(),
        "copies": change.copies.iter().map(copy).collect::<Vec<_>>(),
    })
}
