//! `/v1/points`, `/v1/verifications`, `/v1/keys/{key}/restore`: make and list recovery points,
//! verify what the vaults hold, bring one key back.
//!
//! Invariant: what is answered was looked at: a point is in enough vaults before it is named, and a
//! verification answers with what its own run found.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::{Account, PointKind, RecoveryPoint, to_hex};
use keystead_service::{CreatePoint, Fault, KeyRestored, Level, RestoreKey, Service, Verification};

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

/// `POST /v1/keys/{key}/restore`
pub(super) async fn restore(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.restore_key(cx, command).await;
    signed.answer(service, "RestoreKey", parse_restore, act, restored).await
}

pub(super) fn parse_restore(signed: &Signed, account: &Account) -> Result<RestoreKey, Fault> {
    let mut fields = signed.fields()?;
    let point = fields.text("point")?.map(|text| {
        text.parse().map_err(|bad: keystead_domain::BadPoint| field("point", &bad.to_string()))
    });
    let version = fields
        .text("version")?
        .map(|text| text.parse().map_err(|_| field("version", "not the id of a version")));
    let apply = fields.integer("apply")?.map(revision);
    finish(&fields)?;
    let (version, point, apply) = (version.transpose()?, point.transpose()?, apply.transpose()?);
    Ok(RestoreKey { key: signed.key(account)?, version, point, apply })
}

fn restored(told: &KeyRestored) -> Answer {
    Answer::ok(JsonText::object(0, |o| {
        let (point, at) = told.point.unzip();
        o.text("key_id", &told.key.to_string());
        o.optional_text("point", point.map(|point| point.to_string()).as_deref());
        o.optional_text("point_at", at.map(|at| at.to_string()).as_deref());
        o.integer("revision", count(told.revision));
        o.list("fields", &told.fields, |o, of| {
            o.text("field", of.field).text("now", &of.now).text("then", &of.then);
        });
        o.list("versions", &told.versions, |o, of| {
            o.text("version", &of.version.to_string()).integer("number", i64::from(of.number));
            o.text("material", of.material.name());
        });
        o.truth("applied", told.applied);
    }))
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

fn revision(of: i64) -> Result<u64, Fault> {
    let lawful = u64::try_from(of).ok().filter(|revision| *revision > 0);
    lawful.ok_or_else(|| field("apply", "must be a revision, from 1"))
}
