//! Who was at the vaults beside the service: commands of ours that say so, and others whom the log
//! of the storage shows.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use keystead_driver::{Ended, Serving};
use serde_json::{Value, json};

use crate::world::{World, create_key, refused};

/// The user that the service runs as in these logs.
const OWN: &str = "998";

/// One event of the Linux audit as auditd writes it.
fn event(serial: u64, uid: &str, program: &str, flags: &str, kind: &str, path: &str) -> String {
    let at = format!("msg=audit(1795668236.{:03}:{serial}):", serial % 1000);
    format!(
        "type=SYSCALL {at} arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7ff a2={flags} \
         a3=0 items=1 ppid=1 pid=2 auid=1000 uid={uid} gid=0 comm=\"x\" exe=\"{program}\" \
         key=\"keystead-vault\"\n\
         type=CWD {at} cwd=\"/\"\n\
         type=PATH {at} item=0 name=\"{path}\" inode=1 nametype={kind}\n\
         type=PROCTITLE {at} proctitle=\"x\"\n"
    )
}

/// The first key copy in a vault's folder.
fn key_copy(folder: PathBuf) -> PathBuf {
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false if path.components().any(|part| part.as_os_str() == "key") => return path,
                false => {}
            }
        }
    }
    panic!("no key copy")
}

fn import(world: &World, serving: &Serving, more: &[&str]) -> Ended {
    let url = world.url("a");
    let args = ["audit", "import", "--json", "--endpoint", serving.endpoint(), "--vault", &url];
    world.machine.run(&[&args, more].concat()).unwrap()
}

/// The events of one operation, once the vault has `count` of them.
fn events(world: &World, operation: &str, count: usize) -> Vec<Value> {
    let url = world.url("a");
    let line = ["audit", "list", "--json", "--vault", &url, "--operation", operation];
    let began = Instant::now();
    loop {
        let listed: Value = world.machine.run(&line).unwrap().succeeded().unwrap().json().unwrap();
        let events = listed["events"].as_array().unwrap();
        if events.len() >= count {
            return events.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{operation}: {events:?}");
        std::thread::yield_now();
    }
}

#[test]
fn who_was_at_a_vault_beside_the_service_is_found_in_the_log_and_put_on_record_once() {
    let world = World::new();
    let serving = world.serve();
    create_key(&world.kms(&serving)).unwrap();
    world.await_all_vaults(&serving);
    let copy = key_copy(world.at("a"));
    let path = copy.display().to_string();
    let (log, cursor) = (world.text_at("audit.log"), world.text_at("cursor"));
    let removed = "type=CONFIG_CHANGE msg=audit(1795668236.900:900): auid=1000 ses=1 op=remove_rule \
                   key=\"keystead-vault\" list=4 res=1\n";
    let other_rule = event(5, "1000", "/usr/bin/cat", "0", "NORMAL", "/etc/x");
    let lines = [
        event(1, OWN, "/usr/bin/keystead", "241", "CREATE", &path),
        event(2, "1000", "/usr/bin/cat", "0", "NORMAL", &path),
        event(3, "1000", "/usr/bin/cat", "0", "NORMAL", &path),
        event(4, OWN, "/usr/bin/tar", "0", "NORMAL", &path),
        other_rule.replace("keystead-vault", "passwords"),
        removed.to_owned(),
    ];
    fs::write(&log, lines.concat()).unwrap();
    let own = ["--own-uid", OWN, "--own-program", "/usr/bin/keystead", "--cursor", &cursor, &log];

    // Nobody listens there: nothing is on record, so the next import begins anew.
    let unheard = ["--endpoint", "http://127.0.0.1:9"];
    let url = world.url("a");
    let line = [&["audit", "import", "--vault", &url], &unheard[..], &own].concat();
    assert_eq!(world.machine.run(&line).unwrap().code, Some(3));
    assert!(!world.at("cursor").exists());

    let found = import(&world, &serving, &own);
    assert_eq!(found.code, Some(8), "{}", found.stderr);
    let found: Value = found.json().unwrap();
    assert_eq!(
        (&found["accesses"], &found["own"], &found["foreign"]),
        (&5.into(), &1.into(), &4.into())
    );
    let name = copy.strip_prefix(world.at("a")).unwrap().display().to_string();
    let rows: Vec<Value> = found["found"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["who"], row["access"], row["count"], row["objects"]]))
        .collect();
    assert_eq!(
        rows,
        [
            json!(["uid=unknown login=1000 unknown", "watch-ended", 1, []]),
            json!(["uid=998 login=1000 /usr/bin/tar", "read", 1, [&name]]),
            json!(["uid=1000 login=1000 /usr/bin/cat", "read", 2, [&name]]),
        ]
    );

    let again = import(&world, &serving, &own);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let again: Value = again.json().unwrap();
    assert_eq!((&again["accesses"], &again["foreign"]), (&0.into(), &0.into()));

    let events = events(&world, "ReportForeignAccess", 3);
    assert_eq!(events.len(), 3, "each once");
    let said = serde_json::to_string(&events).unwrap();
    assert!(said.contains(&name) && said.contains("watch-ended"), "{said}");
    for hidden in ["/usr/bin", "uid=", "login="] {
        assert!(!said.contains(hidden), "{hidden} is in the record in clear: {said}");
    }
    // Twice the same who, twice the same hash: that is what an auditor can compare.
    assert_eq!(self::events(&world, "ImportAccessLog", 2).len(), 2);

    let table = world.machine.run(&[
        "audit",
        "import",
        "--endpoint",
        serving.endpoint(),
        "--vault",
        &url,
        &log,
    ]);
    let table = table.unwrap();
    assert_eq!(table.code, Some(8));
    assert!(table.stdout.contains("0 of the service, 5 of others"), "{}", table.stdout);
}

#[test]
fn an_import_of_what_is_no_log_or_no_vault_of_ours_says_so() {
    let world = World::new();
    let serving = world.serve();
    let log = world.text_at("audit.log");
    fs::write(&log, "no record\n").unwrap();
    let strange = import(&world, &serving, &[&log]);
    assert_eq!(strange.code, Some(0));
    assert!(strange.stderr.contains("1 lines are no records"), "{}", strange.stderr);
    assert!(strange.stderr.contains("auditctl -l"), "{}", strange.stderr);

    let line =
        ["audit", "import", "--endpoint", serving.endpoint(), "--vault", "dir:///no/vault", &log];
    let ended = world.machine.run(&line).unwrap();
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(ended.stderr.contains("vault `dir:///no/vault` does not exist"), "{}", ended.stderr);

    let missing = import(&world, &serving, &[&world.text_at("none")]);
    assert_eq!(missing.code, Some(5), "{}", missing.stderr);
    let cursor = world.text_at("cursor");
    fs::write(&cursor, "something else").unwrap();
    refused(&import(&world, &serving, &["--cursor", &cursor, &log]), 2, "how far", "a new one");
    assert_eq!(fs::read_to_string(&cursor).unwrap(), "something else");
}

#[test]
fn a_command_that_reads_vaults_by_itself_is_on_record() {
    let world = World::new();
    let serving = world.serve();
    world.await_all_vaults(&serving);
    let (a, endpoint) = (world.url("a"), serving.endpoint());
    let lines: [&[&str]; 3] =
        [&["backup", "verify", &a], &["backup", "info", &a], &["audit", "verify", "--vault", &a]];
    for line in lines {
        let line = [line, &["--endpoint", endpoint]].concat();
        let ended = world.machine.run(&line).unwrap().succeeded().unwrap();
        assert!(!ended.stderr.contains("not on record"), "{}", ended.stderr);
    }
    let events = events(&world, "ReportVaultReading", 3);
    let said = serde_json::to_string(&events).unwrap();
    for command in ["backup verify", "backup info", "audit verify"] {
        assert!(said.contains(command), "{said}");
    }
    // Who tries a kit with the wrong passphrase is refused, and that is on record too.
    let wrong = ["--kit-passphrase-file", &world.text_at("one/passphrase")];
    let kit =
        ["--kit", &world.text_at("kit/k.kit"), "--kit-secret-file", &world.text_at("secret/s.txt")];
    let place = ["--vault", &a, "--endpoint", endpoint];
    let verify = world.machine.run(&[&["kit", "verify"][..], &wrong, &kit, &place].concat());
    assert_eq!(verify.unwrap().code, Some(4));
    let line = world.restore().set("--kit-passphrase-file", wrong[1]).set("--endpoint", endpoint);
    assert!(!world.at("two").exists());
    let into = line.set("--data-dir", &world.text_at("new")).set("--passphrase-file", wrong[1]);
    assert_eq!(world.machine.run(&into.line()).unwrap().code, Some(4));
    let events = self::events(&world, "ReportVaultReading", 5);
    let said = serde_json::to_string(&events[3..]).unwrap();
    for command in ["kit verify", "restore run", "failed"] {
        assert!(said.contains(command), "{said}");
    }
    serving.kill();
    let alone = world.machine.run(&["backup", "verify", &a, "--endpoint", "http://127.0.0.1:9"]);
    let alone = alone.unwrap().succeeded().unwrap();
    assert!(alone.stderr.contains("this reading is not on record"), "{}", alone.stderr);
}
