//! Frames that a careless or hostile writer would make, signed as lawful ones are.
//!
//! Invariant: written from `docs/formats/README.md` and not with the crate's own writer.

use keystead_crypto::{
    SigningKey,
    bytes::{Reader, Writer},
    hash::sha256,
};
use keystead_domain::to_hex;

/// A header out of a lawful object.
pub(crate) fn header_of(object: &[u8]) -> Vec<u8> {
    Reader::new(&object[12..]).bytes().expect("lawful objects have a header").to_vec()
}

/// The body of a lawful object.
pub(crate) fn body_of(object: &[u8]) -> Vec<u8> {
    let mut r = Reader::new(&object[12..]);
    r.bytes().expect("a header");
    r.list(|r| {
        r.u16()?;
        r.option("fingerprint", Reader::array::<32>)?;
        r.bytes().map(|_| ())
    })
    .expect("signatures");
    r.rest().to_vec()
}

/// A frame around any header and body.
pub(crate) fn frame(
    object: u16,
    what: &str,
    key: &SigningKey,
    header: &[u8],
    body: &[u8],
) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(b"KEYSTEAD").u16(object).u16(1).bytes(header);
    let by = key.sign(what, &w.as_slice()[8..]);
    w.u32(1).u16(1).u8(1).raw(&sha256(&key.public().0)).bytes(&by.0);
    w.raw(body).finish()
}

/// A frame whose header ends with the digest of its body, as it should.
pub(crate) fn with_digest(
    object: u16,
    what: &str,
    key: &SigningKey,
    fields: &[u8],
    body: &[u8],
) -> Vec<u8> {
    frame(object, what, key, &[fields, &sha256(body)].concat(), body)
}

/// The HPKE info of a box.
pub(crate) fn info(label: &str, object: u16, fields: &[u8]) -> String {
    format!("{label}{}", to_hex(&binding(object, fields)))
}

/// The binding hash of sealed bodies.
pub(crate) fn binding(object: u16, fields: &[u8]) -> [u8; 32] {
    sha256(&[&object.to_be_bytes(), &1u16.to_be_bytes(), fields].concat())
}
