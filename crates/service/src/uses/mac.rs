//! GenerateMac and VerifyMac: MACs that only this key's holder makes and checks.
//!
//! Invariant: a MAC that does not hold is a refusal without a reason and never an answer that says
//! `false`; it is compared in constant time.

use keystead_domain::{KeyId, KeyName, KeyUsage, MacAlgorithm};
use zeroize::Zeroizing;

use super::{Use, find, length, meant_for, opening, protecting, resolved};
use crate::{
    Cx, Error, Fault, Run,
    door::{Approved, Resource},
    keyring::{KeyEntry, OpenedKey, Snapshot},
    service::Service,
};

const MAC_MAX: usize = 6144;

/// Makes a MAC of at most 4,096 bytes.
pub struct GenerateMac {
    /// With which key.
    pub key: KeyName,
    /// 1 to 4,096 bytes.
    pub message: Zeroizing<Vec<u8>>,
    /// Where given, it must be the key's.
    pub algorithm: Option<MacAlgorithm>,
    /// Whether to act or only to say whether it would succeed.
    pub run: Run,
}

/// Checks a MAC.
pub struct VerifyMac {
    /// Of which key.
    pub key: KeyName,
    /// 1 to 4,096 bytes.
    pub message: Zeroizing<Vec<u8>>,
    /// 1 to 6,144 bytes, all of the MAC.
    pub mac: Vec<u8>,
    /// Where given, it must be the key's.
    pub algorithm: Option<MacAlgorithm>,
    /// Whether to act or only to say whether it would succeed.
    pub run: Run,
}

/// What GenerateMac made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacGenerated {
    /// With which key.
    pub key: KeyId,
    /// With which algorithm.
    pub algorithm: MacAlgorithm,
    /// The MAC.
    pub mac: Vec<u8>,
}

/// That a MAC holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacVerified {
    /// Of which key.
    pub key: KeyId,
    /// By which algorithm.
    pub algorithm: MacAlgorithm,
}

impl std::fmt::Debug for GenerateMac {
    /// Names the type and nothing in it: the message is the caller's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GenerateMac(…)")
    }
}

impl std::fmt::Debug for VerifyMac {
    /// Names the type and nothing in it: the message is the caller's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerifyMac(…)")
    }
}

impl Use for GenerateMac {
    const OPERATION: &'static str = "GenerateMac";
    type Done = MacGenerated;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        length("message", self.message.len(), super::MESSAGE_MAX)?;
        let key = &find(cx, snapshot, &self.key)?.key;
        Ok(Resource::key(key.id, key.tenant, Some(key.current().id)))
    }

    fn run(&self) -> Run {
        self.run
    }

    async fn act(
        service: &Service,
        _: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<MacGenerated, Error> {
        let (command, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        let algorithm = algorithm_of(entry, command.algorithm, Self::OPERATION)?;
        protecting(service, entry)?;
        let opened = service.open_key(entry, entry.key.current().id).await?;
        let OpenedKey::Mac(key) = &*opened else { return Err(Fault::Internal.into()) };
        let mac = key.mac(&command.message).to_vec();
        Ok(MacGenerated { key: entry.key.id, algorithm, mac })
    }
}

impl Use for VerifyMac {
    const OPERATION: &'static str = "VerifyMac";
    type Done = MacVerified;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        length("message", self.message.len(), super::MESSAGE_MAX)?;
        length("mac", self.mac.len(), MAC_MAX)?;
        let key = &find(cx, snapshot, &self.key)?.key;
        Ok(Resource::key(key.id, key.tenant, Some(key.current().id)))
    }

    fn run(&self) -> Run {
        self.run
    }

    async fn act(
        service: &Service,
        _: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<MacVerified, Error> {
        let (command, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        let algorithm = algorithm_of(entry, command.algorithm, Self::OPERATION)?;
        opening(&entry.key)?;
        let opened = service.open_key(entry, entry.key.current().id).await?;
        let OpenedKey::Mac(key) = &*opened else { return Err(Fault::Internal.into()) };
        key.verify(&command.message, &command.mac).map_err(|_| Fault::Mac)?;
        Ok(MacVerified { key: entry.key.id, algorithm })
    }
}

/// The algorithm of a key that makes MACs, which is the one that the caller named, if any.
fn algorithm_of(
    entry: &KeyEntry,
    named: Option<MacAlgorithm>,
    operation: &'static str,
) -> Result<MacAlgorithm, Error> {
    meant_for(&entry.key, KeyUsage::GenerateVerifyMac, operation)?;
    let spec = entry.key.spec;
    let own = spec.mac().ok_or(Fault::Internal)?;
    match named.filter(|named| *named != own) {
        None => Ok(own),
        Some(other) => Err(Fault::Algorithm { algorithm: other.aws_name(), spec }.into()),
    }
}
