//! GenerateDataKey: a fresh random key for the caller's own encryption, and its ciphertext.

use keystead_crypto::CipherKind;
use keystead_domain::KeyUsage;
use zeroize::Zeroizing;

use super::{Use, encrypt::seal, meant_for, resolved, steps};
use crate::{
    Cx, DataKeyGenerated, Error, Fault, GenerateDataKey, HandOut, Run,
    door::{Approved, Resource},
    keyring::Snapshot,
    service::Service,
};

const BYTES_MAX: usize = 1024;

impl Use for GenerateDataKey {
    const OPERATION: &'static str = "GenerateDataKey";
    type Done = DataKeyGenerated;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        check_bytes("numberOfBytes", self.bytes)?;
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
    ) -> Result<DataKeyGenerated, Error> {
        let (command, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        meant_for(entry, KeyUsage::EncryptDecrypt, asked_for(command.hand_out))?;
        let mut plaintext = Zeroizing::new(vec![0; command.bytes]);
        service.ports.entropy.fill(&mut plaintext);
        let ciphertext =
            seal(service, entry, CipherKind::Message, &command.context, &plaintext).await?;
        let plaintext = match command.hand_out {
            HandOut::Both => Some(plaintext),
            HandOut::CiphertextOnly => None,
        };
        let key_check = entry.current_check();
        Ok(DataKeyGenerated { key: entry.id, key_check, ciphertext, plaintext })
    }
}

/// The operation as AWS clients name it: they know two.
fn asked_for(hand_out: HandOut) -> &'static str {
    match hand_out {
        HandOut::Both => GenerateDataKey::OPERATION,
        HandOut::CiphertextOnly => "GenerateDataKeyWithoutPlaintext",
    }
}

/// Refuses a length that no data key has.
pub(super) fn check_bytes(field: &'static str, bytes: usize) -> Result<(), Error> {
    if (1..=BYTES_MAX).contains(&bytes) {
        return Ok(());
    }
    let message = format!("Member must have value between 1 and {BYTES_MAX}");
    Err(Fault::Field { field, message }.into())
}
