//! Whole logs of the vectors, and what their first entries say.

use std::collections::BTreeMap;

use keystead_crypto::NotePublic;
use keystead_ledger::{
    Checkpoint, CheckpointRefused, Leaf, LogRefused, Note, Origin, Succession, SuccessionRefused,
    TileLevel, TileName, TileRefused, Walk, hashes_from_tiles, read_leaves, verify_bundles,
    verify_growth_by_tiles,
};
use serde_json::{Value, json};

use crate::{
    Case, FILE, cases,
    notes::of_checkpoint,
    tiles::{of_proof, of_tile},
    unhex,
};

type Files = BTreeMap<String, Vec<u8>>;

/// Why a log is refused, by whichever step.
#[derive(Debug)]
enum Refused {
    Checkpoint(CheckpointRefused),
    Log(LogRefused),
    Succession(SuccessionRefused),
}

impl From<LogRefused> for Refused {
    fn from(why: LogRefused) -> Self {
        Self::Log(why)
    }
}

fn reason(why: &Refused) -> String {
    let why = match why {
        Refused::Checkpoint(why) => return of_checkpoint(why),
        Refused::Succession(
            SuccessionRefused::NotOfNode
            | SuccessionRefused::Attribute { .. }
            | SuccessionRefused::Origin { .. }
            | SuccessionRefused::Tail { .. },
        ) => return "malformed".to_owned(),
        Refused::Log(why) => why,
    };
    let reason = match why {
        LogRefused::Tile(why) => return of_tile(why),
        LogRefused::Proof(why) => return of_proof(why),
        LogRefused::WrongEdge { .. } => "wrong edge",
        LogRefused::WrongTile { .. } => "wrong tile",
        LogRefused::WrongEntry { .. } => "wrong entry",
        LogRefused::NotLeaf { .. } => "no leaf",
        LogRefused::OtherRoot { .. } => "other root",
        LogRefused::Ended { .. } => "beyond",
        LogRefused::OtherOrigin => "other origin",
        LogRefused::Fork { .. } => "fork",
    };
    reason.to_owned()
}

fn place(why: &Refused) -> Value {
    let Refused::Log(why) = why else { return Value::Null };
    match why {
        LogRefused::WrongEntry { index } | LogRefused::NotLeaf { index, .. } => json!(index),
        LogRefused::WrongTile { tile } | LogRefused::Tile(TileRefused::Missing { tile }) => {
            json!(tile.to_string())
        }
        _ => Value::Null,
    }
}

fn base() -> Case<'static> {
    Case(&FILE["base"])
}

fn checkpoint(note: &str) -> Result<Checkpoint, CheckpointRefused> {
    let origin = Origin::new(base().text("origin")).expect("three parts");
    let key = NotePublic(base().array("key"));
    Checkpoint::verify(&Note::parse(note.as_bytes())?, &origin, key)
}

fn files(case: Case<'_>) -> Files {
    let read = |(name, bytes): (&String, &Value)| {
        (name.clone(), unhex(bytes.as_str().expect("hex digits")))
    };
    let mut files: Files =
        base().0["objects"].as_object().expect("objects").iter().map(read).collect();
    for name in case.0["remove"].as_array().into_iter().flatten() {
        files.remove(name.as_str().expect("a name")).expect("a file of the base log");
    }
    files.extend(case.0["set"].as_object().into_iter().flatten().map(read));
    if case.0["flip"].is_object() {
        let flip = Case(&case.0["flip"]);
        let at = usize::try_from(flip.number("at")).expect("small");
        files.get_mut(flip.text("name")).expect("a file of the base log")[at] ^= 1;
    }
    files
}

/// All that a verifier checks.
fn verify(case: Case<'_>) -> Result<Vec<Vec<u8>>, Refused> {
    let note = case.0["checkpoint"].as_str().unwrap_or(base().text("newer"));
    let newer = checkpoint(note).map_err(Refused::Checkpoint)?;
    let files = files(case);
    let (mut walk, mut entries) = (Walk::new(&newer), Vec::new());
    while let Some(tile) = walk.wants() {
        let bytes = files.get(&tile.to_string());
        let bytes = bytes.ok_or(LogRefused::Tile(TileRefused::Missing { tile }))?;
        let found = walk.give(bytes)?;
        let leaves = read_leaves(tile.first(), &found)?;
        if let (0, Some(first)) = (tile.first(), leaves.first()) {
            Succession::read(newer.origin(), &first.event()).map_err(Refused::Succession)?;
        }
        entries.extend(found.into_iter().map(<[u8]>::to_vec));
    }
    if let Some(older) = case.0["older"].as_str() {
        let older = checkpoint(older).map_err(Refused::Checkpoint)?;
        let tiles = |tile: TileName| tile.read_hashes(files.get(&tile.to_string())?).ok();
        verify_growth_by_tiles(&older, &newer, hashes_from_tiles(newer.size(), tiles))?;
    }
    Ok(entries)
}

#[test]
fn logs_verify_or_are_refused_with_the_place_of_what_is_wrong() {
    for case in cases("logs") {
        let found = verify(case);
        if let Err(why) = &found {
            assert_eq!(place(why), case.0["at"], "`{}`: {why:?}", case.text("name"));
        }
        if let Some(entries) = case.judge(found, reason) {
            assert!(entries.len() <= base().list("entries").len());
            for (found, wanted) in entries.iter().zip(base().list("entries")) {
                assert_eq!(*found, unhex(wanted.as_str().unwrap()));
            }
        }
    }
}

#[test]
fn the_bundles_of_the_base_log_alone_give_its_root() {
    let (files, newer) = (files(Case(&json!({}))), checkpoint(base().text("newer")).unwrap());
    let wanted = (0..).map_while(|at| TileName::at_size(TileLevel::Entries, at, newer.size()));
    let bundles = wanted.map(|tile| files[&tile.to_string()].as_slice());
    assert_eq!(verify_bundles(&newer, bundles), Ok(()));
    assert_eq!(*newer.root(), base().array("root"));
}

#[test]
fn first_entries_name_their_predecessors_or_are_refused() {
    for case in cases("successions") {
        let origin = Origin::new(case.text("origin")).unwrap();
        let first = Leaf::from_bytes(case.bytes("leaf")).unwrap().event();
        let found = Succession::read(&origin, &first).map_err(Refused::Succession);
        let Some(found) = case.judge(found, reason) else { continue };
        let heads: Vec<_> = found.heads().collect();
        assert_eq!(heads.len(), case.list("heads").len());
        for ((head, unknown), wanted) in heads.into_iter().zip(case.list("heads").iter().map(Case))
        {
            assert_eq!(head.origin.as_str(), wanted.text("origin"));
            assert_eq!((head.size, head.root), (wanted.number("size"), wanted.array("root")));
            assert_eq!(json!(unknown), wanted.0["tail_unknown"]);
        }
    }
}
