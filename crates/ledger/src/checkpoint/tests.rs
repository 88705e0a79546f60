//! Checkpoints and cosignatures, and what is none.

use super::*;
use crate::testing::{Log, note_key};

const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

fn witness() -> KeyName {
    KeyName::new("witness.example/w1").unwrap()
}

#[test]
fn a_checkpoint_reads_back_under_its_key_and_origin() {
    let log = Log::new(9);
    for size in 0..=9 {
        let made = log.checkpoint(size);
        let note = made.sign(&Log::key());
        assert_eq!(made.sign(&Log::key()), note, "the same head is the same note");
        let note = Note::parse(note.to_string().as_bytes()).unwrap();
        let found = Checkpoint::verify(&note, &Log::origin(), Log::key().public());
        assert_eq!(found.as_ref(), Ok(&made));
        assert_eq!(checkpoint_size(&made.name()), Some(size as u64));
    }
}

#[test]
fn another_origin_key_or_name_is_refused() {
    let made = Log::new(3).checkpoint(3);
    let note = made.sign(&Log::key());
    let other = Origin::new("ins_01/inc_02/nod_04").unwrap();
    let found = Checkpoint::verify(&note, &other, Log::key().public());
    let refused = CheckpointRefused::OtherOrigin { found: Log::origin(), wanted: other.clone() };
    assert_eq!(found, Err(refused));
    let found = Checkpoint::verify(&note, &Log::origin(), note_key(8).public());
    assert!(matches!(found, Err(CheckpointRefused::Note(NoteRefused::NotSigned { .. }))));
    // The right key under the name of another log.
    let text = made.text();
    let line = NoteSignature::sign(&text, (&other).into(), &Log::key());
    let note = Note::new(&text, line).unwrap();
    let found = Checkpoint::verify(&note, &Log::origin(), Log::key().public());
    assert!(matches!(found, Err(CheckpointRefused::Note(NoteRefused::NotSigned { .. }))));
}

#[test]
fn a_text_that_is_no_checkpoint_is_refused_by_its_line() {
    let good = format!("a/b/c\n20852163\n{ROOT}\n");
    assert_eq!(Checkpoint::parse(&good).unwrap().text(), good);
    let of = |origin: &str, size: &str, root: &str| format!("{origin}\n{size}\n{root}\n");
    for (text, line) in [
        (String::new(), 1),
        ("a/b/c".into(), 2),
        (of("example.com/log", "1", ROOT), 1),
        (of("a/b/c/d", "1", ROOT), 1),
        (of("a/b/c ", "1", ROOT), 1),
        (of("A/b/c", "1", ROOT), 1),
        (of("a/b/c", "", ROOT), 2),
        (of("a/b/c", "01", ROOT), 2),
        (of("a/b/c", "+1", ROOT), 2),
        (of("a/b/c", "-1", ROOT), 2),
        (of("a/b/c", "1 ", ROOT), 2),
        (of("a/b/c", "0x1", ROOT), 2),
        (of("a/b/c", "18446744073709551616", ROOT), 2),
        (of("a/b/c", "1", ""), 3),
        (of("a/b/c", "1", &ROOT[..43]), 3),
        (of("a/b/c", "1", &ROOT.replace("q2I=", "q2J=")), 3),
        (of("a/b/c", "1", "AAAA"), 3),
        (of("a/b/c", "1", &format!(" {ROOT}")), 3),
        (of("a/b/c", "1", &base64::encode(&[0; 33])), 3),
        (good.trim_end().to_owned(), 4),
        (format!("{good}\n"), 4),
        (format!("{good}extension\n"), 4),
        (good.replace('\n', "\r\n"), 1),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(CheckpointRefused::Line { line }), "{text:?}");
    }
}

#[test]
fn sizes_and_empty_roots_that_no_log_has_are_refused() {
    let text = |size: u64, root: &[u8]| format!("a/b/c\n{size}\n{}\n", base64::encode(root));
    let longest = Checkpoint::parse(&text(LOG_LEAVES, &[1; 32])).unwrap();
    assert_eq!(checkpoint_size(&longest.name()), Some(LOG_LEAVES));
    let size = LOG_LEAVES + 1;
    let found = Checkpoint::parse(&text(size, &[1; 32]));
    assert_eq!(found, Err(CheckpointRefused::Size { size }));
    assert_eq!(Checkpoint::parse(&text(0, &[1; 32])), Err(CheckpointRefused::EmptyRoot));
    assert!(Checkpoint::parse(&text(0, &sha256(&[]))).is_ok());
    for bad in ["checkpoint/", "checkpoint/01", "checkpoint/9223372036854775808", "checkpoint", "1"]
    {
        assert_eq!(checkpoint_size(bad), None, "{bad}");
    }
}

#[test]
fn a_cosignature_says_when_and_holds_for_its_text_time_and_key() {
    let (made, key) = (Log::new(3).checkpoint(3), note_key(20));
    let cosigned = |time_s| {
        let line = made.cosign(witness(), &key, time_s).unwrap();
        made.sign(&Log::key()).with(line).unwrap()
    };
    for time_s in [0, 1_679_315_147, u64::MAX >> 1] {
        let note = cosigned(time_s);
        let found = Checkpoint::cosigned_at(&note, &witness(), key.public());
        assert_eq!(found, Ok(time_s));
        let log = Checkpoint::verify(&note, &Log::origin(), Log::key().public());
        assert_eq!(log.as_ref(), Ok(&made));
    }
    let refused = |note: &Note, public| Checkpoint::cosigned_at(note, &witness(), public);
    let found = refused(&cosigned(5), note_key(21).public());
    assert!(matches!(found, Err(CheckpointRefused::Note(NoteRefused::NotSigned { .. }))));
    let other = KeyName::new("witness.example/w2").unwrap();
    assert!(Checkpoint::cosigned_at(&cosigned(5), &other, key.public()).is_err());
    let late = made.cosign(witness(), &key, 1 << 63);
    assert_eq!(late, Err(NoteRefused::Time { time_s: 1 << 63 }));
    let line = cosigned(5).signatures()[1].clone();
    let moved = Log::new(3).checkpoint(2).sign(&Log::key()).with(line).unwrap();
    let found = refused(&moved, key.public());
    assert!(matches!(found, Err(CheckpointRefused::Note(NoteRefused::BadSignature { .. }))));
}

#[test]
fn an_altered_time_is_not_what_the_witness_signed() {
    let (made, key) = (Log::new(3).checkpoint(3), note_key(20));
    let line = made.cosign(witness(), &key, 5).unwrap().to_string();
    let data = base64::decode(line.rsplit(' ').next().unwrap()).unwrap();
    for at in 4..data.len() {
        let mut altered = data.clone();
        altered[at] ^= 1;
        let line = format!("— {} {}", witness(), base64::encode(&altered));
        let note = made.sign(&Log::key()).with(NoteSignature::parse(&line).unwrap()).unwrap();
        let found = Checkpoint::cosigned_at(&note, &witness(), key.public());
        assert!(matches!(found, Err(CheckpointRefused::Note(NoteRefused::BadSignature { .. }))));
    }
}

#[test]
fn the_cosigned_message_is_the_one_of_the_specification() {
    let made = Checkpoint::parse(&format!("a/b/c\n20852163\n{ROOT}\n")).unwrap();
    let key = note_key(20);
    let line = made.cosign(witness(), &key, 1_679_315_147).unwrap();
    let message = format!("cosignature/v1\ntime 1679315147\na/b/c\n20852163\n{ROOT}\n");
    assert_eq!(line.bytes()[..8], 1_679_315_147u64.to_be_bytes());
    assert_eq!(line.bytes()[8..], key.sign(&message).0);
}
