//! The text of a kit's QR code.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = keystead_archive::fuzz::qr(&String::from_utf8_lossy(bytes));
});
