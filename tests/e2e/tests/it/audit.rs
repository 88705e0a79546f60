//! The ledgers of a vault, verified from the command line with and without a server.

use std::{fs, path::Path, path::PathBuf};

use keystead_driver::Ended;
use serde_json::{Value, json};

use crate::world::World;

/// Every file of the ledgers in a vault's folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), found),
            false => found.push(entry.path()),
        }
    }
    found.retain(|path| path.components().any(|part| part.as_os_str() == "ledger"));
}

fn verify(world: &World, vault: &str, more: &[&str]) -> Ended {
    let url = world.url(vault);
    world.machine.run(&[&["audit", "verify", "--json", "--vault", &url], more].concat()).unwrap()
}

fn entries(ended: Ended) -> u64 {
    let verified: Value = ended.succeeded().unwrap().json().unwrap();
    verified["entries"].as_u64().unwrap()
}

#[test]
fn a_vault_shows_its_whole_ledger_to_whoever_has_the_root_key_and_names_what_was_altered() {
    let world = World::new();
    let serving = world.serve();
    let kms = world.kms(&serving);
    for _ in 0..5 {
        kms.call("CreateKey", &json!({})).unwrap();
    }
    world.await_all_vaults(&serving);
    let shipped = || world.status(&serving)["ledger_shipped"].as_u64().unwrap();
    while shipped() < 10 {
        std::thread::yield_now();
    }
    assert!(entries(verify(&world, "a", &[])) >= 10, "also while the server runs");
    let root = world.status(&serving)["root_public_key"].as_str().unwrap().to_owned();
    serving.kill();
    let mut ledger = Vec::new();
    files(&world.at("a"), &mut ledger);
    let size = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u64>().ok();
    let checkpoints = ledger.iter().filter(|path| path.parent().unwrap().ends_with("checkpoint"));
    let largest = checkpoints.max_by_key(|path| size(path)).unwrap();
    let kept = world.text_at("kept");
    fs::copy(largest, &kept).unwrap();
    let whole = entries(verify(&world, "a", &["--checkpoint", &kept, "--root-public-key", &root]));
    assert_eq!(Some(whole), size(largest));
    let missing = verify(&world, "a", &["--checkpoint", &world.text_at("none")]);
    assert_eq!(missing.code, Some(5), "{}", missing.stderr);
    let foreign = verify(&world, "a", &["--root-public-key", &"ab".repeat(32)]);
    assert_eq!(foreign.code, Some(5), "{}", foreign.stderr);
    fs::remove_file(largest).unwrap();
    let cut = verify(&world, "a", &["--checkpoint", &kept]);
    assert_eq!(cut.code, Some(7), "{}", cut.stderr);
    assert!(cut.said("error: ")[0].contains("ends before"), "{}", cut.stderr);
}
