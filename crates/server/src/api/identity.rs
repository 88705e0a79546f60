//! `/v1/identity`: who the caller is.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use keystead_service::{CallerIdentity, Service};

use super::{
    call::{Answer, Signed},
    status::no_command,
};
use crate::json::JsonText;

/// `GET /v1/identity`
pub(super) async fn show(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, ()| service.caller_identity(cx).await;
    signed.answer(service, "GetCallerIdentity", no_command, act, identity).await
}

pub(super) fn identity(identity: &CallerIdentity) -> Answer {
    Answer::ok(JsonText::object(0, |o| {
        o.text("account", &identity.account.to_string());
        o.text("principal", &identity.user.to_string()).text("name", &identity.name);
    }))
}
