//! Printed ids.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    keystead_domain::fuzz::id(&String::from_utf8_lossy(bytes));
});
