//! Requests to witnesses, and their answers.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_ledger::fuzz::witness(bytes));
