//! Strict JSON.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_server::fuzz::json(bytes));
