//! Decrypt: the ciphertext names key and version; the context must be the one it was made with.
//!
//! A ciphertext of another tenant's key, of no key, altered, or with another context is one
//! refusal: nothing tells a caller which.

use keystead_crypto::{CipherContext, CipherKind, named_key};
use keystead_domain::{KeyId, VersionId};

use super::{Use, find, length, resolved};
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
            Some(name) => Some(find(cx, snapshot, name)?.key.id),
            None => None,
        };
        let named = named_key(&self.ciphertext).ok_or(Fault::Ciphertext)?;
        let id = KeyId::from_bytes(named.key);
        let entry = snapshot.key(id, cx.principal.tenant).ok_or(Fault::Ciphertext)?;
        if expected.is_some_and(|expected| expected != id) {
            return Err(Fault::IncorrectKey.into());
        }
        let version = VersionId::from_bytes(named.version);
        Ok(Resource::key(id, entry.key.tenant, Some(version)))
    }

    fn run(&self) -> Run {
        self.run
    }

    fn act(
        service: &Service,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<Decrypted, Error> {
        let (command, at, _) = approved.into_parts();
        let key = &resolved(snapshot, &at)?.key;
        if !key.state.may_open() {
            return Err(Fault::KeyState { key: key.id, state: key.state }.into());
        }
        let entry = resolved(snapshot, &at)?;
        let version = at.version.ok_or(Fault::Ciphertext)?;
        let opened = service.keyring.open(&service.tenants, entry, version)?;
        let context =
            CipherContext::new(CipherKind::Message, key.tenant.as_bytes(), &command.context);
        let plaintext =
            opened.decrypt(&context, &command.ciphertext).map_err(|_| Fault::Ciphertext)?;
        let version = key.versions.iter().find(|known| known.id == version);
        let key_check = version.ok_or(Fault::Ciphertext)?.key_check;
        Ok(Decrypted { key: key.id, key_check, plaintext })
    }
}
