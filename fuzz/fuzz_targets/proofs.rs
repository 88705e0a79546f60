//! The file of proofs in a data folder.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    keystead_service::fuzz::proofs_file(bytes);
});
