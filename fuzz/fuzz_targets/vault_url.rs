//! Places of vaults.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    keystead_targets::fuzz::vault_url(&String::from_utf8_lossy(bytes));
});
