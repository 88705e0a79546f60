//! Encrypt: user data of at most 4,096 bytes under a key's current version.

use keystead_crypto::{CipherContext, CipherKind};
use keystead_domain::KeyUsage;

use super::{MESSAGE_MAX, Use, length, meant_for, resolved, steps};
use crate::{
    Cx, Encrypt, Encrypted, EncryptionContext, Error, Fault, Run,
    door::{Approved, Resource},
    keyring::{KeyEntry, Snapshot},
    service::Service,
};

impl Use for Encrypt {
    const OPERATION: &'static str = "Encrypt";
    type Done = Encrypted;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        length("plaintext", self.plaintext.len(), MESSAGE_MAX)?;
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
    ) -> Result<Encrypted, Error> {
        let (command, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        meant_for(entry, KeyUsage::EncryptDecrypt, Self::OPERATION)?;
        let ciphertext =
            seal(service, entry, CipherKind::Message, &command.context, &command.plaintext).await?;
        Ok(Encrypted { key: entry.id, ciphertext })
    }
}

/// Encrypts under the current version of a key that is meant for it and may protect.
pub(super) async fn seal(
    service: &Service,
    entry: &KeyEntry,
    kind: CipherKind,
    context: &EncryptionContext,
    plaintext: &[u8],
) -> Result<Vec<u8>, Error> {
    let opened = steps::to_protect(service, entry).await?;
    let context = CipherContext::new(kind, entry.tenant().as_bytes(), context);
    let cipher = opened.cipher().ok_or(Fault::Internal)?;
    Ok(cipher.encrypt(&service.ports.entropy, &context, plaintext))
}
