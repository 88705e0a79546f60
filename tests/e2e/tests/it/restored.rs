//! What a restore does when all goes well: what comes back, what is refused from then on, what is
//! left alone.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{
    tree::{assert_unchanged, tree},
    world::{World, create_key, decrypt, encrypt, exception, list_keys, refused},
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_that_hold_secrets_are_their_owners_alone() {
    let world = World::new();
    for file in ["kit/k.kit", "kit/k.kit.html", "secret/s.txt", "secret/s.txt.html"] {
        assert_eq!(mode(&world.at(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&world.machine.profile()), 0o600);
    assert_eq!(mode(&world.at("one/data")), 0o700);
    world.serve().kill();
    let restored = world.restored(&world.restore());
    assert_eq!(mode(&restored.machine.profile()), 0o600);
    assert_eq!(mode(&restored.machine.at("data")), 0o700);
}

#[test]
fn the_new_access_key_opens_everything_and_the_old_one_nothing() {
    let world = World::new();
    let serving = world.serve();
    let key = create_key(&world.kms(&serving)).unwrap();
    let blob = encrypt(&world.kms(&serving), &key, "patient 17").unwrap();
    serving.kill();
    fs::remove_dir_all(world.at("c")).unwrap();
    let line = world.restore().drop("--vault");
    let line = line.add("--vault", &world.url("a")).add("--vault", &world.url("b"));
    let restored = world.restored(&line);
    assert_eq!(restored.answer["root_public_key"], world.made["root_public_key"]);
    assert_eq!(restored.answer["account"], world.made["account"]);
    assert_eq!(restored.answer["kit_id"], world.made["kit_id"]);
    assert_ne!(restored.answer["access_key_id"], world.made["access_key_id"]);
    assert_eq!(restored.answer["freshness"], "proven by the vaults that were read");
    assert_eq!(decrypt(&restored.kms(), &blob).unwrap(), "patient 17");
    let old = world.kms(&restored.serving);
    let (status, code, _) = exception(decrypt(&old, &blob));
    assert_eq!((status, code.as_str()), (400, "UnrecognizedClientException"));
    let second = create_key(&restored.kms()).unwrap();
    assert_eq!(list_keys(&restored.kms()), [key, second].into());
}

#[test]
fn a_lost_vault_stays_configured_until_it_is_left_out() {
    let world = World::new();
    world.serve().kill();
    fs::remove_dir_all(world.at("c")).unwrap();
    let vaults = |restored: &crate::world::Restored| {
        let status =
            restored.machine.answer(&["status", "--endpoint", restored.serving.endpoint()]);
        let vaults = status.unwrap()["vaults"].as_array().unwrap().clone();
        vaults.iter().map(|vault| vault["url"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (a, b, c) = (world.url("a"), world.url("b"), world.url("c"));
    let line = world.restore().drop("--vault").add("--vault", &a).add("--vault", &b);
    let restored = world.restored(&line);
    assert_eq!(vaults(&restored), [&*a, &b, &c]);
    create_key(&restored.kms()).unwrap();
    restored.serving.kill();
    fs::rename(world.at("two"), world.at("lost")).unwrap();
    let restored = world.restored(&line.add("--without-vault", &c));
    assert_eq!(vaults(&restored), [a, b]);
    assert_eq!(restored.answer["keys"], 1);
    create_key(&restored.kms()).unwrap();
}

#[test]
fn a_restore_to_a_time_leaves_out_what_came_later_and_a_second_one_continues() {
    let world = World::new();
    let serving = world.serve();
    let kms = world.kms(&serving);
    let before = create_key(&kms).unwrap();
    let blob = encrypt(&kms, &before, "early").unwrap();
    let at = world.status(&serving)["at"].as_str().unwrap().to_owned();
    let after = create_key(&kms).unwrap();
    let late = encrypt(&kms, &after, "late").unwrap();
    drop(kms);
    serving.kill();
    let restored = world.restored(&world.restore().set("--to", &at));
    assert_eq!(list_keys(&restored.kms()), [before].into());
    assert_eq!(decrypt(&restored.kms(), &blob).unwrap(), "early");
    let (_, code, _) = exception(decrypt(&restored.kms(), &late));
    assert_eq!(code, "InvalidCiphertextException");
}

#[test]
fn a_drill_writes_nothing_and_revokes_nothing() {
    let world = World::new();
    let serving = world.serve();
    let key = create_key(&world.kms(&serving)).unwrap();
    let machine = world.second_machine();
    let (a, b, c) = (world.at("a"), world.at("b"), world.at("c"));
    let (kit, secret, two) = (world.at("kit"), world.at("secret"), world.at("two"));
    let places = [&*a, &*b, &*c, &*kit, &*secret, &*two];
    // The server is not asked meanwhile, so what it writes by itself is all that could differ.
    serving.stop();
    let before = tree(&places);
    let drill = machine.run(&world.restore().with("--isolated").line()).unwrap();
    let answer = drill.succeeded().unwrap().json().unwrap();
    assert_eq!((&answer["isolated"], &answer["keys"]), (&true.into(), &1.into()));
    assert!(answer.get("secret_access_key").is_none());
    assert_unchanged(&before, &tree(&places));
    let serving = world.serve();
    assert_eq!(list_keys(&world.kms(&serving)), [key].into());
    create_key(&world.kms(&serving)).unwrap();
}

#[test]
fn a_new_kit_replaces_the_used_one() {
    let world = World::new();
    world.serve().kill();
    fs::create_dir(world.at("kit-2")).unwrap();
    fs::create_dir(world.at("secret-2")).unwrap();
    let line = world
        .restore()
        .set("--kit-out", &world.text_at("kit-2/k.kit"))
        .set("--kit-out-passphrase-file", &world.text_at("one/kit-passphrase"))
        .set("--kit-secret-out", &world.text_at("secret-2/s.txt"));
    let restored = world.restored(&line);
    assert_ne!(restored.answer["kit_id"], world.made["kit_id"]);
    for file in ["kit-2/k.kit", "kit-2/k.kit.html", "secret-2/s.txt", "secret-2/s.txt.html"] {
        assert_eq!(mode(&world.at(file)), 0o600, "{file}");
    }
    let key = create_key(&restored.kms()).unwrap();
    restored.serving.kill();
    let third = world.restore().set("--data-dir", &world.text_at("two/data-3"));
    let old = restored.machine.run(&third.line()).unwrap();
    refused(&old, 4, "does not open epoch", "use a kit that is not revoked");
    assert!(!world.at("two/data-3").exists());
    let third = third
        .set("--kit", &world.text_at("kit-2/k.kit"))
        .set("--kit-secret-file", &world.text_at("secret-2/s.txt"));
    let answer = restored.machine.run(&third.line()).unwrap().succeeded().unwrap();
    assert_eq!(answer.json().unwrap()["keys"], 1, "{key}");
}
