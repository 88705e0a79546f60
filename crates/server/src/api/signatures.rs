//! `/v1/keys/{key}/sign`, `/verify`, `/public-key`, `/mac` and `/verify-mac`.
//!
//! Invariant: a key has one algorithm, so that no request names one; every answer does. A signature
//! or MAC that does not hold is a problem and never an answer that says `false`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use keystead_domain::Account;
use keystead_service::{
    Fault, GenerateMac, GetPublicKey, MacGenerated, MacVerified, MessageType, PublicKeyShown,
    Service, Sign, SignatureVerified, SignedMessage, Verify, VerifyMac,
};

use super::{
    call::{Answer, Signed, field, finish},
    uses::{required, run},
};
use crate::{fields::Fields, json::JsonText};

/// What a message can be, as `message_type` names it.
pub(super) const MESSAGE_TYPES: &[&str] = &["raw", "digest"];

/// `POST /v1/keys/{key}/sign`
pub(super) async fn sign(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.sign(cx, command).await;
    signed.answer(service, "Sign", parse_sign, act, signature).await
}

/// `POST /v1/keys/{key}/verify`
pub(super) async fn verify(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.verify(cx, command).await;
    signed.answer(service, "Verify", parse_verify, act, verified).await
}

/// `GET /v1/keys/{key}/public-key`
pub(super) async fn public_key(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.public_key(cx, command).await;
    signed.answer(service, "GetPublicKey", parse_public_key, act, shown).await
}

/// `POST /v1/keys/{key}/mac`
pub(super) async fn generate_mac(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.generate_mac(cx, command).await;
    signed.answer(service, "GenerateMac", parse_generate_mac, act, mac).await
}

/// `POST /v1/keys/{key}/verify-mac`
pub(super) async fn verify_mac(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.verify_mac(cx, command).await;
    signed.answer(service, "VerifyMac", parse_verify_mac, act, mac_verified).await
}

pub(super) fn parse_sign(signed: &Signed, account: &Account) -> Result<Sign, Fault> {
    let mut fields = signed.fields()?;
    let message = required(&mut fields, "message")?;
    let (message_type, run) = (message_type(&mut fields)?, run(&mut fields)?);
    finish(&fields)?;
    Ok(Sign { key: signed.key(account)?, message, message_type, algorithm: None, run })
}

pub(super) fn parse_verify(signed: &Signed, account: &Account) -> Result<Verify, Fault> {
    let mut fields = signed.fields()?;
    let message = required(&mut fields, "message")?;
    let (message_type, run) = (message_type(&mut fields)?, run(&mut fields)?);
    let signature = required(&mut fields, "signature")?.to_vec();
    finish(&fields)?;
    let key = signed.key(account)?;
    Ok(Verify { key, message, message_type, signature, algorithm: None, run })
}

pub(super) fn parse_public_key(signed: &Signed, account: &Account) -> Result<GetPublicKey, Fault> {
    signed.query(&[])?;
    Ok(GetPublicKey { key: signed.key(account)? })
}

pub(super) fn parse_generate_mac(signed: &Signed, account: &Account) -> Result<GenerateMac, Fault> {
    let mut fields = signed.fields()?;
    let (message, run) = (required(&mut fields, "message")?, run(&mut fields)?);
    finish(&fields)?;
    Ok(GenerateMac { key: signed.key(account)?, message, algorithm: None, run })
}

pub(super) fn parse_verify_mac(signed: &Signed, account: &Account) -> Result<VerifyMac, Fault> {
    let mut fields = signed.fields()?;
    let (message, run) = (required(&mut fields, "message")?, run(&mut fields)?);
    let mac = required(&mut fields, "mac")?.to_vec();
    finish(&fields)?;
    Ok(VerifyMac { key: signed.key(account)?, message, mac, algorithm: None, run })
}

pub(super) fn signature(made: &SignedMessage) -> Answer {
    Answer::ok(JsonText::object(made.signature.len(), |o| {
        o.text("key_id", &made.key.to_string()).text("algorithm", made.algorithm.aws_name());
        o.base64("signature", &made.signature);
    }))
}

pub(super) fn verified(found: &SignatureVerified) -> Answer {
    Answer::ok(JsonText::object(0, |o| {
        o.text("key_id", &found.key.to_string()).text("algorithm", found.algorithm.aws_name());
    }))
}

pub(super) fn shown(shown: &PublicKeyShown) -> Answer {
    Answer::ok(JsonText::object(shown.der.len(), |o| {
        o.text("key_id", &shown.key.to_string()).text("algorithm", shown.algorithm.aws_name());
        o.text("spec", shown.spec.aws_name()).base64("public_key", &shown.der);
    }))
}

pub(super) fn mac(made: &MacGenerated) -> Answer {
    Answer::ok(JsonText::object(made.mac.len(), |o| {
        o.text("key_id", &made.key.to_string()).text("algorithm", made.algorithm.aws_name());
        o.base64("mac", &made.mac);
    }))
}

pub(super) fn mac_verified(found: &MacVerified) -> Answer {
    Answer::ok(JsonText::object(0, |o| {
        o.text("key_id", &found.key.to_string()).text("algorithm", found.algorithm.aws_name());
    }))
}

fn message_type(fields: &mut Fields) -> Result<MessageType, Fault> {
    match fields.text("message_type")?.as_deref() {
        None | Some("raw") => Ok(MessageType::Raw),
        Some("digest") => Ok(MessageType::Digest),
        Some(_) => Err(field("message_type", &format!("must be {}", MESSAGE_TYPES.join(" or ")))),
    }
}
