//! Exports with one thing wrong each, and the seconds of what a fuzzer does for days.

mod vectors;

use keystead_archive::{NodeCertificate, NodeSigner};
use keystead_crypto::{
    Entropy, KeyVersion, MasterWrap, NoteKey, SealContext, SealKey, SigningKey, VerifyingKey,
};
use keystead_domain::{
    IncarnationId, InstanceId, NodeId, TenantId, Timestamp, WrapAlgorithm, WrapFacts, WrapId,
    WrapLog, WrapRecord,
};
use serde_json::{Value, json};

use super::*;
use crate::drive;

/// An instance whose tenant has wrap records.
pub(crate) struct World {
    pub(crate) root: SigningKey,
    signer: NodeSigner,
    said: WrapStatement,
    pub(crate) records: Vec<WrapRecord>,
}

impl World {
    pub(crate) fn new(count: u64) -> Self {
        let entropy = Entropy::os();
        let tenant = TenantId::random(&entropy);
        let records: Vec<_> = (1..=count).map(|number| record(&entropy, tenant, number)).collect();
        let root = SigningKey::from_seed(entropy.secret());
        let signer = signer(&entropy, &root);
        let log = log(tenant, &records);
        let said = WrapStatement {
            instance: signer.certificate().instance,
            incarnation: signer.certificate().incarnation,
            tenant,
            count,
            chain: log.chain,
            at: Timestamp::from_micros(5),
        };
        Self { root, signer, said, records }
    }

    pub(crate) fn statement(&self) -> Vec<u8> {
        self.said.issue(&self.signer).unwrap()
    }

    fn first(&self) -> String {
        text(first_line(&self.statement()))
    }

    /// The lines of a whole export.
    fn lines(&self) -> Vec<String> {
        let first = self.first();
        let mut check = ExportCheck::begin(first.as_bytes(), &self.root.public()).unwrap();
        let lines = self.records.iter().map(|record| {
            let line = check.line_of(record);
            check.take(&line).unwrap();
            text(line)
        });
        let lines: Vec<_> = lines.collect();
        std::iter::once(first).chain(lines).collect()
    }

    fn verified(&self, lines: &[String]) -> Result<WrapStatement, ExportRefused> {
        self.verified_text(&joined(lines))
    }

    fn verified_text(&self, text: &str) -> Result<WrapStatement, ExportRefused> {
        verify(text.as_bytes(), &self.root.public(), |_| {}).unwrap()
    }

    /// What is said of a whole export with line `at` in another form.
    fn with_line(&self, at: usize, alter: impl FnOnce(&mut Value)) -> ExportRefused {
        let mut lines = self.lines();
        let mut line = serde_json::from_str(&lines[at]).unwrap();
        alter(&mut line);
        lines[at] = line.to_string();
        self.verified(&lines).unwrap_err()
    }
}

fn signer(entropy: &Entropy, root: &SigningKey) -> NodeSigner {
    let objects = SigningKey::from_seed(entropy.secret());
    let checkpoints = NoteKey::from_seed(entropy.secret());
    let certificate = NodeCertificate {
        instance: InstanceId::random(entropy),
        incarnation: IncarnationId::random(entropy),
        node: NodeId::random(entropy),
        objects_key: objects.public(),
        checkpoints_key: checkpoints.public(),
        issued_at: Timestamp::from_micros(1),
    };
    NodeSigner::new(certificate.issue(root).unwrap(), objects, checkpoints).unwrap()
}

fn record(entropy: &Entropy, tenant: TenantId, sequence: u64) -> WrapRecord {
    let id = KeyVersion { key: [1; 16], version: [2; 8] };
    let master = SealKey::<MasterWrap>::new(id, &entropy.secret());
    let place = SealContext::new(tenant.as_bytes(), "data-key", &[3; 16], 0);
    WrapRecord {
        facts: WrapFacts {
            id: WrapId::random(entropy),
            tenant,
            subject: format!("document {sequence}/\"ä\"").parse().unwrap(),
            sequence,
            algorithm: WrapAlgorithm::Aes256Gcm,
            created_at: Timestamp::from_micros(-7),
            key_check: entropy.array(),
        },
        data_key: master.seal(entropy, &place, &[5; 32]),
    }
}

fn log(tenant: TenantId, records: &[WrapRecord]) -> WrapLog {
    let empty = WrapLog::empty(tenant);
    records.iter().fold(empty, |log, record| log.followed_by(&record.facts).unwrap())
}

fn text(line: Vec<u8>) -> String {
    String::from_utf8(line).unwrap()
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_whole_export_verifies_of_any_length() {
    for count in [0, 1, 5] {
        let world = World::new(count);
        assert_eq!(world.verified(&world.lines()), Ok(world.said.clone()));
    }
}

#[test]
fn each_record_that_is_taken_out_is_named() {
    let world = World::new(9);
    for from in 1..=9 {
        for to in from..=9 {
            let mut lines = world.lines();
            lines.drain(from..=to);
            let (from, to) = (from as u64, to as u64);
            assert_eq!(world.verified(&lines), Err(ExportRefused::Missing { from, to }));
        }
    }
    assert!(matches!(
        world.verified(&world.lines()[1..]),
        Err(ExportRefused::Malformed { line: 1, .. })
    ));
}

#[test]
fn each_record_that_stands_twice_or_elsewhere_is_named() {
    let world = World::new(5);
    for at in 1..=5 {
        for again in at..=5 {
            let mut lines = world.lines();
            lines.insert(again + 1, lines[at].clone());
            assert_eq!(world.verified(&lines), Err(ExportRefused::Twice { record: at as u64 }));
        }
        for other in at + 1..=5 {
            let mut lines = world.lines();
            lines.swap(at, other);
            let refused = ExportRefused::OutOfOrder { record: at as u64, before: other as u64 };
            assert_eq!(world.verified(&lines), Err(refused));
        }
    }
}

#[test]
fn of_a_gap_only_what_stands_nowhere_is_called_missing() {
    let world = World::new(9);
    let all = world.lines();
    let of = |order: &[usize]| {
        let lines: Vec<_> = order.iter().map(|at| all[*at].clone()).collect();
        world.verified(&lines).unwrap_err()
    };
    assert_eq!(of(&[0, 1, 2, 9, 5, 4]), ExportRefused::Missing { from: 3, to: 3 });
    assert_eq!(of(&[0, 1, 9, 6, 7, 8]), ExportRefused::Missing { from: 2, to: 5 });
    let mut lines = all[..3].to_vec();
    lines.extend([all[4].clone(), "junk".to_owned(), all[3].clone()]);
    assert_eq!(
        world.verified(&lines),
        Err(ExportRefused::OutOfOrder { record: 3, before: 4 }),
        "a malformed line behind a gap is passed over"
    );
}

#[test]
fn each_member_that_is_altered_is_refused() {
    let world = World::new(3);
    let other = World::new(3);
    let line: Value = serde_json::from_str(&other.lines()[2]).unwrap();
    for member in ["wrap", "key_check", "chain"] {
        let refused = world.with_line(2, |here| here[member] = line[member].clone());
        assert_eq!(refused, ExportRefused::Altered { record: 2 }, "{member}");
    }
    for (member, value) in [
        ("subject", json!("document 4")),
        ("created_at", json!(8)),
        ("key", json!("key_00000000000000000000000000000000")),
        ("key_version", json!("ver_0000000000000000")),
    ] {
        let refused = world.with_line(2, |here| here[member] = value);
        assert_eq!(refused, ExportRefused::Altered { record: 2 }, "{member}");
    }
    let refused = world.with_line(2, |here| here["tenant"] = line["tenant"].clone());
    assert_eq!(refused, ExportRefused::OtherTenant { record: 2 });
    let sequence = |to: u64| world.with_line(2, |here| here["sequence"] = json!(to));
    assert_eq!(sequence(1), ExportRefused::Twice { record: 1 });
    assert_eq!(sequence(3), ExportRefused::Missing { from: 2, to: 2 });
    assert_eq!(sequence(4), ExportRefused::Uncounted { record: 4, count: 3 });
}

/// What the format page says that an export does not show.
#[test]
fn another_envelope_in_the_same_place_is_not_seen_without_its_master_key() {
    let world = World::new(3);
    let mut lines = world.lines();
    let fresh = record(&Entropy::os(), world.said.tenant, 2).data_key;
    let mut line: Value = serde_json::from_str(&lines[2]).unwrap();
    line["data_key"] = json!(base64_simd::STANDARD.encode_to_string(fresh.as_bytes()));
    lines[2] = line.to_string();
    assert!(world.verified(&lines).is_ok());
}

#[test]
fn every_member_is_there_once_in_its_one_form() {
    let world = World::new(2);
    let malformed = |refused, what: &str| {
        assert!(matches!(refused, ExportRefused::Malformed { line: 3, .. }), "{what}: {refused}");
    };
    let whole: Value = serde_json::from_str(&world.lines()[2]).unwrap();
    let members: Vec<&String> = whole.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 11);
    for member in members {
        malformed(
            world.with_line(2, |line| drop(line.as_object_mut().unwrap().remove(member))),
            member,
        );
        malformed(world.with_line(2, |line| line[member] = Value::Null), member);
        let mut lines = world.lines();
        lines[2].insert_str(1, &format!("\"{member}\":{},", whole[member]));
        malformed(world.verified(&lines).unwrap_err(), member);
    }
    for (member, value) in [
        ("more", json!(1)),
        ("sequence", json!(0)),
        ("sequence", json!(-2)),
        ("sequence", json!(2.0)),
        ("sequence", json!("2")),
        ("created_at", json!(u64::MAX)),
        ("wrap", json!(whole["wrap"].as_str().unwrap().to_uppercase())),
        ("subject", json!("")),
        ("subject", json!("a\u{85}")),
        ("subject", json!("x".repeat(513))),
        ("algorithm", json!("AES-128-GCM")),
        ("key_check", json!(whole["key_check"].as_str().unwrap()[2..])),
        ("data_key", json!("")),
        ("data_key", json!(format!(" {}", whole["data_key"].as_str().unwrap()))),
        ("data_key", json!(base64_simd::STANDARD.encode_to_string([1, 0, 1].repeat(40)))),
        ("data_key", json!(base64_simd::STANDARD.encode_to_string([9; 139]))),
        ("key", json!("key_1")),
        ("key_version", json!(whole["key"])),
        ("chain", json!(whole["chain"].as_str().unwrap().to_uppercase() + "0")),
    ] {
        malformed(world.with_line(2, |line| line[member] = value), member);
    }
    let texts: Vec<Value> = whole.as_object().unwrap().values().cloned().collect();
    malformed(world.with_line(2, |line| *line = json!(texts)), "a list");
    for (before, after) in [(" ", ""), ("", " "), ("", "\r"), ("\n", ""), ("", "{}"), ("x", "")] {
        let mut lines = world.lines();
        lines[2] = format!("{before}{}{after}", lines[2]);
        assert!(world.verified(&lines).is_err(), "{before:?} {after:?}");
    }
}

#[test]
fn a_file_that_ends_too_early_or_too_late_is_refused() {
    let world = World::new(2);
    let whole = joined(&world.lines());
    for cut in (0..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
        assert!(world.verified_text(&whole[..cut]).is_err(), "cut at {cut}");
    }
    for junk in ["x", "\n", "{}\n", "\0", " \n"] {
        let refused = world.verified_text(&format!("{whole}{junk}")).unwrap_err();
        assert!(matches!(refused, ExportRefused::Malformed { line: 4, .. }), "{junk:?}: {refused}");
    }
    let long = format!("{}{{\"a\":\"{}\"}}\n", world.first() + "\n", "x".repeat(70_000));
    let refused = world.verified_text(&long).unwrap_err();
    assert!(matches!(refused, ExportRefused::Malformed { line: 2, .. }), "{refused}");
}

#[test]
fn the_statement_is_the_roots_and_of_these_records() {
    let (world, other) = (World::new(3), World::new(3));
    let signature = |refused| matches!(refused, Err(ExportRefused::Statement(_)));
    assert!(signature(other.verified(&world.lines())));
    let mut lines = world.lines();
    lines[0] = other.first();
    assert!(signature(world.verified(&lines)));
    let more = World { said: WrapStatement { count: 5, ..world.said.clone() }, ..world };
    lines[0] = more.first();
    assert_eq!(more.verified(&lines), Err(ExportRefused::Missing { from: 4, to: 5 }));
    let less = World { said: WrapStatement { count: 2, ..more.said.clone() }, ..more };
    lines[0] = less.first();
    let refused = ExportRefused::Uncounted { record: 3, count: 2 };
    assert_eq!(less.verified(&lines), Err(refused));
    let changed = WrapStatement { count: 3, chain: [0; 32], ..less.said.clone() };
    let changed = World { said: changed, ..less };
    lines[0] = changed.first();
    assert_eq!(changed.verified(&lines), Err(ExportRefused::OtherChain));
}

#[test]
fn records_that_were_replaced_and_chained_anew_are_not_the_stated_ones() {
    let world = World::new(4);
    let mut fewer = world.records.clone();
    fewer.remove(1);
    for (at, record) in fewer.iter_mut().enumerate() {
        record.facts.sequence = at as u64 + 1;
    }
    let last = WrapRecord {
        facts: WrapFacts { sequence: 4, ..fewer[2].facts.clone() },
        ..fewer[2].clone()
    };
    fewer.push(last);
    let forged = World { records: fewer, ..world };
    assert_eq!(forged.verified(&forged.lines()), Err(ExportRefused::OtherChain));
}

#[test]
fn a_later_format_is_refused_by_its_number_and_others_by_name() {
    let world = World::new(1);
    let first = |format: Value, version: Value| {
        world.with_line(0, |line| {
            line["format"] = format;
            line["version"] = version;
            line["new"] = json!([{}]);
        })
    };
    let name = || json!("keystead-wrap-export");
    assert_eq!(first(name(), json!(2)), ExportRefused::Newer { found: 2 });
    assert_eq!(first(name(), json!(u64::MAX)), ExportRefused::Newer { found: u64::MAX });
    for (format, version) in [
        (name(), json!(1)),
        (name(), json!(0)),
        (name(), json!(-1)),
        (name(), json!("2")),
        (name(), json!(1.0)),
        (json!("else"), json!(2)),
        (Value::Null, json!(1)),
    ] {
        let refused = first(format, version);
        assert!(matches!(refused, ExportRefused::Malformed { line: 1, .. }), "{refused}");
    }
}

#[test]
fn no_bytes_break_the_reader() {
    let root = VerifyingKey([7; 32]);
    drive::run("wrap-export", |bytes: &[u8]| survives(bytes, &root));
}

/// Takes any bytes as a file, and each of their lines where it is believed most.
fn survives(bytes: &[u8], root: &VerifyingKey) {
    if let Err(refused) = verify(bytes, root, |_| {}).unwrap() {
        let _ = (refused.to_string(), crate::exit::Explained::hint(&refused));
    }
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(read) = line::read_record(line) else { continue };
        let again = line::record_line(&read.record, &read.chain);
        let again = line::read_record(&again).expect("what is written reads back");
        assert_eq!((again.record, again.chain), (read.record, read.chain));
    }
}
