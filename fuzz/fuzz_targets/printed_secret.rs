//! Printed secrets, as people type them.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = keystead_archive::fuzz::printed_secret(&String::from_utf8_lossy(bytes));
});
