//! The status report for people.
//!
//! Invariant: the first line is the verdict, and nothing above it is better than the worst promise
//! below it; a reader who stops there knows whether to act.

use std::time::Duration;

use indicatif::HumanDuration;
use keystead_service::status::StatusReport;

use crate::output::{Table, moment, shown};

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Witness {
    /// The server, now.
    Server,
    /// What the server left behind.
    Record {
        /// How old it is; none where its time cannot be read.
        age_seconds: Option<i64>,
    },
}

/// The whole report as text.
pub(crate) fn text(report: &StatusReport, witness: Witness) -> String {
    let verdict = match witness {
        Witness::Server => verdict(report),
        Witness::Record { age_seconds } => {
            format!("not answering; {} it was: {}", ago(age_seconds), verdict(report))
        }
    };
    [
        format!("{}\n", shown(&verdict)),
        facts(report),
        promises(report).text(),
        vaults(report),
        kits(report),
    ]
    .join("\n")
}

/// One line: the worst of what there is.
fn verdict(report: &StatusReport) -> String {
    let naming = |verdict: &str| -> Vec<String> {
        let of = report.promises.iter().filter(|promise| promise.verdict == verdict);
        of.map(|promise| format!("{} ({})", promise.number, promise.name)).collect()
    };
    let (broken, weak) = (naming("broken"), naming("weak"));
    match (broken.is_empty(), report.state == "serving", weak.is_empty()) {
        (false, _, _) => format!("broken: promise {}", broken.join(", ")),
        (true, false, _) => report.state.clone(),
        (true, true, false) => format!("serving; weak: promise {}", weak.join(", ")),
        (true, true, true) => "serving; every promise that is due holds".to_owned(),
    }
}

fn ago(age_seconds: Option<i64>) -> String {
    match age_seconds.map(u64::try_from) {
        Some(Ok(seconds)) => format!("{} ago", HumanDuration(Duration::from_secs(seconds))),
        Some(Err(_)) => "at a time that is still to come".to_owned(),
        None => "at an unknown time".to_owned(),
    }
}

fn facts(report: &StatusReport) -> String {
    let mut table = String::new();
    for (name, value) in [
        ("instance", report.instance.as_str()),
        ("account", &report.account),
        ("root key", &report.root_public_key),
        ("incarnation", &report.incarnation),
        ("head", &report.head),
        ("keys", &report.keys.to_string()),
        ("changes", &format!("{} committed, {} vaulted", report.commit_seq, report.watermark)),
        ("proofs", &proofs(report)),
        ("point", &point(report)),
        (
            "ledger",
            &format!(
                "{} events, {} in the vaults; audit RPO {} ms",
                report.ledger_size, report.ledger_shipped, report.audit_rpo_ms
            ),
        ),
        ("as of", &format!("{} by keystead {}", moment(&report.at), report.version)),
    ] {
        table.push_str(&format!("{name:<12} {}\n", shown(value)));
    }
    table
}

/// How much of what can be proven without a person is proven.
fn proofs(report: &StatusReport) -> String {
    let proven = report.versions - report.unproven_versions;
    let since = report.oldest_proof_at.as_deref();
    let since = since.map_or(String::new(), |at| format!(", the oldest at {}", moment(at)));
    format!("{proven} of {} key versions proven{since}", report.versions)
}

fn point(report: &StatusReport) -> String {
    match (&report.newest_point, &report.newest_point_at) {
        (Some(point), Some(at)) => format!("{point} made at {}", moment(at)),
        _ => "none beside the base of this incarnation".to_owned(),
    }
}

fn promises(report: &StatusReport) -> Table {
    let mut table = Table::new(["PROMISE", "VERDICT", "WHY"]);
    for promise in &report.promises {
        let name = format!("{} {}", promise.number, promise.name);
        table.row([&name, &promise.verdict, promise.reason.as_deref().unwrap_or_default()]);
    }
    table
}

fn vaults(report: &StatusReport) -> String {
    let mut table = Table::new(["VAULT", "DOMAIN", "STATE", "CONFIRMED", "MISSING", "WHY"]);
    for vault in &report.vaults {
        table.row([
            &vault.url,
            &vault.domain,
            &vault.state,
            &vault.confirmed_sequence.to_string(),
            &vault.missing_segments.to_string(),
            vault.reason.as_deref().unwrap_or_default(),
        ]);
    }
    let (all, domains) = (report.vaults.len(), report.failure_domains);
    let min = report.vaults_min;
    format!("{}{min} of {all} must confirm; {domains} independent\n", table.text())
}

fn kits(report: &StatusReport) -> String {
    let mut table = Table::new(["KIT", "MADE", "LAST PROVEN", "FINGERPRINT"]);
    for kit in &report.kits {
        let proven = kit.proven_at.as_deref().map_or("not proven".into(), moment);
        table.row([&kit.kit, &moment(&kit.created_at), &proven, &kit.fingerprint]);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_service::status::{KitStatus, PromiseStatus, VaultStatus};

    fn report(state: &str, verdicts: &[&str]) -> StatusReport {
        let promise = |(place, verdict): (usize, &&str)| PromiseStatus {
            number: u8::try_from(place + 1).unwrap(),
            name: format!("name {}", place + 1),
            verdict: (*verdict).to_owned(),
            reason: Some("because".to_owned()),
        };
        StatusReport {
            version: "0.1.0".into(),
            at: "2026-11-22T03:00:00Z".into(),
            instance: "ins_1".into(),
            incarnation: "inc_1".into(),
            node: "nod_1".into(),
            account: "123456789012".into(),
            root_public_key: "ab".into(),
            state: state.into(),
            head: "inc_1.7.00".into(),
            commit_seq: 12,
            watermark: 11,
            ledger_size: 99,
            ledger_shipped: 98,
            audit_rpo_ms: 1000,
            keys: 3,
            vaults_min: 2,
            vaults: vec![VaultStatus {
                url: "dir:///a".into(),
                id: "vlt_1".into(),
                domain: "disk".into(),
                state: "away".into(),
                reason: Some("not mounted".into()),
                confirmed_sequence: 6,
                missing_segments: 4,
                ledger_entries: 97,
            }],
            failure_domains: 1,
            kits: vec![KitStatus {
                kit: "kit_1".into(),
                fingerprint: "cd".into(),
                created_at: "2026-11-22T02:00:00Z".into(),
                proven_epoch: None,
                proven_at: None,
            }],
            newest_point: None,
            newest_point_at: None,
            versions: 3,
            unproven_versions: 1,
            oldest_proof_at: Some("2026-11-22T02:30:00Z".into()),
            verifications: Vec::new(),
            promises: verdicts.iter().enumerate().map(promise).collect(),
        }
    }

    #[test]
    fn the_first_line_is_the_worst_of_all() {
        for (state, verdicts, line) in [
            ("serving", &["holds", "not due"][..], "serving; every promise that is due holds"),
            ("serving", &["holds", "weak"], "serving; weak: promise 2 (name 2)"),
            ("fenced: x", &["weak"], "fenced: x"),
            ("serving", &["weak", "broken"], "broken: promise 2 (name 2)"),
            ("stopped: y", &["broken", "broken"], "broken: promise 1 (name 1), 2 (name 2)"),
        ] {
            assert_eq!(text(&report(state, verdicts), Witness::Server).lines().next(), Some(line));
        }
    }

    #[test]
    fn a_record_is_never_shown_as_the_present() {
        for (age_seconds, said) in [
            (Some(7200), "not answering; 2 hours ago it was: serving;"),
            (Some(-5), "not answering; at a time that is still to come it was: serving;"),
            (None, "not answering; at an unknown time it was: serving;"),
        ] {
            let text = text(&report("serving", &[]), Witness::Record { age_seconds });
            assert!(text.starts_with(said), "{text}");
        }
    }

    #[test]
    fn every_promise_vault_and_kit_has_a_line() {
        let text = text(&report("serving", &["weak"]), Witness::Server);
        for part in [
            "1 name 1  weak     because",
            "dir:///a  disk    away   6          4        not mounted",
            "2 of 1 must confirm; 1 independent",
            "kit_1  2026-11-22T02:00:00Z  not proven   cd",
            "changes      12 committed, 11 vaulted",
            "head         inc_1.7.00",
            "ledger       99 events, 98 in the vaults; audit RPO 1000 ms",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
