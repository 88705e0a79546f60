//! No server answers: what the commands say then, and what `status` takes from the record.

use std::net::TcpListener;

use crate::profile;
use crate::run::Home;

/// A port on which nobody listens.
pub(crate) fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_server_that_is_not_there_is_unavailable_with_a_hint() {
    let home = Home::new();
    let port = dead_port();
    home.write(profile::DEFAULT, &profile::text(port));
    let place = format!("no server answers at http://127.0.0.1:{port}");
    for command in [
        &["key", "list"][..],
        &["key", "show", "k"],
        &["key", "create"],
        &["wrap", "put", "a"],
        &["wrap", "show", "a"],
        &["wrap", "unwrap", "a", "--data-key-out", "out"],
        &["wrap", "list"],
        &["wrap", "export", "out"],
        &["status"],
    ] {
        for json in [&[][..], &["--json"]] {
            let said = [place.as_str(), "hint: is `keystead serve` running?"];
            home.run(&[command, json].concat()).refused(3, &said);
        }
    }
    assert_eq!(home.path().read_dir().unwrap().count(), 1, "something was left behind");
    let other = format!("http://127.0.0.1:{}", dead_port());
    let there = format!("no server answers at {other}");
    home.run(&["key", "list", "--endpoint", &other]).refused(3, &[&there]);
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for_longer_than_was_said() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    home.write(profile::DEFAULT, &profile::text(listener.local_addr().unwrap().port()));
    let timeout = ("KEYSTEAD__CLIENT__TIMEOUT", "1s");
    home.run_with(&["key", "list"], &[timeout])
        .refused(3, &["did not answer within 1 s", "hint: "]);
}

#[test]
fn status_without_a_record_says_where_it_looked() {
    let home = Home::new();
    home.write(profile::DEFAULT, &profile::text(dead_port()));
    let data = home.folder("data");
    let record = format!("{data}/status.json");
    home.run(&["status", "--data-dir", &data])
        .refused(3, &["no server answers", &record, "hint: `keystead serve` writes it"]);
    let variable = ("KEYSTEAD__INSTANCE__DATA_DIR", data.as_str());
    home.run_with(&["status"], &[variable]).refused(3, &[&record]);
}

#[test]
fn a_damaged_or_forged_record_is_not_shown() {
    let home = Home::new();
    home.write(profile::DEFAULT, &profile::text(dead_port()));
    for text in ["", "{}", "{\"report\":{}}", "\u{0}", "[1,2", &"[".repeat(100_000)] {
        home.write("data/status.json", text);
        let ran = home.run(&["status", "--data-dir", &home.at("data")]);
        ran.refused(7, &["is damaged or forged"]);
    }
    std::fs::write(home.path().join("data/status.json"), b"\xff").unwrap();
    home.run(&["status", "--data-dir", &home.at("data")]).refused(7, &["is damaged or forged"]);
}
