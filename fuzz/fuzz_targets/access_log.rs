//! Logs of the storage under a vault.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    keystead_targets::fuzz::access_log(bytes);
});
