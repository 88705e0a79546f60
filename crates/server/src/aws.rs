//! The AWS front: the KMS protocol (JSON 1.1) and STS GetCallerIdentity (query protocol), both over
//! `POST /` on one port for every region.
//!
//! Invariant: a request is read only after its sender is known, and every answer, refusals
//! included, is made from what the service recorded. This module decides nothing about keys.

mod aliases;
mod answer;
mod errors;
mod exception;
mod keys;
mod kms;
mod manage;
mod managing;
mod members;
mod operation;
mod place;
mod policies;
mod rotation;
mod shape;
mod signatures;
mod sts;
mod tags;
#[cfg(test)]
mod tests;
mod unread;
mod uses;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    response::Response,
};
use keystead_service::{Front, Service};

use crate::admission::Arrival;

/// Answers `POST /`.
pub(crate) async fn handle(State(service): State<Arc<Service>>, request: Request) -> Response {
    let arrival = Arrival::new(&service, Front::Aws, request);
    if is_query_protocol(&arrival.head.headers) {
        Box::pin(sts::handle(&service, arrival)).await
    } else {
        kms::handle(&service, arrival).await
    }
}

/// Both protocols are posted to `/`; only KMS has a target, and only STS a form.
fn is_query_protocol(headers: &HeaderMap) -> bool {
    let form = |kind: &str| kind.starts_with("application/x-www-form-urlencoded");
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    !headers.contains_key("x-amz-target") && kind.is_some_and(form)
}

/// Every parser of this front over one body.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn parse_every(body: &[u8]) {
    use keystead_service::HandOut;
    let account = "123456789012".parse().expect("twelve digits");
    let _ = keys::create(body);
    let _ = keys::describe(body, &account);
    let _ = keys::list(body);
    let _ = uses::encrypt(body, &account);
    let _ = uses::decrypt(body, &account);
    let _ = uses::generate_data_key(body, &account, HandOut::Both);
    let _ = uses::generate_data_key(body, &account, HandOut::CiphertextOnly);
    let _ = signatures::sign(body, &account);
    let _ = signatures::verify(body, &account);
    let _ = signatures::show_public_key(body, &account);
    let _ = signatures::generate_mac(body, &account);
    let _ = signatures::verify_mac(body, &account);
    let _ = manage::simple(body, &account, keystead_service::KeyChange::Enable);
    let _ = manage::schedule_deletion(body, &account);
    let _ = manage::update_description(body, &account);
    let _ = manage::tag(body, &account);
    let _ = manage::untag(body, &account);
    let _ = manage::enable_rotation(body, &account);
    let create = |target| keystead_service::AliasChange::Create { target };
    let _ = aliases::target(body, &account, create);
    let _ = aliases::delete(body);
    let _ = aliases::list(body, &account);
    let _ = tags::list(body, &account);
    let _ = rotation::rotate(body, &account);
    let _ = rotation::status(body, &account);
    let _ = rotation::list(body, &account);
    let _ = policies::read(body, &account);
    let _ = policies::list(body, &account);
    let _ = uses::re_encrypt(body, &account);
    let _ = uses::generate_random(body);
    let _ = sts::parse(body);
}

/// This front's two columns of the error matrix, and what a KMS client reads.
#[cfg(test)]
pub(crate) fn row(error: &keystead_service::Error) -> [String; 3] {
    let account = "123456789012".parse().expect("twelve digits");
    let place = place::Place { region: "eu-1".into(), account };
    let exception = errors::exception(error, &place);
    let kms = format!("{} {}", exception.status, exception.code.name());
    let sts = sts::row(&exception);
    [kms, sts, exception.message.unwrap_or_else(|| "(no message)".into())]
}
