//! A real log, cut off at every line, and lines that no kernel would write.

use std::path::Path;

use super::*;

/// As auditd wrote it on Linux 6, with other folders.
const LOG: &str = include_str!("tests/audit.log");

fn read(log: &[u8]) -> (Vec<LoggedAccess>, u64) {
    let mut audit = LinuxAudit::new("keystead-vault", Path::new("/srv/vault"));
    let lines = log.split(|byte| *byte == b'\n');
    let mut found: Vec<LoggedAccess> = lines.filter_map(|line| audit.line(line)).collect();
    found.extend(audit.finish());
    (found, audit.unreadable())
}

fn told(access: &LoggedAccess) -> String {
    let LoggedAccess { by, kind, succeeded, objects, .. } = access;
    let program = by.program.as_deref().and_then(|path| path.rsplit('/').next());
    let done = if *succeeded { "" } else { " refused" };
    let user = by.uid.map_or_else(|| "?".into(), |uid| uid.to_string());
    format!("{user} {} {}{done}: {}", program.unwrap_or("?"), kind.name(), objects.join(", "))
}

#[test]
fn a_real_log_tells_who_did_what_to_the_vault() {
    let (found, unreadable) = read(LOG.as_bytes());
    let told: Vec<String> = found.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "0 cat read: a/x/f",
            "0 cat read: a/x/f",
            "0 ls attributes refused: a/x",
            "0 ls read: a/x",
            "0 cp read: a/x/f",
            // Its name is relative to what the log does not tell twice.
            "0 cp create: a/x/g h",
            "0 rm delete: a/x/g h",
            "0 tar read: a",
            // Below a descriptor.
            "0 tar read: x",
            "65534 cat read: a/x/f",
            "0 chmod attributes: a",
            "0 auditctl watch-ended: ",
        ]
    );
    assert_eq!(unreadable, 0);
    assert_eq!((found[0].at_micros, found[0].serial), (1_795_668_236_909_000, 4));
    assert_eq!(found[0].by.login_uid, None, "4294967295 says that nobody logged in");
    assert_eq!(found[0].by.to_string(), "uid=0 login=unknown /usr/bin/cat");
}

#[test]
fn a_log_without_what_auditd_adds_says_the_same() {
    let plain: Vec<&str> = LOG.lines().map(|line| line.split('\u{1d}').next().unwrap()).collect();
    assert_eq!(read(plain.join("\n").as_bytes()), read(LOG.as_bytes()));
    let sent: Vec<String> = LOG.lines().map(|line| format!("node=vault-1 {line}")).collect();
    assert_eq!(read(sent.join("\n").as_bytes()), read(LOG.as_bytes()));
}

#[test]
fn an_event_that_is_cut_off_is_an_access_all_the_same() {
    for lines in 0..LOG.lines().count() {
        let part: Vec<&str> = LOG.lines().take(lines).collect();
        let begun = part.iter().filter(|line| {
            let watched = line.contains("key=\"keystead-vault\"");
            watched && (line.starts_with("type=SYSCALL") || line.contains("op=remove_rule"))
        });
        assert_eq!(read(part.join("\n").as_bytes()).0.len(), begun.count(), "{lines} lines");
    }
}

#[test]
fn strange_lines_are_counted_and_others_keys_are_not_ours() {
    let foreign = LOG.replace("keystead-vault", "other");
    assert_eq!(read(foreign.as_bytes()), (Vec::new(), 0));
    for strange in ["x", "type=SYSCALL", "type=PATH msg=audit(1.5:x): a", "type=A msg=audit(:1):"] {
        assert_eq!(read(strange.as_bytes()), (Vec::new(), 1), "{strange}");
    }
    assert_eq!(read(b"\xff\xfe\n\n").1, 1);
}

#[test]
fn several_keys_and_flags_of_all_ways_to_open_are_understood() {
    let call = |arch: &str, number: u32, a1: &str, a2: &str| {
        format!(
            "type=SYSCALL msg=audit(9.001:7): arch={arch} syscall={number} success=yes a0=3 \
             a1={a1} a2={a2} uid=5 auid=6 exe=2F612062 key=6F74686572016B657973746561642D7661756C74"
        )
    };
    let kind = |line: String| read(line.as_bytes()).0[0].kind;
    for (arch, number, a1, a2, expected) in [
        ("c000003e", 2, "0", "1b6", AccessKind::Read),
        ("c000003e", 2, "241", "1b6", AccessKind::Write),
        ("c000003e", 257, "7f", "80000", AccessKind::Read),
        ("c000003e", 257, "7f", "200", AccessKind::Write),
        ("c00000b7", 56, "7f", "2", AccessKind::Write),
        ("c000003e", 437, "7f", "0", AccessKind::Write),
        ("c000003e", 59, "0", "0", AccessKind::Read),
        ("c000003e", 90, "0", "0", AccessKind::Attributes),
        ("40000003", 5, "0", "0", AccessKind::Attributes),
    ] {
        assert_eq!(kind(call(arch, number, a1, a2)), expected, "{arch} {number} {a1} {a2}");
    }
    let [access] = &read(call("c000003e", 2, "0", "0").as_bytes()).0[..] else { panic!("one") };
    let by = Accessor { uid: Some(5), login_uid: Some(6), program: Some("/a b".into()) };
    assert_eq!(access.by, by);
}

#[test]
fn the_whole_audit_switched_off_ends_the_watch_too() {
    let line = "type=CONFIG_CHANGE msg=audit(9.0:7): op=set audit_enabled=0 old=1 auid=7 res=1";
    let [access] = &read(line.as_bytes()).0[..] else { panic!("one") };
    assert_eq!((access.kind, access.by.login_uid), (AccessKind::WatchEnded, Some(7)));
    assert!(read(line.replace("enabled=0", "enabled=1").as_bytes()).0.is_empty());
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    for kind in AccessKind::ALL {
        assert_eq!(AccessKind::from_name(kind.name()), Some(kind));
    }
    assert_eq!(AccessKind::from_name("open"), None);
}
