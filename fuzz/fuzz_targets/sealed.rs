//! Ciphertexts, sealed values, streams, boxes, signatures.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_crypto::fuzz::sealed(bytes));
