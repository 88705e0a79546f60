//! What the root signs and no body follows: one way to issue and one way to verify.
//!
//! Invariant: `issue` gives only what `verify` takes back equal, since it reads its own header
//! before it signs; `verify` checks the signature before it hands out a single field.

use keystead_crypto::{
    SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};

use crate::{
    ObjectRefused, ObjectType,
    frame::{self, Frame},
};

/// A signed header with no body.
pub(crate) trait Record: Sized {
    /// Its type in the frame.
    const OBJECT: ObjectType;

    /// Appends the header's fields.
    fn write(&self, w: &mut Writer);

    /// Takes them and checks their bounds.
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// Signs a record; refuses one that no reader would take.
pub(crate) fn issue<R: Record>(record: &R, key: &SigningKey) -> Result<Vec<u8>, Malformed> {
    let header = header(record);
    parse_header::<R>(&header)?;
    Ok(frame::sign(R::OBJECT, &header, key))
}

/// Verifies a record under the key that must have signed it.
pub(crate) fn verify<R: Record>(bytes: &[u8], key: &VerifyingKey) -> Result<R, ObjectRefused> {
    let frame = Frame::parse_as(bytes, R::OBJECT)?;
    frame.verify(key)?;
    Ok(parse_header(frame.header)?)
}

/// Reads a header that nobody has verified.
pub(crate) fn parse_header<R: Record>(header: &[u8]) -> Result<R, Malformed> {
    frame::bounded(header, frame::MAX_HEADER_BYTES, "header length")?;
    let mut r = Reader::new(header);
    let record = R::read(&mut r)?;
    r.finish()?;
    Ok(record)
}

/// The canonical header.
pub(crate) fn header<R: Record>(record: &R) -> Vec<u8> {
    let mut w = Writer::new();
    record.write(&mut w);
    w.finish()
}

/// Appends a time.
pub(crate) fn write_time(w: &mut Writer, time: keystead_domain::Timestamp) {
    w.i64(time.as_micros());
}

/// Takes a time.
pub(crate) fn read_time(r: &mut Reader<'_>) -> Result<keystead_domain::Timestamp, Malformed> {
    r.i64().map(keystead_domain::Timestamp::from_micros)
}

/// Takes a text of `min..=255` bytes.
pub(crate) fn read_text(
    r: &mut Reader<'_>,
    min: usize,
    field: &'static str,
) -> Result<String, Malformed> {
    let text = r.text(field)?;
    match (min..=255).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err(Malformed::BadValue { field }),
    }
}

/// Refuses a list that is too long or does not ascend strictly.
pub(crate) fn ascending<T, K: Ord>(
    items: &[T],
    bound: usize,
    field: &'static str,
    key: impl Fn(&T) -> K,
) -> Result<(), Malformed> {
    let lawful = items.len() <= bound && items.windows(2).all(|two| key(&two[0]) < key(&two[1]));
    if lawful { Ok(()) } else { Err(Malformed::BadValue { field }) }
}

/// Refuses a number below 1.
pub(crate) fn from_one(number: u64, field: &'static str) -> Result<u64, Malformed> {
    if number == 0 { Err(Malformed::BadValue { field }) } else { Ok(number) }
}
