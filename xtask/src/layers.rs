//! `cargo xtask check-layers`: the ring table, and the comparison with what the manifests say.
//!
//! A crate is a firewall: what its row does not name, its code cannot import. A new edge is
//! therefore a decision that is made here, in sight of the reviewer, and not in a manifest.

mod graph;
#[cfg(test)]
mod tests;

use crate::checkout::Checkout;
use crate::failure::Failure;
use crate::layers::graph::{Dependency, Kind, Package};

/// Where a crate stands; a ring uses its own and the rings below it, as far as its row allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ring {
    /// No IO, no clock, no randomness of its own.
    Pure,
    /// A port with its in-memory forms.
    Port,
    /// One heavy dependency behind a port: named by the binary alone.
    Adapter,
    /// The use cases.
    App,
    /// Fronts and the binary.
    Edge,
    /// The simulated world: a dev-dependency and nothing else.
    Dev,
    /// Programs of this repository that no user gets: this one, the demo.
    Tool,
}

/// Which crates of others a crate may name in its manifest.
enum ThirdParty {
    /// These, by name; `tokio/sync` allows that feature of it and no other.
    Only(&'static [&'static str]),
    /// Any that no other crate owns (see [`OWNED`]).
    Any,
}

struct Row {
    name: &'static str,
    ring: Ring,
    ours: &'static [&'static str],
    third_party: ThirdParty,
}

impl Row {
    /// Whether it is a tool and says that it uses `name`.
    fn is_tool_with(&self, name: &str) -> bool {
        let names = |third_party: &ThirdParty| match third_party {
            ThirdParty::Only(allowed) => allowed.contains(&name),
            ThirdParty::Any => false,
        };
        self.ring == Ring::Tool && names(&self.third_party)
    }
}

const RINGS: [Row; 19] = [
    Row {
        name: "keystead-arena",
        ring: Ring::Pure,
        ours: &[],
        third_party: ThirdParty::Only(&["libc", "zeroize", "thiserror"]),
    },
    Row {
        name: "keystead-crypto",
        ring: Ring::Pure,
        ours: &["keystead-arena"],
        third_party: ThirdParty::Only(&[
            "aws-lc-rs",
            "hpke",
            "argon2",
            "zeroize",
            "subtle",
            "thiserror",
            "zxcvbn",
        ]),
    },
    Row {
        name: "keystead-domain",
        ring: Ring::Pure,
        ours: &["keystead-crypto"],
        third_party: ThirdParty::Only(&["thiserror", "jiff"]),
    },
    Row {
        name: "keystead-ledger",
        ring: Ring::Pure,
        ours: &["keystead-crypto"],
        third_party: ThirdParty::Only(&["thiserror"]),
    },
    Row {
        name: "keystead-archive",
        ring: Ring::Pure,
        ours: &["keystead-crypto", "keystead-domain"],
        third_party: ThirdParty::Only(&["thiserror", "zstd", "bip39", "zeroize", "qrcode"]),
    },
    Row {
        name: "keystead-store",
        ring: Ring::Port,
        ours: &["keystead-crypto", "keystead-domain"],
        third_party: ThirdParty::Only(&["thiserror", "async-trait", "tokio/sync"]),
    },
    Row {
        name: "keystead-journal",
        ring: Ring::Port,
        ours: &["keystead-ledger"],
        third_party: ThirdParty::Only(&["thiserror", "rustix", "tokio/sync"]),
    },
    Row {
        name: "keystead-targets",
        ring: Ring::Port,
        ours: &[],
        third_party: ThirdParty::Only(&[
            "thiserror",
            "async-trait",
            "rustix",
            "tokio/sync",
            "futures-util",
        ]),
    },
    // Besides its port it names the types in the port's signatures.
    Row {
        name: "keystead-store-sqlite",
        ring: Ring::Adapter,
        ours: &["keystead-store", "keystead-domain", "keystead-crypto"],
        third_party: ThirdParty::Only(&["thiserror", "async-trait", "tokio/sync", "rusqlite"]),
    },
    Row {
        name: "keystead-service",
        ring: Ring::App,
        ours: &[
            "keystead-crypto",
            "keystead-domain",
            "keystead-ledger",
            "keystead-archive",
            "keystead-store",
            "keystead-journal",
            "keystead-targets",
        ],
        third_party: ThirdParty::Only(&[
            "thiserror",
            "async-trait",
            "tokio/sync",
            "futures-util",
            "imbl",
            "zeroize",
            "tracing",
            // The status report's one shape, and the signed text of it in the data folder.
            "serde",
            "serde_json",
        ]),
    },
    Row {
        name: "keystead-server",
        ring: Ring::Edge,
        ours: &["keystead-service", "keystead-domain"],
        third_party: ThirdParty::Any,
    },
    Row {
        name: "keystead",
        ring: Ring::Edge,
        ours: &[
            "keystead-arena",
            "keystead-crypto",
            "keystead-domain",
            "keystead-ledger",
            "keystead-archive",
            "keystead-store",
            "keystead-store-sqlite",
            "keystead-journal",
            "keystead-targets",
            "keystead-service",
            "keystead-server",
        ],
        third_party: ThirdParty::Any,
    },
    Row {
        name: "keystead-testkit",
        ring: Ring::Dev,
        ours: &[
            "keystead-arena",
            "keystead-crypto",
            "keystead-domain",
            "keystead-ledger",
            "keystead-archive",
            "keystead-store",
            "keystead-journal",
            "keystead-targets",
        ],
        third_party: ThirdParty::Any,
    },
    // It has nothing but tests, so all that it names is a dev-dependency.
    Row {
        name: "keystead-whole-tests",
        ring: Ring::Dev,
        ours: &[],
        third_party: ThirdParty::Only(&[]),
    },
    // It speaks to the binary as strangers do, so it has a client of its own.
    Row {
        name: "keystead-driver",
        ring: Ring::Tool,
        ours: &["keystead-crypto"],
        third_party: ThirdParty::Only(&["rustix", "serde_json", "thiserror", "ureq"]),
    },
    Row {
        name: "keystead-demo",
        ring: Ring::Tool,
        ours: &["keystead-driver"],
        third_party: ThirdParty::Only(&[
            "aws-lc-rs",
            "base64-simd",
            "serde_json",
            "tempfile",
            "thiserror",
        ]),
    },
    // It drives the binary from outside; the bare server beside it needs the cryptography and HTTP
    // of ours, since a ratio to another stack would say little.
    Row {
        name: "keystead-bench",
        ring: Ring::Tool,
        ours: &["keystead-crypto", "keystead-driver"],
        third_party: ThirdParty::Only(&[
            "axum",
            "base64-simd",
            "hyper",
            "hyper-util",
            "mimalloc",
            "rustix",
            "serde",
            "serde_json",
            "tempfile",
            "thiserror",
            "tokio",
            "ureq",
        ]),
    },
    Row { name: "keystead-e2e", ring: Ring::Tool, ours: &[], third_party: ThirdParty::Only(&[]) },
    Row {
        name: "xtask",
        ring: Ring::Tool,
        ours: &[],
        third_party: ThirdParty::Only(&["serde_json"]),
    },
];

/// Heavy or dangerous dependencies and the one crate that may name each; besides it only tools may,
/// whose rows say so: they stand outside the product.
const OWNED: [(&str, &str); 10] = [
    ("libc", "keystead-arena"),
    ("aws-lc-rs", "keystead-crypto"),
    ("hpke", "keystead-crypto"),
    ("argon2", "keystead-crypto"),
    ("rusqlite", "keystead-store-sqlite"),
    ("axum", "keystead-server"),
    ("hyper", "keystead-server"),
    ("hyper-util", "keystead-server"),
    ("clap", "keystead"),
    ("ureq", "keystead"),
];

/// The feature that makes entropy predictable; see [`check_release`].
const TESTING: (&str, &str) = ("keystead-crypto", "testing");

/// Compares the manifests with the table; prints each edge that it does not allow.
pub(crate) fn run(checkout: &Checkout) -> Result<(), Failure> {
    let packages = graph::read(checkout)?;
    let mut findings = check(&packages);
    findings.extend(check_release(&packages, &graph::release_features(checkout)?));
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(Failure::Findings { check: "check-layers", count }),
    }
}

fn check(packages: &[Package]) -> Vec<String> {
    let gone = RINGS.iter().filter(|row| !packages.iter().any(|p| p.name == row.name));
    let gone = gone.map(|row| format!("{}: in the table but not in the workspace", row.name));
    gone.chain(packages.iter().flat_map(check_package)).collect()
}

fn check_package(package: &Package) -> Vec<String> {
    let Some(row) = RINGS.iter().find(|row| row.name == package.name) else {
        return vec![format!("{}: has no row in xtask/src/layers.rs", package.name)];
    };
    let mut findings: Vec<_> = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == Kind::Normal)
        .filter_map(|dependency| refusal(row, dependency))
        .map(|reason| format!("{}: {reason}", package.name))
        .collect();
    if !package.inherits_lints && row.name != "keystead-arena" {
        findings.push(format!("{}: lacks `[lints] workspace = true`", package.name));
    }
    findings
}

/// Why `row` does not allow `dependency`, if it does not.
fn refusal(row: &Row, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    if let Some(ours) = RINGS.iter().find(|ours| ours.name == name) {
        return refusal_of_ours(row, ours);
    }
    let foreign = OWNED.iter().find(|(owned, owner)| *owned == name && *owner != row.name);
    if let Some((_, owner)) = foreign.filter(|_| !row.is_tool_with(name)) {
        return Some(format!("may not use {name}: it belongs to {owner}"));
    }
    let ThirdParty::Only(allowed) = row.third_party else { return None };
    if allowed.contains(&name) {
        return None;
    }
    let feature = allowed.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('/'));
    let Some(feature) = feature else { return Some(format!("may not use {name}")) };
    let excess = dependency.features.iter().find(|asked| *asked != feature);
    match excess {
        Some(excess) => Some(format!("may use {name} only with `{feature}`, not `{excess}`")),
        None if dependency.has_default_features => {
            Some(format!("may use {name} only with `{feature}`, not its default features"))
        }
        None => None,
    }
}

fn refusal_of_ours(row: &Row, ours: &Row) -> Option<String> {
    let name = ours.name;
    match ours.ring {
        Ring::Dev => Some(format!("may use {name} as a dev-dependency only")),
        Ring::Tool if row.ring != Ring::Tool => Some(format!("may not use {name}: it is a tool")),
        Ring::Adapter if row.name != "keystead" => {
            Some(format!("may not use {name}: only the binary names adapters"))
        }
        _ if !row.ours.contains(&name) => Some(format!("may not use {name}")),
        _ => None,
    }
}

/// Proves that the entropy of tests cannot be linked into the binary that users get.
fn check_release(packages: &[Package], enabled: &[(String, String)]) -> Vec<String> {
    let (owner, feature) = TESTING;
    let declares = |package: &Package| package.name == owner && package.has_feature(feature);
    let mut findings = Vec::new();
    if !packages.iter().any(declares) {
        // Else a renamed feature would make this check pass for ever.
        findings.push(format!("{owner}: declares no feature `{feature}`, so nothing is proven"));
    }
    for (name, feature) in enabled.iter().filter(|(_, enabled)| enabled == feature) {
        findings.push(format!("keystead: its release graph enables `{feature}` of {name}"));
    }
    findings
}

/// The ring of the crate in `crates/<folder>`, for checks that go by path.
pub(crate) fn ring_of_folder(folder: &str) -> Option<Ring> {
    let name = match folder {
        "keystead" => folder.to_owned(),
        _ => format!("keystead-{folder}"),
    };
    RINGS.iter().find(|row| row.name == name).map(|row| row.ring)
}
