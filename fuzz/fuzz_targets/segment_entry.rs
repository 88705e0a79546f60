//! Entries of segments and points, decompression included.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keystead_archive::fuzz::segment_entry(bytes));
