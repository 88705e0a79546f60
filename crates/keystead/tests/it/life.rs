//! One instance from `init` to the record that it leaves: the commands of this crate against a real
//! server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::run::{Home, Ran};

pub(crate) struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    pub(crate) fn start(home: &Home) -> Self {
        let (data, pass) = (home.at("data"), home.at("pass"));
        let line = ["serve", "--data-dir", &data, "--passphrase-file", &pass, "--json"];
        let mut command = home.command(&[&line[..], &["--listen", "127.0.0.1:0"]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let ready: Value = serde_json::from_str(&first).expect("serve says where it listens");
        Self { child, endpoint: ready["listening"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn ask(&self, home: &Home, command: &[&str]) -> Ran {
        home.run(&[command, &["--endpoint", &self.endpoint]].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn init(home: &Home) -> Value {
    let pass = home.write("pass", "gravel-otter-lunar-sphinx-mend\n");
    let (kits, secrets) = (home.folder("kits"), home.folder("secrets"));
    let (a, b) = (home.folder("a"), home.folder("b"));
    let (a, b, data) = (format!("dir://{a}"), format!("dir://{b}"), home.at("data"));
    let (kit, secret) = (format!("{kits}/kit"), format!("{secrets}/secret"));
    let line = ["init", "--json", "--data-dir", &data, "--vault", &a, "--vault", &b];
    let made = ["--kit-passphrase-file", &pass, "--kit-out", &kit, "--kit-secret-out", &secret];
    let ran = home.run(&[&line[..], &["--passphrase-file", &pass], &made].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

pub(crate) fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.done()).unwrap()
}

#[test]
fn keys_are_made_listed_and_shown_and_status_outlives_the_server() {
    let home = Home::new();
    let made = init(&home);
    let server = Server::start(&home);
    let create = ["key", "create", "--description", "first\u{1b}[2J", "--purpose", "PHI"];
    let tags = ["--tag", "team=a=b", "--expires-at", "2099-01-01T00:00:00Z"];
    let id = server.ask(&home, &[&create[..], &tags].concat()).done().trim_end().to_owned();
    let shown = json(server.ask(&home, &["key", "show", &id, "--json"]));
    assert_eq!((&shown["id"], &shown["tags"]["team"]), (&id.as_str().into(), &"a=b".into()));
    assert_eq!(shown["vaulted"], true);
    let text = server.ask(&home, &["key", "show", &id]).done();
    for part in [&id, "PHI", "team=a=b", "2099-01-01T00:00:00Z", "first\\u{1b}[2J", "VERSION"] {
        assert!(text.contains(part) && !text.contains('\u{1b}'), "{part}\n{text}");
    }
    let arn = format!(
        "arn:aws:kms:eu-west-1:{}:key/{}",
        made["account"].as_str().unwrap(),
        shown["aws_key_id"].as_str().unwrap()
    );
    assert!(server.ask(&home, &["key", "show", &arn]).done().contains(&id));
    let list = json(server.ask(&home, &["key", "list", "--json"]));
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
    let table = server.ask(&home, &["key", "list"]).done();
    assert!(table.starts_with("KEY ") && table.contains(&id) && table.lines().count() == 2);

    let gone = "key_00000000000000000000000000000000";
    server.ask(&home, &["key", "show", gone]).refused(5, &[gone, "does not exist"]);
    server.ask(&home, &["key", "show", "no key"]).refused(2, &["no key"]);
    let too_long = "x".repeat(8193);
    server.ask(&home, &["key", "create", "--description", &too_long]).refused(2, &["escription"]);

    let live = json(server.ask(&home, &["status", "--json"]));
    assert_eq!((&live["answered_by"], &live["age_seconds"]), (&"server".into(), &Value::Null));
    assert_eq!((&live["keys"], &live["root_public_key"]), (&1.into(), &made["root_public_key"]));
    let text = server.ask(&home, &["status"]).done();
    assert!(text.starts_with("serving"), "{text}");
    drop(server);
    record(&home);
}

/// After the server was killed.
fn record(home: &Home) {
    let (data, path) = (home.at("data"), home.path().join("data/status.json"));
    let endpoint = format!("http://127.0.0.1:{}", crate::silence::dead_port());
    let status = |more: &[&str]| {
        let line = ["status", "--data-dir", &data, "--endpoint", &endpoint];
        home.run(&[&line[..], more].concat())
    };
    let ran = status(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("not answering; "), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("warning: no server answers at"), "{}", ran.stderr);
    let value: Value = serde_json::from_str(&status(&["--json"]).stdout).unwrap();
    assert_eq!(value["answered_by"], "record");
    assert!(value["age_seconds"].as_i64().unwrap() >= 0);

    let text = fs::read_to_string(&path).unwrap();
    let forged = text.replacen("\"vaults_min\": 2", "\"vaults_min\": 1", 1);
    assert_ne!(forged, text);
    fs::write(&path, forged).unwrap();
    status(&[]).refused(7, &["is damaged or forged"]);
    fs::write(&path, text).unwrap();
    home.write("other.toml", &crate::profile::text(1));
    status(&["--profile", &home.at("other.toml")]).refused(2, &["is of another instance"]);
}

#[test]
fn an_access_key_of_another_instance_is_denied() {
    let home = Home::new();
    init(&home);
    let server = Server::start(&home);
    home.write("other.toml", &crate::profile::text(1));
    let stranger = ["key", "list", "--profile", &home.at("other.toml")];
    server.ask(&home, &stranger).refused(4, &["access key is not known", "hint: "]);
}
