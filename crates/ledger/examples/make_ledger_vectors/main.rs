//! Makes the normative vectors of a ledger's checkpoints, tiles and proofs, on standard output.
//!
//! Invariant: run once per format version and committed; tests only ever read the file, so that a
//! change of the code cannot change what it is measured by. Everything is made from fixed seeds:
//! `cargo run -p keystead-ledger --example make_ledger_vectors > tests/vectors/ledger.json`.

mod logs;
mod notes;
mod proofs;
mod tiles;
mod world;

use std::io::Write;

use serde_json::json;

fn main() -> std::io::Result<()> {
    let world = world::World::new();
    let made = json!({
        "format": "docs/formats/ledger.md",
        "base": world.base(),
        "notes": notes::notes(),
        "checkpoints": notes::checkpoints(&world),
        "cosignatures": notes::cosignatures(&world),
        "verifier_keys": notes::verifier_keys(&world),
        "names": tiles::names(),
        "hash_tiles": tiles::hash_tiles(),
        "bundles": tiles::bundles(),
        "sizes": tiles::sizes(),
        "inclusion": proofs::inclusion(&world),
        "consistency": proofs::consistency(&world),
        "successions": logs::successions(&world),
        "logs": logs::logs(&world),
    });
    let text = serde_json::to_string_pretty(&made).expect("vectors are plain JSON");
    writeln!(std::io::stdout().lock(), "{text}")
}
