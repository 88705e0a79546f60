//! `/v1/points` and `/v1/verifications`: make and list recovery points, verify what the vaults hold.
//!
//! Invariant: what is answered was looked at: a point is in enough vaults before it is named, and a
//! verification answers with what its own run found.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::{Account, PointKind, RecoveryPoint, to_hex};
use keystead_service::{CreatePoint, Fault, Level, Service, Verification};

use super::{
    call::{Answer, Signed, field, finish},
    status::no_command,
};
use crate::json::{JsonText, Object};

/// `POST /v1/points`
pub(super) async fn create(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.create_point(cx, command).await;
    let shown = |point: &RecoveryPoint| Answer {
        status: StatusCode::CREATED,
        ..Answer::ok(JsonText::object(0, |o| write_point(o, point)))
    };
    signed.answer(service, "CreateRecoveryPoint", parse_create, act, shown).await
}

/// `GET /v1/points`
pub(super) async fn list(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, ()| service.list_points(cx).await;
    let shown = |points: &Vec<RecoveryPoint>| {
        Answer::ok(JsonText::object(0, |o| {
            o.list("points", points, write_point);
        }))
    };
    signed.answer(service, "ListRecoveryPoints", no_command, act, shown).await
}

/// `POST /v1/verifications`
pub(super) async fn verify(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, level| service.verify_backups(cx, level).await;
    signed.answer(service, "VerifyBackups", parse_verify, act, verified).await
}

pub(super) fn parse_create(signed: &Signed, _: &Account) -> Result<CreatePoint, Fault> {
    let mut fields = signed.fields()?;
    let kind = match fields.text("kind")? {
        None => PointKind::Metadata,
        Some(name) => PointKind::from_name(&name)
            .ok_or_else(|| field("kind", "must be `full` or `metadata`"))?,
    };
    finish(&fields)?;
    Ok(CreatePoint { kind })
}

pub(super) fn parse_verify(signed: &Signed, _: &Account) -> Result<Level, Fault> {
    let mut fields = signed.fields()?;
    let name = fields.text("level")?.ok_or_else(|| field("level", "missing"))?;
    finish(&fields)?;
    let unknown = || field("level", "must be `integrity` or `recovery`");
    Level::from_name(&name).ok_or_else(unknown)
}

fn write_point(o: &mut Object<'_>, point: &RecoveryPoint) {
    o.text("point", &point.id.to_string()).text("kind", point.kind.name());
    o.text("at", &point.at.to_string()).integer("commit_seq", count(point.commit_seq));
    o.integer("follows", count(point.follows)).integer("bytes", count(point.bytes));
    o.text("sha256", &to_hex(&point.hash));
}

fn verified(run: &Verification) -> Answer {
    let findings: Vec<&str> = run.findings.iter().map(String::as_str).collect();
    Answer::ok(JsonText::object(0, |o| {
        o.text("level", run.level.name()).text("at", &run.at.to_string());
        o.integer("took_ms", count(run.took_ms));
        o.integer("objects", count(run.objects)).integer("bytes", count(run.bytes));
        o.integer("versions", count(run.versions)).integer("wraps", count(run.wraps));
        o.optional_text("head", run.head.as_deref());
        o.texts("findings", &findings);
    }))
}

/// A count as JSON has it.
fn count(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
