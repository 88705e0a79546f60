//! `/v1/keys/{key}/encrypt` and `/decrypt`.
//!
//! Invariant: plaintext is base64 on the wire and in buffers that wipe themselves here.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use keystead_domain::Account;
use keystead_service::{Decrypt, Decrypted, Encrypt, Encrypted, Fault, Run, Service};
use zeroize::Zeroizing;

use super::call::{Answer, Signed, field, finish};
use crate::{fields::Fields, json::JsonText};

/// `POST /v1/keys/{key}/encrypt`
pub(super) async fn encrypt(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.encrypt(cx, command).await;
    signed.answer(service, "Encrypt", parse_encrypt, act, encrypted).await
}

/// `POST /v1/keys/{key}/decrypt`
pub(super) async fn decrypt(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.decrypt(cx, command).await;
    signed.answer(service, "Decrypt", parse_decrypt, act, decrypted).await
}

pub(super) fn parse_encrypt(signed: &Signed, account: &Account) -> Result<Encrypt, Fault> {
    let mut fields = signed.fields()?;
    let plaintext = required(&mut fields, "plaintext")?;
    let (context, run) = (fields.map("context")?, run(&mut fields)?);
    finish(&fields)?;
    Ok(Encrypt { key: signed.key(account)?, plaintext, context, run })
}

pub(super) fn parse_decrypt(signed: &Signed, account: &Account) -> Result<Decrypt, Fault> {
    let mut fields = signed.fields()?;
    let mut ciphertext = required(&mut fields, "ciphertext")?;
    let (context, run) = (fields.map("context")?, run(&mut fields)?);
    finish(&fields)?;
    let (key, ciphertext) = (Some(signed.key(account)?), std::mem::take(&mut *ciphertext));
    Ok(Decrypt { ciphertext, context, key, run })
}

pub(super) fn encrypted(made: &Encrypted) -> Answer {
    Answer::ok(JsonText::object(made.ciphertext.len(), |o| {
        o.text("key_id", &made.key.to_string()).base64("ciphertext", &made.ciphertext);
    }))
}

pub(super) fn decrypted(opened: &Decrypted) -> Answer {
    Answer::ok(JsonText::object(opened.plaintext.len(), |o| {
        o.text("key_id", &opened.key.to_string()).base64("plaintext", &opened.plaintext);
    }))
}

pub(super) fn required(
    fields: &mut Fields,
    name: &'static str,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    fields.blob(name)?.ok_or_else(|| field(name, "missing"))
}

pub(super) fn run(fields: &mut Fields) -> Result<Run, Fault> {
    Ok(match fields.truth("dry_run")? {
        Some(true) => Run::Dry,
        Some(false) | None => Run::ForReal,
    })
}
