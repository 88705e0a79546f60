//! A witness's own files.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_service::fuzz::witness_state(bytes));
