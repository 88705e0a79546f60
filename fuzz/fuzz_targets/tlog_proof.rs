//! Proofs of one event, and their extra data.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_ledger::fuzz::tlog_proof(bytes));
