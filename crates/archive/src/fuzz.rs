//! One oracle for each parser: what parses must write back to the same bytes.
//!
//! Invariant: every function here takes any bytes at all, never panics on them for another reason
//! than a broken oracle, and answers whether they parsed. Property tests drive them for seconds, a
//! fuzzer for days.

use keystead_crypto::hash::sha256;

use crate::{
    Closing, EpochRecord, Kit, KitStatement, NodeCertificate, ObjectType, Opening, PrintedSecret,
    RecipientSet, SlotTable, VaultRecord,
    frame::Frame,
    key_copy::CopyHeader,
    kit, kit_from_qr, names,
    record::{self, Record},
    segment, sheet, wrap_statement,
};

/// Whether bytes were what the parser reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// They were, and wrote back equal.
    Whole,
    /// They were refused.
    Refused,
}

/// Every parser of this crate over the same bytes.
///
/// # Panics
/// Where an oracle is broken.
pub fn everything(bytes: &[u8]) {
    object(bytes);
    kit(bytes);
    let text = String::from_utf8_lossy(bytes);
    name(&text);
    printed_secret(&text);
    qr(&text);
    segment_entry(bytes);
}

/// A frame of any type, and the header inside it.
///
/// # Panics
/// Where what parsed writes back to other bytes.
pub fn object(bytes: &[u8]) -> Parsed {
    let Ok(frame) = Frame::parse(bytes) else { return Parsed::Refused };
    assert_eq!(frame.write(), bytes, "a frame writes back");
    header(frame.object, frame.header)
}

/// A header of one type, without its frame.
///
/// # Panics
/// Where what parsed writes back to other bytes.
pub fn header(object: ObjectType, header: &[u8]) -> Parsed {
    match object {
        ObjectType::NodeCertificate => record::<NodeCertificate>(header),
        ObjectType::Vault => record::<VaultRecord>(header),
        ObjectType::Epoch => record::<EpochRecord>(header),
        ObjectType::RecipientSet => record::<RecipientSet>(header),
        ObjectType::SlotTable => record::<SlotTable>(header),
        ObjectType::Opening => record::<Opening>(header),
        ObjectType::Closing => record::<Closing>(header),
        ObjectType::Kit => record::<KitStatement>(header),
        ObjectType::WrapStatement => record::<wrap_statement::Header>(header),
        ObjectType::KeyCopy => {
            with_digest(header, |fields| Some(CopyHeader::parse(fields).ok()?.to_bytes()))
        }
        ObjectType::Segment | ObjectType::RecoveryPoint => {
            with_digest(header, |fields| segment::rewritten_header(fields, object))
        }
    }
}

/// A kit file, as far as it can be read without secrets; also with its checksum made right.
///
/// # Panics
/// Where slots that parsed write back to other bytes.
pub fn kit(bytes: &[u8]) -> Parsed {
    kit::body_survives(bytes);
    if let Ok(frame) = Frame::parse(bytes) {
        kit::body_survives(frame.body);
    }
    let whole = [bytes, &sha256(bytes)].concat();
    let read = [bytes, &whole].map(|bytes| Kit::inspect(bytes).is_ok());
    if read.contains(&true) { Parsed::Whole } else { Parsed::Refused }
}

/// The text of a kit's QR code.
///
/// # Panics
/// Where what parsed prints as another text.
pub fn qr(text: &str) -> Parsed {
    let Some(bytes) = kit_from_qr(text) else { return Parsed::Refused };
    assert_eq!(sheet::to_qr(&bytes), text.trim_end_matches(['\r', '\n']), "a code prints back");
    Parsed::Whole
}

/// A tenant's entry as it was before it was sealed, and a list of sealed ones.
///
/// # Panics
/// Where what parsed writes back to something else.
pub fn segment_entry(bytes: &[u8]) {
    segment::entry_survives(bytes);
}

/// A name in a vault.
///
/// # Panics
/// Where what parsed prints as another name.
pub fn name(text: &str) -> Parsed {
    let Some(kind) = names::parse(text) else { return Parsed::Refused };
    assert_eq!(kind.to_string(), text, "a name prints back");
    Parsed::Whole
}

/// A printed secret.
///
/// # Panics
/// Where what parsed writes a file that reads back to another secret.
pub fn printed_secret(text: &str) -> Parsed {
    let Ok(printed) = PrintedSecret::parse(text) else { return Parsed::Refused };
    let again = PrintedSecret::parse(&printed.to_file()).expect("its own file reads back");
    assert!(again.secret().same_as(printed.secret()), "a printed secret reads back");
    Parsed::Whole
}

fn record<R: Record>(header: &[u8]) -> Parsed {
    let Ok(record) = record::parse_header::<R>(header) else { return Parsed::Refused };
    assert_eq!(record::header(&record), header, "a record writes back");
    Parsed::Whole
}

fn with_digest(header: &[u8], rewrite: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Parsed {
    let at = header.len().saturating_sub(crate::frame::DIGEST_BYTES);
    let Some(written) = rewrite(&header[..at]) else { return Parsed::Refused };
    assert_eq!(written, header[..at], "a header writes back");
    Parsed::Whole
}

#[cfg(test)]
mod tests;
