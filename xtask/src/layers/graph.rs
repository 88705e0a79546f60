//! What the manifests say, read through cargo so that nobody parses TOML twice.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process;

/// A package of the workspace.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) features: Vec<String>,
    pub(super) inherits_lints: bool,
}

impl Package {
    pub(super) fn has_feature(&self, feature: &str) -> bool {
        self.features.iter().any(|declared| declared == feature)
    }
}

/// One line of a manifest's dependency tables.
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) features: Vec<String>,
    pub(super) has_default_features: bool,
}

/// Whether a dependency reaches the built crate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// It is linked or builds what is linked.
    Normal,
    /// Tests, examples and benches alone see it.
    Dev,
}

/// Asks cargo for the packages of the workspace.
pub(super) fn read(checkout: &Checkout) -> Result<Vec<Package>, Failure> {
    let mut cargo = checkout.cargo();
    cargo.args(["metadata", "--format-version", "1", "--no-deps", "--locked"]);
    let line = process::line_of(&cargo);
    let text = process::read(&mut cargo)?;
    let unexpected =
        |problem: &str| Failure::Output { line: line.clone(), problem: problem.into() };
    let metadata: Value = serde_json::from_str(&text).map_err(|e| unexpected(&e.to_string()))?;
    let packages = metadata["packages"].as_array().ok_or_else(|| unexpected("no packages"))?;
    packages.iter().map(package).collect()
}

/// The (package, feature) pairs that a build of the binary alone enables.
pub(super) fn release_features(checkout: &Checkout) -> Result<Vec<(String, String)>, Failure> {
    let mut cargo = checkout.cargo();
    cargo.args(["tree", "--package", "keystead", "--edges", "normal,build,features"]);
    let text = process::read(cargo.args(["--target", "all", "--prefix", "none", "--locked"]))?;
    Ok(text.lines().filter_map(enabled_feature).collect())
}

/// Reads a line such as `keystead-crypto feature "testing" (*)`.
pub(super) fn enabled_feature(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.split_once(" feature \"")?;
    let (feature, _) = rest.split_once('"')?;
    Some((name.to_owned(), feature.to_owned()))
}

fn package(value: &Value) -> Result<Package, Failure> {
    let manifest = Path::new(value["manifest_path"].as_str().unwrap_or_default());
    let text = fs::read_to_string(manifest).map_err(Failure::file(manifest))?;
    Ok(Package { inherits_lints: inherits_lints(&text), ..described(value) })
}

/// The package as `cargo metadata` describes it; lints are the one thing that it leaves out.
pub(super) fn described(value: &Value) -> Package {
    let features = value["features"].as_object();
    Package {
        name: text(&value["name"]),
        dependencies: list(&value["dependencies"]).iter().map(dependency).collect(),
        features: features.map(|map| map.keys().cloned().collect()).unwrap_or_default(),
        inherits_lints: true,
    }
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        name: text(&value["name"]),
        kind: if value["kind"] == "dev" { Kind::Dev } else { Kind::Normal },
        features: list(&value["features"]).iter().map(text).collect(),
        has_default_features: value["uses_default_features"] != Value::Bool(false),
    }
}

pub(super) fn inherits_lints(manifest: &str) -> bool {
    let section = manifest.split("\n[").find(|section| section.starts_with("lints]"));
    section.is_some_and(|section| section.lines().any(|line| line.trim() == "workspace = true"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
