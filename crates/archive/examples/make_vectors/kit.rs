//! Vectors of recovery kits and printed secrets.
//!
//! Invariant: every vector that reaches the key derivation carries passphrase and words.

use keystead_archive::{Kit, KitDraft, KitStatement, PrintedSecret};
use keystead_crypto::{
    Argon2Cost, Prk, RecipientSeed, Secret, SigningKey, bytes::Writer, hash::hmac_sha256,
    hash::sha256, labels,
};
use keystead_domain::{InstanceId, KitId};
use serde_json::{Value, json};

use crate::{
    forged,
    world::{World, bytes, flipped, hex, secret_hex},
};

const PASSPHRASE: &str = "correct horse bättery staple";
const SLOT_ID: usize = 4;
const AT_KIND: usize = SLOT_ID + 16;
const AT_COST: usize = AT_KIND + 1 + 4;
const AT_SALT: usize = AT_COST + 12;

struct Made {
    bytes: Vec<u8>,
    printed: PrintedSecret,
    seed: RecipientSeed,
}

fn statement(world: &World, draft: &KitDraft) -> KitStatement {
    let request = draft.request();
    KitStatement {
        kit: request.kit,
        instance: world.instance,
        root: world.root.public(),
        public: request.public,
        proof_key: request.proof_key,
        created_at: world.now,
        program_version: "0.1.0".into(),
    }
}

fn make(world: &World) -> Made {
    let kit = KitId::random(&world.entropy);
    let draft = KitDraft::new(&world.entropy, kit);
    let printed = PrintedSecret::random(&world.entropy, kit);
    let statement = statement(world, &draft).issue(&world.root).expect("lawful");
    let cost = Argon2Cost::FLOOR;
    let bytes = draft
        .finish(&world.entropy, &statement, PASSPHRASE.as_bytes(), &[&printed], cost)
        .expect("lawful");
    let seed = Kit::open(&bytes, PASSPHRASE.as_bytes(), &printed, None).expect("just made").seed;
    Made { bytes, printed, seed }
}

fn vector(name: &str, kit: &[u8], passphrase: &str, printed: &PrintedSecret) -> Value {
    json!({
        "name": name, "kit": hex(kit), "passphrase": passphrase,
        "printed": &*printed.to_file(), "factor": secret_hex(printed.secret()),
    })
}

fn with_checksum(covered: &[u8]) -> Vec<u8> {
    [covered, &sha256(covered)].concat()
}

pub(crate) fn vectors() -> Value {
    let world = World::new(0x6b69);
    let made = make(&world);
    let summary = Kit::inspect(&made.bytes).expect("just made");
    let mut opened = vector("a kit", &made.bytes, PASSPHRASE, &made.printed);
    let slot = &summary.slots[0];
    opened["seed"] = secret_hex(made.seed.secret());
    opened["statement"] = json!({
        "kit": hex(summary.statement.kit.as_bytes()),
        "instance": hex(summary.statement.instance.as_bytes()),
        "root_key": hex(summary.statement.root.0),
        "fingerprint": hex(summary.statement.fingerprint()),
        "proof_key": hex(summary.statement.proof_key.0),
        "created_at": summary.statement.created_at.as_micros(),
        "program_version": summary.statement.program_version,
        "slot": hex(slot.slot.as_bytes()),
    });
    let challenge = world.entropy.array::<32>();
    let open = Kit::open(&made.bytes, PASSPHRASE.as_bytes(), &made.printed, None).expect("made");
    opened["challenge"] = hex(challenge);
    opened["proof"] = hex(open.prove(&challenge).0);
    let mut all = vec![opened];
    all.extend(before_any_derivation(&world, &made));
    all.extend(after_derivation(&world, &made));
    json!({
        "format": "docs/formats/kit.md",
        "vectors": all,
        "printed": printed(&world),
    })
}

fn refused(name: &str, kit: &[u8], made: &Made, why: &str) -> Value {
    let mut vector = vector(name, kit, PASSPHRASE, &made.printed);
    vector["refused"] = json!(why);
    vector
}

/// A kit whose statement is edited and signed again, with the old body.
fn restated(made: &Made, key: &SigningKey, edit: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut header = forged::header_of(&made.bytes);
    edit(&mut header);
    let body = forged::body_of(&made.bytes);
    let covered = forged::frame(11, "kit", key, &header, &body[..body.len() - 32]);
    with_checksum(&covered)
}

fn before_any_derivation(world: &World, made: &Made) -> Vec<Value> {
    let kit = &made.bytes;
    let covered = &kit[..kit.len() - 32];
    let again = |at: usize| with_checksum(&flipped(covered, at));
    let mut newer = covered.to_vec();
    newer[11] = 2;
    let other = World::new(0x6b6a);
    let pinned = |name: &str, field: &str, value: Value, why: &str| {
        let mut vector = refused(name, kit, made, why);
        vector[field] = value;
        vector
    };
    let foreign = make(&other);
    let mut foreign_secret = refused("the secret of another kit", kit, made, "other kit");
    foreign_secret["printed"] = json!(&*foreign.printed.to_file());
    foreign_secret["factor"] = secret_hex(foreign.printed.secret());
    let fingerprint = 16 + 16 + 32 + 1216;
    let body_at = kit.len() - forged::body_of(kit).len();
    let slot = |at: usize, value: u8| {
        let mut covered = covered.to_vec();
        covered[body_at + at] = value;
        with_checksum(&covered)
    };
    let no_slots = [&covered[..body_at], &[0; 4], &covered[covered.len() - 32..]].concat();
    let token = slot(AT_KIND, 2);
    vec![
        refused("an altered bit", &flipped(kit, 700), made, "damaged"),
        refused("an altered magic", &flipped(kit, 0), made, "damaged"),
        refused("an altered checksum", &flipped(kit, kit.len() - 1), made, "damaged"),
        refused("cut off", &kit[..kit.len() - 1], made, "damaged"),
        refused("one byte more", &[&kit[..], &[0]].concat(), made, "damaged"),
        refused("nothing", &[], made, "damaged"),
        refused("a newer version", &with_checksum(&newer), made, "newer version"),
        refused("no kit at all", &with_checksum(b"hello"), made, "malformed"),
        refused("a cost below the floor", &slot(AT_COST + 7, 2), made, "malformed"),
        refused("a cost above the ceiling", &slot(AT_COST, 1), made, "malformed"),
        refused("an unknown factor", &slot(AT_KIND, 9), made, "malformed"),
        refused("one token alone", &token, made, "malformed"),
        refused("no slots", &with_checksum(&no_slots), made, "malformed"),
        refused(
            "a fingerprint of another public half",
            &restated(made, &world.root, |header| header[fingerprint] ^= 1),
            made,
            "malformed",
        ),
        pinned(
            "another instance than expected",
            "expect_instance",
            hex(InstanceId::from_bytes([9; 16]).as_bytes()),
            "foreign instance",
        ),
        pinned(
            "another root than expected",
            "expect_root",
            hex(other.root.public().0),
            "foreign root",
        ),
        refused("an altered statement", &again(16 + 20), made, "bad signature"),
        refused("an altered signature", &again(body_at - 1), made, "bad signature"),
        refused(
            "signed by another root than it pins",
            &restated(made, &other.root, |_| {}),
            made,
            "bad signature",
        ),
        foreign_secret,
    ]
}

fn after_derivation(world: &World, made: &Made) -> Vec<Value> {
    let kit = &made.bytes;
    let covered = &kit[..kit.len() - 32];
    let body_at = kit.len() - forged::body_of(kit).len();
    let again = |at: usize| with_checksum(&flipped(covered, at));
    let wrong = "wrong passphrase or factor";
    let mut other_passphrase = refused("a wrong passphrase", kit, made, wrong);
    other_passphrase["passphrase"] = json!("correct horse battery staple");
    let other = PrintedSecret::random(&world.entropy, made.printed.kit());
    let mut other_factor = refused("a wrong factor", kit, made, wrong);
    other_factor["printed"] = json!(&*other.to_file());
    other_factor["factor"] = secret_hex(other.secret());
    let re_signed = restated(made, &world.root, |header| {
        let at_time = header.len() - 4 - 5 - 1;
        header[at_time] ^= 1;
    });
    let after_salt = body_at + AT_SALT + 32;
    vec![
        other_passphrase,
        other_factor,
        refused("an altered salt", &again(body_at + AT_SALT), made, wrong),
        refused("an altered slot id", &again(body_at + SLOT_ID), made, wrong),
        refused("an altered commitment", &again(after_salt), made, wrong),
        refused("a slot under another statement", &re_signed, made, wrong),
        refused("an altered wrapped seed", &again(after_salt + 32), made, "altered"),
        refused("an altered MAC", &again(covered.len() - 1), made, "altered"),
        refused("a second slot that the MAC does not cover", &second_slot(made), made, "altered"),
        refused(
            "a statement about another public half",
            &other_public(world, made),
            made,
            "altered",
        ),
    ]
}

fn second_slot(made: &Made) -> Vec<u8> {
    let body = forged::body_of(&made.bytes);
    let body_at = made.bytes.len() - body.len();
    let slot = &body[4..body.len() - 64];
    let mut another = slot.to_vec();
    another[..16].copy_from_slice(&[0xff; 16]);
    let mac = &body[body.len() - 64..body.len() - 32];
    let parts = [&made.bytes[..body_at], &2u32.to_be_bytes(), slot, &another, mac];
    with_checksum(&parts.concat())
}

/// A kit whose slot and MAC are right for their seed, and whose statement is about another one.
fn other_public(world: &World, made: &Made) -> Vec<u8> {
    let other = KitDraft::new(&world.entropy, made.printed.kit());
    let signed = statement(world, &other).issue(&world.root).expect("lawful");
    let header_hash = sha256(&signed[8..12 + 4 + forged::header_of(&signed).len()]);
    let old = Kit::inspect(&made.bytes).expect("lawful");
    let slot = &old.slots[0];
    let salt: [u8; 32] = world.entropy.array();
    let stretched = slot.cost.derive(PASSPHRASE.as_bytes(), &salt).expect("there is memory");
    let id = [&made.printed.kit().as_bytes()[..], slot.slot.as_bytes()].concat();
    let len = 32u32.to_be_bytes();
    let prk = Prk::extract(&id, &[&len, &bytes(&stretched), &len, &bytes(made.printed.secret())]);
    let mut okm = [0; 64];
    prk.expand(&[labels::KIT_SLOT.as_bytes(), &header_hash], &mut okm);
    let key = Secret::from_slice(&okm[..32]).expect("32 bytes");
    let wrapped = keystead_crypto::seal_stream(&key, &header_hash, &bytes(made.seed.secret()));
    let mut w = Writer::new();
    w.raw(&signed).u32(1).raw(slot.slot.as_bytes()).u8(1).u32(0);
    slot.cost.write(&mut w);
    w.raw(&salt).raw(&okm[32..]).raw(&wrapped);
    let label = labels::KIT_MAC.as_bytes();
    let mut mac_key = [0; 32];
    Prk::extract(label, &[&bytes(made.seed.secret())]).expand(&[label, &header_hash], &mut mac_key);
    let mac = hmac_sha256(&mac_key, &[w.as_slice()]);
    w.raw(&mac);
    with_checksum(w.as_slice())
}

/// Texts of printed secrets: what is read, and which line is named.
fn printed(world: &World) -> Vec<Value> {
    let kit = KitId::random(&world.entropy);
    let secret = PrintedSecret::random(&world.entropy, kit);
    let file = secret.to_file();
    let lines: Vec<&str> = file.lines().collect();
    let read = |name: &str, text: &str| {
        let (kit, secret) = (hex(kit.as_bytes()), secret_hex(secret.secret()));
        json!({ "name": name, "text": text, "kit": kit, "secret": secret })
    };
    let refused = |name: &str, text: String, why: &str, line: Option<usize>| {
        let at = json!(line);
        json!({ "name": name, "text": text, "refused": why, "line": at })
    };
    let with_line = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    let words: Vec<&str> = lines[2].split(' ').collect();
    let wrong = if words[3] == "zoo" { "abandon" } else { "zoo" };
    let edited = |at: usize, word: &str| {
        let mut words = words.clone();
        words[at] = word;
        with_line(2, &words.join(" "))
    };
    let short: String = file
        .split('\n')
        .map(|line| line.split(' ').map(|word| word.get(..4).unwrap_or(word)).collect::<Vec<_>>())
        .enumerate()
        .map(|(at, words)| if at == 0 { lines[0].to_owned() } else { words.join(" ") } + "\n")
        .collect();
    vec![
        read("as written", &file),
        read("upper case and blanks", &file.to_uppercase().replace(' ', "   ")),
        read("four letters of each word", &short),
        refused("a wrong word", edited(3, wrong), "check word", Some(2)),
        refused("a wrong check word", edited(7, wrong), "check word", Some(2)),
        refused("an unknown word", edited(3, "qqqq"), "unknown word", Some(2)),
        refused("a word left out", with_line(2, &words[..7].join(" ")), "word count", Some(2)),
        refused("the number of another line", edited(0, "4"), "number", Some(2)),
        refused("a line left out", lines[..4].join("\n"), "line count", None),
        refused("no kit id", lines[1..].join("\n"), "kit line", None),
        refused(
            "the words of another kit",
            with_line(0, &KitId::random(&world.entropy).to_string()),
            "other kit",
            None,
        ),
    ]
}
