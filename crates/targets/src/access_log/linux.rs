//! The audit log of Linux, for vaults that are folders: `auditctl -a always,exit -F dir=VAULT -F
//! perm=rwa -k KEY`.
//!
//! Invariant: an event belongs to the vault by the key of the rule that it matched, never by its
//! paths alone, since these are as the program wrote them. Memory is bounded whatever the log is.

use std::{collections::BTreeMap, path::Path};

use super::{AccessKind, Accessor, LoggedAccess, record::Record};

/// How many events may be under way at once: the kernel writes the records of one together.
const PENDING_MAX: usize = 1024;
/// How many paths of one event are kept.
const PATHS_MAX: usize = 64;

/// Reads a log, line by line.
#[derive(Debug)]
pub struct LinuxAudit {
    key: String,
    folder: String,
    pending: BTreeMap<(i64, u64), Pending>,
    unreadable: u64,
}

/// An event of which more records may come.
#[derive(Debug, Default)]
struct Pending {
    by: Accessor,
    succeeded: bool,
    ends_watch: bool,
    opened: Option<AccessKind>,
    /// Whether its relative names are relative to the program's folder.
    from_cwd: bool,
    cwd: Option<String>,
    made: bool,
    removed: bool,
    names: Vec<String>,
}

impl LinuxAudit {
    /// A reader for the rule with this key, over this folder.
    #[must_use]
    pub fn new(key: &str, folder: &Path) -> Self {
        let folder = folder.to_string_lossy().into_owned();
        Self { key: key.to_owned(), folder, pending: BTreeMap::new(), unreadable: 0 }
    }

    /// Takes one line without its end, and gives the accesses that are whole by now.
    pub fn line(&mut self, line: &[u8]) -> Option<LoggedAccess> {
        if line.is_empty() {
            return None;
        }
        let Some(record) = Record::parse(line) else {
            self.unreadable += 1;
            return None;
        };
        let id = (record.at_micros, record.serial);
        match record.sort {
            "SYSCALL" => self.call(id, &record),
            "CONFIG_CHANGE" if self.ends_watch(&record) => {
                let by = Accessor { login_uid: record.user("auid"), ..Accessor::default() };
                let pending = Pending { by, succeeded: true, ..Pending::default() };
                self.pending.insert(id, Pending { ends_watch: true, ..pending });
            }
            "CWD" => {
                if let Some(pending) = self.pending.get_mut(&id) {
                    pending.cwd = record.text("cwd").map(Into::into);
                }
            }
            "PATH" => {
                if let Some(pending) = self.pending.get_mut(&id) {
                    pending.path(&record);
                }
            }
            // The last records of an event.
            "PROCTITLE" | "EOE" => return self.take(id),
            _ => {}
        }
        let is_full = self.pending.len() > PENDING_MAX;
        let oldest = is_full.then(|| self.pending.keys().next().copied()).flatten();
        oldest.and_then(|id| self.take(id))
    }

    /// Gives what is left at the end of the log.
    #[must_use]
    pub fn finish(&mut self) -> Vec<LoggedAccess> {
        let ids: Vec<(i64, u64)> = self.pending.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.take(id)).collect()
    }

    /// How many lines were no records.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    fn call(&mut self, id: (i64, u64), record: &Record<'_>) {
        // A rule may have several keys, which the kernel joins with a byte 1.
        let is_watched =
            record.text("key").is_some_and(|keys| keys.split('\u{1}').any(|key| key == self.key));
        if !is_watched && !self.pending.contains_key(&id) {
            return;
        }
        let pending = self.pending.entry(id).or_default();
        pending.by = Accessor {
            uid: record.user("uid"),
            login_uid: record.user("auid"),
            program: record.text("exe").map(Into::into),
        };
        pending.succeeded = record.raw("success") == Some("yes");
        pending.opened = opened(record);
        // `AT_FDCWD`, or an address: no descriptor, so the name is not below one.
        pending.from_cwd = record.hex("a0").is_none_or(|a0| a0 > 0xffff);
    }

    fn ends_watch(&self, record: &Record<'_>) -> bool {
        match record.raw("op") {
            Some("remove_rule") => record.text("key").is_some_and(|key| key == self.key),
            Some("set") => record.raw("audit_enabled") == Some("0"),
            _ => false,
        }
    }

    fn take(&mut self, id: (i64, u64)) -> Option<LoggedAccess> {
        let pending = self.pending.remove(&id)?;
        let kind = pending.kind();
        let objects = pending.names.iter().map(|name| pending.placed(name, &self.folder));
        Some(LoggedAccess {
            at_micros: id.0,
            serial: id.1,
            kind,
            succeeded: pending.succeeded,
            objects: objects.collect(),
            by: pending.by,
        })
    }
}

impl Pending {
    fn path(&mut self, record: &Record<'_>) {
        match record.raw("nametype") {
            // The folder of what was made or removed, which has its own record.
            Some("PARENT") => return,
            Some("CREATE") => self.made = true,
            Some("DELETE") => self.removed = true,
            _ => {}
        }
        if let Some(name) = record.text("name").filter(|_| self.names.len() < PATHS_MAX) {
            self.names.push(name.into_owned());
        }
    }

    fn kind(&self) -> AccessKind {
        match self {
            Self { ends_watch: true, .. } => AccessKind::WatchEnded,
            Self { removed: true, .. } => AccessKind::Delete,
            Self { made: true, .. } => AccessKind::Create,
            Self { opened, .. } => opened.unwrap_or(AccessKind::Attributes),
        }
    }

    /// A name below the vault's folder, or as it stands where it cannot be placed.
    fn placed(&self, name: &str, folder: &str) -> String {
        let whole = match (&self.cwd, name.starts_with('/')) {
            (_, true) => name.to_owned(),
            (Some(cwd), false) if self.from_cwd => format!("{cwd}/{name}"),
            _ => return name.to_owned(),
        };
        let plain = plain(&whole);
        match plain.strip_prefix(folder).map(|below| below.strip_prefix('/').unwrap_or(below)) {
            Some("") => ".".to_owned(),
            Some(below) => below.to_owned(),
            None => plain,
        }
    }
}

/// The path without `.`, `..` and doubled slashes.
fn plain(path: &str) -> String {
    let parts = path.split('/').fold(Vec::new(), |mut parts, part| {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
        parts
    });
    format!("/{}", parts.join("/"))
}

const X86_64: u64 = 0xc000_003e;
const AARCH64: u64 = 0xc000_00b7;

/// What a call that opens a file is for, by its flags; `None` for other calls.
fn opened(record: &Record<'_>) -> Option<AccessKind> {
    let call = record.raw("syscall")?.parse::<u64>().ok()?;
    let flags = match (record.hex("arch")?, call) {
        // open, openat
        (X86_64, 2) => record.hex("a1")?,
        (X86_64, 257) | (AARCH64, 56) => record.hex("a2")?,
        // openat2: its flags are not in the log, so that the worse is assumed; truncate, ftruncate
        (X86_64, 437 | 76 | 77) | (AARCH64, 437 | 45 | 46) => return Some(AccessKind::Write),
        // execve, readlink, readlinkat
        (X86_64, 59 | 89 | 267) | (AARCH64, 221 | 78) => return Some(AccessKind::Read),
        _ => return None,
    };
    const ACCESS_MODE: u64 = 0o3;
    const TRUNCATE: u64 = 0o1000;
    let writes = flags & (ACCESS_MODE | TRUNCATE) != 0;
    Some(if writes { AccessKind::Write } else { AccessKind::Read })
}
