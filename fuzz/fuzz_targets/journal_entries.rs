//! Journal files whose checks are right.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(keystead_journal::fuzz::entries(bytes)));
