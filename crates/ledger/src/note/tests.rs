//! What is a note and by whom, and the many things that are not.

use super::*;
use crate::{
    Origin, base64,
    testing::{Log, note_key},
};

/// The example of Go's package `sumdb/note`, whose format C2SP took over.
const NEUMANN: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const NEUMANN_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// The key of Go's checksum database.
const SUM_KEY: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

fn key_name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

fn signed(text: &str) -> Note {
    Note::new(text, NoteSignature::sign(text, key_name("log"), &note_key(1))).unwrap()
}

fn log_key(number: u8) -> VerifierKey {
    VerifierKey::new(key_name("log"), KeyType::Log, note_key(number).public())
}

#[test]
fn the_known_note_verifies_under_the_known_key() {
    let note = Note::parse(NEUMANN.as_bytes()).unwrap();
    let key: VerifierKey = NEUMANN_KEY.parse().unwrap();
    assert_eq!(note.verify(&key), Ok(Vouched::Signed));
    assert_eq!((note.to_string().as_str(), key.to_string().as_str()), (NEUMANN, NEUMANN_KEY));
    assert_eq!(SUM_KEY.parse::<VerifierKey>().unwrap().id(), 0x033d_e0ae);
    let altered = Note::parse(NEUMANN.replace("answer", "Answer").as_bytes()).unwrap();
    let refused = NoteRefused::BadSignature { name: key_name("PeterNeumann"), id: 0xc74f_20a3 };
    assert_eq!(altered.verify(&key), Err(refused));
}

#[test]
fn every_altered_bit_of_a_note_is_noticed() {
    let note = signed("a\n\nb\n").to_string();
    for at in 0..note.len() * 8 {
        let mut bytes = note.clone().into_bytes();
        bytes[at / 8] ^= 1 << (at % 8);
        let found = Note::parse(&bytes).and_then(|note| note.verify(&log_key(1)));
        assert!(found.is_err(), "bit {at}");
    }
    for cut in 0..note.len() {
        let found = Note::parse(&note.as_bytes()[..cut]);
        assert!(found.is_err(), "cut at {cut}");
    }
}

#[test]
fn what_is_no_note_is_refused_for_its_reason() {
    let line = NoteSignature::sign("a\n", key_name("log"), &note_key(1)).to_string();
    let bad_line = |line| NoteRefused::Line { line };
    let short = base64::encode(&[1, 2, 3, 4]);
    let cases: Vec<(String, NoteRefused)> = vec![
        (String::new(), NoteRefused::Unparted),
        ("a\n".into(), NoteRefused::Unparted),
        (format!("a\n{line}\n"), NoteRefused::Unparted),
        (format!("a\n\n{line}"), NoteRefused::Unparted),
        ("a\n\n".into(), NoteRefused::Unparted),
        ("a\n\n\n".into(), NoteRefused::Unparted),
        (format!("a\r\n\r\n{line}\r\n"), NoteRefused::NotText { at: 1 }),
        (format!("a\n\n{line}\r\n"), NoteRefused::NotText { at: line.len() + 3 }),
        (format!("a\t\n\n{line}\n"), NoteRefused::NotText { at: 1 }),
        (format!("a\0\n\n{line}\n"), NoteRefused::NotText { at: 1 }),
        (format!("a\n\n{line}\n\n"), NoteRefused::Unparted),
        (format!("a\n\n{line} \n"), bad_line(1)),
        (format!("a\n\n{line}\nx\n"), bad_line(2)),
        (format!("a\n\n{}\n", line.replace('—', "-")), bad_line(1)),
        (format!("a\n\n{}\n", line.replace("— ", "—")), bad_line(1)),
        (format!("a\n\n{}\n", line.replace("— ", "—  ")), bad_line(1)),
        (format!("a\n\n{}\n", line.replace("log", "")), bad_line(1)),
        (format!("a\n\n{}\n", line.replace("log", "l+g")), bad_line(1)),
        (format!("a\n\n{}\n", line.replace("log", "l\u{a0}g")), bad_line(1)),
        (format!("a\n\n{}\n", line.replace("log", "l\u{2028}g")), bad_line(1)),
        (format!("a\n\n{}\n", line.trim_end_matches('=')), bad_line(1)),
        (format!("a\n\n{line}=\n"), bad_line(1)),
        (format!("a\n\n— log {short}\n"), bad_line(1)),
        ("a\n\n— log \n".into(), bad_line(1)),
        ("a\n\n— log\n".into(), bad_line(1)),
    ];
    for (text, why) in cases {
        assert_eq!(Note::parse(text.as_bytes()), Err(why), "{text:?}");
    }
    let latin = [b"a\xff\n\n", line.as_bytes(), b"\n"].concat();
    assert_eq!(Note::parse(&latin), Err(NoteRefused::NotText { at: 1 }));
}

#[test]
fn a_note_is_bounded_in_bytes_and_signatures() {
    let line = NoteSignature::sign("a\n", key_name("log"), &note_key(1)).to_string();
    let many = |count| format!("a\n\n{}", format!("{line}\n").repeat(count));
    assert!(Note::parse(many(NOTE_SIGNATURES).as_bytes()).is_ok());
    let found = Note::parse(many(NOTE_SIGNATURES + 1).as_bytes());
    assert_eq!(found, Err(NoteRefused::TooMany { count: NOTE_SIGNATURES + 1 }));
    let long = |extra: usize| {
        let rest = format!("\n\n{line}\n");
        "a".repeat(NOTE_BYTES - rest.len() + extra) + &rest
    };
    assert!(Note::parse(long(0).as_bytes()).is_ok());
    let found = Note::parse(long(1).as_bytes());
    assert_eq!(found, Err(NoteRefused::TooLong { len_bytes: NOTE_BYTES + 1 }));
    let text = "a".repeat(NOTE_BYTES) + "\n";
    let found = Note::new(&text, NoteSignature::parse(&line).unwrap());
    assert!(matches!(found, Err(NoteRefused::TooLong { .. })), "{found:?}");
}

#[test]
fn lines_of_unknown_keys_are_kept_and_passed_over() {
    let note = signed("a\n");
    let later = format!("— log {}\n", base64::encode(&[9; 2424]));
    let text = format!("{note}{later}{later}— else {}\n", base64::encode(&[1; 5]));
    let note = Note::parse(text.as_bytes()).unwrap();
    assert_eq!(note.to_string(), text);
    assert_eq!(note.signatures().len(), 4);
    assert_eq!(note.verify(&log_key(1)), Ok(Vouched::Signed));
}

#[test]
fn a_key_of_the_same_name_and_other_bytes_has_not_signed() {
    let (note, other) = (signed("a\n"), log_key(2));
    let refused = NoteRefused::NotSigned { name: key_name("log"), id: other.id() };
    assert_eq!(note.verify(&other), Err(refused));
    // Even where the other key's id is put on the line.
    let mut line = note.signatures()[0].clone();
    line.id = other.id();
    let forged = Note::new("a\n", line).unwrap();
    let refused = NoteRefused::BadSignature { name: key_name("log"), id: other.id() };
    assert_eq!(forged.verify(&other), Err(refused));
    let named = VerifierKey::new(key_name("lag"), KeyType::Log, note_key(1).public());
    assert!(matches!(note.verify(&named), Err(NoteRefused::NotSigned { .. })));
}

#[test]
fn a_key_signs_a_note_once() {
    let note = signed("a\n");
    let again = note.signatures()[0].clone();
    let refused = NoteRefused::Repeated { name: key_name("log"), id: log_key(1).id() };
    assert_eq!(note.clone().with(again.clone()), Err(refused.clone()));
    let twice = Note::parse(format!("{note}{again}\n").as_bytes()).unwrap();
    assert_eq!(twice.verify(&log_key(1)), Err(refused.clone()));
    let bad = NoteSignature { bytes: vec![0; 64], ..again };
    let good_and_bad = Note::parse(format!("{note}{bad}\n").as_bytes()).unwrap();
    assert_eq!(good_and_bad.verify(&log_key(1)), Err(refused));
}

#[test]
fn a_signature_of_another_length_does_not_verify() {
    for key_type in [KeyType::Log, KeyType::Witness] {
        let key = VerifierKey::new(key_name("log"), key_type, note_key(1).public());
        for len in [1, 8, 63, 64, 65, 71, 72, 73, 200] {
            let line = NoteSignature { name: key_name("log"), id: key.id(), bytes: vec![0; len] };
            let found = Note::new("a\n", line).unwrap().verify(&key);
            assert!(matches!(found, Err(NoteRefused::BadSignature { .. })), "{len}: {found:?}");
        }
    }
}

#[test]
fn a_log_line_is_no_cosignature_and_the_other_way_round() {
    let (text, key) = ("a/b/c\n1\n", note_key(1));
    let log = NoteSignature::sign(text, key_name("log"), &key);
    let witness = NoteSignature::cosign(text, key_name("log"), &key, 5).unwrap();
    assert_ne!(log.id(), witness.id(), "the type is in the id");
    let as_witness = NoteSignature { id: witness.id(), ..log.clone() };
    let as_log = NoteSignature { id: log.id(), bytes: witness.bytes[8..].to_vec(), ..witness };
    let key = |key_type| VerifierKey::new(key_name("log"), key_type, note_key(1).public());
    for (line, key) in [(as_witness, key(KeyType::Witness)), (as_log, key(KeyType::Log))] {
        let found = Note::new(text, line).unwrap().verify(&key);
        assert!(matches!(found, Err(NoteRefused::BadSignature { .. })), "{found:?}");
    }
}

#[test]
fn a_note_cannot_be_made_of_what_could_not_be_read() {
    let line = NoteSignature::sign("a\n", key_name("log"), &note_key(1));
    for (text, why) in [
        ("", NoteRefused::Unparted),
        ("a", NoteRefused::Unparted),
        ("a\r\n", NoteRefused::NotText { at: 1 }),
    ] {
        assert_eq!(Note::new(text, line.clone()), Err(why), "{text:?}");
    }
}

#[test]
fn names_of_keys_are_plain() {
    for bad in ["", " ", "a b", "a+b", "a\nb", "a\u{85}", "\u{3000}", "a\u{1f}", &"a".repeat(256)] {
        let refused = NoteRefused::Name { name: bad.to_owned() };
        assert_eq!(KeyName::new(bad), Err(refused), "{bad:?}");
    }
    assert!(KeyName::new(&"a".repeat(255)).is_ok());
    assert_eq!(KeyName::from(&Log::origin()).as_str(), Log::origin().as_str());
    let longest = vec!["a".repeat(64); 3].join("/");
    assert!(KeyName::new(Origin::new(&longest).unwrap().as_str()).is_ok());
}

#[test]
fn a_verifier_key_has_one_text() {
    let key = VerifierKey::of_log(&Log::origin(), Log::key().public());
    assert_eq!(key.to_string().parse(), Ok(key.clone()));
    let text = key.to_string();
    let id = format!("{:08x}", key.id());
    let of_type = |byte: u8| base64::encode(&[&[byte][..], &key.public().0].concat());
    for bad in [
        text.replace(&id, "00000000"),
        text.replace(&id, &id.to_uppercase()).replace(&of_type(1), &of_type(2)),
        text.replace(&of_type(1), &of_type(4)),
        text.replace(&of_type(1), &of_type(6)),
        text.replace('+', " "),
        format!("{text}="),
        format!("{text} "),
        text[..text.len() - 1].to_owned(),
        format!("+{text}"),
        String::new(),
    ] {
        let refused = NoteRefused::VerifierKey { text: bad.clone() };
        assert_eq!(bad.parse::<VerifierKey>(), Err(refused), "{bad}");
    }
}
