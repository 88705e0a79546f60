//! Heads, origins and trees of the ledger.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_ledger::fuzz::head(bytes));
