//! Kills a process that writes into a vault folder, again and again, and looks at what it left.
//!
//! The test starts its own binary again as the writer; the writer tells each answer it got.

#![expect(clippy::unwrap_used, reason = "a test's panic is its answer, also in what it calls")]

use keystead_targets::{DirectoryVault, Inline, ObjectName, PutNew, Vault, VaultUrl};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{env, fs, io};
use tempfile::TempDir;

const FOLDER: &str = "KEYSTEAD_TARGETS_FOLDER";
const ROUND: &str = "KEYSTEAD_TARGETS_ROUND";
const ROUNDS: usize = 12;

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn open(folder: &Path) -> DirectoryVault {
    let url = VaultUrl::directory(folder).unwrap();
    wait(DirectoryVault::open(url, Arc::new(Inline))).unwrap()
}

/// What an object holds follows from its name, so anybody can tell a whole one.
fn body(name: &ObjectName) -> Vec<u8> {
    let times = 1 + name.as_str().bytes().map(usize::from).sum::<usize>() * 7 % 4000;
    name.as_str().as_bytes().repeat(times)
}

/// Puts objects until it is killed.
fn write_for_ever(folder: &Path, round: &str) {
    let vault = open(folder);
    let mut out = io::stdout();
    for number in 0_u64.. {
        let name: ObjectName = format!("i/{round}-{}/{number}", number / 5).parse().unwrap();
        assert_eq!(wait(vault.put_new(&name, &body(&name))).unwrap(), PutNew::Created);
        writeln!(out, "acknowledged {name}").unwrap();
        out.flush().unwrap();
    }
}

/// Starts a writer, kills it after so many answers, and gives the names it had answers for.
fn write_and_kill(folder: &Path, round: usize) -> Vec<ObjectName> {
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["a_killed_writer", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = Vec::new();
    let mut killed = false;
    for line in BufReader::new(writer.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        told.extend(line.split_once("acknowledged ").map(|(_, name)| name.parse().unwrap()));
        if told.len() > 5 * round && !killed {
            writer.kill().unwrap();
            killed = true;
        }
    }
    assert!(!writer.wait().unwrap().success() && killed, "the writer was killed");
    told
}

#[test]
fn a_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half_done() {
    if let (Some(folder), Ok(round)) = (env::var_os(FOLDER), env::var(ROUND)) {
        return write_for_ever(folder.as_ref(), &round);
    }
    let folder = TempDir::new().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        acknowledged.extend(write_and_kill(folder.path(), round));
        let vault = open(folder.path());
        assert_eq!(fs::read_dir(folder.path().join(".tmp")).unwrap().count(), 0);
        for name in &acknowledged {
            assert_eq!(wait(vault.read(name)).unwrap(), Some(body(name)), "{name}");
        }
        let listed = wait(vault.list("")).unwrap();
        assert!(listed.len() - acknowledged.len() <= round + 1, "one unanswered put a round");
        for object in listed {
            let whole = body(&object.name);
            assert_eq!(object.bytes, u64::try_from(whole.len()).unwrap(), "{}", object.name);
            assert_eq!(wait(vault.put_new(&object.name, &whole)).unwrap(), PutNew::Exists);
        }
    }
    assert!(acknowledged.len() > ROUNDS * (ROUNDS - 1) / 2 * 5);
}
