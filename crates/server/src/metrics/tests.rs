//! What the page, the alert rules and the documents say of each other.

use std::collections::BTreeSet;

use super::{families, families::Kind, render};
use crate::node::{MachineReadings, Node};

const RULES: &str = include_str!("../../../../dist/prometheus/keystead.rules.yml");
const GUIDE: &str = include_str!("../../../../docs/guides/operate.md");
const REFERENCE: &str = include_str!("../../../../docs/reference/metrics.md");

/// The names of the samples that a family writes.
fn samples(family: &families::Family) -> Vec<String> {
    let suffixes: &[&str] = match family.kind {
        Kind::Counter => &["_total"],
        Kind::Gauge => &[""],
        Kind::Histogram => &["_bucket", "_count", "_sum"],
        Kind::Info => &["_info"],
    };
    suffixes.iter().map(|suffix| format!("{}{suffix}", family.name)).collect()
}

/// The words of a text that begin like a metric of ours.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|w| w.starts_with("keystead_") || w.starts_with("process_")).collect()
}

#[test]
fn every_family_has_a_lawful_name_of_its_own_and_ends_its_help() {
    let names: BTreeSet<_> = families::ALL.iter().map(|family| family.name).collect();
    assert_eq!(names.len(), families::ALL.len());
    for family in families::ALL {
        assert!(family.name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'), "{family:?}");
        assert!(family.help.ends_with('.') && !family.help.contains('\n'), "{family:?}");
        assert!(!family.name.ends_with("_total") && !family.name.ends_with("_info"), "{family:?}");
    }
}

#[test]
fn every_metric_that_a_rule_names_exists() {
    let there: BTreeSet<_> = families::ALL.iter().flat_map(samples).collect();
    let expressions: Vec<_> =
        RULES.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let wanted =
        named(&expressions.join("\n")).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let wanted: BTreeSet<_> = wanted.into_iter().filter(|name| name != "keystead_alerts").collect();
    assert!(wanted.len() > 10, "the rules were read: {wanted:?}");
    assert_eq!(wanted.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn every_alert_has_its_section_in_the_guide_and_every_section_its_alert() {
    let alerts: BTreeSet<_> =
        RULES.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let sections: BTreeSet<_> =
        GUIDE.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(alerts.len() > 8, "{alerts:?}");
    assert_eq!(alerts, sections);
    for alert in alerts {
        let anchor = format!("operate.md#{}", alert.to_lowercase());
        assert!(RULES.contains(&anchor), "{alert} names its section");
    }
}

#[test]
fn the_reference_names_every_family_and_no_other() {
    let told: BTreeSet<_> = REFERENCE
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.starts_with("keystead_") || name.starts_with("process_"))
        .collect();
    let there: BTreeSet<_> = families::ALL.iter().map(|family| family.name).collect();
    assert_eq!(told, there);
}

#[test]
fn a_node_that_starts_shows_that_it_starts() {
    fn machine() -> MachineReadings {
        MachineReadings { arena_bytes: 4_096, cpu_s: Some(0.25), ..MachineReadings::default() }
    }
    let text = render(&Node::starting(machine));
    for line in [
        "keystead_ready 0",
        "keystead_not_ready{reason=\"starting\"} 1",
        "keystead_not_ready{reason=\"fenced\"} 0",
        "keystead_arena_bytes 4096",
        "process_cpu_seconds_total 0.25",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("process_resident_memory_bytes"), "what cannot be read is left out");
}
