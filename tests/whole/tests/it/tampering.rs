//! A journal by somebody who can compute every check in it: whatever was signed and shipped before
//! the change makes the node refuse to start, and say where.

use std::sync::Arc;

use keystead_journal::{Disk, FileName, Journal, Limits, MemoryDisk};
use keystead_ledger::{Event, Leaf, Origin};
use keystead_service::StartFailed;
use keystead_targets::MemoryVault;
use keystead_testkit::Folder;

use crate::{kit::KitForm, prepared::Prepared};

/// An instance whose node was used, shipped its ledger, and was killed.
fn used(seed: u64) -> (Prepared, Vec<Leaf>, Origin) {
    let prepared = Prepared::new(seed, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.client.settled().await;
        prepared.wait_ms(2_000).await;
        node.kill();
    });
    let disk = Arc::new(prepared.folder.journal.copied());
    let journal = Journal::open(disk, Limits::default()).unwrap();
    let (leaves, origin) = (journal.read(0, usize::MAX).unwrap(), journal.origin().clone());
    (prepared, leaves, origin)
}

/// A journal of these leaves with every check right, in the place of the one in the folder.
fn forged(folder: &Folder, origin: &Origin, leaves: &[Leaf]) -> Folder {
    let disk = MemoryDisk::new();
    let journal =
        Journal::create(Arc::new(disk.clone()), origin.clone(), 0, Limits::default()).unwrap();
    for leaf in leaves {
        let ticket = journal.record(leaf.clone());
        journal.flush_once().unwrap();
        ticket.wait().unwrap();
    }
    Folder { journal: disk, ..folder.copied() }
}

/// The same event a microsecond later.
fn later(leaf: &Leaf) -> Leaf {
    let mut event = leaf.event();
    let (Event::Use { act, .. } | Event::State { act, .. } | Event::Node { act }) = &mut event;
    act.at += 1;
    event.encode().unwrap()
}

fn refused(prepared: &Prepared, folder: &Folder) -> StartFailed {
    prepared.run(async {
        match prepared.try_start(folder).await {
            Ok(_) => panic!("the node starts"),
            Err(failed) => {
                assert!(failed.hint().unwrap().contains("keystead restore run"), "{failed}");
                failed
            }
        }
    })
}

/// Where the node says that its journal is another.
fn entry(failed: &StartFailed) -> Option<u64> {
    match failed {
        StartFailed::JournalDiffers { entry, size, file, .. } => {
            assert!(file.as_str().starts_with("journal-"));
            assert!(entry.is_none_or(|entry| entry < *size));
            *entry
        }
        other => panic!("{other}"),
    }
}

#[test]
fn an_entry_that_was_rewritten_with_all_checks_right_is_named_at_the_start() {
    let (prepared, leaves, origin) = used(3100);
    // What the last segment covers is refused by it, without a vault; the rest by the vaults.
    let mut named = 0;
    for at in 0..leaves.len() {
        let mut other = leaves.clone();
        other[at] = later(&other[at]);
        let failed = refused(&prepared, &forged(&prepared.folder, &origin, &other));
        if let Some(entry) = entry(&failed) {
            assert_eq!(entry, at as u64, "{failed}");
            named += 1;
        }
    }
    assert!(named > 0 && leaves.len() > 12, "{named} of {}", leaves.len());
    let whole = forged(&prepared.folder, &origin, &leaves);
    prepared.run(async { prepared.try_start(&whole).await.unwrap().kill() });
}

#[test]
fn a_journal_that_was_cut_at_any_entry_is_refused() {
    let (prepared, leaves, origin) = used(3110);
    for left in 0..leaves.len() {
        let failed = refused(&prepared, &forged(&prepared.folder, &origin, &leaves[..left]));
        let StartFailed::JournalBehind { here, shipped, .. } = failed else { panic!("{failed}") };
        assert_eq!(here, left as u64);
        assert!(shipped > here && shipped <= leaves.len() as u64);
    }
}

#[test]
fn entries_that_changed_places_or_were_taken_out_are_refused() {
    let (prepared, leaves, origin) = used(3120);
    let is_free = |leaf: &Leaf| leaf.place().is_none();
    let mut swapped = 0;
    for at in 1..leaves.len() - 1 {
        if !is_free(&leaves[at]) && !is_free(&leaves[at + 1]) {
            continue;
        }
        let mut other = leaves.clone();
        other.swap(at, at + 1);
        let failed = refused(&prepared, &forged(&prepared.folder, &origin, &other));
        let found = entry(&failed);
        assert!(found.is_none_or(|entry| entry == at as u64), "{failed}");
        swapped += 1;
    }
    assert!(swapped > 5, "{swapped}");
    for at in (0..leaves.len()).filter(|at| is_free(&leaves[*at])) {
        // One that is taken out and one that is put in behind: as many entries as before.
        let mut other = leaves.clone();
        let taken = other.remove(at);
        other.push(later(&taken));
        let failed = refused(&prepared, &forged(&prepared.folder, &origin, &other));
        let found = entry(&failed);
        assert!(found.is_none_or(|entry| entry == at as u64), "{failed}");
    }
}

#[test]
fn the_journal_of_another_node_or_instance_is_refused_also_with_every_vault_away() {
    let (prepared, leaves, origin) = used(3130);
    let (other, others, elsewhere) = used(3131);
    prepared.world.vaults.iter().for_each(MemoryVault::away);
    let foreign = refused(&prepared, &forged(&prepared.folder, &elsewhere, &others));
    assert!(matches!(foreign, StartFailed::OtherJournal { .. }), "{foreign}");
    let (log, _) = origin.as_str().rsplit_once('/').unwrap();
    let node = elsewhere.as_str().rsplit('/').next().unwrap();
    let renamed: Origin = format!("{log}/{node}").parse().unwrap();
    let fresh = refused(&prepared, &forged(&prepared.folder, &renamed, &leaves));
    assert!(matches!(fresh, StartFailed::OtherJournal { .. }), "{fresh}");
    let mut rewritten = leaves.clone();
    rewritten[0] = later(&rewritten[0]);
    let failed = refused(&prepared, &forged(&prepared.folder, &origin, &rewritten));
    assert_eq!(entry(&failed), None, "a segment tells that it differs and not where");
    drop(other);
}

#[test]
fn a_file_of_the_journal_that_is_gone_is_refused() {
    let (prepared, ..) = used(3140);
    let folder = prepared.folder.copied();
    let files: Vec<FileName> = folder.journal.list().unwrap();
    files.iter().for_each(|file| folder.journal.remove(file).unwrap());
    prepared.run(async {
        let failed = prepared.try_start(&folder).await.map(drop).unwrap_err();
        assert!(matches!(failed, StartFailed::Journal(_)), "{failed}");
    });
}

#[test]
fn no_flipped_byte_of_the_journal_gets_past_the_start_with_another_entry() {
    let (prepared, leaves, _) = used(3150);
    let file = prepared.folder.journal.list().unwrap().pop().unwrap();
    let bytes = prepared.folder.journal.read(&file).unwrap().unwrap();
    let (mut refused, mut started) = (0, 0);
    // Every byte in the journal's own tests; here the start as a whole.
    for at in (0..bytes.len()).step_by(13) {
        let folder = prepared.folder.copied();
        let mut flipped = bytes.clone();
        flipped[at] ^= [0x01, 0x80, 0xff][at % 3];
        folder.journal.tamper(&file, flipped);
        let node = prepared.run(async { prepared.try_start(&folder).await.map(drop) });
        match node {
            Err(StartFailed::Journal(_) | StartFailed::JournalBehind { .. }) => refused += 1,
            Err(other) => panic!("byte {at}: {other}"),
            Ok(()) => {
                let disk = Arc::new(folder.journal.copied());
                let journal = Journal::open(disk, Limits::default()).unwrap();
                let read = journal.read(0, usize::MAX).unwrap();
                assert!(read.starts_with(&leaves), "byte {at}: a leaf is lost");
                started += 1;
            }
        }
    }
    // Only the last mark holds nothing.
    assert!(started <= 73 / 13 + 1 && refused > 100, "{started} {refused}");
}
