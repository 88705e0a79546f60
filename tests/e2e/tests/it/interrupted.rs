//! `init` and `restore run` killed at each step that shows from outside: the target folder is whole
//! or not there, and the same command run again succeeds.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use keystead_driver::{Access, Machine};

use crate::world::{Line, World, create_key, decrypt, encrypt, init_flags, list_keys, prepared};

/// Starts a command and leaves it to the caller when to end it.
fn start(machine: &Machine, line: &Line) -> Child {
    let mut command = machine.command(&line.line());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills it; true where it had not ended before.
fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

#[test]
fn a_restore_killed_at_any_step_succeeds_when_it_is_run_again() {
    let world = World::new();
    let serving = world.serve();
    let kms = world.kms(&serving);
    let keys: Vec<String> = (0..3).map(|_| create_key(&kms).unwrap()).collect();
    let blobs: Vec<_> = keys.iter().map(|key| encrypt(&kms, key, key).unwrap()).collect();
    drop(kms);
    serving.kill();
    let machine = world.second_machine();
    let mut lines = 0;
    loop {
        lines += 1;
        let folder = format!("two/data-{lines}");
        let restore = world.restore().set("--data-dir", &world.text_at(&folder));
        let mut child = start(&machine, &restore);
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let seen = stderr.lines().take(lines).count();
        let killed = kill(child);
        if seen < lines && !killed {
            assert!(world.at(&folder).join("keystead.db").exists());
            break;
        }
        // It says what it does before it does it, so it may be done by the time it is killed.
        let finished = world.at(&folder).exists();
        let again = format!("two/again-{lines}");
        let target = if finished { again } else { folder };
        let restore = restore.set("--data-dir", &world.text_at(&target));
        let ended = machine.run(&restore.line()).unwrap().succeeded();
        let ended = ended.unwrap_or_else(|failed| panic!("line {lines}: {failed}"));
        assert_eq!(ended.json().unwrap()["keys"], 3, "line {lines}");
    }
    assert!(lines > 5, "a restore says more than {lines} things");
    // Each restore continued what the one before had left, so the last one stands for all.
    let restored = world.restored(&world.restore());
    let opened: Vec<_> = blobs.iter().map(|blob| decrypt(&restored.kms(), blob).unwrap()).collect();
    assert_eq!(list_keys(&restored.kms()), opened.into_iter().collect());
}

#[test]
fn an_init_killed_at_any_step_leaves_no_half_instance() {
    for step in ["one/data.unfinished", "kit/k.kit", "secret/s.txt.html", "a/.tmp", "one/data"] {
        let (folder, machine) = prepared(&[]);
        let at = |name: &str| folder.path().join(name);
        let init = init_flags(&folder);
        let mut child = start(&machine, &init);
        // The step shows by a file; nothing tells of it, so it is looked for again and again.
        while !at(step).exists() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        assert!(at(step).exists(), "{step}");
        kill(child);
        let finished = at("one/data").exists();
        if !finished {
            let text = |name: &str| at(name).display().to_string();
            let init =
                init.set("--kit-out", &text("kit/2")).set("--kit-secret-out", &text("secret/2"));
            let answer = machine.answer(&init.line()).unwrap();
            assert!(Access::of(&answer).is_some(), "{step}");
        }
        let none: [&str; 0] = [];
        machine.serve(&at("one/data"), &at("one/passphrase"), &none).unwrap().kill();
    }
}
