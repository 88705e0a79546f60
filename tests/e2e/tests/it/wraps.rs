//! Wrap records over their whole life: put, exported, verified, lost with the machine, restored.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keystead_driver::{Ended, Machine, Serving};
use serde_json::Value;

use crate::world::{Restored, World, refused};

const GIVEN: &str = "a data key of thirty-two bytes\n\n";

/// A machine whose `wrap` commands ask one server.
struct Desk<'a> {
    machine: &'a Machine,
    serving: &'a Serving,
}

impl Desk<'_> {
    fn run(&self, command: &[&str]) -> Ended {
        let place = ["--endpoint", self.serving.endpoint()];
        self.machine.run(&[&["wrap"], command, &place].concat()).unwrap()
    }

    fn answer(&self, command: &[&str]) -> Value {
        self.run(&[command, &["--json"]].concat()).succeeded().unwrap().json().unwrap()
    }

    fn unwrapped(&self, subject: &str) -> Vec<u8> {
        let out = self.machine.at("unwrapped");
        self.answer(&["unwrap", subject, "--data-key-out", text(&out)]);
        let data_key = fs::read(&out).unwrap();
        fs::remove_file(out).unwrap();
        data_key
    }

    /// Exports, verifies, and gives the file with what was said of it.
    fn exported(&self, name: &str) -> (PathBuf, Value) {
        let file = self.machine.at(name);
        let said = self.answer(&["export", text(&file)]);
        let verified = self.machine.answer(&["wrap", "verify", text(&file)]).unwrap();
        assert_eq!(said, verified);
        (file, said)
    }
}

impl Restored {
    fn desk(&self) -> Desk<'_> {
        Desk { machine: &self.machine, serving: &self.serving }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The records of an export without what rewrapping alters.
fn chained(export: &Path) -> Vec<Value> {
    let file = fs::read_to_string(export).unwrap();
    let records = file.lines().skip(1).map(|line| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        let members = record.as_object_mut().unwrap();
        for member in ["data_key", "key", "key_version"] {
            members.remove(member).unwrap();
        }
        record
    });
    records.collect()
}

/// Puts three data keys and gives the two that the server made.
fn put_three(desk: &Desk<'_>) -> [Vec<u8>; 2] {
    let given = desk.machine.at("given");
    keystead_driver::make_private(&given, GIVEN).unwrap();
    let put = ["put", "patients/17", "--data-key-file", text(&given)];
    assert_eq!(desk.answer(&put)["origin"], "made");
    assert_eq!(desk.answer(&put)["origin"], "found");
    let made = ["first", "second"].map(|name| {
        let [out, again] = [name.to_owned(), format!("{name}-again")].map(|f| desk.machine.at(&f));
        let put = |out| desk.answer(&["put", name, "--bytes", "48", "--data-key-out", text(out)]);
        assert_eq!(put(&out)["origin"], "made");
        assert_eq!(put(&again)["origin"], "found");
        assert_eq!(fs::read(&out).unwrap(), fs::read(again).unwrap());
        fs::read(out).unwrap()
    });
    let other = desk.run(&["put", "second", "--data-key-file", text(&given)]);
    refused(&other, 6, "second", "");
    assert_eq!(desk.unwrapped("second"), made[1], "the refused one changed nothing");
    made
}

#[test]
fn data_keys_outlive_the_machine_and_a_later_export_continues_the_earlier() {
    let world = World::new();
    let serving = world.serve();
    let desk = Desk { machine: &world.machine, serving: &serving };
    let made = put_three(&desk);
    let (before, said) = desk.exported("before");
    assert_eq!(said["count"], 3);
    serving.kill();
    fs::remove_dir_all(world.at("one/data")).unwrap();
    fs::remove_dir_all(world.at("c")).unwrap();
    let line = world.restore().drop("--vault");
    let line = line.add("--vault", &world.url("a")).add("--vault", &world.url("b"));
    let restored = world.restored(&line);
    let desk = restored.desk();
    assert_eq!(desk.unwrapped("patients/17"), GIVEN.as_bytes());
    assert_eq!(["first", "second"].map(|subject| desk.unwrapped(subject)), made);
    assert_eq!(desk.answer(&["put", "third"])["sequence"], 4);
    let (after, later) = desk.exported("after");
    assert_eq!((&later["count"], &later["instance"]), (&4.into(), &said["instance"]));
    assert_ne!(later["incarnation"], said["incarnation"]);
    let (old, new) = (chained(&before), chained(&after));
    assert_eq!((old.len(), &old[2]["chain"]), (3, &said["chain"]));
    assert_eq!(new[..3], old);
    // The export of before is still the root's, and knows nothing of what came later.
    let verified = restored.machine.answer(&["wrap", "verify", text(&before)]).unwrap();
    assert_eq!(verified, said);
}

#[test]
fn a_spoilt_export_is_named_by_its_first_record() {
    let world = World::new();
    let serving = world.serve();
    let desk = Desk { machine: &world.machine, serving: &serving };
    for number in 1..=9 {
        desk.answer(&["put", &format!("document {number}")]);
    }
    let (file, _) = desk.exported("whole");
    serving.stop();
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let without = |gone: std::ops::RangeInclusive<usize>| {
        let kept = lines.iter().enumerate().filter(|(at, _)| !gone.contains(at));
        kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let renamed = whole.replacen("document 5", "document 6", 1);
    let doubled = whole.clone() + lines[4] + "\n";
    for (spoilt, said) in [
        (without(7..=9), "records 7 to 9 are missing"),
        (without(4..=4), "record 4 is missing"),
        (without(2..=2) + lines[2] + "\n", "record 2 is out of order: record 3 stands before it"),
        (renamed, "record 5 was altered"),
        (doubled, "record 4 stands there twice"),
        (without(0..=0), "line 1 is no line of a wrap export"),
        (whole[..whole.len() - 1].to_owned(), "line 10 is no line of a wrap export"),
    ] {
        assert_ne!(spoilt, whole);
        fs::write(&file, spoilt).unwrap();
        let ended = world.machine.run(&["wrap", "verify", text(&file)]).unwrap();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(7), ""), "{said}\n{}", ended.stderr);
        assert!(ended.said("error: ")[0].contains(said), "{said}\n{}", ended.stderr);
    }
}
