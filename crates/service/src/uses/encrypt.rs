//! Encrypt: user data of at most 4,096 bytes under a key's current version.

use keystead_crypto::{CipherContext, CipherKind};

use super::{Use, find, length, protecting, resolved};
use crate::{
    Cx, Encrypt, Encrypted, EncryptionContext, Error, Run,
    door::{Approved, Resource},
    keyring::{KeyEntry, Snapshot},
    service::Service,
};

const PLAINTEXT_MAX: usize = 4096;

impl Use for Encrypt {
    const OPERATION: &'static str = "Encrypt";
    type Done = Encrypted;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        length("plaintext", self.plaintext.len(), PLAINTEXT_MAX)?;
        let key = &find(cx, snapshot, &self.key)?.key;
        Ok(Resource::key(key.id, key.tenant, Some(key.current().id)))
    }

    fn run(&self) -> Run {
        self.run
    }

    fn act(
        service: &Service,
        _: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<Encrypted, Error> {
        let (command, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        let ciphertext =
            seal(service, entry, CipherKind::Message, &command.context, &command.plaintext)?;
        Ok(Encrypted { key: entry.key.id, ciphertext })
    }
}

/// Encrypts under the current version of a key that may protect.
pub(super) fn seal(
    service: &Service,
    entry: &KeyEntry,
    kind: CipherKind,
    context: &EncryptionContext,
    plaintext: &[u8],
) -> Result<Vec<u8>, Error> {
    protecting(service, entry)?;
    let opened = service.keyring.open(&service.tenants, entry, entry.key.current().id)?;
    let context = CipherContext::new(kind, entry.key.tenant.as_bytes(), context);
    Ok(opened.encrypt(&service.ports.entropy, &context, plaintext))
}
