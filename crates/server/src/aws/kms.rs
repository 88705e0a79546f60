//! One KMS request from its admission to its answer.
//!
//! Invariant: each operation is parsed, called and encoded in one arm of [`run`], or of `managing`;
//! what cannot be parsed goes through `Service::refuse`, so that it is recorded like the rest.

use std::sync::Arc;

use axum::{
    http::{HeaderMap, header},
    response::Response,
};
use keystead_service::{Cx, Error, Fault, HandOut, Recorded, Refusal, Service};

use super::{
    answer::respond,
    errors::{exception, turned_away},
    exception::Exception,
    managing,
    operation::Operation,
    place::Place,
    signatures,
    unread::Unread,
    uses,
};
use crate::{
    admission::{Admitted, Arrival},
    json::JsonText,
};

/// The service name of the credential scope.
const SCOPE: &str = "kms";

pub(super) async fn handle(service: &Arc<Service>, arrival: Arrival) -> Response {
    let request = arrival.request;
    let target = target(&arrival.head.headers).to_owned();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let outcome = match arrival.admit(service, SCOPE).await {
        Err(turned) => {
            let reason = turned.reason.clone();
            let error = turned.record(service, operation).await.into_inner();
            Err(turned_away(&reason, &error, &Place::unsigned(service)))
        }
        Ok(admitted) => admitted_request(service, admitted, &target, operation).await,
    };
    respond(request, operation, outcome)
}

async fn admitted_request(
    service: &Arc<Service>,
    admitted: Admitted,
    target: &str,
    operation: &str,
) -> Result<JsonText, Exception> {
    let Admitted { cx, region, head, body } = admitted;
    let place = Place { region, account: service.account().clone() };
    let known = content_type(&head.headers)
        .and_then(|()| Operation::of_target(target).ok_or(Unread::UnknownOperation));
    let outcome = match known {
        Ok(known) => run(service, cx.clone(), &place, known, &body).await,
        Err(unread) => Err(unread),
    };
    match outcome {
        Ok(outcome) => outcome,
        // In a box, as all that is rare.
        Err(unread) => Err(Box::pin(refuse(service, cx, &place, operation, &unread)).await),
    }
}

async fn run(
    service: &Arc<Service>,
    cx: Cx,
    place: &Place,
    operation: Operation,
    body: &[u8],
) -> Result<Result<JsonText, Exception>, Unread> {
    use Operation as O;
    let account = &place.account;
    Ok(match operation {
        O::Encrypt => {
            let command = uses::encrypt(body, account)?;
            encode(service.encrypt(cx, command).await, place, uses::encrypted)
        }
        O::Decrypt => {
            let command = uses::decrypt(body, account)?;
            encode(service.decrypt(cx, command).await, place, uses::decrypted)
        }
        O::GenerateDataKey => {
            let command = uses::generate_data_key(body, account, HandOut::Both)?;
            encode(service.generate_data_key(cx, command).await, place, uses::data_key)
        }
        O::GenerateDataKeyWithoutPlaintext => {
            let command = uses::generate_data_key(body, account, HandOut::CiphertextOnly)?;
            encode(service.generate_data_key(cx, command).await, place, uses::data_key)
        }
        O::GenerateMac => {
            let command = signatures::generate_mac(body, account)?;
            encode(service.generate_mac(cx, command).await, place, signatures::mac)
        }
        O::GetPublicKey => {
            let command = signatures::show_public_key(body, account)?;
            encode(service.public_key(cx, command).await, place, signatures::public_key)
        }
        O::Sign => {
            let command = signatures::sign(body, account)?;
            encode(service.sign(cx, command).await, place, signatures::signed)
        }
        O::Verify => {
            let command = signatures::verify(body, account)?;
            encode(service.verify(cx, command).await, place, signatures::verified)
        }
        O::VerifyMac => {
            let command = signatures::verify_mac(body, account)?;
            encode(service.verify_mac(cx, command).await, place, signatures::mac_verified)
        }
        O::ReEncrypt => {
            let command = uses::re_encrypt(body, account)?;
            encode(service.re_encrypt(cx, command).await, place, uses::re_encrypted)
        }
        O::GenerateRandom => {
            let command = uses::generate_random(body)?;
            encode(service.generate_random(cx, command).await, place, uses::random)
        }
        // In a box: what is rare must not make the future of what is frequent large.
        other => return Box::pin(managing::run(service, cx, place, other, body)).await,
    })
}

pub(super) fn encode<T>(
    recorded: Recorded<Result<T, Error>>,
    place: &Place,
    write: impl FnOnce(&T, &Place) -> JsonText,
) -> Result<JsonText, Exception> {
    match recorded.into_inner() {
        Ok(result) => Ok(write(&result, place)),
        Err(error) => Err(exception(&error, place)),
    }
}

/// Records that a known caller sent what cannot be read.
async fn refuse(
    service: &Arc<Service>,
    cx: Cx,
    place: &Place,
    operation: &str,
    unread: &Unread,
) -> Exception {
    let Cx { request, front, principal, source } = cx;
    let (operation, error) = (operation.to_owned(), unread.error());
    let refusal = Refusal { request, front, operation, source, principal: Some(principal), error };
    let recorded = service.refuse(refusal).await.into_inner();
    match recorded.fault {
        Fault::Field { .. } | Fault::KeyName(_) => unread.exception(),
        // The refusal could not be recorded: that is what the caller is told.
        _ => exception(&recorded, place),
    }
}

/// The target, where there is exactly one of printable text; else empty.
fn target(headers: &HeaderMap) -> &str {
    let mut targets = headers.get_all("x-amz-target").iter();
    match (targets.next(), targets.next()) {
        (Some(target), None) => target.to_str().unwrap_or_default(),
        _ => "",
    }
}

fn content_type(headers: &HeaderMap) -> Result<(), Unread> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/x-amz-json-1.1")) {
        Ok(())
    } else {
        let message = "the content type is not application/x-amz-json-1.1".to_owned();
        Err(Unread::Serialization { message })
    }
}
