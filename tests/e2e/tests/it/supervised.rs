//! `serve` as a service manager runs it: told by NOTIFY_SOCKET, fed by WATCHDOG_USEC, its
//! passphrase in CREDENTIALS_DIRECTORY.

use std::{fs, os::unix::net::UnixDatagram, time::Duration};

use keystead_driver::make_private;

use crate::world::{PASSPHRASE, World, create_key, refused};

/// The next message that the server sends.
fn heard(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let len = socket.recv(&mut bytes).expect("the server says something in time");
    String::from_utf8(bytes[..len].to_vec()).unwrap()
}

#[test]
fn a_service_manager_hears_when_it_is_ready_that_it_lives_and_that_it_stops() {
    let world = World::new();
    let socket = UnixDatagram::bind(world.at("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    fs::create_dir(world.at("credentials")).unwrap();
    make_private(&world.at("credentials/passphrase"), PASSPHRASE).unwrap();
    let machine = world
        .machine
        .clone()
        .with("NOTIFY_SOCKET", &world.text_at("notify"))
        .with("WATCHDOG_USEC", "200000")
        .with("CREDENTIALS_DIRECTORY", &world.text_at("credentials"))
        .with("KEYSTEAD__INSTANCE__PASSPHRASE", "credential:passphrase")
        .with("KEYSTEAD__INSTANCE__DATA_DIR", &world.text_at("one/data"));
    let serving = machine.serve_as(&["serve", "--json", "--listen", "127.0.0.1:0"]).unwrap();
    assert_eq!(heard(&socket), "STATUS=agreeing with the vaults");
    let ready = format!("READY=1\nSTATUS=listening on {}", serving.endpoint());
    assert_eq!(heard(&socket), ready);
    create_key(&world.kms(&serving)).unwrap();
    assert_eq!((heard(&socket), heard(&socket)), ("WATCHDOG=1".into(), "WATCHDOG=1".into()));
    serving.ask_to_stop();
    let last = std::iter::from_fn(|| Some(heard(&socket))).find(|said| said != "WATCHDOG=1");
    assert_eq!(last.unwrap(), "STOPPING=1\nSTATUS=ending requests in flight");
    assert_eq!(serving.wait(), Some(0));
}

#[test]
fn a_credential_that_is_not_there_is_named() {
    let world = World::new();
    let data = world.text_at("one/data");
    let of = |machine: &keystead_driver::Machine| {
        machine.run(&["serve", "--data-dir", &data, "--listen", "127.0.0.1:0"]).unwrap()
    };
    let machine =
        world.machine.clone().with("KEYSTEAD__INSTANCE__PASSPHRASE", "credential:passphrase");
    refused(&of(&machine), 2, "the environment has no `CREDENTIALS_DIRECTORY`", "");
    let machine = machine.with("CREDENTIALS_DIRECTORY", &world.text_at("a"));
    refused(&of(&machine), 2, "cannot read the passphrase", "");
}
