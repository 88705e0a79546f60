//! Bodies of the AWS front.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_server::fuzz::aws(bytes));
