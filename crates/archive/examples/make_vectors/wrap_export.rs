//! Vectors of wrap exports.
//!
//! Invariant: lines are written from `docs/formats/wrap-export.md` and not with the program's own
//! writer; each refused file differs from a lawful one in what its name says.

use keystead_archive::WrapStatement;
use keystead_crypto::{
    KeyVersion, MasterWrap, SealContext, SealKey, Secret, SigningKey, hash::sha256, labels,
};
use keystead_domain::{KeyId, TenantId, Timestamp, VersionId, WrapFacts, WrapId, to_hex};
use serde_json::{Value, json};

use crate::{
    forged,
    world::{Node, World, flipped, hex, secret_hex},
};

const STATEMENT: u16 = 12;
const WHAT: &str = "wrap-statement";

/// One record before it is a line.
#[derive(Clone)]
struct Record {
    id: WrapId,
    tenant: TenantId,
    subject: String,
    sequence: u64,
    created_at: i64,
    key_check: [u8; 32],
    envelope: Vec<u8>,
}

impl Record {
    fn fixed(&self) -> Vec<u8> {
        let subject = self.subject.as_bytes();
        let length = u32::try_from(subject.len()).expect("it is short").to_be_bytes();
        let (id, tenant) = (self.id.as_bytes(), self.tenant.as_bytes());
        let parts = [&id[..], tenant, &length, subject, &self.sequence.to_be_bytes(), &[0, 1]];
        [&parts.concat(), &self.created_at.to_be_bytes()[..], &self.key_check].concat()
    }

    fn line(&self, chain: &[u8; 32]) -> Value {
        let key = KeyId::from_bytes(self.envelope[3..19].try_into().expect("16 bytes"));
        let version = VersionId::from_bytes(self.envelope[19..27].try_into().expect("8 bytes"));
        json!({
            "sequence": self.sequence, "wrap": self.id.to_string(),
            "tenant": self.tenant.to_string(), "subject": self.subject,
            "algorithm": "AES-256-GCM", "created_at": self.created_at,
            "key_check": to_hex(&self.key_check), "data_key": base64(&self.envelope),
            "key": key.to_string(), "key_version": version.to_string(), "chain": to_hex(chain),
        })
    }
}

/// A tenant with records, and what a node says of them.
struct Export {
    world: World,
    node: Node,
    master: Secret<32>,
    records: Vec<Record>,
    data_keys: Vec<Vec<u8>>,
}

impl Export {
    fn new() -> Self {
        let world = World::new(0x7770);
        let (node, master) = (world.signer(), world.entropy.secret());
        let id = KeyVersion { key: world.entropy.array(), version: world.entropy.array() };
        let seal = SealKey::<MasterWrap>::new(id, &master);
        let subjects = ["document 1", "patients/17/scan \"ä\"", "\u{1f511}", "a", "b", "c"];
        let (mut records, mut data_keys) = (Vec::new(), Vec::new());
        for (at, subject) in subjects.iter().enumerate() {
            let wrap = WrapId::random(&world.entropy);
            let mut data_key = vec![0; [32, 16, 1024, 32, 32, 32][at]];
            world.entropy.fill(&mut data_key);
            let tenant = world.tenant.as_bytes();
            let place = SealContext::new(tenant, "data-key", wrap.as_bytes(), 0);
            records.push(Record {
                id: wrap,
                tenant: world.tenant,
                subject: (*subject).to_owned(),
                sequence: at as u64 + 1,
                created_at: 1_763_780_400_000_000 + at as i64,
                key_check: WrapFacts::key_check(wrap, &data_key),
                envelope: seal
                    .seal::<keystead_crypto::DataKey>(&world.entropy, &place, &data_key)
                    .as_bytes()
                    .to_vec(),
            });
            data_keys.push(data_key);
        }
        Self { world, node, master, records, data_keys }
    }

    fn statement(&self, count: u64, chain: [u8; 32]) -> Vec<u8> {
        let said = WrapStatement {
            instance: self.world.instance,
            incarnation: self.world.incarnation,
            tenant: self.world.tenant,
            count,
            chain,
            at: Timestamp::from_micros(1_763_780_500_000_000),
        };
        said.issue(&self.node.signer).expect("lawful")
    }

    /// The lines of an export of `records`, and its last chain.
    fn lines(&self, records: &[Record]) -> (Vec<Value>, [u8; 32]) {
        let mut chain = [0; 32];
        let lines = records.iter().map(|record| {
            chain = chained(&chain, record);
            record.line(&chain)
        });
        let lines: Vec<_> = lines.collect();
        let signed = self.statement(records.len() as u64, chain);
        (std::iter::once(first(&signed)).chain(lines).collect(), chain)
    }

    fn vector(&self, name: &str, file: &str) -> Value {
        json!({ "name": name, "root_key": hex(self.world.root.public().0), "file": file })
    }

    fn good(&self, name: &str, file: &str, count: usize) -> Value {
        let mut made = self.vector(name, file);
        let chain = self.lines(&self.records[..count]).1;
        made["count"] = json!(count);
        made["chain"] = hex(chain);
        made["master_key"] = secret_hex(&self.master);
        made["data_keys"] = self.data_keys[..count].iter().map(hex).collect();
        made
    }

    fn refused(&self, name: &str, lines: &[Value], why: &str, about: &[u64]) -> Value {
        self.refused_file(name, &text(lines), why, about)
    }

    fn refused_file(&self, name: &str, file: &str, why: &str, about: &[u64]) -> Value {
        let mut made = self.vector(name, file);
        made["refused"] = json!(why);
        if let (Some(from), Some(to)) = (about.first(), about.last()) {
            made["records"] = json!([from, to]);
        }
        made
    }
}

pub(crate) fn vectors() -> Value {
    let export = Export::new();
    let (whole, _) = export.lines(&export.records);
    let mut all = lawful(&export, &whole);
    all.extend(moved(&export, &whole));
    all.extend(altered(&export, &whole));
    all.extend(misshapen(&export, &whole));
    all.extend(cut(&export, &whole));
    all.extend(first_lines(&export, &whole));
    all.extend(stated(&export, &whole));
    all.extend(forged_statements(&export, &whole));
    json!({ "format": "docs/formats/wrap-export.md", "vectors": all })
}

fn lawful(export: &Export, whole: &[Value]) -> Vec<Value> {
    let (none, one) = (export.lines(&[]).0, export.lines(&export.records[..1]).0);
    let escaped = text(whole).replace('ä', "\\u00e4").replace('\u{1f511}', "\\ud83d\\udd11");
    let spaced: String = text(whole).replace("\":", "\" : ").replace(",\"", " , \"");
    let turned = whole.iter().map(|line| {
        let members = line.as_object().expect("a line").iter().rev();
        let members: Vec<_> = members.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}\n", members.join(","))
    });
    vec![
        export.good("six records", &text(whole), 6),
        export.good("one record", &text(&one), 1),
        export.good("no record", &text(&none), 0),
        export.good("letters written as escapes", &escaped, 6),
        export.good("white space between members", &spaced, 6),
        export.good("members in another order", &turned.collect::<String>(), 6),
    ]
}

fn moved(export: &Export, whole: &[Value]) -> Vec<Value> {
    let order = |at: &[usize]| at.iter().map(|at| whole[*at].clone()).collect::<Vec<_>>();
    let cases: [(&str, &[usize], &str, &[u64]); 12] = [
        ("the first record taken out", &[0, 2, 3, 4, 5, 6], "missing", &[1]),
        ("two records taken out", &[0, 1, 2, 5, 6], "missing", &[3, 4]),
        ("the last record taken out", &[0, 1, 2, 3, 4, 5], "missing", &[6]),
        ("all records taken out", &[0], "missing", &[1, 6]),
        ("two records taken out in two places", &[0, 1, 3, 4, 6], "missing", &[2]),
        ("a gap of which the end stands further down", &[0, 1, 6, 4, 5], "missing", &[2, 3]),
        ("neighbours exchanged", &[0, 1, 3, 2, 4, 5, 6], "out of order", &[2]),
        ("the first record last", &[0, 2, 3, 4, 5, 6, 1], "out of order", &[1]),
        ("turned round", &[0, 6, 5, 4, 3, 2, 1], "out of order", &[1]),
        ("a record doubled", &[0, 1, 2, 2, 3, 4, 5, 6], "twice", &[2]),
        ("the first record again at the end", &[0, 1, 2, 3, 4, 5, 6, 1], "twice", &[1]),
        ("the records before the statement", &[1, 2, 3, 4, 5, 6, 0], "malformed", &[]),
    ];
    let moved = cases.iter();
    moved.map(|(name, at, why, about)| export.refused(name, &order(at), why, about)).collect()
}

fn altered(export: &Export, whole: &[Value]) -> Vec<Value> {
    let other = WrapId::from_bytes([9; 16]).to_string();
    let tenant = TenantId::from_bytes([9; 16]).to_string();
    let cases: [(&str, &str, Value, &str, u64); 13] = [
        ("another wrap id", "wrap", json!(other), "altered", 3),
        ("another tenant", "tenant", json!(tenant), "other tenant", 3),
        ("another subject", "subject", json!("\u{1f510}"), "altered", 3),
        ("another time", "created_at", json!(1), "altered", 3),
        ("a time before 1970", "created_at", json!(-1), "altered", 3),
        ("another key check", "key_check", hex([9; 32]), "altered", 3),
        ("another chain", "chain", hex([9; 32]), "altered", 3),
        ("another key", "key", json!(format!("key_{}", "09".repeat(16))), "altered", 3),
        (
            "another key version",
            "key_version",
            json!(format!("ver_{}", "09".repeat(8))),
            "altered",
            3,
        ),
        ("a sequence that was", "sequence", json!(2), "twice", 2),
        ("a sequence that comes", "sequence", json!(5), "missing", 3),
        ("a sequence above the count", "sequence", json!(7), "uncounted", 7),
        ("the largest sequence", "sequence", json!(u64::MAX), "uncounted", u64::MAX),
    ];
    let made = cases.into_iter().map(|(name, member, value, why, about)| {
        export.refused(name, &with(whole, 3, member, value), why, &[about])
    });
    made.collect()
}

/// Lines that are no lines of the format.
fn misshapen(export: &Export, whole: &[Value]) -> Vec<Value> {
    let of = |name: &str, member: &str, value: Value| {
        export.refused(name, &with(whole, 3, member, value), "malformed", &[])
    };
    let text_of = |member: &str| whole[3][member].as_str().expect("a text").to_owned();
    let envelope = &export.records[2].envelope;
    let suite = [&[1, 0, 2], &envelope[3..]].concat();
    let mut all = vec![
        of("one member more", "more", json!(null)),
        of("sequence 0", "sequence", json!(0)),
        of("a sequence below 0", "sequence", json!(-3)),
        of("a sequence with a fraction", "sequence", json!(3.0)),
        of("a sequence as text", "sequence", json!("3")),
        of("a time above an i64", "created_at", json!(u64::MAX)),
        of("an id in capitals", "wrap", json!(text_of("wrap").to_uppercase())),
        of("an id of another kind", "wrap", json!(text_of("tenant"))),
        of("no subject", "subject", json!("")),
        of("a subject with a line break", "subject", json!("a\nb")),
        of("a subject with a C1 control", "subject", json!("a\u{85}")),
        of("a subject of 513 bytes", "subject", json!("x".repeat(513))),
        of("an unknown algorithm", "algorithm", json!("AES-256-GCM-SIV")),
        of("a key check in capitals", "key_check", json!("AB".repeat(32))),
        of("a chain of 31 bytes", "chain", json!("ab".repeat(31))),
        of("base64 with a line break", "data_key", json!(text_of("data_key") + "\n")),
        of("base64 for URLs", "data_key", json!(text_of("data_key").replace('/', "_"))),
        of("an envelope of another suite", "data_key", json!(base64(&suite))),
        of("an envelope that is too short", "data_key", json!(base64(&envelope[..122]))),
        of(
            "an envelope that is too long",
            "data_key",
            json!(base64(&[&envelope[..], &[0]].concat())),
        ),
        of("a member that is null", "key", json!(null)),
    ];
    all.extend(base64_forms(export, whole));
    all.extend(line_forms(export, whole));
    all
}

/// Base64 that means the same and is not the same.
fn base64_forms(export: &Export, whole: &[Value]) -> Vec<Value> {
    // 139 bytes end with one digit that has four unused bits, all of them zero.
    let padded = whole[1]["data_key"].as_str().expect("a text");
    let digits = padded.strip_suffix("==").expect("139 bytes");
    let unused = digits.strip_suffix(['A', 'Q', 'g', 'w']).expect("unused bits are zero");
    let of = |name: &str, text: String| {
        export.refused(name, &with(whole, 1, "data_key", json!(text)), "malformed", &[])
    };
    vec![
        of("base64 without padding", digits.to_owned()),
        of("base64 with unused bits that are not zero", format!("{unused}B==")),
    ]
}

/// Lines that a JSON parser may take, and a reader may not.
fn line_forms(export: &Export, whole: &[Value]) -> Vec<Value> {
    let mut lines: Vec<String> = whole.iter().map(ToString::to_string).collect();
    let whole = lines[3].clone();
    let values = "[3,\"wrp\",\"ten\",\"a\",\"AES-256-GCM\",1,\"\",\"\",\"\",\"\",\"\"]";
    let doubled = whole.replacen('{', "{\"sequence\":3,", 1);
    let exponent = whole.replace("\"sequence\":3", "\"sequence\":3e0");
    let negative = whole.replace("\"created_at\":1763780400000002", "\"created_at\":-0");
    let surrogate = whole.replace('\u{1f511}', "\\ud83d");
    assert!([&exponent, &negative, &surrogate].iter().all(|line| **line != whole));
    let mut all = Vec::new();
    for (name, line) in [
        ("a member twice, with one value", doubled),
        ("a sequence with an exponent", exponent),
        ("minus nothing", negative),
        ("half a surrogate pair", surrogate),
        ("a list instead of an object", values.to_owned()),
        ("white space before a line", format!(" {whole}")),
        ("a carriage return behind a line", format!("{whole}\r")),
        ("an empty line", String::new()),
        ("two objects on a line", format!("{whole}{whole}")),
        ("a line over 65,536 bytes", whole.replacen('{', &format!("{{{}", " ".repeat(65_536)), 1)),
    ] {
        lines[3] = line;
        all.push(export.refused_file(name, &(lines.join("\n") + "\n"), "malformed", &[]));
    }
    for (name, line) in all_missing(&whole) {
        lines[3] = line;
        all.push(export.refused_file(&name, &(lines.join("\n") + "\n"), "malformed", &[]));
    }
    all
}

/// The line without each of its members.
fn all_missing(line: &str) -> Vec<(String, String)> {
    let line: Value = serde_json::from_str(line).expect("a line");
    let members = line.as_object().expect("a line").keys();
    let without = members.map(|member| {
        let mut line = line.clone();
        line.as_object_mut().expect("a line").remove(member);
        (format!("without `{member}`"), line.to_string())
    });
    without.collect()
}

fn cut(export: &Export, whole: &[Value]) -> Vec<Value> {
    let file = text(whole);
    let last = text(&whole[..6]).len();
    let of = |name, file: &str| export.refused_file(name, file, "malformed", &[]);
    vec![
        of("nothing", ""),
        of("the last line break cut off", &file[..file.len() - 1]),
        of("cut inside the last line", &file[..last + 40]),
        of("cut inside the first line", &file[..40]),
        of("junk behind the end", &format!("{file}x\n")),
        of("an empty line behind the end", &format!("{file}\n")),
        of("bytes without a line break behind the end", &format!("{file} ")),
        of("a byte order mark", &format!("\u{feff}{file}")),
    ]
}

/// First lines that are no first lines, or of a later program.
fn first_lines(export: &Export, whole: &[Value]) -> Vec<Value> {
    let of = |name: &str, member: &str, value: Value| {
        export.refused(name, &with(whole, 0, member, value), "malformed", &[])
    };
    let mut newer = with(whole, 0, "version", json!(2));
    newer[0]["more"] = json!([{ "a": 1 }]);
    vec![
        export.refused("a later version, with other members", &newer, "newer version", &[]),
        of("version 0", "version", json!(0)),
        of("a version as text", "version", json!("1")),
        of("another format", "format", json!("keystead-wrap-exports")),
        of("one member more in the first line", "more", json!(1)),
        of("no statement", "statement", json!("")),
    ]
}

/// Lawful statements that do not fit the records.
fn stated(export: &Export, whole: &[Value]) -> Vec<Value> {
    let chain = export.lines(&export.records).1;
    let by = |name: &str, count: u64, chain: [u8; 32], why: &str, about: &[u64]| {
        let signed = base64(&export.statement(count, chain));
        export.refused(name, &with(whole, 0, "statement", json!(signed)), why, about)
    };
    let fewer = replaced(export, whole);
    vec![
        by("a statement of two records more", 8, chain, "missing", &[7, 8]),
        by("a statement of two records less", 4, chain, "uncounted", &[5]),
        by("a statement of another chain", 6, [9; 32], "other chain", &[]),
        export.refused("a record replaced and chained anew", &fewer, "other chain", &[]),
    ]
}

/// Statements that no node made.
fn forged_statements(export: &Export, whole: &[Value]) -> Vec<Value> {
    let by = |name: &str, signed: &[u8], why: &str| {
        export.refused(name, &with(whole, 0, "statement", json!(base64(signed))), why, &[])
    };
    let signed = export.statement(6, export.lines(&export.records).1);
    let header = forged::header_of(&signed);
    let frame = |what, key, header: &[u8]| forged::frame(STATEMENT, what, key, header, &[]);
    let (node, root) = (&export.node.key, &export.world.root);
    let instance = frame(WHAT, node, &flipped(&header, 0));
    let incarnation = frame(WHAT, node, &flipped(&header, 16));
    let mut newer = signed.clone();
    newer[11] = 2;
    let certificate = export.node.signer.certificate_bytes();
    let other_root = SigningKey::from_seed(export.world.entropy.secret());
    vec![
        json!({
            "name": "the root of another instance", "root_key": hex(other_root.public().0),
            "file": text(whole), "refused": "bad signature",
        }),
        by("an altered statement", &flipped(&signed, 70), "bad signature"),
        by("signed as a segment", &frame("segment", node, &header), "bad signature"),
        by("signed by the root", &frame(WHAT, root, &header), "bad signature"),
        by("another instance than the certificate's", &instance, "other node"),
        by("another incarnation than the certificate's", &incarnation, "other node"),
        by("a statement of a later object version", &newer, "newer version"),
        by("one byte behind the statement", &[&signed[..], &[0]].concat(), "malformed"),
        by("a node certificate for a statement", certificate, "other type"),
    ]
}

/// All lines but the first, of records of which one is another.
fn replaced(export: &Export, whole: &[Value]) -> Vec<Value> {
    let mut records = export.records.clone();
    records[1].subject = "another document".to_owned();
    let mut lines = export.lines(&records).0;
    lines[0] = whole[0].clone();
    lines
}

fn with(lines: &[Value], at: usize, member: &str, value: Value) -> Vec<Value> {
    let mut lines = lines.to_vec();
    lines[at][member] = value;
    lines
}

fn chained(before: &[u8; 32], record: &Record) -> [u8; 32] {
    sha256(&[labels::WRAP_CHAIN.as_bytes(), before, &record.fixed()].concat())
}

fn first(signed: &[u8]) -> Value {
    json!({ "format": "keystead-wrap-export", "version": 1, "statement": base64(signed) })
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| -> [char; 4] {
        let byte = |at: usize| usize::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        [0, 1, 2, 3].map(|at| match at <= three.len() {
            true => char::from(DIGITS[bits >> (18 - 6 * at) & 63]),
            false => '=',
        })
    };
    bytes.chunks(3).flat_map(group).collect()
}
