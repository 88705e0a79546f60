//! Vaults that go away, come back, or come back empty, under a running server.

use std::fs;

use crate::{
    tree::tree,
    world::{World, create_key, exception, list_keys},
};

#[test]
fn a_vault_that_was_away_catches_up_and_meanwhile_its_deficit_is_counted() {
    let world = World::new();
    let serving = world.serve();
    let kms = world.kms(&serving);
    create_key(&kms).unwrap();
    world.await_vault(&serving, "c", |vault| vault["state"] == "current");
    fs::rename(world.at("c"), world.at("unmounted")).unwrap();
    for _ in 0..3 {
        create_key(&kms).unwrap();
    }
    let away = world.await_vault(&serving, "c", |vault| vault["state"] == "away");
    assert!(away["missing_segments"].as_u64().unwrap() >= 1, "{away}");
    assert!(away["reason"].as_str().unwrap().len() > 5, "{away}");
    assert!(!world.at("c").exists(), "an absent folder is not made anew");
    fs::rename(world.at("unmounted"), world.at("c")).unwrap();
    let back = world.await_vault(&serving, "c", |vault| {
        vault["state"] == "current" && vault["missing_segments"] == 0
    });
    assert!(back["reason"].is_null(), "{back}");
    let keys = list_keys(&kms);
    assert_eq!(keys.len(), 4);
    drop(kms);
    serving.kill();
    // With it and one other the loss of the third is none.
    let line = world.restore().drop("--vault");
    let line = line.add("--vault", &world.url("b")).add("--vault", &world.url("c"));
    assert_eq!(list_keys(&world.restored(&line).kms()), keys);
}

#[test]
fn an_emptied_vault_is_away_and_not_taken_for_a_new_one() {
    let world = World::new();
    let serving = world.serve();
    let kms = world.kms(&serving);
    create_key(&kms).unwrap();
    empty(&world, "c");
    create_key(&kms).unwrap();
    let away = world.await_vault(&serving, "c", |vault| vault["state"] == "away");
    let reason = away["reason"].as_str().unwrap();
    assert!(reason.contains("not mounted, emptied, or another vault"), "{reason}");
    // It was opened anew meanwhile, and is still no place for a key's copy.
    create_key(&kms).unwrap();
    let written: Vec<_> = tree(&[&world.at("c")]).into_keys().collect();
    assert_eq!(written.len(), 1, "nothing is written into it: {written:?}");
    empty(&world, "b");
    let (status, code, message) = exception(create_key(&kms));
    assert_eq!((status, code.as_str()), (500, "DependencyTimeoutException"), "{message}");
    assert_eq!(list_keys(&kms).len(), 3);
    let status = world.status(&serving);
    let first = &status["promises"][0];
    assert_eq!((&first["number"], &first["verdict"]), (&1.into(), &"weak".into()), "{status}");
}

fn empty(world: &World, vault: &str) {
    for entry in fs::read_dir(world.at(vault)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
}
