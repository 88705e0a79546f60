//! Names of objects, as the archive gives them.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = keystead_archive::fuzz::name(&String::from_utf8_lossy(bytes));
});
