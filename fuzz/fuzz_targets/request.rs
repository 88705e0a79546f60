//! Signed requests: Signature Version 4.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_crypto::fuzz::request(bytes));
