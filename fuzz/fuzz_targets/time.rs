//! Printed times.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    keystead_domain::fuzz::time(&String::from_utf8_lossy(bytes));
});
