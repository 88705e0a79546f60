//! Notes, checkpoints, cosignatures and verifier keys of the vectors.

use keystead_crypto::NotePublic;
use keystead_ledger::{
    Checkpoint, CheckpointRefused, KeyName, Note, NoteRefused, Origin, VerifierKey,
};

use crate::{Case, cases};

fn of_note(why: &NoteRefused) -> String {
    let reason = match why {
        NoteRefused::TooLong { .. } | NoteRefused::TooMany { .. } => "too large",
        NoteRefused::NotSigned { .. } => "not signed",
        NoteRefused::Repeated { .. } => "repeated",
        NoteRefused::BadSignature { .. } => "bad signature",
        _ => "malformed",
    };
    reason.to_owned()
}

pub(crate) fn of_checkpoint(why: &CheckpointRefused) -> String {
    match why {
        CheckpointRefused::Note(why) => of_note(why),
        CheckpointRefused::OtherOrigin { .. } => "other origin".to_owned(),
        _ => "malformed".to_owned(),
    }
}

fn public(case: Case<'_>) -> NotePublic {
    NotePublic(case.array("key"))
}

#[test]
fn notes_are_taken_apart_or_refused() {
    for case in cases("notes") {
        let before =
            "a".repeat(usize::try_from(case.0["a_prepended"].as_u64().unwrap_or(0)).unwrap());
        let bytes = match case.0["note_hex"].is_string() {
            true => case.bytes("note_hex"),
            false => (before.clone() + case.text("note")).into_bytes(),
        };
        let Some(note) = case.judge(Note::parse(&bytes), of_note) else { continue };
        assert_eq!(note.text(), before + case.text("text"));
        let lines = case.list("signatures");
        assert_eq!(note.signatures().len(), lines.len());
        for (found, wanted) in note.signatures().iter().zip(lines.iter().map(Case)) {
            assert_eq!(found.name().as_str(), wanted.text("name"));
            assert_eq!(u64::from(found.id()), wanted.number("id"));
            assert_eq!(found.bytes(), wanted.bytes("bytes"));
        }
    }
}

#[test]
fn checkpoints_are_read_under_their_key_or_refused() {
    for case in cases("checkpoints") {
        let origin = Origin::new(case.text("origin")).unwrap();
        let found = Note::parse(case.text("note").as_bytes())
            .map_err(CheckpointRefused::from)
            .and_then(|note| Checkpoint::verify(&note, &origin, public(case)));
        if let Some(found) = case.judge(found, of_checkpoint) {
            assert_eq!((found.size(), found.origin()), (case.number("size"), &origin));
            assert_eq!(*found.root(), case.array("root"));
        }
    }
}

#[test]
fn cosignatures_tell_their_time_or_are_refused() {
    for case in cases("cosignatures") {
        let witness = Case(&case.0["witness"]);
        let name = KeyName::new(witness.text("name")).unwrap();
        let note = Note::parse(case.text("note").as_bytes()).unwrap();
        let found = Checkpoint::cosigned_at(&note, &name, public(witness));
        if let Some(time_s) = case.judge(found, of_checkpoint) {
            assert_eq!(time_s, case.number("time"));
        }
    }
}

#[test]
fn verifier_keys_are_read_or_refused() {
    for case in cases("verifier_keys") {
        let Some(key) = case.judge(case.text("text").parse::<VerifierKey>(), of_note) else {
            continue;
        };
        assert_eq!(key.name().as_str(), case.text("key_name"));
        assert_eq!(u64::from(key.key_type().byte()), case.number("type"));
        assert_eq!((key.public(), u64::from(key.id())), (public(case), case.number("id")));
    }
}
