//! `/v1/keys`: make, list, show.
//!
//! Invariant: a key is one JSON shape wherever it is shown; `vaulted` is false until enough vaults
//! hold its copies, and a key made so answers 202 instead of 201.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::{Account, KeyId, KeySpec, KeyState, Timestamp, to_hex, uuid};
use keystead_service::{
    CreateKey, DescribeKey, Fault, KeyPage, KeyView, ListKeys, Service, Vaulted,
    metrics::KeyUseCount,
};

use super::call::{Answer, Signed, field, finish};
use crate::json::{JsonText, Object};

const DEFAULT_LIMIT: usize = 100;

/// `POST /v1/keys`
pub(super) async fn create(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.create_key(cx, command).await;
    signed.answer(service, "CreateKey", parse_create, act, created).await
}

/// `GET /v1/keys?limit&after`
pub(super) async fn list(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.list_keys(cx, command).await;
    signed.answer(service, "ListKeys", parse_list, act, page).await
}

/// `GET /v1/keys/{key}`
pub(super) async fn describe(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.describe_key(cx, command).await;
    signed.answer(service, "DescribeKey", parse_describe, act, shown).await
}

pub(super) fn parse_create(signed: &Signed, _: &Account) -> Result<CreateKey, Fault> {
    let mut fields = signed.fields()?;
    let expires_at = fields.text("expires_at")?.map(|text| text.parse::<Timestamp>());
    let command = CreateKey {
        spec: spec(fields.text("spec")?.as_deref())?,
        description: fields.text("description")?.unwrap_or_default(),
        purpose: fields.text("purpose")?.unwrap_or_default(),
        tags: fields.map("tags")?,
        expires_at: expires_at.transpose().map_err(|bad| field("expires_at", &bad.to_string()))?,
        idempotency_key: signed.idempotency_key()?,
    };
    finish(&fields)?;
    Ok(command)
}

pub(super) fn parse_list(signed: &Signed, _: &Account) -> Result<ListKeys, Fault> {
    let query = signed.query(&["limit", "after"])?;
    let limit = query.value("limit").map(str::parse::<usize>).transpose();
    let after = query.value("after").map(str::parse::<KeyId>).transpose();
    Ok(ListKeys {
        limit: limit.map_err(|_| field("limit", "not a number"))?.unwrap_or(DEFAULT_LIMIT),
        after: after.map_err(|bad| field("after", &bad.to_string()))?,
    })
}

pub(super) fn parse_describe(signed: &Signed, account: &Account) -> Result<DescribeKey, Fault> {
    signed.query(&[])?;
    Ok(DescribeKey { key: signed.key(account)? })
}

pub(super) fn created(view: &KeyView) -> Answer {
    let status = match view.vaulted {
        Vaulted::Yes => StatusCode::CREATED,
        Vaulted::NotYet => StatusCode::ACCEPTED,
    };
    Answer { status, ..shown(view) }
}

pub(super) fn shown(view: &KeyView) -> Answer {
    Answer::ok(JsonText::object(0, |o| write_key(o, view)))
}

pub(super) fn page(page: &KeyPage) -> Answer {
    Answer::ok(JsonText::object(0, |o| {
        o.list("keys", &page.keys, write_key);
        o.optional_text("next", page.next.map(|next| next.to_string()).as_deref());
    }))
}

fn spec(name: Option<&str>) -> Result<KeySpec, Fault> {
    let Some(name) = name else { return Ok(KeySpec::default()) };
    KeySpec::from_aws_name(name).ok_or_else(|| {
        let names: Vec<_> = KeySpec::ALL.iter().map(|spec| spec.aws_name()).collect();
        field("spec", &format!("must be one of {}", names.join(", ")))
    })
}

fn key_uses(view: &KeyView) -> Vec<(&'static str, i64)> {
    let count = |of: &KeyUseCount| (of.operation, i64::try_from(of.count).unwrap_or(i64::MAX));
    view.uses.iter().map(count).collect()
}

fn write_key(o: &mut Object<'_>, view: &KeyView) {
    let key = &view.key;
    o.text("id", &key.id.to_string()).text("aws_key_id", &uuid(key.id));
    o.text("spec", key.spec.aws_name()).text("algorithm", key.spec.algorithm());
    o.text("purpose", &key.purpose).text("description", &key.description);
    o.text("state", key.state.nist_name()).truth("vaulted", view.vaulted == Vaulted::Yes);
    o.text("created_at", &key.created_at.to_string());
    o.optional_text("expires_at", key.expires_at.map(|at| at.to_string()).as_deref());
    let due = match key.state {
        KeyState::Doomed { due } => Some(due.to_string()),
        _ => None,
    };
    o.optional_text("deletion_at", due.as_deref());
    let days = key.rotation.map(|schedule| i64::from(schedule.period_days));
    o.optional_integer("rotation_period_days", days);
    let next = key.rotation.map(|schedule| schedule.next.to_string());
    o.optional_text("next_rotation_at", next.as_deref());
    o.list("versions", key.versions.iter().zip(&view.proven), |o, (version, proven)| {
        o.text("id", &version.id.to_string()).integer("number", i64::from(version.number));
        o.text("created_at", &version.created_at.to_string());
        o.text("epoch", &version.epoch.to_string());
        o.text("copy_sha256", &to_hex(&version.copy_hash));
        o.text("key_check", &to_hex(&version.key_check));
        o.optional_text("proven_at", proven.map(|at| at.to_string()).as_deref());
    });
    o.list("uses", &key_uses(view), |o, (operation, count)| {
        o.text("operation", operation).integer("count", *count);
    });
    o.object("tags", |o| {
        for (name, value) in &key.tags {
            o.text(name, value);
        }
    });
}
