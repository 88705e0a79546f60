//! `audit import`: who was at a vault beside the service, by the log of its storage.
//!
//! Invariant: the cursor is written once the server has everything on record, so that an import
//! that fails reports twice rather than never. Nothing counts as ours that was not named so.

mod cursor;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use keystead_crypto::hash::Sha256;
use keystead_domain::{Timestamp, to_hex};
use keystead_service::{AccessKind, OBJECTS_MAX};
use keystead_targets::{Accessor, LinuxAudit, LoggedAccess};
use serde::Serialize;
use serde_json::{Value, json};

use super::AuditFailed;
use crate::{
    cli::AuditImportArgs,
    client::Client,
    exit::Exit,
    failed::Failed,
    output::{
        Form, Table, moment,
        progress::{Progress, Total},
        warn,
    },
};

/// The only sort of log yet.
const FORMAT: &str = "linux-audit";
/// The longest line that is read whole: the kernel's records have 8,970 bytes at most.
const LINE_BYTES: u64 = 64 * 1024;
/// How long what a report names may be in all, in bytes: a request has at most 64 KiB.
const NAMES_BYTES: usize = 16 * 1024;
/// How long one name in a report may be, in bytes.
const NAME_BYTES: usize = 1024;
/// How many names a row shows.
const NAMES_SHOWN: usize = 3;

/// What was done by one program of one user.
type Deed = (Accessor, AccessKind, bool);

#[derive(Serialize)]
struct Found {
    who: String,
    access: &'static str,
    succeeded: bool,
    count: u64,
    first_at: String,
    last_at: String,
    /// The first that it was done to.
    objects: Vec<String>,
}

#[derive(Serialize)]
struct Imported {
    vault: String,
    accesses: u64,
    own: u64,
    foreign: u64,
    unreadable_lines: u64,
    found: Vec<Found>,
}

/// Reads the logs and puts on record what is foreign in them.
pub(super) fn import(args: &AuditImportArgs, client: &Client, form: Form) -> Result<Exit, Failed> {
    let mut after = args.cursor.as_deref().map(cursor::read).transpose()?.flatten();
    let mut tally = Tally::default();
    let (digest, unreadable_lines) = read(args, |access| {
        let id = (access.at_micros, access.serial);
        if after.is_none_or(|after| id > after) {
            tally.last = tally.last.max(Some(id));
            tally.take(access, args);
        }
    })?;
    after = tally.last.or(after);
    let vault = args.vault.to_string();
    let found: Vec<Found> = tally.foreign.into_iter().map(|(deed, of)| of.found(deed)).collect();
    let foreign = found.iter().map(|found| found.count).sum();
    for found in &found {
        let _: Value = client.create("/v1/foreign-accesses", &report(&vault, found))?;
    }
    let told = json!({
        "vault": vault, "format": FORMAT, "sha256": to_hex(&digest),
        "accesses": tally.own + foreign, "foreign": foreign,
    });
    let _: Value = client.create("/v1/access-log-imports", &told)?;
    if let (Some(path), Some(after)) = (&args.cursor, after) {
        cursor::write(path, after)?;
    }
    let (accesses, own) = (tally.own + foreign, tally.own);
    let imported = Imported { vault, accesses, own, foreign, unreadable_lines, found };
    warn_of(&imported, args);
    form.answer(&imported, || text(&imported))?;
    Ok(if imported.foreign == 0 { Exit::Done } else { Exit::Found })
}

/// Gives each access to `each`; tells the digest of all bytes and how many lines were strange.
fn read(
    args: &AuditImportArgs,
    mut each: impl FnMut(LoggedAccess),
) -> Result<([u8; 32], u64), Failed> {
    let mut audit = LinuxAudit::new(&args.watch_key, args.vault.folder());
    let (mut hash, progress) = (Sha256::default(), Progress::new());
    for path in &args.files {
        let failed = |source| AuditFailed::Unreadable { path: path.clone(), source };
        let (mut log, size) = open(path).map_err(failed)?;
        progress.phase("reading the log", size.map_or(Total::Unknown, Total::Bytes));
        let mut line = Vec::new();
        while read_line(&mut log, &mut line).map_err(failed)? {
            hash.update(&line);
            progress.advance(if size.is_some() { line.len() as u64 } else { 1 });
            audit.line(line.trim_ascii_end()).into_iter().for_each(&mut each);
        }
    }
    progress.done();
    audit.finish().into_iter().for_each(each);
    Ok((hash.finish(), audit.unreadable()))
}

fn open(path: &Path) -> io::Result<(Box<dyn BufRead>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), None));
    }
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok((Box::new(BufReader::with_capacity(256 * 1024, file)), Some(size)))
}

/// Reads up to the end of a line, or as much of it as any record has; `false` at the end.
fn read_line(log: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    Ok(log.take(LINE_BYTES).read_until(b'\n', line)? > 0)
}

#[derive(Default)]
struct Tally {
    own: u64,
    foreign: BTreeMap<Deed, Seen>,
    last: Option<cursor::Place>,
}

impl Tally {
    fn take(&mut self, access: LoggedAccess, args: &AuditImportArgs) {
        let LoggedAccess { by, kind, succeeded, .. } = &access;
        if is_own(by, *kind, args) {
            self.own += 1;
        } else {
            let deed = (by.clone(), *kind, *succeeded);
            self.foreign.entry(deed).or_default().add(access);
        }
    }
}

fn is_own(by: &Accessor, kind: AccessKind, args: &AuditImportArgs) -> bool {
    let is_user = by.uid.is_some_and(|uid| args.own_uids.contains(&uid));
    let programs = &args.own_programs;
    let is_program = by.program.as_ref().is_some_and(|program| programs.contains(program));
    // The service takes no watch away.
    is_user && (programs.is_empty() || is_program) && kind != AccessKind::WatchEnded
}

#[derive(Default)]
struct Seen {
    count: u64,
    first_micros: i64,
    last_micros: i64,
    objects: Vec<String>,
    objects_bytes: usize,
}

impl Seen {
    fn add(&mut self, access: LoggedAccess) {
        let at = access.at_micros;
        let first = if self.count == 0 { at } else { self.first_micros };
        (self.first_micros, self.last_micros) = (first.min(at), self.last_micros.max(at));
        self.count += 1;
        for mut object in access.objects {
            cut(&mut object);
            let bytes = self.objects_bytes + object.len();
            let fits = self.objects.len() < OBJECTS_MAX && bytes <= NAMES_BYTES;
            if fits && !object.is_empty() && !self.objects.contains(&object) {
                self.objects_bytes = bytes;
                self.objects.push(object);
            }
        }
    }

    fn found(self, (by, kind, succeeded): Deed) -> Found {
        let at = |micros| Timestamp::from_micros(micros).to_string();
        let mut who = by.to_string();
        cut(&mut who);
        Found {
            who,
            access: kind.name(),
            succeeded,
            count: self.count,
            first_at: at(self.first_micros),
            last_at: at(self.last_micros),
            objects: self.objects,
        }
    }
}

/// Shortens what a report cannot hold.
fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(NAME_BYTES));
}

fn report(vault: &str, found: &Found) -> Value {
    json!({
        "vault": vault, "who": found.who, "access": found.access, "succeeded": found.succeeded,
        "count": found.count, "objects": found.objects,
        "first_at": found.first_at, "last_at": found.last_at,
    })
}

fn warn_of(imported: &Imported, args: &AuditImportArgs) {
    if imported.unreadable_lines > 0 {
        warn(&format!("{} lines are no records of Linux's audit", imported.unreadable_lines));
    }
    if imported.accesses == 0 && args.cursor.is_none() {
        warn(&format!(
            "no event has the key `{}`: `auditctl -l` shows whether the rule is there",
            args.watch_key
        ));
    }
}

fn text(imported: &Imported) -> String {
    let Imported { accesses, own, foreign, .. } = imported;
    let sum = format!("{accesses} accesses: {own} of the service, {foreign} of others\n");
    if imported.found.is_empty() {
        return sum;
    }
    let mut table = Table::new(["FIRST", "LAST", "WHO", "ACCESS", "COUNT", "OBJECTS"]);
    for found in &imported.found {
        let access = if found.succeeded { "" } else { " (refused)" };
        let more = if found.objects.len() > NAMES_SHOWN { ", …" } else { "" };
        let shown: Vec<&str> = found.objects.iter().take(NAMES_SHOWN).map(String::as_str).collect();
        table.row([
            &moment(&found.first_at),
            &moment(&found.last_at),
            &found.who,
            &format!("{}{access}", found.access),
            &found.count.to_string(),
            &format!("{}{more}", shown.join(", ")),
        ]);
    }
    format!("{}\n{sum}", table.text())
}
