//! Sign, Verify and GetPublicKey: signatures that anybody checks with the public half alone.
//!
//! Invariant: a key signs with the one algorithm of its spec, and what a caller names must be that
//! one. A signature that does not hold is a refusal and never an answer that says `false`, so that
//! a caller who forgets to look is not deceived. Asymmetric keys have one version: a signature does
//! not say which made it.

use keystead_domain::{KeyId, KeyName, KeySpec, KeyUsage, SigningAlgorithm};
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

const SIGNATURE_MAX: usize = 6144;

/// Signs at most 4,096 bytes, or a digest.
pub struct Sign {
    /// With which key.
    pub key: KeyName,
    /// 1 to 4,096 bytes.
    pub message: Zeroizing<Vec<u8>>,
    /// What those bytes are.
    pub message_type: MessageType,
    /// Where given, it must be the key's.
    pub algorithm: Option<SigningAlgorithm>,
    /// Whether to act or only to say whether it would succeed.
    pub run: Run,
}

/// Checks a signature.
pub struct Verify {
    /// Of which key.
    pub key: KeyName,
    /// 1 to 4,096 bytes.
    pub message: Zeroizing<Vec<u8>>,
    /// What those bytes are.
    pub message_type: MessageType,
    /// 1 to 6,144 bytes.
    pub signature: Vec<u8>,
    /// Where given, it must be the key's.
    pub algorithm: Option<SigningAlgorithm>,
    /// Whether to act or only to say whether it would succeed.
    pub run: Run,
}

/// Shows the public half of a key.
#[derive(Debug)]
pub struct GetPublicKey {
    /// Of which key.
    pub key: KeyName,
}

/// What the bytes of a message are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageType {
    /// The message.
    Raw,
    /// What the caller's own hash function made of it: that of the algorithm.
    Digest,
}

/// What Sign made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMessage {
    /// With which key.
    pub key: KeyId,
    /// With which algorithm.
    pub algorithm: SigningAlgorithm,
    /// The signature.
    pub signature: Vec<u8>,
}

/// That a signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureVerified {
    /// Of which key.
    pub key: KeyId,
    /// By which algorithm.
    pub algorithm: SigningAlgorithm,
}

/// The public half of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyShown {
    /// Of which key.
    pub key: KeyId,
    /// What the key is.
    pub spec: KeySpec,
    /// How it signs.
    pub algorithm: SigningAlgorithm,
    /// DER SubjectPublicKeyInfo (RFC 5280).
    pub der: Vec<u8>,
}

macro_rules! redacted {
    ($($name:ident)*) => {$(
        /// Names the type and nothing in it: what people sign is theirs.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

redacted! { Sign Verify }

impl Algorithm for SigningAlgorithm {
    const USAGE: KeyUsage = KeyUsage::SignVerify;

    fn of(spec: KeySpec) -> Option<Self> {
        spec.signing()
    }

    fn name(self) -> &'static str {
        self.aws_name()
    }
}

impl Use for Sign {
    const OPERATION: &'static str = "Sign";
    type Done = SignedMessage;

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
    ) -> Result<SignedMessage, Error> {
        let (command, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        let algorithm = steps::agreed(entry, command.algorithm, Self::OPERATION)?;
        let opened = steps::to_protect(service, entry).await?;
        let signature = match (&*opened, check(&command.message, command.message_type, algorithm)?)
        {
            (OpenedKey::Ed25519(key), Checked::Message(message)) => key.sign(message),
            (OpenedKey::P256(key), Checked::Message(message)) => key.sign(message),
            (OpenedKey::P256(key), Checked::Digest(digest)) => key.sign_digest(digest),
            _ => return Err(Fault::Internal.into()),
        };
        Ok(SignedMessage { key: entry.id, algorithm, signature })
    }
}

impl Use for Verify {
    const OPERATION: &'static str = "Verify";
    type Done = SignatureVerified;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        length("message", self.message.len(), super::MESSAGE_MAX)?;
        length("signature", self.signature.len(), SIGNATURE_MAX)?;
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
    ) -> Result<SignatureVerified, Error> {
        let (command, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        let algorithm = steps::agreed(entry, command.algorithm, Self::OPERATION)?;
        let opened = steps::to_check(service, entry).await?;
        let by = &command.signature;
        let holds = match (&*opened, check(&command.message, command.message_type, algorithm)?) {
            (OpenedKey::Ed25519(key), Checked::Message(message)) => key.verify(message, by),
            (OpenedKey::P256(key), Checked::Message(message)) => key.verify(message, by),
            (OpenedKey::P256(key), Checked::Digest(digest)) => key.verify_digest(digest, by),
            _ => return Err(Fault::Internal.into()),
        };
        holds.map_err(|_| Fault::Signature)?;
        Ok(SignatureVerified { key: entry.id, algorithm })
    }
}

impl Use for GetPublicKey {
    const OPERATION: &'static str = "GetPublicKey";
    type Done = PublicKeyShown;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        steps::current(cx, snapshot, &self.key)
    }

    fn run(&self) -> Run {
        Run::ForReal
    }

    async fn act(
        service: &Service,
        _: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<PublicKeyShown, Error> {
        let (_, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        let (key, spec) = (entry.id, entry.spec);
        let algorithm = spec.signing().ok_or(Fault::NoPublicKey { key, spec })?;
        let opened = steps::to_check(service, entry).await?;
        let der = match &*opened {
            OpenedKey::Ed25519(key) => key.public_der(),
            OpenedKey::P256(key) => key.public_der(),
            OpenedKey::Cipher(_) | OpenedKey::Mac(_) => return Err(Fault::Internal.into()),
        };
        Ok(PublicKeyShown { key, spec, algorithm, der })
    }
}

/// A message that its algorithm can take.
enum Checked<'a> {
    Message(&'a [u8]),
    Digest(&'a [u8; 32]),
}

fn check(
    message: &[u8],
    message_type: MessageType,
    algorithm: SigningAlgorithm,
) -> Result<Checked<'_>, Error> {
    let name = algorithm.aws_name();
    match (message_type, algorithm) {
        (MessageType::Raw, _) => Ok(Checked::Message(message)),
        (MessageType::Digest, SigningAlgorithm::EcdsaSha256) => {
            let refused = || {
                let message = format!("Digest is invalid length for algorithm {name}.");
                Fault::Field { field: "message", message }
            };
            Ok(Checked::Digest(message.try_into().map_err(|_| refused())?))
        }
        (MessageType::Digest, _) => {
            let message = format!("Message type DIGEST is incompatible with algorithm {name}.");
            Err(Fault::Field { field: "messageType", message }.into())
        }
    }
}
