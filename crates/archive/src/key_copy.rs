//! The material of one key version, sealed to one backup epoch: the only place outside the running
//! system where material lies.
//!
//! Invariant: nothing wraps the material but the epoch's box; a copy counts as opened only when the
//! plaintext names the same key as the header, its key-check value is derived again and equal, and
//! the material is one that its algorithm can use.
//! See `docs/formats/key-copy.md`.

use keystead_crypto::{
    ENCAPSULATION_BYTES, Entropy, KeyVersion, P256Key, RecipientKey, RecipientSeed, Secret,
    VerifyingKey,
    bytes::{Malformed, Reader, Writer},
    hash::same,
    key_check_value, labels,
};
use keystead_domain::{EpochId, InstanceId, KeyId, KeySpec, TenantId, Timestamp, VersionId};
use zeroize::Zeroizing;

use crate::{
    NodeCertificate, NodeSigner, ObjectRefused, ObjectType,
    certificate::verify_by_node,
    frame::{self, Frame},
    record,
};

const MATERIAL_BYTES: usize = 32;
const PLAIN_BYTES: usize = 1 + 16 + 8 + 2 + MATERIAL_BYTES;
/// Length of a key copy's body.
pub(crate) const BODY_BYTES: usize = ENCAPSULATION_BYTES + PLAIN_BYTES + 16;

/// Whose material a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CopyKind {
    /// The root's signing key.
    RootSigning = 1,
    /// A tenant's master key.
    MasterKey = 2,
    /// A tenant's signing key.
    TenantSigning = 3,
    /// A tenant's backup key.
    TenantBackup = 4,
    /// A tenant's audit key.
    TenantAudit = 5,
    /// A tenant key.
    TenantKey = 6,
}

/// What the material is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// 32 bytes from which AES-256-GCM keys are derived.
    Aes256Gcm = 1,
    /// An Ed25519 seed.
    Ed25519 = 2,
    /// An HMAC-SHA-256 key.
    HmacSha256 = 3,
    /// A private scalar of P-256 for ECDSA.
    EcdsaP256 = 4,
}

/// What the maker of a copy says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCopyFields {
    /// Of which instance.
    pub instance: InstanceId,
    /// Whose key; the system tenant for the root's signing key.
    pub tenant: TenantId,
    /// Whose material it is.
    pub kind: CopyKind,
    /// Of which key.
    pub key: KeyId,
    /// Of which version.
    pub version: VersionId,
    /// That version's number, from 1.
    pub version_number: u32,
    /// What the material is for; must fit `kind`.
    pub algorithm: Algorithm,
    /// Sealed to which epoch.
    pub epoch: EpochId,
    /// The recipient set in force.
    pub recipient_set_hash: [u8; 32],
    /// When the copy was made.
    pub created_at: Timestamp,
}

/// A verified header: no key is needed to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCopyHeader {
    /// What its maker says.
    pub fields: KeyCopyFields,
    /// The key-check value of the material.
    pub key_check: [u8; 32],
    /// The node that made it.
    pub node: NodeCertificate,
}

/// A copy that was opened and whose material is the one that the header names.
#[derive(Debug)]
pub struct OpenedCopy {
    /// The verified header.
    pub header: KeyCopyHeader,
    /// The material.
    pub material: Secret<MATERIAL_BYTES>,
}

/// Makes, reads and opens key copies.
#[derive(Debug, Clone, Copy)]
pub enum KeyCopy {}

impl KeyCopy {
    /// Seals `material` to the epoch and signs as the node.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] where algorithm and kind, algorithm and material, or instance and
    /// certificate do not fit, or the version number is 0.
    pub fn make(
        entropy: &Entropy,
        signer: &NodeSigner,
        epoch_public: &RecipientKey,
        fields: &KeyCopyFields,
        material: &Secret<MATERIAL_BYTES>,
    ) -> Result<Vec<u8>, Malformed> {
        fields.check()?;
        if signer.certificate().instance != fields.instance {
            return Err(Malformed::BadValue { field: "instance" });
        }
        if !fields.algorithm.takes(material) {
            return Err(Malformed::BadValue { field: "material" });
        }
        let header = CopyHeader {
            fields: fields.clone(),
            key_check: check_value(fields, material),
            certificate: signer.certificate_bytes().to_vec(),
        };
        let written = header.to_bytes();
        let info = copy_info(&written);
        let body = epoch_public.seal(entropy, &info, &[], &plain(fields, material));
        Ok(frame::sign_with_body(ObjectType::KeyCopy, &written, &body, signer.objects()))
    }

    /// Verifies a copy without opening it: signature, certificate and every byte of the body.
    ///
    /// # Errors
    /// [`ObjectRefused`].
    pub fn read(bytes: &[u8], root: &VerifyingKey) -> Result<KeyCopyHeader, ObjectRefused> {
        verified(bytes, root).map(|copy| copy.header)
    }

    /// Verifies and opens a copy, and derives its key-check value again.
    ///
    /// # Errors
    /// [`ObjectRefused::Sealed`] under another epoch, [`ObjectRefused::OtherMaterial`] where the
    /// plaintext is not what the header says; others as in [`KeyCopy::read`].
    pub fn open(
        bytes: &[u8],
        root: &VerifyingKey,
        epoch_seed: &RecipientSeed,
    ) -> Result<OpenedCopy, ObjectRefused> {
        let Verified { header, info, body } = verified(bytes, root)?;
        let opened = epoch_seed.open(&info, &[], body)?;
        let material = opened
            .get(PLAIN_BYTES - MATERIAL_BYTES..)
            .and_then(Secret::from_slice)
            .ok_or(ObjectRefused::OtherMaterial)?;
        let fits = same(&opened, &plain(&header.fields, &material))
            && same(&header.key_check, &check_value(&header.fields, &material))
            && header.fields.algorithm.takes(&material);
        if fits { Ok(OpenedCopy { header, material }) } else { Err(ObjectRefused::OtherMaterial) }
    }
}

impl KeyCopyFields {
    /// Refuses what no reader would take.
    fn check(&self) -> Result<(), Malformed> {
        let fits = match self.kind {
            CopyKind::RootSigning | CopyKind::TenantSigning => self.algorithm == Algorithm::Ed25519,
            CopyKind::MasterKey | CopyKind::TenantBackup => self.algorithm == Algorithm::Aes256Gcm,
            CopyKind::TenantAudit => self.algorithm == Algorithm::HmacSha256,
            CopyKind::TenantKey => true,
        };
        if !fits {
            return Err(Malformed::BadValue { field: "algorithm" });
        }
        record::from_one(self.version_number.into(), "version number").map(|_| ())
    }
}

impl CopyKind {
    fn from_number(number: u8) -> Result<Self, Malformed> {
        Ok(match number {
            1 => Self::RootSigning,
            2 => Self::MasterKey,
            3 => Self::TenantSigning,
            4 => Self::TenantBackup,
            5 => Self::TenantAudit,
            6 => Self::TenantKey,
            _ => return Err(Malformed::BadValue { field: "copy kind" }),
        })
    }
}

impl From<KeySpec> for Algorithm {
    /// What the copies of such a key hold.
    fn from(spec: KeySpec) -> Self {
        match spec {
            KeySpec::Symmetric => Self::Aes256Gcm,
            KeySpec::Ed25519 => Self::Ed25519,
            KeySpec::Hmac256 => Self::HmacSha256,
            KeySpec::P256 => Self::EcdsaP256,
        }
    }
}

impl Algorithm {
    /// Whether these bytes can be used so.
    fn takes(self, material: &Secret<MATERIAL_BYTES>) -> bool {
        match self {
            Self::Aes256Gcm | Self::Ed25519 | Self::HmacSha256 => true,
            Self::EcdsaP256 => P256Key::is_scalar(material),
        }
    }

    fn from_number(number: u16) -> Result<Self, Malformed> {
        Ok(match number {
            1 => Self::Aes256Gcm,
            2 => Self::Ed25519,
            3 => Self::HmacSha256,
            4 => Self::EcdsaP256,
            _ => return Err(Malformed::BadValue { field: "algorithm" }),
        })
    }
}

/// The header as bytes hold it, before the body's digest.
#[derive(Debug)]
pub(crate) struct CopyHeader {
    fields: KeyCopyFields,
    key_check: [u8; 32],
    certificate: Vec<u8>,
}

impl CopyHeader {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let fields = &self.fields;
        let mut w = Writer::new();
        fields.instance.write(&mut w);
        fields.tenant.write(&mut w);
        w.u8(fields.kind as u8);
        fields.key.write(&mut w);
        fields.version.write(&mut w);
        w.u32(fields.version_number).u16(fields.algorithm as u16);
        fields.epoch.write(&mut w);
        w.raw(&fields.recipient_set_hash).raw(&self.key_check);
        record::write_time(&mut w, fields.created_at);
        w.bytes(&self.certificate).finish()
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let header = Self::read(&mut r)?;
        r.finish()?;
        header.fields.check()?;
        Ok(header)
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (instance, tenant) = (InstanceId::read(r)?, TenantId::read(r)?);
        let kind = CopyKind::from_number(r.u8()?)?;
        let (key, version) = (KeyId::read(r)?, VersionId::read(r)?);
        let version_number = r.u32()?;
        let algorithm = Algorithm::from_number(r.u16()?)?;
        let epoch = EpochId::read(r)?;
        let (recipient_set_hash, key_check) = (r.array()?, r.array()?);
        let created_at = record::read_time(r)?;
        let certificate = r.bytes()?.to_vec();
        let fields = KeyCopyFields {
            instance,
            tenant,
            kind,
            key,
            version,
            version_number,
            algorithm,
            epoch,
            recipient_set_hash,
            created_at,
        };
        Ok(Self { fields, key_check, certificate })
    }
}

struct Verified<'a> {
    header: KeyCopyHeader,
    info: String,
    body: &'a [u8],
}

fn verified<'a>(bytes: &'a [u8], root: &VerifyingKey) -> Result<Verified<'a>, ObjectRefused> {
    let frame = Frame::parse_as(bytes, ObjectType::KeyCopy)?;
    let written = frame.header_of_body()?;
    let header = CopyHeader::parse(written)?;
    let node = verify_by_node(&frame, &header.certificate, header.fields.instance, root)?;
    let CopyHeader { fields, key_check, .. } = header;
    let info = copy_info(written);
    let header = KeyCopyHeader { fields, key_check, node };
    Ok(Verified { header, info, body: frame.body })
}

/// Binds the box to all header fields before the body's digest.
fn copy_info(fields: &[u8]) -> String {
    frame::box_info(labels::HPKE_KEY_COPY, &frame::binding_hash(ObjectType::KeyCopy, fields))
}

fn plain(fields: &KeyCopyFields, material: &Secret<MATERIAL_BYTES>) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(PLAIN_BYTES));
    out.push(fields.kind as u8);
    out.extend_from_slice(fields.key.as_bytes());
    out.extend_from_slice(fields.version.as_bytes());
    out.extend_from_slice(&(fields.algorithm as u16).to_be_bytes());
    material.expose(|bytes| out.extend_from_slice(bytes));
    out
}

fn check_value(fields: &KeyCopyFields, material: &Secret<MATERIAL_BYTES>) -> [u8; 32] {
    let id = KeyVersion { key: *fields.key.as_bytes(), version: *fields.version.as_bytes() };
    material.expose(|bytes| key_check_value(id, bytes))
}

#[cfg(test)]
mod tests;
