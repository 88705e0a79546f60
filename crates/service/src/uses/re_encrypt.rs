//! ReEncrypt: from one key, version or context to another, without showing the plaintext.
//!
//! Invariant: it is a Decrypt and an Encrypt on one snapshot; both keys are the caller's, and the
//! plaintext lives in a buffer that wipes itself.

use keystead_crypto::{CipherContext, CipherKind};
use keystead_domain::{KeyId, KeyUsage};
use keystead_ledger::{Attributes, Value};

use super::{Use, decrypt, encrypt::seal, find, meant_for};
use crate::{
    Cx, Error, Fault, ReEncrypt, ReEncrypted, Run,
    door::{Approved, Resource},
    keyring::Snapshot,
    service::Service,
};

impl Use for ReEncrypt {
    const OPERATION: &'static str = "ReEncrypt";
    type Done = ReEncrypted;

    /// It is about the key that it opens; the other one is checked as well, and its event names it.
    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        let to = find(cx, snapshot, &self.destination)?;
        meant_for(to, KeyUsage::EncryptDecrypt, Self::OPERATION)?;
        let expected = match &self.source {
            Some(name) => {
                let from = find(cx, snapshot, name)?;
                meant_for(from, KeyUsage::EncryptDecrypt, Self::OPERATION)?;
                Some(from.id)
            }
            None => None,
        };
        let at = decrypt::named(cx, snapshot, &self.ciphertext)?;
        match expected.is_some_and(|expected| *expected.as_bytes() != at.id) {
            true => Err(Fault::IncorrectKey.into()),
            false => Ok(at),
        }
    }

    fn said(&self, cx: &Cx, snapshot: &Snapshot) -> Attributes {
        let Ok(to) = find(cx, snapshot, &self.destination) else { return Attributes::new() };
        let key = Value::Clear(to.id.to_string().into_bytes());
        Attributes::new().with("destination", &key).expect("an id fits an attribute")
    }

    fn run(&self) -> Run {
        self.run
    }

    async fn act(
        service: &Service,
        cx: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<ReEncrypted, Error> {
        let (command, at, _) = approved.into_parts();
        let kind = CipherKind::Message;
        let context = CipherContext::new(kind, at.tenant.as_bytes(), &command.source_context);
        let (source_check, plaintext) =
            decrypt::open(service, snapshot, &at, &context, &command.ciphertext).await?;
        let to = find(cx, snapshot, &command.destination)?;
        let ciphertext = seal(service, to, kind, &command.destination_context, &plaintext).await?;
        Ok(ReEncrypted {
            source: KeyId::from_bytes(at.id),
            source_check,
            destination: to.id,
            destination_check: to.current_check(),
            ciphertext,
        })
    }
}
