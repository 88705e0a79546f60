//! Vault objects: frames, signatures, headers.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = keystead_archive::fuzz::object(bytes);
});
