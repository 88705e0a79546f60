//! What `--expect-head` takes.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    keystead_service::fuzz::head_text(&String::from_utf8_lossy(bytes));
});
