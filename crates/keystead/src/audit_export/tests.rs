//! Exports with one thing wrong each, and the seconds of what a fuzzer does for days.

use keystead_archive::NodeCertificate;
use keystead_crypto::{Entropy, NoteKey, SigningKey};
use keystead_domain::{IncarnationId, InstanceId, KeyId, NodeId, PrincipalId, Timestamp};
use keystead_ledger::{
    Act, Attributes, Checkpoint, CompactRange, Event, Front, Hash, Head, Leaf, Operation, Origin,
    Outcome, Resource, Value, prove_inclusion, tile_root,
};
use keystead_service::ErrorKind;

use super::*;
use crate::drive;

/// Two logs of one root, and the key of the second one's node.
struct World {
    root: SigningKey,
    logs: Vec<Log>,
}

struct Log {
    head: Head,
    note: Vec<u8>,
    certificate: Vec<u8>,
    leaves: Vec<Leaf>,
}

impl World {
    fn new(entropy: &Entropy, sizes: &[u8]) -> Self {
        let root = SigningKey::from_seed(entropy.secret());
        let logs = sizes.iter().map(|size| log(entropy, &root, *size)).collect();
        Self { root, logs }
    }

    fn lines(&self, extent: Extent) -> Vec<String> {
        let mut lines = vec![first_line(&self.root.public(), extent, self.logs.len())];
        let mut events = 0;
        for log in &self.logs {
            let chosen: Vec<_> = (0..)
                .zip(&log.leaves)
                .filter(|(index, _)| extent == Extent::Whole || index % 2 == 0)
                .collect();
            let Log { head, note, certificate, .. } = log;
            lines.push(log_line(&LogPart { head, note, certificate }, chosen.len() as u64));
            for (index, leaf) in chosen {
                let proof = (extent == Extent::Chosen).then(|| log.proof(index));
                lines.push(event_line(index, leaf, proof.as_deref()));
                events += 1;
            }
        }
        lines.push(last_line(events));
        lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }

    fn check(&self, text: &str, kept: Option<&[u8]>) -> Result<Checked, ExportRefused> {
        verify(text.as_bytes(), &self.root.public(), kept, |_| {}).unwrap()
    }
}

impl Log {
    fn proof(&self, index: u64) -> Vec<Hash> {
        let hash = |height: u8, number: u64| {
            let (width, number) = (1 << height, usize::try_from(number).unwrap());
            let leaves = self.leaves.get(number * width..(number + 1) * width)?;
            Some(tile_root(&leaves.iter().map(Leaf::hash).collect::<Vec<_>>()))
        };
        prove_inclusion(hash, index, self.head.size).unwrap()
    }
}

fn log(entropy: &Entropy, root: &SigningKey, size: u8) -> Log {
    let (objects, key) =
        (SigningKey::from_seed(entropy.secret()), NoteKey::from_seed(entropy.secret()));
    let of = NodeCertificate {
        instance: InstanceId::random(entropy),
        incarnation: IncarnationId::random(entropy),
        node: NodeId::random(entropy),
        objects_key: objects.public(),
        checkpoints_key: key.public(),
        issued_at: Timestamp::from_micros(1),
    };
    let origin = format!("{}/{}/{}", of.instance, of.incarnation, of.node);
    let leaves: Vec<Leaf> = (0..size).map(leaf).collect();
    let mut tree = CompactRange::new();
    leaves.iter().for_each(|leaf| tree.push(leaf.hash()));
    let head = Head { origin: Origin::new(&origin).unwrap(), size: size.into(), root: tree.root() };
    let note = Checkpoint::new(head.clone()).unwrap().sign(&key).to_string().into_bytes();
    Log { head, note, certificate: of.issue(root).unwrap(), leaves }
}

fn act(number: u8) -> Act {
    Act {
        at: 1_763_780_400_000_000 + i64::from(number) * 1_500,
        request: Some([number; 16]),
        tenant: None,
        principal: Some([7; 16]),
        front: Front::Aws,
        operation: Operation::new("Encrypt").unwrap(),
        resource: Some(Resource { kind: 3, id: [number; 16] }),
        key_version: None,
        outcome: match number % 3 {
            0 => Outcome::Succeeded,
            1 => Outcome::Refused { error_kind: 3 },
            _ => Outcome::Failed { error_kind: 200 },
        },
        source: Some([9; 32]),
        attributes: Attributes::new()
            .with("due", &Value::Clear(b"a \"text\"".to_vec()))
            .unwrap()
            .with("bytes", &Value::Clear(vec![0, 255]))
            .unwrap()
            .with("who", &Value::Mac([1; 32]))
            .unwrap(),
    }
}

fn leaf(number: u8) -> Leaf {
    Event::Use { keyring_revision: 1, act: act(number) }.encode().unwrap()
}

#[test]
fn an_export_holds_whole_and_chosen() {
    let world = World::new(&Entropy::os(), &[5, 0, 9]);
    for (extent, events) in [(Extent::Whole, 14), (Extent::Chosen, 8)] {
        let checked = world.check(&world.lines(extent).concat(), None).unwrap();
        let heads: Vec<Head> = world.logs.iter().map(|log| log.head.clone()).collect();
        assert_eq!(checked, Checked { extent, events, logs: heads });
    }
}

#[test]
fn no_line_can_be_taken_out_doubled_or_moved() {
    let world = World::new(&Entropy::os(), &[5, 4]);
    for extent in [Extent::Whole, Extent::Chosen] {
        let lines = world.lines(extent);
        for at in 0..lines.len() {
            let mut fewer = lines.clone();
            fewer.remove(at);
            assert!(world.check(&fewer.concat(), None).is_err(), "without line {at}");
            let mut more = lines.clone();
            more.insert(at, lines[at].clone());
            assert!(world.check(&more.concat(), None).is_err(), "line {at} twice");
            let other = (at + 1) % lines.len();
            let mut moved = lines.clone();
            moved.swap(at, other);
            assert!(world.check(&moved.concat(), None).is_err(), "{at} and {other} changed");
        }
    }
}

#[test]
fn no_byte_can_be_altered_or_cut_off() {
    let world = World::new(&Entropy::os(), &[3]);
    for extent in [Extent::Whole, Extent::Chosen] {
        let lines = world.lines(extent);
        let (text, second) = (lines.concat(), lines[0].len());
        let key = text.find("root_public_key").unwrap() + 18;
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let found = verify(&bytes[..], &world.root.public(), None, |_| {}).unwrap();
            // The key in the first line is for people: what counts is the reader's own.
            let is_for_people = at < second && (key..key + 64).contains(&at);
            assert!(found.is_err() || is_for_people, "byte {at}");
            let cut = verify(&text.as_bytes()[..at], &world.root.public(), None, |_| {}).unwrap();
            assert!(cut.is_err(), "cut at {at}");
        }
    }
}

#[test]
fn what_is_readable_must_be_what_was_recorded() {
    let world = World::new(&Entropy::os(), &[3]);
    let text = world.lines(Extent::Whole).concat();
    let (from, to) = ("\"outcome\":\"refused\",\"error\":\"denied\"", "\"outcome\":\"succeeded\"");
    let altered = text.replacen(from, to, 1);
    assert_ne!(altered, text);
    let log = world.logs[0].head.origin.clone();
    assert_eq!(world.check(&altered, None), Err(ExportRefused::OtherEvent { log, index: 1 }));
}

#[test]
fn another_roots_export_and_a_later_version_are_refused() {
    let (world, other) = (World::new(&Entropy::os(), &[3]), World::new(&Entropy::os(), &[3]));
    let text = other.lines(Extent::Whole).concat();
    let foreign = world.check(&text, None).unwrap_err();
    assert!(matches!(foreign, ExportRefused::Signed { line: 2, .. }), "{foreign}");
    let newer = text.replacen("\"version\":1", "\"version\":2", 1);
    assert_eq!(other.check(&newer, None), Err(ExportRefused::Newer { found: 2 }));
}

#[test]
fn a_checkpoint_that_was_kept_must_come_out() {
    let world = World::new(&Entropy::os(), &[6]);
    let text = world.lines(Extent::Whole).concat();
    let kept = |size: usize, spoil: u8| {
        let mut tree = CompactRange::new();
        world.logs[0].leaves[..size].iter().for_each(|leaf| tree.push(leaf.hash()));
        let mut root = tree.root();
        root[0] ^= spoil;
        let origin = world.logs[0].head.origin.clone();
        let head = Head { origin, size: size as u64, root };
        let key = NoteKey::from_seed(Entropy::os().secret());
        Checkpoint::new(head).unwrap().sign(&key).to_string()
    };
    for size in 0..=6 {
        assert!(world.check(&text, Some(kept(size, 0).as_bytes())).is_ok(), "{size}");
        if size > 0 {
            let refused = world.check(&text, Some(kept(size, 1).as_bytes())).unwrap_err();
            assert!(matches!(refused, ExportRefused::Rewritten { .. }), "{refused}");
        }
    }
    let chosen = world.lines(Extent::Chosen).concat();
    let unknown = world.check(&chosen, Some(kept(2, 0).as_bytes()));
    assert_eq!(unknown, Err(ExportRefused::KeptUnknown));
    assert_eq!(world.check(&text, Some(b"junk")), Err(ExportRefused::KeptMalformed));
}

#[test]
fn a_filter_takes_what_all_of_it_holds_for() {
    let act = act(1);
    let at = Timestamp::from_micros(act.at);
    let none = EventFilter::default();
    assert!(none.is_none() && none.takes(&act));
    let yes = EventFilter {
        from: Some(at),
        to: Some(Timestamp::from_micros(act.at + 1)),
        key: Some(KeyId::from_bytes([1; 16])),
        principal: Some(PrincipalId::from_bytes([7; 16])),
        operation: Some("Encrypt".to_owned()),
        outcome: Some(OutcomeKind::Refused),
        request: Some(keystead_domain::RequestId::from_bytes([1; 16])),
    };
    assert!(yes.takes(&act) && !yes.is_none());
    for no in [
        EventFilter { from: Some(Timestamp::from_micros(act.at + 1)), ..yes.clone() },
        EventFilter { to: Some(at), ..yes.clone() },
        EventFilter { key: Some(KeyId::from_bytes([2; 16])), ..yes.clone() },
        EventFilter { principal: Some(PrincipalId::from_bytes([1; 16])), ..yes.clone() },
        EventFilter { operation: Some("encrypt".to_owned()), ..yes.clone() },
        EventFilter { outcome: Some(OutcomeKind::Failed), ..yes.clone() },
        EventFilter {
            request: Some(keystead_domain::RequestId::from_bytes([2; 16])),
            ..yes.clone()
        },
    ] {
        assert!(!no.takes(&act), "{no:?}");
    }
}

#[test]
fn every_error_kind_has_a_name() {
    assert_eq!(event::ERROR_KINDS.len(), ErrorKind::ALL.len());
    let refused = serde_json::to_value(shown(&leaf(1).event())).unwrap();
    assert_eq!((&refused["error"], &refused["front"]), (&"denied".into(), &"aws".into()));
    assert_eq!(refused["at"], "2025-11-22T03:00:00.0015Z");
    assert_eq!(refused["resource"]["id"], format!("key_{}", "01".repeat(16)));
    let failed = serde_json::to_value(shown(&leaf(2).event())).unwrap();
    assert_eq!(failed["error"], "200", "a kind of a later program has a number");
}

#[test]
fn no_bytes_break_the_reader() {
    let root = VerifyingKey([7; 32]);
    drive::run("audit-export", |bytes: &[u8]| {
        if let Err(refused) = verify(bytes, &root, None, |_| {}).unwrap() {
            let _ = refused.to_string();
        }
    });
}
