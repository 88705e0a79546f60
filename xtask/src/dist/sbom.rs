//! The bill of materials: every package that is compiled into the binary, in CycloneDX 1.6 JSON.
//!
//! Invariant: names, versions, licences and edges are what cargo resolves for the target; checksums
//! are those of `Cargo.lock`. Neither time nor random serial number, so that two runs are equal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::process;

const BINARY: &str = "keystead";

/// The document.
#[derive(Debug)]
pub(super) struct Sbom {
    document: Value,
    version: String,
}

impl Sbom {
    /// Of the binary with this SHA-256.
    pub(super) fn read(checkout: &Checkout, target: &str, sha256: &str) -> Result<Self, Failure> {
        let mut cargo = checkout.cargo();
        cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target]);
        let line = process::line_of(&cargo);
        let failed = |problem: String| Failure::Output { line: line.clone(), problem };
        let text = process::read(&mut cargo)?;
        let metadata = serde_json::from_str(&text).map_err(|bad| failed(bad.to_string()))?;
        let path = checkout.file("Cargo.lock");
        let lock = fs::read_to_string(&path).map_err(Failure::file(path))?;
        let unread = || failed("no graph of packages".to_owned());
        Self::make(&metadata, &checksums(&lock), sha256).ok_or_else(unread)
    }

    fn make(
        metadata: &Value,
        checksums: &BTreeMap<(String, String), String>,
        sha256: &str,
    ) -> Option<Self> {
        let packages = by_id(metadata["packages"].as_array()?, "id");
        let nodes = by_id(metadata["resolve"]["nodes"].as_array()?, "id");
        let root = packages.iter().find(|(_, package)| package["name"] == BINARY)?.0;
        let reached = reach(&nodes, root);
        let reference = |id: &&str| packages.get(*id).and_then(|package| purl(package));
        let mut components = Vec::new();
        let mut dependencies = Vec::new();
        for id in &reached {
            let package = packages.get(id)?;
            let needs = linked(nodes.get(id)?).into_iter();
            let needs: BTreeSet<_> =
                needs.filter(|id| reached.contains(id)).filter_map(|id| reference(&id)).collect();
            dependencies.push(json!({ "ref": purl(package)?, "dependsOn": needs }));
            if id != root {
                components.push(component(package, "library", checksum(package, checksums)?)?);
            }
        }
        let binary = component(packages.get(root)?, "application", Some(sha256.to_owned()))?;
        let version = packages.get(root)?["version"].as_str()?.to_owned();
        let document = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": { "component": binary },
            "components": components,
            "dependencies": dependencies,
        });
        Some(Self { document, version })
    }

    /// The binary's version.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// How many packages beside the binary it has.
    pub(super) fn components(&self) -> usize {
        self.document["components"].as_array().map_or(0, Vec::len)
    }

    /// The text of the document.
    pub(super) fn text(&self) -> String {
        format!("{:#}\n", self.document)
    }
}

fn by_id<'m>(values: &'m [Value], member: &str) -> BTreeMap<&'m str, &'m Value> {
    values.iter().filter_map(|value| Some((value[member].as_str()?, value))).collect()
}

/// What a package is compiled with: normal and build dependencies, not those of its tests.
fn linked(node: &Value) -> Vec<&str> {
    let is_dev = |kind: &Value| kind["kind"] == "dev";
    let deps = node["deps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let linked = deps
        .iter()
        .filter(|dep| dep["dep_kinds"].as_array().is_none_or(|kinds| !kinds.iter().all(is_dev)));
    linked.filter_map(|dep| dep["pkg"].as_str()).collect()
}

/// Every package that is reached from `root`, itself included.
fn reach<'m>(nodes: &BTreeMap<&'m str, &'m Value>, root: &'m str) -> BTreeSet<&'m str> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(nodes.get(id).map(|node| linked(node)).unwrap_or_default());
        }
    }
    reached
}

fn purl(package: &Value) -> Option<String> {
    Some(format!("pkg:cargo/{}@{}", package["name"].as_str()?, package["version"].as_str()?))
}

fn component(package: &Value, kind: &str, sha256: Option<String>) -> Option<Value> {
    let reference = purl(package)?;
    let mut component = json!({
        "type": kind,
        "bom-ref": reference,
        "name": package["name"],
        "version": package["version"],
        "purl": reference,
    });
    if let Some(licence) = package["license"].as_str() {
        // Older packages write a slash where SPDX says OR.
        let expression = licence.replace('/', " OR ").replace("  OR  ", " OR ");
        component["licenses"] = json!([{ "expression": expression }]);
    }
    if let Some(sha256) = sha256 {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sha256 }]);
    }
    Some(component)
}

/// The checksum of a package; packages of this repository have none, others must.
fn checksum(
    package: &Value,
    checksums: &BTreeMap<(String, String), String>,
) -> Option<Option<String>> {
    if package["source"].is_null() {
        return Some(None);
    }
    let text = |member: &str| Some(package[member].as_str()?.to_owned());
    checksums.get(&(text("name")?, text("version")?)).cloned().map(Some)
}

/// Name and version → checksum, as the lock file has them.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |block: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = block.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('"'));
        line.map(str::to_owned)
    };
    let blocks = lock.split("[[package]]");
    let read = |block| {
        Some(((value(block, "name")?, value(block, "version")?), value(block, "checksum")?))
    };
    blocks.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Value {
        let package = |name: &str, source: Value| {
            json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0",
                    "source": source })
        };
        let dep = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        json!({
            "packages": [package("keystead", Value::Null), package("used", json!("registry")),
                         package("builds", json!("registry")), package("tests", json!("registry"))],
            "resolve": { "nodes": [
                { "id": "keystead", "deps": [dep("used", Value::Null), dep("tests", json!("dev"))] },
                { "id": "used", "deps": [dep("builds", json!("build"))] },
                { "id": "builds", "deps": [] },
                { "id": "tests", "deps": [] },
            ] },
        })
    }

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"used\"\nversion = \"1.0.0\"\n\
        source = \"registry\"\nchecksum = \"aa\"\ndependencies = [\n \"builds\",\n]\n\n\
        [[package]]\nname = \"builds\"\nversion = \"1.0.0\"\nchecksum = \"bb\"\n\n\
        [[package]]\nname = \"keystead\"\nversion = \"1.0.0\"\n";

    #[test]
    fn what_is_compiled_in_is_listed_and_what_only_tests_see_is_not() {
        let sbom = Sbom::make(&metadata(), &checksums(LOCK), "cc").unwrap();
        let text = sbom.text();
        assert_eq!((sbom.version(), sbom.components()), ("1.0.0", 2));
        assert_eq!(sbom.document["components"][0]["purl"], "pkg:cargo/builds@1.0.0");
        assert_eq!(sbom.document["components"][1]["hashes"][0]["content"], "aa");
        assert_eq!(sbom.document["metadata"]["component"]["hashes"][0]["content"], "cc");
        assert!(text.contains("\"MIT OR Apache-2.0\"") && !text.contains("tests"), "{text}");
        let dependencies = sbom.document["dependencies"].as_array().unwrap();
        let used = dependencies.iter().find(|of| of["ref"] == "pkg:cargo/used@1.0.0").unwrap();
        assert_eq!(used["dependsOn"], json!(["pkg:cargo/builds@1.0.0"]));
        assert_eq!(text, Sbom::make(&metadata(), &checksums(LOCK), "cc").unwrap().text());
    }

    #[test]
    fn a_package_from_elsewhere_without_a_checksum_makes_no_document() {
        assert!(Sbom::make(&metadata(), &BTreeMap::new(), "cc").is_none());
    }
}
