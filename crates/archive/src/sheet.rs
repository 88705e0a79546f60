//! Two pages to print: the kit's, and the printed secret's, which is never on the same one.
//!
//! Invariant: each page is self-contained HTML: inline style, no script, nothing loaded from
//! elsewhere, every value escaped. Whoever finds one page has half of what opens a kit, less the
//! passphrase; the person who needs it reads it on the worst day and has nothing but the page.

mod base45;
mod page;
mod qr;

use keystead_crypto::hash::sha256;
use keystead_domain::{InstanceId, to_hex};
use zeroize::Zeroizing;

use crate::{Kit, KitRefused, KitSummary, PrintedSecret};
use page::Page;

/// Above this a kit is too large for a QR code that paper and cameras bear.
const MAX_QR_KIT_BYTES: usize = 2800;

/// What a kit's page is made from.
#[derive(Debug, Clone, Copy)]
pub struct KitSheet<'a> {
    /// The kit file's bytes.
    pub kit: &'a [u8],
    /// The kit file's name, as a restore on another machine will name it.
    pub file_name: &'a str,
    /// The URLs of the vaults to restore from.
    pub vaults: &'a [String],
}

/// The page of a kit.
///
/// # Errors
/// [`KitRefused`] where the bytes are no kit that could be inspected.
pub fn kit_sheet(sheet: &KitSheet<'_>) -> Result<String, KitRefused> {
    let KitSummary { statement, .. } = Kit::inspect(sheet.kit)?;
    let mut page = Page::new("Keystead recovery kit");
    page.lead(
        "With this kit, its passphrase and its printed secret, this instance can be made again \
         from any of its backup vaults. Without all three it cannot.",
    );
    page.facts(&[
        ("Kit", &statement.kit.to_string()),
        ("Instance", &statement.instance.to_string()),
        ("Kit fingerprint", &grouped(&statement.fingerprint())),
        ("Root fingerprint", &grouped(&sha256(&statement.root.0))),
        ("Made", &statement.created_at.to_string()),
        ("Program", &format!("Keystead {}", statement.program_version)),
        ("File", sheet.file_name),
    ]);
    page.heading("On the worst day");
    page.steps(&[
        "Take a clean machine that you trust. Install Keystead of the version above or newer.",
        "Fetch this kit's file. If it is lost, scan the code below: its text is the file in \
         Base45 (RFC 9285).",
        "Fetch the passphrase and the printed secret from the people who keep them.",
        "Run the command below in an empty folder. It asks for the passphrase, then for the words.",
        "Compare the kit and root fingerprints that it shows with those above. Stop where they \
         differ.",
        "Afterwards make a new kit and store it as this one was stored.",
    ]);
    page.command(&restore_command(sheet.file_name, sheet.vaults));
    match sheet.kit.len() <= MAX_QR_KIT_BYTES {
        true => page.code(&base45::encode(sheet.kit), "The kit file in Base45."),
        false => page.code(&to_hex(&statement.fingerprint()), "The kit's fingerprint."),
    }
    page.heading("Where to keep it");
    page.notes(&[
        "Apart from the printed secret: another building, another person.",
        "Not in a backup vault of this instance, and not on its servers.",
        "Rehearse: run `keystead kit verify` with this file at least every quarter.",
    ]);
    Ok(page.finish().to_string())
}

/// The page of a printed secret.
#[must_use]
pub fn secret_sheet(printed: &PrintedSecret, instance: InstanceId) -> Zeroizing<String> {
    let mut page = Page::new("Keystead printed secret");
    page.lead(
        "These words are one of three things that open a recovery kit. The others are the kit's \
         file and its passphrase.",
    );
    page.facts(&[("Kit", &printed.kit().to_string()), ("Instance", &instance.to_string())]);
    page.words(&printed.lines());
    page.heading("When a restore asks for it");
    page.steps(&[
        "Type the kit id on the first line, then the four lines as they stand, check word \
         included. Four letters of each word suffice.",
        "A line with a mistake is named. Nothing is lost by a wrong try.",
        "Or scan the code below: its text is the secret's file.",
    ]);
    page.code(&printed.to_file(), "The printed secret's file.");
    page.heading("Where to keep it");
    page.notes(&[
        "In a sealed envelope, in a safe, apart from the kit: another building, another person.",
        "Never photographed, never in mail, never beside the passphrase.",
        "When the seal is broken without a restore, revoke the kit and make another.",
    ]);
    page.finish()
}

/// The command that makes the instance again; it asks for passphrase and words.
#[must_use]
pub fn restore_command(kit_file: &str, vaults: &[String]) -> String {
    let mut command = format!("keystead restore run --kit {}", quoted(kit_file));
    for vault in vaults {
        command.push_str(" --vault ");
        command.push_str(&quoted(vault));
    }
    command
}

/// The kit file out of the text of its QR code.
#[must_use]
pub fn kit_from_qr(text: &str) -> Option<Vec<u8>> {
    base45::decode(text.trim_end_matches(['\r', '\n']))
}

/// The text of a kit's QR code.
pub(crate) fn to_qr(kit: &[u8]) -> String {
    base45::encode(kit)
}

/// In single quotes where a shell would read more into it than it says.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c);
    match !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Hex in groups of eight, for two people to compare aloud.
fn grouped(bytes: &[u8]) -> String {
    bytes.chunks(4).map(to_hex).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
