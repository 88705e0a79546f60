//! Encrypt, Decrypt, ReEncrypt, GenerateRandom and the two GenerateDataKey: wire to command, result
//! to wire.
//!
//! Invariant: a plaintext is held in buffers that wipe themselves on both ways, and appears in no
//! message. Crypto operations answer with the key's ARN in `KeyId`, as AWS does.

use keystead_domain::{Account, to_hex};
use keystead_service::{
    DataKeyGenerated, Decrypt, Decrypted, Encrypt, Encrypted, GenerateDataKey, GenerateRandom,
    HandOut, RandomBytes, ReEncrypt, ReEncrypted,
};

use super::{
    members::{Members, key_name},
    place::Place,
    unread::Unread,
};
use crate::json::JsonText;

const ALGORITHM: (&str, &str) = ("EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
const SOURCE_ALGORITHM: &str = "SourceEncryptionAlgorithm";
const DESTINATION_ALGORITHM: &str = "DestinationEncryptionAlgorithm";
/// Which version it was, as `CurrentKeyMaterialId` names one.
const MATERIAL: &str = "KeyMaterialId";
const MAX_PLAINTEXT_BYTES: usize = 4096;
const MAX_CIPHERTEXT_BYTES: usize = 6144;
const MAX_DATA_KEY_BYTES: i64 = 1024;
const ONE_OF_TWO: &str = "Please specify either number of bytes or key spec.";

pub(super) fn encrypt(body: &[u8], account: &Account) -> Result<Encrypt, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let plaintext = members.required_blob("Plaintext", "plaintext", MAX_PLAINTEXT_BYTES)?;
    let context = members.context()?;
    let run = members.run()?;
    members.no_grant_tokens()?;
    members.symmetric_algorithm()?;
    members.finish()?;
    Ok(Encrypt { key: key_name(&key, account)?, plaintext, context, run })
}

pub(super) fn decrypt(body: &[u8], account: &Account) -> Result<Decrypt, Unread> {
    let mut members = Members::parse(body)?;
    let mut ciphertext =
        members.required_blob("CiphertextBlob", "ciphertextBlob", MAX_CIPHERTEXT_BYTES)?;
    let key = members.key_id()?;
    let context = members.context()?;
    let run = members.run()?;
    members.no_grant_tokens()?;
    members.symmetric_algorithm()?;
    members.no_recipient();
    if !members.fields.texts("DryRunModifiers")?.is_empty() {
        members.refuse_later(Unread::unsupported("DryRunModifiers are not supported."));
    }
    members.finish()?;
    let key = key.map(|key| key_name(&key, account)).transpose()?;
    Ok(Decrypt { ciphertext: std::mem::take(&mut *ciphertext), context, key, run })
}

pub(super) fn generate_data_key(
    body: &[u8],
    account: &Account,
    hand_out: HandOut,
) -> Result<GenerateDataKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let bytes = data_key_bytes(&mut members)?;
    let context = members.context()?;
    let run = members.run()?;
    members.no_grant_tokens()?;
    members.no_recipient();
    members.finish()?;
    let bytes = bytes.ok_or_else(|| Unread::validation(ONE_OF_TWO))?;
    Ok(GenerateDataKey { key: key_name(&key, account)?, bytes, context, hand_out, run })
}

pub(super) fn re_encrypt(body: &[u8], account: &Account) -> Result<ReEncrypt, Unread> {
    let mut members = Members::parse(body)?;
    let mut ciphertext =
        members.required_blob("CiphertextBlob", "ciphertextBlob", MAX_CIPHERTEXT_BYTES)?;
    let source_context = members.context_named("SourceEncryptionContext")?;
    let source = members.text("SourceKeyId", "sourceKeyId", (1, 2048))?;
    let destination = members.text("DestinationKeyId", "destinationKeyId", (1, 2048))?;
    if destination.is_none() {
        members.shape.missing("destinationKeyId");
    }
    let destination_context = members.context_named("DestinationEncryptionContext")?;
    let run = members.run()?;
    members.no_grant_tokens()?;
    members.symmetric_algorithm_named(SOURCE_ALGORITHM, "sourceEncryptionAlgorithm")?;
    members.symmetric_algorithm_named(DESTINATION_ALGORITHM, "destinationEncryptionAlgorithm")?;
    if !members.fields.texts("DryRunModifiers")?.is_empty() {
        members.refuse_later(Unread::unsupported("DryRunModifiers are not supported."));
    }
    members.finish()?;
    Ok(ReEncrypt {
        ciphertext: std::mem::take(&mut *ciphertext),
        source_context,
        source: source.map(|key| key_name(&key, account)).transpose()?,
        destination: key_name(&destination.unwrap_or_default(), account)?,
        destination_context,
        run,
    })
}

pub(super) fn generate_random(body: &[u8]) -> Result<GenerateRandom, Unread> {
    let mut members = Members::parse(body)?;
    let number = members.fields.integer("NumberOfBytes")?;
    match number {
        None => members.shape.missing("numberOfBytes"),
        Some(number) => members.shape.number("numberOfBytes", number, 1, MAX_DATA_KEY_BYTES),
    }
    members.no_recipient();
    if members.fields.present("CustomKeyStoreId") {
        members.refuse_later(Unread::unsupported("Custom key stores are not supported."));
    }
    members.finish()?;
    let bytes = number.and_then(|number| usize::try_from(number).ok());
    Ok(GenerateRandom { bytes: bytes.expect("the shape demands 1 to 1,024") })
}

pub(super) fn random(made: &RandomBytes, _: &Place) -> JsonText {
    JsonText::object(made.bytes.len(), |o| {
        o.base64("Plaintext", &made.bytes);
    })
}

pub(super) fn re_encrypted(made: &ReEncrypted, place: &Place) -> JsonText {
    JsonText::object(made.ciphertext.len(), |o| {
        o.base64("CiphertextBlob", &made.ciphertext);
        o.text("SourceKeyId", &place.key(made.source)).text("KeyId", &place.key(made.destination));
        o.text(SOURCE_ALGORITHM, ALGORITHM.1).text(DESTINATION_ALGORITHM, ALGORITHM.1);
        o.text("SourceKeyMaterialId", &to_hex(&made.source_check));
        o.text("DestinationKeyMaterialId", &to_hex(&made.destination_check));
    })
}

pub(super) fn encrypted(made: &Encrypted, place: &Place) -> JsonText {
    JsonText::object(made.ciphertext.len(), |o| {
        o.base64("CiphertextBlob", &made.ciphertext);
        o.text("KeyId", &place.key(made.key)).text(ALGORITHM.0, ALGORITHM.1);
    })
}

pub(super) fn decrypted(opened: &Decrypted, place: &Place) -> JsonText {
    JsonText::object(opened.plaintext.len(), |o| {
        o.text("KeyId", &place.key(opened.key));
        o.base64("Plaintext", &opened.plaintext).text(ALGORITHM.0, ALGORITHM.1);
        o.text(MATERIAL, &to_hex(&opened.key_check));
    })
}

pub(super) fn data_key(made: &DataKeyGenerated, place: &Place) -> JsonText {
    let plaintext = made.plaintext.as_ref();
    let bytes = made.ciphertext.len() + plaintext.map_or(0, |plaintext| plaintext.len());
    JsonText::object(bytes, |o| {
        o.base64("CiphertextBlob", &made.ciphertext);
        if let Some(plaintext) = plaintext {
            o.base64("Plaintext", plaintext);
        }
        o.text("KeyId", &place.key(made.key)).text(MATERIAL, &to_hex(&made.key_check));
    })
}

/// `None` where neither or both ways to say a length were used.
fn data_key_bytes(members: &mut Members) -> Result<Option<usize>, Unread> {
    let number = members.fields.integer("NumberOfBytes")?;
    if let Some(number) = number {
        members.shape.number("numberOfBytes", number, 1, MAX_DATA_KEY_BYTES);
    }
    let spec = members.name("KeySpec", "keySpec", &["AES_256", "AES_128"])?;
    Ok(match (number, spec.as_deref()) {
        (Some(number), None) => usize::try_from(number).ok(),
        (None, Some("AES_128")) => Some(16),
        (None, Some(_)) => Some(32),
        (Some(_), Some(_)) | (None, None) => None,
    })
}
