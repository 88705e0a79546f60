//! Inclusion and consistency proofs of a ledger.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_ledger::fuzz::proof(bytes));
