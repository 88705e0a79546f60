//! GenerateMac and VerifyMac: MACs that only this key's holder makes and checks.
//!
//! Invariant: a MAC that does not hold is a refusal without a reason and never an answer that says
//! `false`; it is compared in constant time.

use keystead_domain::{KeyId, KeyName, KeySpec, KeyUsage, MacAlgorithm};
use zeroize::Zeroizing;

use super::{
    Use, length, resolved,
    steps::{self, Algorithm},
};
use crate::{
    Cx, Error, Fault, Run,
    door::{Approved, Resource},
    keyring::{OpenedKey, Snapshot},
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

impl Algorithm for MacAlgorithm {
    const USAGE: KeyUsage = KeyUsage::GenerateVerifyMac;

    fn of(spec: KeySpec) -> Option<Self> {
        spec.mac()
    }

    fn name(self) -> &'static str {
        self.aws_name()
    }
}

impl Use for GenerateMac {
    const OPERATION: &'static str = "GenerateMac";
    type Done = MacGenerated;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        length("message", self.message.len(), super::MESSAGE_MAX)?;
        steps::current(cx, snapshot, &self.key)
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
        let algorithm = steps::agreed(entry, command.algorithm, Self::OPERATION)?;
        let opened = steps::to_protect(service, entry).await?;
        let OpenedKey::Mac(key) = &*opened else { return Err(Fault::Internal.into()) };
        let mac = key.mac(&command.message).to_vec();
        Ok(MacGenerated { key: entry.id, algorithm, mac })
    }
}

impl Use for VerifyMac {
    const OPERATION: &'static str = "VerifyMac";
    type Done = MacVerified;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        length("message", self.message.len(), super::MESSAGE_MAX)?;
        length("mac", self.mac.len(), MAC_MAX)?;
        steps::current(cx, snapshot, &self.key)
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
        let algorithm = steps::agreed(entry, command.algorithm, Self::OPERATION)?;
        let opened = steps::to_check(service, entry).await?;
        let OpenedKey::Mac(key) = &*opened else { return Err(Fault::Internal.into()) };
        key.verify(&command.message, &command.mac).map_err(|_| Fault::Mac)?;
        Ok(MacVerified { key: entry.id, algorithm })
    }
}
