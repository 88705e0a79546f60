//! `serve` with each input wrong, and while it runs already.

use keystead_driver::{Failed, make_private};

use crate::world::{World, refused};

#[test]
fn a_second_server_a_taken_port_and_a_wrong_passphrase_are_refused() {
    let world = World::new();
    let at = |name: &str| world.text_at(name);
    make_private(&world.at("wrong"), "gravel-otter-lunar-sphinx-mens").unwrap();
    let serve = |data: &str, passphrase: &str, listen: &str| {
        let line = ["serve", "--data-dir", data, "--passphrase-file", passphrase];
        world.machine.run(&[&line[..], &["--listen", listen, "--json"]].concat()).unwrap()
    };
    let (data, passphrase) = (at("one/data"), at("one/passphrase"));
    let wrong = serve(&data, &at("wrong"), "127.0.0.1:0");
    refused(&wrong, 4, "the seal", "check the passphrase file");
    let free = "127.0.0.1:0";
    let init = "make one with `keystead init`";
    refused(&serve(&at("a"), &passphrase, free), 5, "holds no instance", init);
    refused(&serve(&at("nowhere"), &passphrase, free), 5, "holds no instance", init);
    refused(&serve(&data, &passphrase, "0.0.0.0:0"), 2, "TLS", "");
    let serving = world.serve();
    let in_use = "another process uses the folder";
    refused(&serve(&data, &passphrase, free), 6, in_use, "stop the `keystead serve`");
    let other = World::new();
    let taken = serving.endpoint().trim_start_matches("http://");
    let line =
        ["serve", "--data-dir", &other.text_at("one/data"), "--listen", taken].map(str::to_owned);
    let more = ["--passphrase-file".to_owned(), other.text_at("one/passphrase")];
    let ended = other.machine.run(&[&line[..], &more].concat()).unwrap();
    refused(&ended, 3, &format!("cannot listen on `{taken}`"), "choose another port");
    assert_eq!(serving.stop(), Some(0));
    other.serve().kill();
}

#[test]
fn a_server_whose_vaults_are_ahead_of_its_folder_names_restore() {
    let world = World::new();
    let copy = |from: &str, to: &str| {
        let ended = std::process::Command::new("cp")
            .args(["-a", &world.text_at(from), &world.text_at(to)])
            .status();
        assert!(ended.unwrap().success());
    };
    copy("one/data", "earlier");
    let serving = world.serve();
    crate::world::create_key(&world.kms(&serving)).unwrap();
    serving.kill();
    std::fs::remove_dir_all(world.at("one/data")).unwrap();
    copy("earlier", "one/data");
    let none: [&str; 0] = [];
    let data = world.at("one/data");
    match world.machine.serve(&data, &world.at("one/passphrase"), &none) {
        Err(Failed::Ended { code, stderr, .. }) => {
            assert_eq!(code, Some(7), "{stderr}");
            assert!(stderr.contains("the folder was rolled back or copied"), "{stderr}");
            assert!(stderr.contains("hint: bring the instance back from its vaults"), "{stderr}");
        }
        other => panic!("{other:?}"),
    }
}
