//! Signed notes, checkpoints and verifier keys of a ledger.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_ledger::fuzz::note(bytes));
