//! `key …`: calls of `/v1/keys`.
//!
//! Invariant: with `--json` the server's own object is passed on unchanged, so that nothing which a
//! newer server says is lost on the way.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::{KeyCommand, KeyCreateArgs, KeyPublicArgs, Tag};
use crate::client::{CallFailed, Client, encoded};
use crate::exit::Exit;
use crate::failed::Failed;
use crate::output::{Form, Table, moment, shown, warn};

/// How many keys are asked for at once.
const PAGE: &str = "1000";

/// What is shown of a key; anything else that the server says is left to `--json`.
#[derive(Debug, Deserialize)]
struct Key {
    id: String,
    aws_key_id: String,
    spec: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    description: String,
    state: String,
    vaulted: bool,
    created_at: String,
    expires_at: Option<String>,
    deletion_at: Option<String>,
    next_rotation_at: Option<String>,
    #[serde(default)]
    versions: Vec<Version>,
    #[serde(default)]
    uses: Vec<Uses>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Uses {
    operation: String,
    count: u64,
}

#[derive(Debug, Deserialize)]
struct Version {
    id: String,
    number: u64,
    created_at: String,
    #[serde(default)]
    epoch: String,
    proven_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PublicKey {
    /// DER in base64.
    public_key: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    keys: Vec<Value>,
    next: Option<String>,
}

#[derive(Serialize)]
struct All {
    keys: Vec<Value>,
}

/// Runs a `key` command.
pub(crate) fn key(command: &KeyCommand, client: &Client, form: Form) -> Result<Exit, Failed> {
    match command {
        KeyCommand::List => list(client, form)?,
        KeyCommand::Show(args) => {
            let path = format!("/v1/keys/{}", encoded(&args.key));
            let answer: Value = client.read(&path, &[])?;
            let key: Key = client.typed(answer.clone())?;
            form.answer(&answer, || text(&key))?;
        }
        KeyCommand::Create(args) => create(args, client, form)?,
        KeyCommand::PublicKey(args) => public_key(args, client, form)?,
        other => change(other, client, form)?,
    }
    Ok(Exit::Done)
}

/// The commands that change a key that exists; each prints what is new of it.
fn change(command: &KeyCommand, client: &Client, form: Form) -> Result<(), Failed> {
    let nothing = json!({});
    let (key, verb, body) = match command {
        KeyCommand::Enable(args) => (&args.key, "enable", nothing),
        KeyCommand::Disable(args) => (&args.key, "disable", nothing),
        KeyCommand::Delete(args) => {
            (&args.key, "schedule-deletion", json!({"window_days": args.window_days}))
        }
        KeyCommand::CancelDeletion(args) => (&args.key, "cancel-deletion", nothing),
        KeyCommand::Rotate(args) => (&args.key, "rotate", nothing),
        KeyCommand::Rotation(args) => match args.every_days {
            Some(days) => (&args.key, "enable-rotation", json!({"period_days": days})),
            None => (&args.key, "disable-rotation", nothing),
        },
        KeyCommand::Tag(args) => (&args.key, "tag", json!({"tags": tags(&args.tags)})),
        KeyCommand::Untag(args) => (&args.key, "untag", json!({"names": args.names})),
        KeyCommand::Describe(args) => {
            (&args.key, "description", json!({"description": args.description}))
        }
        // They are run above.
        KeyCommand::List
        | KeyCommand::Show(_)
        | KeyCommand::Create(_)
        | KeyCommand::PublicKey(_) => return Ok(()),
    };
    let path = format!("/v1/keys/{}/{verb}", encoded(key));
    let method = if verb == "description" { "PUT" } else { "POST" };
    let answer: Value = client.send(method, &path, &body)?;
    let key: Key = client.typed(answer.clone())?;
    form.answer(&answer, || news(&key, verb))?;
    Ok(())
}

/// What a change made of a key, in a line.
fn news(key: &Key, verb: &str) -> String {
    let id = shown(&key.id);
    match (verb, &key.deletion_at, key.versions.last()) {
        ("schedule-deletion", Some(at), _) => {
            format!("{id} does nothing from now on and is destroyed at {}\n", moment(at))
        }
        ("rotate", _, Some(version)) => {
            format!("{id} encrypts under version {} from now on\n", version.number)
        }
        ("enable-rotation" | "disable-rotation", _, _) => {
            let next = key.next_rotation_at.as_deref().map_or("never".into(), moment);
            format!("{id} rotates next: {next}\n")
        }
        _ => format!("{id}\n"),
    }
}

fn tags(tags: &[Tag]) -> BTreeMap<&str, &str> {
    tags.iter().map(|tag| (tag.name.as_str(), tag.value.as_str())).collect()
}

fn list(client: &Client, form: Form) -> Result<(), Failed> {
    let mut keys = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE)];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let page: Page = client.read("/v1/keys", &query)?;
        keys.extend(page.keys);
        // A server that repeats itself must not keep us here for ever.
        if page.next.is_none() || page.next == after {
            break;
        }
        after = page.next;
    }
    let typed = keys.iter().map(|key| client.typed(key.clone()));
    let typed: Vec<Key> = typed.collect::<Result<_, CallFailed>>()?;
    form.answer(&All { keys }, || table(&typed).text())?;
    Ok(())
}

fn create(args: &KeyCreateArgs, client: &Client, form: Form) -> Result<(), Failed> {
    let tags = tags(&args.tags);
    let mut body = json!({
        "description": args.description,
        "purpose": args.purpose,
        "tags": tags,
    });
    if let Some(spec) = &args.spec {
        body["spec"] = Value::String(spec.clone());
    }
    if let Some(at) = args.expires_at {
        body["expires_at"] = Value::String(at.to_string());
    }
    let answer: Value = client.create("/v1/keys", &body)?;
    let key: Key = client.typed(answer.clone())?;
    if !key.vaulted {
        warn("too few vaults have confirmed the key yet; it can be used once they have");
    }
    form.answer(&answer, || format!("{}\n", shown(&key.id)))?;
    Ok(())
}

fn public_key(args: &KeyPublicArgs, client: &Client, form: Form) -> Result<(), Failed> {
    let answer: Value = client.read(&format!("/v1/keys/{}/public-key", encoded(&args.key)), &[])?;
    let key: PublicKey = client.typed(answer.clone())?;
    let pem = pem(&key.public_key);
    if let Some(file) = &args.out {
        write_new(file, &pem)?;
    }
    form.answer(&answer, || if args.out.is_none() { pem } else { String::new() })?;
    Ok(())
}

/// A public key as PEM (RFC 7468): its base64 in lines of 64 characters.
fn pem(base64: &str) -> String {
    let shown: Vec<char> = shown(base64).chars().collect();
    let lines: String =
        shown.chunks(64).map(|line| line.iter().chain(['\n'].iter()).collect::<String>()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n")
}

/// Writes a file that was not there: what stands in its place may be in use.
fn write_new(file: &Path, text: &str) -> Result<(), Failed> {
    let written = OpenOptions::new().write(true).create_new(true).open(file);
    let written = written.and_then(|mut made| made.write_all(text.as_bytes()));
    written.map_err(|source| Failed::File { file: file.to_owned(), source })
}

fn table(keys: &[Key]) -> Table {
    let mut table = Table::new(["KEY", "SPEC", "STATE", "PURPOSE", "MADE", "DESCRIPTION"]);
    for key in keys {
        let (state, made) = (state(key), moment(&key.created_at));
        table.row([&key.id, &key.spec, &state, &key.purpose, &made, &key.description]);
    }
    table
}

fn state(key: &Key) -> String {
    if key.vaulted { key.state.clone() } else { format!("{} (not yet vaulted)", key.state) }
}

fn text(key: &Key) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let value = shown(value).replace('\n', "\n             ");
        text.push_str(&format!("{name:<12} {value}\n"));
    };
    line("key", &key.id);
    line("AWS key id", &key.aws_key_id);
    line("state", &state(key));
    line("spec", &key.spec);
    line("purpose", &key.purpose);
    line("description", &key.description);
    line("made", &moment(&key.created_at));
    line("expires", &key.expires_at.as_deref().map_or("never".into(), moment));
    if let Some(at) = &key.deletion_at {
        line("destroyed", &moment(at));
    }
    line("rotates", &key.next_rotation_at.as_deref().map_or("never".into(), moment));
    for used in &key.uses {
        line("used", &format!("{} {} times since the node started", used.operation, used.count));
    }
    for (name, value) in &key.tags {
        line("tag", &format!("{name}={value}"));
    }
    let mut versions = Table::new(["VERSION", "NUMBER", "MADE", "PROVEN", "EPOCH"]);
    for version in &key.versions {
        let number = version.number.to_string();
        let made = moment(&version.created_at);
        let proven = version.proven_at.as_deref().map_or("not proven".into(), moment);
        versions.row([&version.id, &number, &made, &proven, &version.epoch]);
    }
    format!("{text}\n{}", versions.text())
}
