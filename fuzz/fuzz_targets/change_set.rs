//! Changes, as the change log keeps them.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_store::fuzz::change_set(bytes));
