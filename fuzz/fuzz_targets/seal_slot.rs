//! Seal slots and the roots inside them.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_crypto::fuzz::seal_slot(bytes));
