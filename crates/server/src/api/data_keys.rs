//! `/v1/data-keys`: data keys that open through leases.
//!
//! Invariant: plaintext is base64 on the wire and in buffers that wipe themselves here; a lease is
//! opaque to the client.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::{Account, KeyName};
use keystead_service::{
    DEFAULT_LEASE_MS, DataKeyLeased, Fault, GenerateLeasedDataKey, LeaseDataKey, Service,
    UnwrapDataKey,
};

use super::call::{Answer, Signed, field, finish};
use crate::{
    fields::Fields,
    json::{JsonText, Object},
};

const DEFAULT_BYTES: i64 = 32;

/// `POST /v1/data-keys`
pub(super) async fn generate(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| {
        service.generate_leased_data_key(cx, command).await
    };
    signed.answer(service, "GenerateLeasedDataKey", parse_generate, act, generated).await
}

/// `POST /v1/data-keys/leases`
pub(super) async fn lease(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.lease_data_key(cx, command).await;
    signed.answer(service, "LeaseDataKey", parse_lease, act, leased).await
}

/// `POST /v1/data-keys/unwrap`
pub(super) async fn unwrap(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.unwrap_data_key(cx, command).await;
    signed.answer(service, "UnwrapDataKey", parse_unwrap, act, unwrapped).await
}

pub(super) fn parse_generate(
    signed: &Signed,
    account: &Account,
) -> Result<GenerateLeasedDataKey, Fault> {
    let mut fields = signed.fields()?;
    let key = fields.text("key")?.ok_or_else(|| field("key", "missing"))?;
    let bytes = fields.integer("bytes")?.unwrap_or(DEFAULT_BYTES);
    let (context, lease_ms) = (fields.map("context")?, lease_ms(&mut fields)?);
    finish(&fields)?;
    let key = KeyName::parse(&key, account)?;
    let bytes = usize::try_from(bytes).map_err(|_| field("bytes", "must be 1 to 1,024"))?;
    Ok(GenerateLeasedDataKey { key, bytes, context, lease_ms })
}

pub(super) fn parse_lease(signed: &Signed, _: &Account) -> Result<LeaseDataKey, Fault> {
    let mut fields = signed.fields()?;
    let ciphertext = blob(&mut fields, "ciphertext")?;
    let (context, lease_ms) = (fields.map("context")?, lease_ms(&mut fields)?);
    finish(&fields)?;
    Ok(LeaseDataKey { ciphertext, context, lease_ms })
}

pub(super) fn parse_unwrap(signed: &Signed, _: &Account) -> Result<UnwrapDataKey, Fault> {
    let mut fields = signed.fields()?;
    let (ciphertext, lease) = (blob(&mut fields, "ciphertext")?, blob(&mut fields, "lease")?);
    let context = fields.map("context")?;
    finish(&fields)?;
    Ok(UnwrapDataKey { ciphertext, context, lease })
}

fn blob(fields: &mut Fields, name: &'static str) -> Result<Vec<u8>, Fault> {
    let mut blob = fields.blob(name)?.ok_or_else(|| field(name, "missing"))?;
    Ok(std::mem::take(&mut *blob))
}

fn lease_ms(fields: &mut Fields) -> Result<i64, Fault> {
    let seconds = fields.integer("lease_seconds")?;
    Ok(seconds.map_or(DEFAULT_LEASE_MS, |seconds| seconds.saturating_mul(1000)))
}

fn generated(made: &DataKeyLeased) -> Answer {
    let secret = made.plaintext.len() + made.ciphertext.len();
    let body = JsonText::object(secret, |o| {
        write_leased(o, made);
        o.base64("ciphertext", &made.ciphertext);
    });
    Answer { status: StatusCode::CREATED, ..Answer::ok(body) }
}

fn leased(made: &DataKeyLeased) -> Answer {
    Answer { status: StatusCode::CREATED, ..unwrapped(made) }
}

fn unwrapped(opened: &DataKeyLeased) -> Answer {
    Answer::ok(JsonText::object(opened.plaintext.len(), |o| write_leased(o, opened)))
}

fn write_leased(o: &mut Object<'_>, data_key: &DataKeyLeased) {
    o.text("key_id", &data_key.key.to_string()).base64("plaintext", &data_key.plaintext);
    o.base64("lease", &data_key.lease.token);
    o.text("expires_at", &data_key.lease.expires_at.to_string());
}
