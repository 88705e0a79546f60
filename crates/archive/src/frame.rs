//! The frame around every vault object and kit: magic, type, version, header, signatures, body.
//!
//! Invariant: what is signed is one contiguous run of the object's bytes, from the type to the end
//! of the header; a frame that parses writes back to the same bytes; nothing is allocated by a
//! length that the bytes only claim. See `docs/formats/README.md`.

use keystead_crypto::{
    Signature, SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
    hash::{sha256, sha256_parts},
};
use keystead_domain::to_hex;

use crate::ObjectRefused;

/// The newest format version that this program reads, of every type.
pub const FORMAT_VERSION: u16 = 1;
/// Bound of a header, in bytes.
pub const MAX_HEADER_BYTES: usize = 256 * 1024;

pub(crate) const MAGIC: [u8; 8] = *b"KEYSTEAD";
pub(crate) const DIGEST_BYTES: usize = 32;
const MAX_SIGNATURES: usize = 4;
const MAX_SIGNATURE_BYTES: usize = 8192;
const ED25519: u16 = 1;

macro_rules! object_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $what:literal;)*) => {
        /// The type of an object.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ObjectType { $($(#[$doc])* $name,)* }

        impl ObjectType {
            /// Every type, in order of its number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its number in the frame.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// Its name, which is also the `what` of its signatures.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }

            /// The type with this number.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

object_types! {
    /// Certifies a node's two keys.
    NodeCertificate = 1, "node-certificate";
    /// Makes a place a vault of an instance.
    Vault = 2, "vault";
    /// A backup epoch.
    Epoch = 3, "epoch";
    /// The roots that can open the instance.
    RecipientSet = 4, "recipient-set";
    /// An epoch's private half, wrapped to each portable root.
    SlotTable = 5, "slot-table";
    /// The material of one key version.
    KeyCopy = 6, "key-copy";
    /// The after-images of consecutive commits.
    Segment = 7, "segment";
    /// The whole state at one commit.
    RecoveryPoint = 8, "recovery-point";
    /// The beginning of an incarnation.
    Opening = 9, "opening";
    /// The end of an incarnation.
    Closing = 10, "closing";
    /// A recovery kit.
    Kit = 11, "kit";
    /// How many wrap records a tenant has, and their chain.
    WrapStatement = 12, "wrap-statement";
}

impl ObjectType {
    /// Which type `bytes` say they are; nothing is verified.
    ///
    /// # Errors
    /// [`Malformed`] where no frame begins, or one of an unknown type or a newer version.
    pub fn of(bytes: &[u8]) -> Result<Self, Malformed> {
        read_opening(&mut Reader::new(bytes))
    }

    /// Bound of the body, in bytes.
    pub(crate) const fn max_body_bytes(self) -> usize {
        match self {
            Self::KeyCopy => crate::key_copy::BODY_BYTES,
            Self::Segment => 4 << 20,
            Self::RecoveryPoint => 1 << 30,
            Self::Kit => 64 * 1024,
            _ => 0,
        }
    }
}

impl std::fmt::Display for ObjectType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what())
    }
}

/// The object hash: SHA-256 of all its bytes.
#[must_use]
pub fn object_hash(bytes: &[u8]) -> [u8; 32] {
    sha256(bytes)
}

/// A parsed frame; nothing in it is verified before [`Frame::verify`].
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) object: ObjectType,
    pub(crate) header: &'a [u8],
    pub(crate) body: &'a [u8],
    signed: &'a [u8],
    signatures: Vec<SignatureEntry<'a>>,
}

#[derive(Debug)]
struct SignatureEntry<'a> {
    algorithm: u16,
    fingerprint: Option<[u8; 32]>,
    signature: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Cuts an object into its parts and checks every bound.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, ObjectRefused> {
        let mut r = Reader::new(bytes);
        let object = read_opening(&mut r)?;
        let header = bounded(r.bytes()?, MAX_HEADER_BYTES, "header length")?;
        let signed = &bytes[MAGIC.len()..r.position()];
        let signatures = r.list(SignatureEntry::read)?;
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
            return Err(Malformed::BadValue { field: "signature count" }.into());
        }
        let body = r.rest();
        let (len, bound) = (body.len(), object.max_body_bytes());
        match len {
            _ if len <= bound => Ok(Self { object, header, body, signed, signatures }),
            _ if bound == 0 => Err(Malformed::Trailing { extra: len }.into()),
            _ => Err(ObjectRefused::TooLarge { object, len, bound }),
        }
    }

    /// [`Frame::parse`], and it is of the type wanted.
    pub(crate) fn parse_as(bytes: &'a [u8], wanted: ObjectType) -> Result<Self, ObjectRefused> {
        let frame = Self::parse(bytes)?;
        match frame.object == wanted {
            true => Ok(frame),
            false => Err(ObjectRefused::OtherType { found: frame.object, wanted }),
        }
    }

    /// Checks that `key` signed it, by rule of `docs/formats/README.md`.
    pub(crate) fn verify(&self, key: &VerifyingKey) -> Result<(), ObjectRefused> {
        let refused = ObjectRefused::BadSignature { object: self.object };
        let mut ours = self.signatures.iter().filter(|entry| entry.algorithm == ED25519).peekable();
        if ours.peek().is_none() {
            return Err(refused);
        }
        match ours.all(|entry| entry.is_by(key, self.object.what(), self.signed)) {
            true => Ok(()),
            false => Err(refused),
        }
    }

    /// The header without the digest at its end, after checking that digest against the body.
    pub(crate) fn header_of_body(&self) -> Result<&'a [u8], ObjectRefused> {
        let refused = ObjectRefused::OtherBody { object: self.object };
        let at = self.header.len().checked_sub(DIGEST_BYTES).ok_or_else(|| refused.clone())?;
        let (fields, digest) = self.header.split_at(at);
        if digest == sha256(self.body) { Ok(fields) } else { Err(refused) }
    }

    /// What the signatures cover: from the type to the end of the header.
    pub(crate) fn signed(&self) -> &'a [u8] {
        self.signed
    }

    /// Writes the same bytes again.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&MAGIC).u16(self.object.number()).u16(FORMAT_VERSION).bytes(self.header);
        w.list(self.signatures.iter(), |w, entry| entry.write(w));
        w.raw(self.body).finish()
    }
}

impl<'a> SignatureEntry<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let algorithm = r.u16()?;
        let fingerprint = r.option("key fingerprint", Reader::array)?;
        let signature = bounded(r.bytes()?, MAX_SIGNATURE_BYTES, "signature length")?;
        if algorithm == ED25519 && signature.len() != 64 {
            return Err(Malformed::BadValue { field: "signature length" });
        }
        Ok(Self { algorithm, fingerprint, signature })
    }

    fn write(&self, w: &mut Writer) {
        w.u16(self.algorithm);
        w.option(self.fingerprint, |w, fingerprint| {
            w.raw(&fingerprint);
        });
        w.bytes(self.signature);
    }

    fn is_by(&self, key: &VerifyingKey, what: &str, signed: &[u8]) -> bool {
        let names_it = self.fingerprint.is_none_or(|named| named == sha256(&key.0));
        let signature: Result<[u8; 64], _> = self.signature.try_into();
        names_it && signature.is_ok_and(|by| key.verify(what, signed, &Signature(by)).is_ok())
    }
}

/// Frames and signs a header; the body, if any, is appended by the caller.
pub(crate) fn sign(object: ObjectType, header: &[u8], key: &SigningKey) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(&MAGIC).u16(object.number()).u16(FORMAT_VERSION).bytes(header);
    let by = key.sign(object.what(), &w.as_slice()[MAGIC.len()..]);
    let fingerprint = Some(sha256(&key.public().0));
    let entry = SignatureEntry { algorithm: ED25519, fingerprint, signature: &by.0 };
    w.list([entry].iter(), |w, entry| entry.write(w));
    w.finish()
}

/// Frames and signs an object whose header ends with the digest of its body.
pub(crate) fn sign_with_body(
    object: ObjectType,
    fields: &[u8],
    body: &[u8],
    key: &SigningKey,
) -> Vec<u8> {
    let header = [fields, &sha256(body)].concat();
    let mut out = sign(object, &header, key);
    out.extend_from_slice(body);
    out
}

/// The hash that binds a sealed body to the header fields before the body's digest.
pub(crate) fn binding_hash(object: ObjectType, fields: &[u8]) -> [u8; 32] {
    sha256_parts(&[&object.number().to_be_bytes(), &FORMAT_VERSION.to_be_bytes(), fields])
}

/// The HPKE info that names what a box holds and binds it to its place. The AAD stays empty, since
/// libraries of other languages offer single-shot HPKE without one; the info binds as firmly.
pub(crate) fn box_info(label: &str, binding: &[u8; 32]) -> String {
    format!("{label}{}", to_hex(binding))
}

/// Takes a slice of at most `bound` bytes.
pub(crate) fn bounded<'a>(
    bytes: &'a [u8],
    bound: usize,
    field: &'static str,
) -> Result<&'a [u8], Malformed> {
    if bytes.len() <= bound { Ok(bytes) } else { Err(Malformed::BadValue { field }) }
}

/// What a later program wrote: an object of a known type in a format version above ours.
#[must_use]
pub fn newer_format(bytes: &[u8]) -> Option<Malformed> {
    read_opening(&mut Reader::new(bytes)).err().filter(Malformed::is_newer)
}

fn read_opening(r: &mut Reader<'_>) -> Result<ObjectType, Malformed> {
    if r.array()? != MAGIC {
        return Err(Malformed::BadValue { field: "magic" });
    }
    let object =
        ObjectType::from_number(r.u16()?).ok_or(Malformed::BadValue { field: "object type" })?;
    match r.u16()? {
        FORMAT_VERSION => Ok(object),
        0 => Err(Malformed::BadValue { field: "format version" }),
        found => Err(Malformed::Version { what: object.what(), found, known: FORMAT_VERSION }),
    }
}

#[cfg(test)]
mod tests {
    use keystead_crypto::Entropy;

    use super::*;

    fn signed() -> (Vec<u8>, SigningKey) {
        let key = SigningKey::from_seed(Entropy::seeded(1).secret());
        (sign(ObjectType::Opening, b"header", &key), key)
    }

    #[test]
    fn a_frame_writes_back_to_its_bytes_and_holds_under_its_key_alone() {
        let (bytes, key) = signed();
        let frame = Frame::parse(&bytes).unwrap();
        assert_eq!(frame.write(), bytes);
        assert_eq!(frame.verify(&key.public()), Ok(()));
        let other = SigningKey::from_seed(Entropy::seeded(2).secret());
        let object = ObjectType::Opening;
        assert_eq!(frame.verify(&other.public()), Err(ObjectRefused::BadSignature { object }));
    }

    #[test]
    fn newer_versions_unknown_types_and_added_bytes_are_refused_by_name() {
        let (bytes, _) = signed();
        let altered = |at: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            Frame::parse(&bytes).unwrap_err()
        };
        let newer = Malformed::Version { what: "opening", found: 2, known: 1 };
        assert_eq!(altered(11, 2), newer.into());
        assert_eq!(altered(11, 0), Malformed::BadValue { field: "format version" }.into());
        assert_eq!(altered(8, 9), Malformed::BadValue { field: "object type" }.into());
        assert_eq!(altered(0, 0), Malformed::BadValue { field: "magic" }.into());
        let extended = [&bytes[..], &[0]].concat();
        let extra = Malformed::Trailing { extra: 1 };
        assert_eq!(Frame::parse(&extended).unwrap_err(), extra.into());
    }

    #[test]
    fn a_signature_of_another_algorithm_neither_helps_nor_harms() {
        let (bytes, key) = signed();
        let frame = Frame::parse(&bytes).unwrap();
        let alien = || SignatureEntry { algorithm: 9, fingerprint: None, signature: &[1, 2, 3] };
        let ours = &frame.signatures[0];
        let with = |signatures| Frame { signatures, ..Frame::parse(&bytes).unwrap() };
        let again = || SignatureEntry { signature: ours.signature, ..*ours };
        assert!(with(vec![alien()]).verify(&key.public()).is_err());
        assert!(with(vec![alien(), again()]).verify(&key.public()).is_ok());
        let unnamed = SignatureEntry { fingerprint: None, ..again() };
        assert!(with(vec![unnamed]).verify(&key.public()).is_ok());
        let misnamed = SignatureEntry { fingerprint: Some([0; 32]), ..again() };
        assert!(with(vec![misnamed]).verify(&key.public()).is_err());
        let failing = SignatureEntry { signature: &[0; 64], ..again() };
        assert!(with(vec![again(), failing]).verify(&key.public()).is_err());
        let crowd = with((0..5).map(|_| again()).collect()).write();
        assert!(Frame::parse(&crowd).is_err());
        assert!(Frame::parse(&with(Vec::new()).write()).is_err());
    }
}
