//! `/v1/keys/{key}/…`: what changes a key that exists.
//!
//! Invariant: each answers with the key as it is then; a key is called by any of its names. What
//! only takes away is in force at once, also where the answer is that the vaults are away.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use keystead_domain::{Account, RotationSchedule};
use keystead_service::{ChangeKey, Fault, KeyChange, RotateKey, Service};

use super::{
    call::{Signed, field, finish},
    keys::shown,
};

/// How long a key waits for its destruction where nobody says.
const DEFAULT_WINDOW_DAYS: i64 = 30;

type Parse = fn(&Signed, &Account) -> Result<ChangeKey, Fault>;

async fn change(
    service: Arc<Service>,
    signed: Signed,
    operation: &'static str,
    parse: Parse,
) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.change_key(cx, command).await;
    signed.answer(service, operation, parse, act, shown).await
}

/// `POST /v1/keys/{key}/enable`
pub(super) async fn enable(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    change(service, signed, "EnableKey", |s, a| bare(s, a, KeyChange::Enable)).await
}

/// `POST /v1/keys/{key}/disable`
pub(super) async fn disable(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    change(service, signed, "DisableKey", |s, a| bare(s, a, KeyChange::Disable)).await
}

/// `POST /v1/keys/{key}/schedule-deletion`
pub(super) async fn schedule_deletion(
    State(service): State<Arc<Service>>,
    signed: Signed,
) -> Response {
    change(service, signed, "ScheduleKeyDeletion", parse_deletion).await
}

/// `POST /v1/keys/{key}/cancel-deletion`
pub(super) async fn cancel_deletion(
    State(service): State<Arc<Service>>,
    signed: Signed,
) -> Response {
    let parse: Parse = |s, a| bare(s, a, KeyChange::CancelDeletion);
    change(service, signed, "CancelKeyDeletion", parse).await
}

/// `PUT /v1/keys/{key}/description`
pub(super) async fn describe(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    change(service, signed, "UpdateKeyDescription", parse_description).await
}

/// `POST /v1/keys/{key}/tag`
pub(super) async fn tag(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    change(service, signed, "TagResource", parse_tag).await
}

/// `POST /v1/keys/{key}/untag`
pub(super) async fn untag(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    change(service, signed, "UntagResource", parse_untag).await
}

/// `POST /v1/keys/{key}/enable-rotation`
pub(super) async fn enable_rotation(
    State(service): State<Arc<Service>>,
    signed: Signed,
) -> Response {
    change(service, signed, "EnableKeyRotation", parse_rotation).await
}

/// `POST /v1/keys/{key}/disable-rotation`
pub(super) async fn disable_rotation(
    State(service): State<Arc<Service>>,
    signed: Signed,
) -> Response {
    let parse: Parse = |s, a| bare(s, a, KeyChange::DisableRotation);
    change(service, signed, "DisableKeyRotation", parse).await
}

/// `POST /v1/keys/{key}/rotate`
pub(super) async fn rotate(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.rotate_key(cx, command).await;
    signed.answer(service, "RotateKeyOnDemand", parse_rotate, act, shown).await
}

/// A command without members.
pub(super) fn bare(
    signed: &Signed,
    account: &Account,
    change: KeyChange,
) -> Result<ChangeKey, Fault> {
    finish(&signed.fields()?)?;
    Ok(ChangeKey { key: signed.key(account)?, change })
}

pub(super) fn parse_rotate(signed: &Signed, account: &Account) -> Result<RotateKey, Fault> {
    finish(&signed.fields()?)?;
    Ok(RotateKey { key: signed.key(account)? })
}

pub(super) fn parse_deletion(signed: &Signed, account: &Account) -> Result<ChangeKey, Fault> {
    let mut fields = signed.fields()?;
    let days = fields.integer("window_days")?.unwrap_or(DEFAULT_WINDOW_DAYS);
    finish(&fields)?;
    let window_days = days_of("window_days", days, "must be 7 to 30", 7..=30)?;
    Ok(ChangeKey { key: signed.key(account)?, change: KeyChange::ScheduleDeletion { window_days } })
}

pub(super) fn parse_rotation(signed: &Signed, account: &Account) -> Result<ChangeKey, Fault> {
    let mut fields = signed.fields()?;
    let default = i64::from(RotationSchedule::DEFAULT_DAYS);
    let days = fields.integer("period_days")?.unwrap_or(default);
    finish(&fields)?;
    let lawful = RotationSchedule::MIN_DAYS..=RotationSchedule::MAX_DAYS;
    let period_days = days_of("period_days", days, "must be 90 to 2,560", lawful)?;
    Ok(ChangeKey { key: signed.key(account)?, change: KeyChange::EnableRotation { period_days } })
}

pub(super) fn parse_description(signed: &Signed, account: &Account) -> Result<ChangeKey, Fault> {
    let mut fields = signed.fields()?;
    let description = fields.text("description")?.ok_or_else(|| field("description", "missing"))?;
    finish(&fields)?;
    Ok(ChangeKey { key: signed.key(account)?, change: KeyChange::Describe { description } })
}

pub(super) fn parse_tag(signed: &Signed, account: &Account) -> Result<ChangeKey, Fault> {
    let mut fields = signed.fields()?;
    if !fields.has("tags") {
        return Err(field("tags", "missing"));
    }
    let tags = fields.map("tags")?;
    finish(&fields)?;
    Ok(ChangeKey { key: signed.key(account)?, change: KeyChange::Tag { tags } })
}

pub(super) fn parse_untag(signed: &Signed, account: &Account) -> Result<ChangeKey, Fault> {
    let mut fields = signed.fields()?;
    if !fields.has("names") {
        return Err(field("names", "missing"));
    }
    let names = fields.texts("names")?;
    finish(&fields)?;
    Ok(ChangeKey { key: signed.key(account)?, change: KeyChange::Untag { names } })
}

fn days_of(
    name: &'static str,
    days: i64,
    rule: &str,
    lawful: std::ops::RangeInclusive<u16>,
) -> Result<u16, Fault> {
    let days = u16::try_from(days).ok().filter(|days| lawful.contains(days));
    days.ok_or_else(|| field(name, rule))
}
