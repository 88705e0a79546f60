//! `/v1/vault-readings`, `/v1/foreign-accesses`, `/v1/access-log-imports`: put on record who read
//! the vaults without asking this server.
//!
//! Invariant: a report is answered once its event is durable, like every request.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::{Account, Timestamp, parse_hex};
use keystead_service::{
    AccessKind, Fault, ForeignAccess, LogImport, Service, VaultAccess, VaultReading,
};

use super::call::{Answer, Signed, field, finish};
use crate::{fields::Fields, json::JsonText};

/// `POST /v1/vault-readings`
pub(super) async fn reading(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    report(service, signed, "ReportVaultReading", parse_reading).await
}

/// `POST /v1/foreign-accesses`
pub(super) async fn foreign(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    report(service, signed, "ReportForeignAccess", parse_foreign).await
}

/// `POST /v1/access-log-imports`
pub(super) async fn import(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    report(service, signed, "ImportAccessLog", parse_import).await
}

async fn report(
    service: Arc<Service>,
    signed: Signed,
    operation: &'static str,
    parse: fn(&Signed, &Account) -> Result<VaultAccess, Fault>,
) -> Response {
    let act = async |service: Arc<Service>, cx, told| service.report_access(cx, told).await;
    let shown = |(): &()| Answer {
        status: StatusCode::CREATED,
        ..Answer::ok(JsonText::object(0, |o| {
            o.truth("recorded", true);
        }))
    };
    signed.answer(service, operation, parse, act, shown).await
}

pub(super) fn parse_reading(signed: &Signed, _: &Account) -> Result<VaultAccess, Fault> {
    let mut fields = signed.fields()?;
    let reading = VaultReading {
        command: text(&mut fields, "command")?,
        vaults: fields.texts("vaults")?,
        succeeded: truth(&mut fields, "succeeded")?,
    };
    finish(&fields)?;
    Ok(VaultAccess::Reading(reading))
}

pub(super) fn parse_foreign(signed: &Signed, _: &Account) -> Result<VaultAccess, Fault> {
    let mut fields = signed.fields()?;
    let access = text(&mut fields, "access")?;
    let foreign = ForeignAccess {
        vault: text(&mut fields, "vault")?,
        who: text(&mut fields, "who")?,
        access: AccessKind::from_name(&access)
            .ok_or_else(|| field("access", "not a kind of access"))?,
        succeeded: truth(&mut fields, "succeeded")?,
        count: number(&mut fields, "count")?,
        objects: fields.texts("objects")?,
        first_at: time(&mut fields, "first_at")?,
        last_at: time(&mut fields, "last_at")?,
    };
    finish(&fields)?;
    Ok(VaultAccess::Foreign(foreign))
}

pub(super) fn parse_import(signed: &Signed, _: &Account) -> Result<VaultAccess, Fault> {
    let mut fields = signed.fields()?;
    let digest = text(&mut fields, "sha256")?;
    let import = LogImport {
        vault: text(&mut fields, "vault")?,
        format: text(&mut fields, "format")?,
        digest: parse_hex(&digest).ok_or_else(|| field("sha256", "not 64 hex digits"))?,
        accesses: number(&mut fields, "accesses")?,
        foreign: number(&mut fields, "foreign")?,
    };
    finish(&fields)?;
    Ok(VaultAccess::Import(import))
}

fn text(fields: &mut Fields, name: &'static str) -> Result<String, Fault> {
    fields.text(name)?.ok_or_else(|| field(name, "missing"))
}

fn truth(fields: &mut Fields, name: &'static str) -> Result<bool, Fault> {
    fields.truth(name)?.ok_or_else(|| field(name, "missing"))
}

fn number(fields: &mut Fields, name: &'static str) -> Result<u64, Fault> {
    let number = fields.integer(name)?.ok_or_else(|| field(name, "missing"))?;
    u64::try_from(number).map_err(|_| field(name, "must not be negative"))
}

fn time(fields: &mut Fields, name: &'static str) -> Result<Timestamp, Fault> {
    text(fields, name)?.parse().map_err(|_| field(name, "not an RFC 3339 time"))
}
