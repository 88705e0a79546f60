//! Tiles and bundles of a ledger, by name.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_ledger::fuzz::tile(bytes));
