//! Sign, Verify, GetPublicKey, GenerateMac and VerifyMac: wire to command, result to wire.
//!
//! Invariant: an algorithm that AWS names and no key here has is refused by the key's spec, as AWS
//! does; only what AWS's own key of that spec would do is refused as not supported. Messages are
//! held in buffers that wipe themselves and appear in no answer.

use keystead_domain::{Account, MacAlgorithm, SigningAlgorithm};
use keystead_service::{
    GenerateMac, GetPublicKey, MacGenerated, MacVerified, MessageType, PublicKeyShown, Sign,
    SignatureVerified, SignedMessage, Verify, VerifyMac,
};

use super::{
    members::{Members, key_name},
    place::Place,
    unread::Unread,
};
use crate::json::JsonText;

const SIGNING_ALGORITHMS: &[&str] = &[
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "ECDSA_SHA_256",
    "ECDSA_SHA_384",
    "ECDSA_SHA_512",
    "SM2DSA",
    "ML_DSA_SHAKE_256",
    "ED25519_SHA_512",
    PREHASHED,
];
/// What AWS's Ed25519 keys do and ours do not: the library has no Ed25519ph.
const PREHASHED: &str = "ED25519_PH_SHA_512";
const MAC_ALGORITHMS: &[&str] = &["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"];
const MESSAGE_TYPES: &[&str] = &["RAW", "DIGEST", "EXTERNAL_MU"];
const MAX_MESSAGE_BYTES: usize = 4096;
const MAX_SIGNATURE_BYTES: usize = 6144;

pub(super) fn sign(body: &[u8], account: &Account) -> Result<Sign, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let message = members.required_blob("Message", "message", MAX_MESSAGE_BYTES)?;
    let message_type = message_type(&mut members)?;
    let algorithm = Some(signing_algorithm(&mut members)?);
    let run = members.run()?;
    members.no_grant_tokens()?;
    members.finish()?;
    Ok(Sign { key: key_name(&key, account)?, message, message_type, algorithm, run })
}

pub(super) fn verify(body: &[u8], account: &Account) -> Result<Verify, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let message = members.required_blob("Message", "message", MAX_MESSAGE_BYTES)?;
    let message_type = message_type(&mut members)?;
    let signature = members.required_blob("Signature", "signature", MAX_SIGNATURE_BYTES)?.to_vec();
    let algorithm = Some(signing_algorithm(&mut members)?);
    let run = members.run()?;
    members.no_grant_tokens()?;
    members.finish()?;
    let key = key_name(&key, account)?;
    Ok(Verify { key, message, message_type, signature, algorithm, run })
}

pub(super) fn show_public_key(body: &[u8], account: &Account) -> Result<GetPublicKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    members.no_grant_tokens()?;
    members.finish()?;
    Ok(GetPublicKey { key: key_name(&key, account)? })
}

pub(super) fn generate_mac(body: &[u8], account: &Account) -> Result<GenerateMac, Unread> {
    let mut members = Members::parse(body)?;
    let message = members.required_blob("Message", "message", MAX_MESSAGE_BYTES)?;
    let key = members.required_key_id()?;
    let algorithm = Some(mac_algorithm(&mut members)?);
    let run = members.run()?;
    members.no_grant_tokens()?;
    members.finish()?;
    Ok(GenerateMac { key: key_name(&key, account)?, message, algorithm, run })
}

pub(super) fn verify_mac(body: &[u8], account: &Account) -> Result<VerifyMac, Unread> {
    let mut members = Members::parse(body)?;
    let message = members.required_blob("Message", "message", MAX_MESSAGE_BYTES)?;
    let key = members.required_key_id()?;
    let algorithm = Some(mac_algorithm(&mut members)?);
    let mac = members.required_blob("Mac", "mac", MAX_SIGNATURE_BYTES)?.to_vec();
    let run = members.run()?;
    members.no_grant_tokens()?;
    members.finish()?;
    Ok(VerifyMac { key: key_name(&key, account)?, message, mac, algorithm, run })
}

pub(super) fn signed(made: &SignedMessage, place: &Place) -> JsonText {
    JsonText::object(made.signature.len(), |o| {
        o.text("KeyId", &place.key(made.key)).base64("Signature", &made.signature);
        o.text("SigningAlgorithm", made.algorithm.aws_name());
    })
}

pub(super) fn verified(found: &SignatureVerified, place: &Place) -> JsonText {
    JsonText::object(0, |o| {
        o.text("KeyId", &place.key(found.key)).truth("SignatureValid", true);
        o.text("SigningAlgorithm", found.algorithm.aws_name());
    })
}

pub(super) fn public_key(shown: &PublicKeyShown, place: &Place) -> JsonText {
    let spec = shown.spec.aws_name();
    JsonText::object(shown.der.len(), |o| {
        o.text("KeyId", &place.key(shown.key)).base64("PublicKey", &shown.der);
        o.text("CustomerMasterKeySpec", spec).text("KeySpec", spec);
        o.text("KeyUsage", shown.spec.usage().aws_name());
        o.texts("SigningAlgorithms", &[shown.algorithm.aws_name()]);
    })
}

pub(super) fn mac(made: &MacGenerated, place: &Place) -> JsonText {
    JsonText::object(made.mac.len(), |o| {
        o.base64("Mac", &made.mac).text("MacAlgorithm", made.algorithm.aws_name());
        o.text("KeyId", &place.key(made.key));
    })
}

pub(super) fn mac_verified(found: &MacVerified, place: &Place) -> JsonText {
    JsonText::object(0, |o| {
        o.text("KeyId", &place.key(found.key)).truth("MacValid", true);
        o.text("MacAlgorithm", found.algorithm.aws_name());
    })
}

fn message_type(members: &mut Members) -> Result<MessageType, Unread> {
    let name = members.name("MessageType", "messageType", MESSAGE_TYPES)?;
    Ok(match name.as_deref() {
        Some("DIGEST") => MessageType::Digest,
        Some("EXTERNAL_MU") => {
            let message = "MessageType EXTERNAL_MU is not supported.";
            members.refuse_later(Unread::unsupported(message));
            MessageType::Raw
        }
        _ => MessageType::Raw,
    })
}

fn signing_algorithm(members: &mut Members) -> Result<SigningAlgorithm, Unread> {
    let wanted = ("SigningAlgorithm", "signingAlgorithm");
    let name = members.required_name(wanted, SIGNING_ALGORITHMS)?;
    if name == PREHASHED {
        let message = format!("SigningAlgorithm {PREHASHED} is not supported.");
        members.refuse_later(Unread::unsupported(message));
    }
    Ok(SigningAlgorithm::from_aws_name(name))
}

fn mac_algorithm(members: &mut Members) -> Result<MacAlgorithm, Unread> {
    let name = members.required_name(("MacAlgorithm", "macAlgorithm"), MAC_ALGORITHMS)?;
    Ok(MacAlgorithm::from_aws_name(name))
}

#[cfg(test)]
mod tests;
