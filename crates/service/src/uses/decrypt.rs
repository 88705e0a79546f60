//! Decrypt: the ciphertext names key and version; the context must be the one it was made with.
//!
//! A ciphertext of another tenant's key, of no key, altered, or with another context is one
//! refusal: nothing tells a caller which.

use keystead_crypto::{CipherContext, CipherKind, named_key, newer_envelope};
use keystead_domain::{KeyId, KeyUsage, VersionId};
use zeroize::Zeroizing;

use super::{Use, find, length, meant_for, opening, resolved};
use crate::{
    Cx, Decrypt, Decrypted, Error, Fault, Run,
    door::{Approved, Resource},
    keyring::Snapshot,
    service::Service,
};

const CIPHERTEXT_MAX: usize = 6144;

impl Use for Decrypt {
    const OPERATION: &'static str = "Decrypt";
    type Done = Decrypted;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        length("ciphertextBlob", self.ciphertext.len(), CIPHERTEXT_MAX)?;
        let expected = match &self.key {
            Some(name) => {
                let key = find(cx, snapshot, name)?;
                meant_for(key, KeyUsage::EncryptDecrypt, Self::OPERATION)?;
                Some(key.id)
            }
            None => None,
        };
        let at = named(cx, snapshot, &self.ciphertext)?;
        match expected.is_some_and(|expected| *expected.as_bytes() != at.id) {
            true => Err(Fault::IncorrectKey.into()),
            false => Ok(at),
        }
    }

    fn run(&self) -> Run {
        self.run
    }

    async fn act(
        service: &Service,
        _: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<Decrypted, Error> {
        let (command, at, _) = approved.into_parts();
        let kind = CipherKind::Message;
        let context = CipherContext::new(kind, at.tenant.as_bytes(), &command.context);
        let (key_check, plaintext) =
            open(service, snapshot, &at, &context, &command.ciphertext).await?;
        Ok(Decrypted { key: KeyId::from_bytes(at.id), key_check, plaintext })
    }
}

/// The key version that a ciphertext names, where it is the caller's.
pub(super) fn named(cx: &Cx, snapshot: &Snapshot, ciphertext: &[u8]) -> Result<Resource, Error> {
    length("ciphertextBlob", ciphertext.len(), CIPHERTEXT_MAX)?;
    if let Some(newer) = newer_envelope(ciphertext) {
        return Err(Fault::NewerCiphertext(newer).into());
    }
    let named = named_key(ciphertext).ok_or(Fault::Ciphertext)?;
    let id = KeyId::from_bytes(named.key);
    let entry = snapshot.key(id, cx.principal.tenant).ok_or(Fault::Ciphertext)?;
    Ok(Resource::key(id, entry.tenant(), Some(VersionId::from_bytes(named.version))))
}

/// Opens a ciphertext under the version that it was resolved to; with that version's check value.
pub(super) async fn open(
    service: &Service,
    snapshot: &Snapshot,
    at: &Resource,
    context: &CipherContext,
    ciphertext: &[u8],
) -> Result<([u8; 32], Zeroizing<Vec<u8>>), Error> {
    let entry = resolved(snapshot, at)?;
    opening(entry)?;
    let version = at.version.ok_or(Fault::Ciphertext)?;
    let opened = service.open_key(entry, version).await?;
    // What names a key that encrypts nothing was made by nobody.
    let cipher = opened.cipher().ok_or(Fault::Ciphertext)?;
    let plaintext = cipher.decrypt(context, ciphertext).map_err(|_| Fault::Ciphertext)?;
    Ok((entry.key_check(version).ok_or(Fault::Ciphertext)?, plaintext))
}
