//! `/v1/aliases`: names of keys.
//!
//! Invariant: an alias is called by its name with the `alias/`, percent-encoded where it stands in
//! a path; the key that it will name may be called by any of its names, another alias as well.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::{Account, KeyName};
use keystead_service::{AliasChange, AliasPage, ChangeAlias, Fault, ListAliases, Service};

use super::call::{Answer, Signed, field, finish};
use crate::{fields::Fields, json::JsonText};

const DEFAULT_LIMIT: usize = 100;

/// `POST /v1/aliases`
pub(super) async fn create(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.change_alias(cx, command).await;
    let made = |(): &()| Answer { status: StatusCode::CREATED, ..nothing(&()) };
    signed.answer(service, "CreateAlias", parse_create, act, made).await
}

/// `PUT /v1/aliases/{alias}`
pub(super) async fn update(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.change_alias(cx, command).await;
    signed.answer(service, "UpdateAlias", parse_update, act, nothing).await
}

/// `DELETE /v1/aliases/{alias}`
pub(super) async fn delete(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.change_alias(cx, command).await;
    signed.answer(service, "DeleteAlias", parse_delete, act, nothing).await
}

/// `GET /v1/aliases?key&limit&after`
pub(super) async fn list(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.list_aliases(cx, command).await;
    signed.answer(service, "ListAliases", parse_list, act, page).await
}

pub(super) fn parse_create(signed: &Signed, account: &Account) -> Result<ChangeAlias, Fault> {
    let mut fields = signed.fields()?;
    let name = fields.text("alias")?.ok_or_else(|| field("alias", "missing"))?;
    let target = target(&mut fields, account)?;
    finish(&fields)?;
    Ok(ChangeAlias { name, change: AliasChange::Create { target } })
}

pub(super) fn parse_update(signed: &Signed, account: &Account) -> Result<ChangeAlias, Fault> {
    let mut fields = signed.fields()?;
    let target = target(&mut fields, account)?;
    finish(&fields)?;
    Ok(ChangeAlias { name: signed.segment(3)?, change: AliasChange::Update { target } })
}

pub(super) fn parse_delete(signed: &Signed, _: &Account) -> Result<ChangeAlias, Fault> {
    signed.query(&[])?;
    Ok(ChangeAlias { name: signed.segment(3)?, change: AliasChange::Delete })
}

pub(super) fn parse_list(signed: &Signed, account: &Account) -> Result<ListAliases, Fault> {
    let query = signed.query(&["key", "limit", "after"])?;
    let limit = query.value("limit").map(str::parse::<usize>).transpose();
    let key = query.value("key").map(|key| KeyName::parse(key, account)).transpose()?;
    let after = query.value("after").map(ToOwned::to_owned);
    if after.as_ref().is_some_and(|after| !after.starts_with("alias/")) {
        return Err(field("after", "not an alias"));
    }
    Ok(ListAliases {
        key,
        limit: limit.map_err(|_| field("limit", "not a number"))?.unwrap_or(DEFAULT_LIMIT),
        after,
    })
}

fn target(fields: &mut Fields, account: &Account) -> Result<KeyName, Fault> {
    let key = fields.text("key")?.ok_or_else(|| field("key", "missing"))?;
    Ok(KeyName::parse(&key, account)?)
}

fn nothing((): &()) -> Answer {
    Answer::ok(JsonText::object(0, |_| {}))
}

fn page(page: &AliasPage) -> Answer {
    Answer::ok(JsonText::object(0, |o| {
        o.list("aliases", &page.aliases, |o, alias| {
            o.text("alias", alias.name.as_str()).text("key", &alias.target.to_string());
            o.text("created_at", &alias.created_at.to_string());
            o.text("updated_at", &alias.updated_at.to_string());
        });
        o.optional_text("next", page.next.as_deref());
    }))
}
