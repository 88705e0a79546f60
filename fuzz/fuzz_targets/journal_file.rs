//! Journal files.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(keystead_journal::fuzz::file(bytes)));
