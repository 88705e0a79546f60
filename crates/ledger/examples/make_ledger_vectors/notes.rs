//! Vectors of notes, checkpoints, cosignatures and verifier keys.
//!
//! Invariant: what is wrong is written as text, line by line, as a stranger would.

use keystead_crypto::NoteKey;
use keystead_ledger::{Head, KeyName, KeyType, Note, NoteSignature, VerifierKey};
use serde_json::{Value, json};

use crate::world::{OLDER, SIZE, World, checkpoint, hex, note_key, refused};

const TEXT: &str = "one\n\ntwo\n";
const MALFORMED: &str = "malformed";

fn case(name: &str, note: &str) -> Value {
    json!({ "name": name, "note": note })
}

fn taken(name: &str, note: &str) -> Value {
    let (mut made, read) = (case(name, note), Note::parse(note.as_bytes()).expect(name));
    let line = |line: &NoteSignature| {
        let (name, bytes) = (line.name().as_str(), hex(line.bytes()));
        json!({ "name": name, "id": line.id(), "bytes": bytes })
    };
    made["text"] = json!(read.text());
    made["signatures"] = read.signatures().iter().map(line).collect();
    made
}

fn key_name(text: &str) -> KeyName {
    KeyName::new(text).expect("a plain name")
}

pub(crate) fn notes() -> Value {
    let line = NoteSignature::sign(TEXT, key_name("log"), &note_key(1)).to_string();
    let with = |line: &str| format!("{TEXT}\n{line}\n");
    let many = |count: usize| format!("{TEXT}\n{}", format!("{line}\n").repeat(count));
    let name_of = |name: &str| with(&line.replace("log", name));
    let of_bytes = |mut made: Value, len: usize| {
        made["a_prepended"] = json!(len - with(&line).len());
        made
    };
    let mut all = vec![
        taken("a text with an empty line", &with(&line)),
        taken("a text that is one newline", &format!("\n\n{line}\n")),
        taken("a later algorithm", &with(&format!("{line}\n— log AAAAAP//////"))),
        taken("the shortest signature", &with("— log AAAAAAA=")),
        taken("a line twice", &many(2)),
        taken("64 lines", &many(64)),
        taken("a name of umlauts and slashes", &name_of("ä/ö.example/7")),
        refused(case("65 lines", &many(65)), "too large"),
        of_bytes(taken("131072 bytes", &with(&line)), 131_072),
        refused(of_bytes(case("131073 bytes", &with(&line)), 131_073), "too large"),
    ];
    for (name, note) in [
        ("nothing", String::new()),
        ("no signatures", format!("{TEXT}\n")),
        ("no empty line", format!("one\n{line}\n")),
        ("no last newline", format!("{TEXT}\n{line}")),
        ("an empty line at the end", format!("{TEXT}\n{line}\n\n")),
        ("CR before each newline", with(&line).replace('\n', "\r\n")),
        ("a CR at the end of a line", with(&format!("{line}\r"))),
        ("a tab in the text", format!("\t{}", with(&line))),
        ("a zero byte in the text", format!("\0{}", with(&line))),
        ("a space behind the signature", with(&format!("{line} "))),
        ("two spaces before the name", with(&line.replace("— ", "—  "))),
        ("two spaces behind the name", with(&line.replace("log ", "log  "))),
        ("no space before the name", with(&line.replace("— ", "—"))),
        ("a hyphen for the dash", with(&line.replace('—', "-"))),
        ("an en dash for the dash", with(&line.replace('—', "–"))),
        ("no name", name_of("")),
        ("a plus in the name", name_of("l+g")),
        ("a no-break space in the name", name_of("l\u{a0}g")),
        ("an ideographic space in the name", name_of("l\u{3000}g")),
        ("a line separator in the name", name_of("l\u{2028}g")),
        ("a next line in the name", name_of("l\u{85}g")),
        ("a name of 256 bytes", name_of(&"l".repeat(256))),
        ("no signature behind the name", with("— log")),
        ("an empty signature", with("— log ")),
        ("a key id alone", with("— log AAAAAA==")),
        ("three bytes", with("— log AAAA")),
        ("no padding", with("— log AAAAAAA")),
        ("too much padding", with("— log AAAAAAA==")),
        ("bits that are left over", with("— log AAAAAAB=")),
        ("another alphabet", with("— log AAAAA-_=")),
        ("a line that is no signature", with(&format!("{line}\nx"))),
    ] {
        all.push(refused(case(name, &note), MALFORMED));
    }
    let latin = [b"\xe4\n\n", line.as_bytes(), b"\n"].concat();
    let latin = json!({ "name": "no UTF-8", "note_hex": hex(&latin) });
    all.push(refused(latin, MALFORMED));
    all.into()
}

fn checkpoint_case(world: &World, name: &str, note: &str) -> Value {
    let mut made = case(name, note);
    made["origin"] = json!(world.origin.as_str());
    made["key"] = hex(&world.key.public().0);
    made
}

pub(crate) fn checkpoints(world: &World) -> Value {
    let good = world.note(SIZE);
    let ours = world.origin.as_str();
    let text = good.text();
    let stranger = NoteSignature::sign(text, key_name(ours), &note_key(2)).to_string();
    let (empty, head) = (world.head(0), world.head(SIZE));
    let longest = Head { size: u64::MAX >> 1, ..world.head(SIZE) };
    let most = checkpoint(longest.clone()).sign(&world.key).to_string();
    let mut all = Vec::new();
    for (name, note, head) in [
        ("300 leaves", good.to_string(), &head),
        ("no leaf", world.note(0).to_string(), &empty),
        ("the most leaves", most, &longest),
        ("a line by a key of the same name too", format!("{good}{stranger}\n"), &head),
        ("an unknown line twice", format!("{good}{stranger}\n{stranger}\n"), &head),
    ] {
        let mut made = checkpoint_case(world, name, &note);
        made["size"] = json!(head.size);
        made["root"] = hex(&head.root);
        all.push(made);
    }
    for (name, note, why) in not_ours(world) {
        all.push(refused(checkpoint_case(world, name, &note), why));
    }
    for (name, note) in no_checkpoints(world) {
        all.push(refused(checkpoint_case(world, name, &note), MALFORMED));
    }
    all.into()
}

fn signed(text: &str, name: &str, key: &NoteKey) -> String {
    let line = NoteSignature::sign(text, key_name(name), key);
    Note::new(text, line).expect("a plain text").to_string()
}

/// Checkpoints that are none of this log, or that its node did not sign so.
fn not_ours(world: &World) -> Vec<(&'static str, String, &'static str)> {
    let (good, ours, other) = (world.note(SIZE), world.origin.as_str(), "ins_01/inc_02/nod_04");
    let (text, line) = (good.text(), good.signatures()[0].to_string());
    let strange = text.replace(ours, other);
    let moved = format!("{text}\n{}\n", world.note(OLDER).signatures()[0]);
    let longer = good.to_string().replace("\n300\n", "\n301\n");
    vec![
        ("another log", signed(&strange, other, &world.key), "other origin"),
        ("another log in this one's name", signed(&strange, ours, &world.key), "other origin"),
        ("a key of the same name", signed(text, ours, &note_key(2)), "not signed"),
        ("the right key under another name", signed(text, "log", &world.key), "not signed"),
        ("the right line twice", format!("{good}{line}\n"), "repeated"),
        ("the text of another size", longer, "bad signature"),
        ("the line of another size", moved, "bad signature"),
        ("a cosignature by the log's key", cosigned_by_log(world), "not signed"),
    ]
}

/// Texts that are no checkpoint, rightly signed.
fn no_checkpoints(world: &World) -> Vec<(&'static str, String)> {
    let (good, ours) = (world.checkpoint(SIZE).text(), world.origin.as_str());
    let sized = |size: &str| good.replace("\n300\n", &format!("\n{size}\n"));
    let texts = [
        ("a leading zero", sized("0300")),
        ("a sign", sized("+300")),
        ("a negative size", sized("-300")),
        ("no size", sized("")),
        ("a space behind the size", sized("300 ")),
        ("digits that are not ASCII", sized("٣٠٠")),
        ("2^63 leaves", sized("9223372036854775808")),
        ("2^64 leaves", sized("18446744073709551616")),
        ("the root of another log for no leaf", sized("0")),
        ("an extension line", format!("{good}extension\n")),
        ("an empty line behind the root", format!("{good}\n")),
        ("no root", format!("{ours}\n300\n")),
        ("a root of 33 bytes", format!("{ours}\n300\n{}\n", "A".repeat(44))),
        ("a root without padding", good.replace('=', "")),
        ("an origin of two parts", good.replace(ours, "a/b")),
        ("an origin in capitals", good.replace(ours, "A/B/C")),
        ("an origin of four parts", good.replace(ours, "a/b/c/d")),
    ];
    let mut all: Vec<_> = texts.map(|(name, text)| (name, signed(&text, ours, &world.key))).into();
    all.push(("CR before each newline", world.note(SIZE).to_string().replace('\n', "\r\n")));
    all
}

fn cosigned_by_log(world: &World) -> String {
    let made = world.checkpoint(SIZE);
    let line = made.cosign((&world.origin).into(), &world.key, 5).expect("a time");
    Note::new(&made.text(), line).expect("a plain text").to_string()
}

pub(crate) fn cosignatures(world: &World) -> Value {
    let (key, name) = (note_key(3), "witness.example/w1");
    let made = world.checkpoint(SIZE);
    let case = |name_of_case: &str, note: &str| {
        let mut made = case(name_of_case, note);
        made["witness"] = json!({ "name": name, "key": hex(&key.public().0) });
        made
    };
    let line = |time_s| made.cosign(key_name(name), &key, time_s).expect("a time");
    let good = |time_s| world.note(SIZE).with(line(time_s)).expect("one line more").to_string();
    let with = |line: &NoteSignature| format!("{}{line}\n", world.note(SIZE));
    let mut all = Vec::new();
    for (name, time_s) in
        [("at once", 0), ("a time", 1_763_780_400), ("the last time", u64::MAX >> 1)]
    {
        let mut made = case(name, &good(time_s));
        made["time"] = json!(time_s);
        all.push(made);
    }
    let by_other = made.cosign(key_name(name), &note_key(4), 5).expect("a time");
    let named_other = made.cosign(key_name("witness.example/w2"), &key, 5).expect("a time");
    let of_other = world.checkpoint(OLDER).cosign(key_name(name), &key, 5).expect("a time");
    let plain = NoteSignature::sign(&made.text(), key_name(name), &key);
    let unsigned = world.note(SIZE).to_string();
    for (name, note, why) in [
        ("no witness", unsigned, "not signed"),
        ("another witness of that name", with(&by_other), "not signed"),
        ("the witness under another name", with(&named_other), "not signed"),
        ("the witness signed as a log does", with(&plain), "not signed"),
        ("the cosignature of another size", with(&of_other), "bad signature"),
        (
            "another time than was signed",
            with(&altered(&line(5), |data| data[11] ^= 1)),
            "bad signature",
        ),
        ("a time of 2^63", with(&altered(&line(5), |data| data[4] ^= 0x80)), "bad signature"),
        ("one byte less", with(&altered(&line(5), |data| data.truncate(75))), "bad signature"),
        ("one byte more", with(&altered(&line(5), |data| data.push(0))), "bad signature"),
        ("no time", with(&altered(&line(5), |data| drop(data.drain(4..12)))), "bad signature"),
        ("two times", format!("{}{}\n", good(5), line(6)), "repeated"),
    ] {
        all.push(refused(case(name, &note), why));
    }
    all.into()
}

/// A line with other bytes behind its name: those of the key id, then of the signature.
fn altered(line: &NoteSignature, change: impl Fn(&mut Vec<u8>)) -> NoteSignature {
    let mut data = [&line.id().to_be_bytes()[..], line.bytes()].concat();
    change(&mut data);
    let text = format!("— {} {}", line.name(), base64(&data));
    NoteSignature::parse(&text).expect("a line")
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> =
        data.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let value = |six: &[u8]| (0..6).fold(0, |all, at| all << 1 | six.get(at).copied().unwrap_or(0));
    let digits = bits.chunks(6).map(|six| char::from(DIGITS[usize::from(value(six))]));
    digits.collect::<String>() + &"=".repeat((3 - data.len() % 3) % 3)
}

pub(crate) fn verifier_keys(world: &World) -> Value {
    let log = VerifierKey::of_log(&world.origin, world.key.public());
    let witness =
        VerifierKey::new(key_name("witness.example/w1"), KeyType::Witness, note_key(3).public());
    let case = |name: &str, text: &str| json!({ "name": name, "text": text });
    let taken = |name: &str, key: &VerifierKey| {
        let mut made = case(name, &key.to_string());
        made["key_name"] = json!(key.name().as_str());
        made["type"] = json!(key.key_type().byte());
        made["key"] = hex(&key.public().0);
        made["id"] = json!(key.id());
        made
    };
    let (text, id) = (log.to_string(), format!("{:08x}", log.id()));
    let of_type = |byte: u8| base64(&[&[byte][..], &log.public().0].concat());
    let retyped = |byte: u8| text.replace(&of_type(1), &of_type(byte));
    let mut all = vec![taken("of a log", &log), taken("of a witness", &witness)];
    for (name, text) in [
        ("another id", text.replace(&id, "00000000")),
        ("another type than the id is of", retyped(4)),
        ("an unknown type", retyped(6)),
        ("no id", text.replace(&format!("+{id}"), "")),
        ("no name", text.replace(world.origin.as_str(), "")),
        ("a space in the name", text.replace("/inc", " inc")),
        ("another name", text.replace("ins_", "inc_")),
        ("one byte less", format!("{}+{id}+{}", world.origin, base64(&[1; 32]))),
        ("padding where none is needed", format!("{text}=")),
        ("a newline behind it", format!("{text}\n")),
    ] {
        all.push(refused(case(name, &text), MALFORMED));
    }
    all.into()
}
