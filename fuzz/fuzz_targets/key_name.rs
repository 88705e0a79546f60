//! Key ids, ARNs, aliases, account numbers.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    keystead_domain::fuzz::key_name(&String::from_utf8_lossy(bytes));
});
