//! `/v1/status`: the report that `keystead status` prints.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::Account;
use keystead_service::{Fault, Service, status::StatusReport};

use super::call::{Answer, Signed};

/// `GET /v1/status`
pub(super) async fn show(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, ()| service.status(cx).await;
    signed.answer(service, "Status", no_command, act, report).await
}

/// For routes that take neither body nor parameters.
pub(super) fn no_command(signed: &Signed, _: &Account) -> Result<(), Fault> {
    signed.query(&[]).map(drop)
}

fn report(report: &StatusReport) -> Answer {
    let body = serde_json::to_vec(report).expect("a report is texts and numbers");
    Answer { status: StatusCode::OK, body: body.into() }
}
