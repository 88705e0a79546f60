//! Names of objects and failure domains, as vaults take them.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    keystead_targets::fuzz::name(&String::from_utf8_lossy(bytes));
});
