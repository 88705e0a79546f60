//! Shows that each rule of the table can fail, on packages as `cargo metadata` describes them.

use serde_json::{Value, json};

use super::graph::{self, Package};
use super::{OWNED, RINGS, Ring, check, check_package, check_release};

fn package(name: &str, dependencies: &[Value]) -> Package {
    graph::described(&json!({ "name": name, "dependencies": dependencies, "features": {} }))
}

fn on(name: &str) -> Value {
    json!({ "name": name, "kind": null, "features": [], "uses_default_features": true })
}

fn dev_on(name: &str) -> Value {
    json!({ "name": name, "kind": "dev", "features": [], "uses_default_features": true })
}

fn tokio(features: &[&str], default: bool) -> Value {
    let name = "tokio";
    json!({ "name": name, "kind": null, "features": features, "uses_default_features": default })
}

fn findings(name: &str, dependency: Value) -> Vec<String> {
    check_package(&package(name, &[dependency]))
}

#[test]
fn what_the_table_names_is_allowed() {
    assert_eq!(findings("keystead-service", on("keystead-store")), [""; 0]);
    assert_eq!(findings("keystead-service", tokio(&["sync"], false)), [""; 0]);
    assert_eq!(findings("keystead-store-sqlite", on("rusqlite")), [""; 0]);
    assert_eq!(findings("keystead-server", on("serde")), [""; 0]);
    assert_eq!(findings("keystead", on("keystead-store-sqlite")), [""; 0]);
}

#[test]
fn an_edge_upwards_is_refused() {
    let expected = ["keystead-domain: may not use keystead-service"];
    assert_eq!(findings("keystead-domain", on("keystead-service")), expected);
    let expected = ["keystead-targets: may not use keystead-crypto"];
    assert_eq!(findings("keystead-targets", on("keystead-crypto")), expected);
}

#[test]
fn a_dependency_of_the_build_counts_like_any_other() {
    let build = json!({ "name": "cc", "kind": "build", "features": [] });
    assert_eq!(findings("keystead-crypto", build), ["keystead-crypto: may not use cc"]);
}

#[test]
fn third_parties_outside_the_row_are_refused() {
    for name in ["reqwest", "cryptoki", "serde_yaml"] {
        let expected = [format!("keystead-service: may not use {name}")];
        assert_eq!(findings("keystead-service", on(name)), expected);
    }
}

#[test]
fn an_owned_dependency_is_refused_in_every_other_crate() {
    for (owned, owner) in OWNED {
        for row in RINGS.iter().filter(|row| row.name != owner && !row.is_tool_with(owned)) {
            let found = findings(row.name, on(owned));
            assert_eq!(found.len(), 1, "{} on {owned}", row.name);
            assert!(found[0].ends_with(&format!("belongs to {owner}")), "{found:?}");
        }
    }
}

#[test]
fn a_tool_may_name_what_is_owned_and_nobody_may_use_a_tool() {
    assert_eq!(findings("keystead-driver", on("ureq")), [""; 0]);
    assert_eq!(findings("keystead-driver", on("axum")).len(), 1);
    assert_eq!(findings("keystead-testkit", on("ureq")).len(), 1);
    let expected = ["keystead: may not use keystead-driver: it is a tool"];
    assert_eq!(findings("keystead", on("keystead-driver")), expected);
}

#[test]
fn tokio_in_the_service_brings_channels_and_nothing_else() {
    let expected = "keystead-service: may use tokio only with `sync`, not `time`";
    assert_eq!(findings("keystead-service", tokio(&["sync", "time"], false)), [expected]);
    let expected = "keystead-service: may use tokio only with `sync`, not its default features";
    assert_eq!(findings("keystead-service", tokio(&["sync"], true)), [expected]);
}

#[test]
fn only_the_binary_names_adapters() {
    for row in RINGS.iter().filter(|row| row.name != "keystead") {
        assert_eq!(findings(row.name, on("keystead-store-sqlite")).len(), 1, "{}", row.name);
    }
}

#[test]
fn the_testkit_is_a_dev_dependency_everywhere() {
    for row in &RINGS {
        assert_eq!(findings(row.name, on("keystead-testkit")).len(), 1, "{}", row.name);
        assert_eq!(findings(row.name, dev_on("keystead-testkit")), [""; 0]);
    }
}

#[test]
fn a_crate_without_a_row_and_a_row_without_a_crate_are_findings() {
    let expected = ["keystead-extra: has no row in xtask/src/layers.rs"];
    assert_eq!(check_package(&package("keystead-extra", &[])), expected);
    let all = RINGS.map(|row| package(row.name, &[]));
    assert_eq!(check(&all), [""; 0]);
    let expected = ["keystead-arena: in the table but not in the workspace"];
    assert_eq!(check(&all[1..]), expected);
}

#[test]
fn lints_are_inherited_except_where_unsafe_lives() {
    let opted_out = |name| Package { inherits_lints: false, ..package(name, &[]) };
    assert_eq!(check_package(&opted_out("keystead-arena")), [""; 0]);
    assert_eq!(check_package(&opted_out("keystead-domain")).len(), 1);
    assert!(graph::inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
    assert!(!graph::inherits_lints("[package]\nversion.workspace = true\n"));
    assert!(!graph::inherits_lints("[lints]\n[x]\nworkspace = true\n"));
}

#[test]
fn the_entropy_of_tests_is_refused_in_the_release_graph() {
    let crypto = |features: Value| {
        [graph::described(&json!({ "name": "keystead-crypto", "features": features }))]
    };
    let enabled = graph::enabled_feature("keystead-crypto feature \"testing\" (*)").unwrap();
    let declared = crypto(json!({ "testing": [] }));
    assert_eq!(check_release(&declared, &[]), [""; 0]);
    assert_eq!(check_release(&declared, &[enabled]).len(), 1);
    assert_eq!(check_release(&crypto(json!({})), &[]).len(), 1);
    assert_eq!(graph::enabled_feature("keystead-crypto v0.1.0 (/a/b)"), None);
}

#[test]
fn rows_use_only_rings_below_or_beside_them() {
    let height = |ring| match ring {
        Ring::Pure => 0,
        Ring::Port => 1,
        Ring::Adapter | Ring::Dev => 2,
        Ring::App => 3,
        Ring::Edge => 4,
        Ring::Tool => 5,
    };
    for row in &RINGS {
        for name in row.ours {
            let used = RINGS.iter().find(|used| used.name == *name).unwrap();
            assert!(height(used.ring) <= height(row.ring), "{} on {name}", row.name);
        }
    }
}
