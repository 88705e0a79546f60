//! A QR code as one inline SVG path.
//!
//! Invariant: nothing but numbers goes into the markup; the quiet zone of four modules is part of
//! it, so that a scanner reads it off any page.

use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

const QUIET_MODULES: usize = 4;

/// The code of `text`, or `None` where it is too long for one.
pub(super) fn svg(text: &str) -> Option<Zeroizing<String>> {
    let code = [EcLevel::M, EcLevel::L]
        .into_iter()
        .find_map(|level| QrCode::with_error_correction_level(text, level).ok())?;
    let width = code.width();
    let side = width + 2 * QUIET_MODULES;
    let mut out = Zeroizing::new(String::with_capacity(width * width * 8 + 256));
    out.push_str(&format!(
        "<svg viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\" role=\"img\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\""
    ));
    let colors = Zeroizing::new(code.to_colors().iter().map(is_dark).collect::<Vec<u8>>());
    for (row, modules) in colors.chunks(width).enumerate() {
        push_runs(&mut out, row + QUIET_MODULES, modules);
    }
    out.push_str("\"/></svg>");
    Some(out)
}

fn is_dark(color: &Color) -> u8 {
    u8::from(*color == Color::Dark)
}

/// One rectangle for each run of dark modules.
fn push_runs(out: &mut String, row: usize, modules: &[u8]) {
    let mut at = 0;
    while at < modules.len() {
        let run = modules[at..].iter().take_while(|module| **module == modules[at]).count();
        if modules[at] == 1 {
            out.push_str(&format!("M{} {row}h{run}v1h-{run}z", at + QUIET_MODULES));
        }
        at += run;
    }
}
