//! Queries and forms.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_server::fuzz::form(bytes));
