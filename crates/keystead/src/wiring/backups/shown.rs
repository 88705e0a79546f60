//! What the `backup` commands print, as text and as JSON.

use std::{fmt::Write, path::Path};

use keystead_archive::{Outline, SegmentHeader, SegmentKind};
use keystead_service::{backups::VaultsVerified, restore::PointOpened};
use serde_json::{Value, json};

use crate::output::{Table, moment, shown};

/// A point that was made.
pub(super) fn made(point: &Value, file: Option<&Path>) -> String {
    let text = |name: &str| shown(point[name].as_str().unwrap_or_default()).into_owned();
    let mut said = format!(
        "{} was made: {}, {} bytes, up to change {}\n",
        text("point"),
        text("kind"),
        point["bytes"],
        point["commit_seq"]
    );
    if let Some(file) = file {
        let _ = writeln!(said, "it is in `{}` too", shown(&file.display().to_string()));
    }
    if point["kind"] == "metadata" {
        said.push_str("nothing can be restored from it: `--full` makes one that a restore takes\n");
    }
    said
}

/// The inventory.
pub(super) fn points(answer: &Value) -> String {
    let points = answer["points"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut table = Table::new(["POINT", "KIND", "MADE", "CHANGE", "BEHIND SEGMENT", "BYTES"]);
    for point in points {
        let text = |name: &str| point[name].as_str().unwrap_or_default();
        table.row([
            text("point"),
            text("kind"),
            &moment(text("at")),
            &point["commit_seq"].to_string(),
            &point["follows"].to_string(),
            &point["bytes"].to_string(),
        ]);
    }
    table.text()
}

/// What the server's runs found.
pub(super) fn runs(runs: &[Value]) -> String {
    let mut text = String::new();
    for run in runs {
        let level = run["level"].as_str().unwrap_or_default();
        let what = match level {
            "integrity" => format!("{} objects, {} bytes", run["objects"], run["bytes"]),
            _ => format!(
                "{} key versions and {} wrapped data keys opened, up to {}",
                run["versions"],
                run["wraps"],
                shown(run["head"].as_str().unwrap_or("no head")),
            ),
        };
        let findings = run["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
        let _ = writeln!(text, "{level}: {what}; {} findings", findings.len());
        for finding in findings {
            let _ = writeln!(text, "  {}", shown(finding.as_str().unwrap_or_default()));
        }
    }
    text
}

fn kind(header: &SegmentHeader) -> &'static str {
    match header.kind {
        SegmentKind::Segment => "segment",
        SegmentKind::FullPoint => "full",
        SegmentKind::MetadataPoint => "metadata",
    }
}

/// What an object says of itself.
pub(super) fn outline_value(name: &str, of: &Outline) -> Value {
    let mut value = json!({
        "target": name, "object": of.object.what(),
        "format_version": keystead_archive::FORMAT_VERSION, "bytes": of.bytes,
    });
    if let Some(header) = &of.link {
        value["kind"] = kind(header).into();
        value["instance"] = header.instance.to_string().into();
        value["incarnation"] = header.incarnation.to_string().into();
        value["number"] = header.sequence.into();
        value["at"] = header.at.to_string().into();
        value["commit_seq"] = header.last_commit_seq.into();
        value["follows"] = header.follows.into();
        value["epoch"] = header.epoch.to_string().into();
        value["encryption"] = ENCRYPTION.into();
    }
    value
}

/// How every segment and point is sealed.
const ENCRYPTION: &str = "AES-256-GCM under HPKE MLKEM768-X25519";

/// The same as text.
pub(super) fn outline(name: &str, of: &Outline) -> String {
    let mut text = String::new();
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(text, "{what:<12} {}", shown(value));
    };
    line("target", name);
    line("object", of.object.what());
    line("format", &format!("version {}", keystead_archive::FORMAT_VERSION));
    line("bytes", &of.bytes.to_string());
    if let Some(header) = &of.link {
        line("kind", kind(header));
        line("instance", &header.instance.to_string());
        line("incarnation", &header.incarnation.to_string());
        line("number", &header.sequence.to_string());
        line("made", &moment(&header.at.to_string()));
        line("change", &header.last_commit_seq.to_string());
        line("follows", &format!("segment {}", header.follows));
        line("encryption", ENCRYPTION);
        line("epoch", &header.epoch.to_string());
    }
    text
}

/// What vaults hold.
pub(super) fn vaults_value(found: &VaultsVerified) -> Value {
    let points: Vec<String> = found.points.iter().map(ToString::to_string).collect();
    json!({
        "instance": found.instance.to_string(), "objects": found.objects, "bytes": found.bytes,
        "head": found.end.as_ref().map(|end| end.head.clone()),
        "head_at": found.end.as_ref().and_then(|end| end.at).map(|at| at.to_string()),
        "abandoned": found.end.as_ref().map(|end| end.abandoned.clone()).unwrap_or_default(),
        "points": points, "findings": found.findings,
    })
}

/// The same as text.
pub(super) fn vaults(found: &VaultsVerified) -> String {
    let mut text = format!(
        "{}: {} objects, {} bytes, {} recovery points on the chain; {} findings\n",
        found.instance,
        found.objects,
        found.bytes,
        found.points.len(),
        found.findings.len()
    );
    if let Some(end) = &found.end {
        let _ = writeln!(text, "head: {}", end.head);
    }
    for finding in &found.findings {
        let _ = writeln!(text, "  {}", shown(finding));
    }
    text
}

/// What a kit opened.
pub(super) fn opened_value(opened: &PointOpened) -> Value {
    let header = &opened.header;
    json!({
        "kind": kind(header), "incarnation": header.incarnation.to_string(),
        "number": header.sequence, "at": header.at.to_string(),
        "commit_seq": header.last_commit_seq, "rows": opened.rows, "versions": opened.versions,
        "skipped": opened.skipped, "findings": opened.findings,
    })
}

/// The same as text.
pub(super) fn opened(opened: &PointOpened) -> String {
    let rows: Vec<String> = opened.rows.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    let mut text = format!(
        "opened, in memory alone: {}; {} key versions opened from their copies; {} findings\n",
        rows.join(", "),
        opened.versions,
        opened.findings.len()
    );
    for finding in &opened.findings {
        let _ = writeln!(text, "  {}", shown(finding));
    }
    text
}
