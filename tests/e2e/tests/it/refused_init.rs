//! `init` with each input wrong: refused before anything is made.

use std::fs;

use keystead_driver::make_private;

use crate::{
    tree::{assert_unchanged, tree},
    world::{init_flags, prepared, refused},
};

#[test]
fn nothing_is_made_where_anything_is_wrong() {
    let (folder, machine) = prepared(&[]);
    let at = |name: &str| folder.path().join(name).display().to_string();
    make_private(&folder.path().join("weak"), "letmein letmein").unwrap();
    make_private(&folder.path().join("empty"), "").unwrap();
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/file"), "mine").unwrap();
    let init = init_flags(&folder);
    let url = |name: &str| format!("dir://{}", at(name));
    let cases = [
        (init.clone().set("--passphrase-file", &at("weak")), 2, "zxcvbn", "passphrase-out"),
        (init.clone().set("--kit-passphrase-file", &at("weak")), 2, "zxcvbn", "passphrase-out"),
        (init.clone().set("--passphrase-file", &at("empty")), 2, "empty", "right file"),
        (init.clone().set("--data-dir", &at("full")), 2, "is not empty", "absent or empty"),
        (init.clone().set("--vault", &url("one/data/v")), 2, "lies in", "a vault must survive"),
        (init.clone().set("--data-dir", &at("a/data")), 2, "lies in", "a vault must survive"),
        (init.clone().add("--vault", &url("a")), 2, "lies in", "a vault must survive"),
        (init.clone().set("--kit-secret-out", &at("kit/s")), 2, "in one folder", "two folders"),
        (init.clone().set("--kit-out", &at("a/k")), 2, "lies in", "write it elsewhere"),
        (init.clone().set("--kit-secret-out", &at("b/s")), 2, "lies in", "write it elsewhere"),
        (init.clone().set("--kit-out", &at("one/data/k")), 2, "lies in", "write it elsewhere"),
        (init.clone().set("--kit-out", &at("one/passphrase")), 2, "exists", "name a new file"),
        (init.clone().set("--vaults-min", "1"), 2, "not more than half", "leave it out for 2"),
        (init.clone().set("--vaults-min", "4"), 2, "not more than half", "leave it out for 2"),
        (init.clone().drop("--passphrase-file"), 2, "missing: --passphrase-file", "flags"),
        (init.clone().drop("--vault"), 2, "missing: --vault", "flags"),
        (init.clone().add("--vault", &url("nowhere")), 2, "has no folder", "make the folder"),
    ];
    let before = tree(&[folder.path()]);
    for (line, code, error, hint) in cases {
        refused(&machine.run(&line.line()).unwrap(), code, error, hint);
        assert_unchanged(&before, &tree(&[folder.path()]));
    }
    machine.run(&init.line()).unwrap().succeeded().unwrap();
}

#[test]
fn a_second_init_replaces_nothing() {
    let (folder, machine) = prepared(&[]);
    let init = init_flags(&folder);
    machine.run(&init.line()).unwrap().succeeded().unwrap();
    let before = tree(&[folder.path()]);
    let again = machine.run(&init.line()).unwrap();
    refused(&again, 2, "is the profile of an instance", "--profile FILE");
    let profile = folder.path().join("profile").display().to_string();
    let again = machine.run(&init.clone().set("--profile", &profile).line()).unwrap();
    refused(&again, 2, "exists", "name a new file");
    assert_unchanged(&before, &tree(&[folder.path()]));
}
