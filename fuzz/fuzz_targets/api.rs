//! Routes and bodies of `/v1`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_server::fuzz::api(bytes));
