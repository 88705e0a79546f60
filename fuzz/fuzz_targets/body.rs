//! Bodies of aggregates.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_domain::fuzz::body(bytes));
