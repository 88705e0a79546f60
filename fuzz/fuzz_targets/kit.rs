//! Recovery kits, as far as they are read without secrets.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = keystead_archive::fuzz::kit(bytes);
});
