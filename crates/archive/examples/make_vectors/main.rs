//! Makes the normative vectors of this crate's formats, one file at a time, on standard output.
//!
//! Invariant: run once per format version and committed; tests only ever read the files, so that a
//! change of the code cannot change what it is measured by. Everything is made from one seed:
//! `cargo run -p keystead-archive --example make_vectors -- kit > tests/vectors/kit.json`. Objects
//! that no writer of ours would make are put together here from the format's own words.

mod ciphertext;
mod forged;
mod key_copy;
mod kit;
mod recovery_point;
mod segment;
mod slot_table;
mod world;
mod wrap_export;

use std::io::Write;

use serde_json::Value;

fn main() -> std::io::Result<()> {
    let made = match std::env::args().nth(1).as_deref() {
        Some("ciphertext") => ciphertext::vectors(),
        Some("slot-table") => slot_table::vectors(),
        Some("key-copy") => key_copy::vectors(),
        Some("segment") => segment::vectors(),
        Some("recovery-point") => recovery_point::vectors(),
        Some("kit") => kit::vectors(),
        Some("wrap-export") => wrap_export::vectors(),
        _ => Value::from(
            "name one of: ciphertext slot-table key-copy segment recovery-point kit wrap-export",
        ),
    };
    let text = serde_json::to_string_pretty(&made).expect("vectors are plain JSON");
    writeln!(std::io::stdout().lock(), "{text}")
}
