//! A journal that somebody changed: `serve` refuses, names file and entry, and says what to do.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use keystead_driver::Ended;
use keystead_journal::{FileDisk, Journal, Limits};
use keystead_ledger::{Event, Leaf};

use crate::world::{World, create_key, encrypt, refused};

const HINT: &str = "keystead restore run";

/// Uses the instance and brings its whole ledger into every vault.
fn used(world: &World) {
    let serving = world.serve();
    let kms = world.kms(&serving);
    let key = create_key(&kms).unwrap();
    for number in 0..40 {
        encrypt(&kms, &key, &number.to_string()).unwrap();
    }
    world.await_all_vaults(&serving);
    let size = world.status(&serving)["ledger_size"].as_u64().unwrap();
    for vault in ["a", "b", "c"] {
        world.await_vault(&serving, vault, |vault| vault["ledger_entries"].as_u64() >= Some(size));
    }
    assert_eq!(serving.stop(), Some(0));
}

/// The one file of the journal.
fn file(world: &World) -> PathBuf {
    let files = fs::read_dir(world.at("one/data/journal")).unwrap().map(|file| file.unwrap());
    let names = files.filter(|file| file.file_name().to_str().unwrap().starts_with("journal-"));
    let mut paths: Vec<PathBuf> = names.map(|file| file.path()).collect();
    assert_eq!(paths.len(), 1);
    paths.pop().unwrap()
}

fn leaves(folder: &Path) -> Vec<Leaf> {
    let disk = Arc::new(FileDisk::open(folder).unwrap());
    Journal::open(disk, Limits::default()).unwrap().read(0, usize::MAX).unwrap()
}

/// The bytes of a journal with these leaves, by somebody who can compute every check.
fn forged(world: &World, leaves: &[Leaf]) -> Vec<u8> {
    let there = Arc::new(FileDisk::open(&world.at("one/data/journal")).unwrap());
    let origin = Journal::open(there, Limits::default()).unwrap().origin().clone();
    let folder = world.at("forged");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let disk = Arc::new(FileDisk::open(&folder).unwrap());
    let journal = Journal::create(disk, origin, 0, Limits::default()).unwrap();
    for leaf in leaves {
        let ticket = journal.record(leaf.clone());
        journal.flush_once().unwrap();
        ticket.wait().unwrap();
    }
    journal.stop();
    journal.run().unwrap();
    fs::read(folder.join("journal-00000000000000000000")).unwrap()
}

fn serve(world: &World) -> Ended {
    let (data, passphrase) = (world.text_at("one/data"), world.text_at("one/passphrase"));
    let line = ["serve", "--data-dir", &data, "--passphrase-file", &passphrase];
    world.machine.run(&[&line[..], &["--listen", "127.0.0.1:0"]].concat()).unwrap()
}

#[test]
fn serve_refuses_a_journal_that_was_cut_altered_rewritten_rolled_back_or_removed() {
    let world = World::new();
    used(&world);
    let file = file(&world);
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let older = fs::read(&file).unwrap();
    used(&world);
    let whole = fs::read(&file).unwrap();
    let all = leaves(&world.at("one/data/journal"));
    let at = all.len() - 9;
    let mut rewritten = all.clone();
    let mut event = rewritten[at].event();
    let (Event::Use { act, .. } | Event::State { act, .. } | Event::Node { act }) = &mut event;
    act.at -= 1;
    rewritten[at] = event.encode().unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let differs = format!("differs at entry {at} ");
    let cases: [(Vec<u8>, &[&str]); 5] = [
        (older, &["ends the journal after", "cut or rolled back"]),
        (whole[..whole.len() * 2 / 3].to_vec(), &["ends the journal after", "cut or rolled back"]),
        (flipped, &["is damaged at entry"]),
        (forged(&world, &rewritten), &[&differs, "altered or replaced"]),
        (forged(&world, &all[..at]), &["ends the journal after", "cut or rolled back"]),
    ];
    for (bytes, said) in cases {
        fs::write(&file, &bytes).unwrap();
        let ended = serve(&world);
        said.iter().for_each(|said| refused(&ended, 7, said, HINT));
        refused(&ended, 7, &name, HINT);
    }
    fs::remove_file(&file).unwrap();
    refused(&serve(&world), 7, "holds no journal", HINT);
    fs::write(&file, &whole).unwrap();
    assert_eq!(world.serve().stop(), Some(0));
}
