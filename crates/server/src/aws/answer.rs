//! Answers of the KMS protocol: headers, error bodies, the one log line of a request.
//!
//! Invariant: every answer carries `x-amzn-RequestId`, the id under which the ledger knows the
//! request, in the form that AWS clients print.

use axum::{
    body::Body,
    http::{HeaderValue, Response as HttpResponse, StatusCode, header},
    response::Response,
};
use keystead_domain::{RequestId, to_hex};

use super::exception::Exception;
use crate::{DONE, json::JsonText, log_answer};

const JSON: &str = "application/x-amz-json-1.1";

/// Encodes the outcome of one request.
pub(super) fn respond(
    request: RequestId,
    operation: &str,
    outcome: Result<JsonText, Exception>,
) -> Response {
    let (status, code, text) = match outcome {
        Ok(text) => (200, DONE, text),
        Err(exception) => (exception.status, exception.code.name(), error_text(&exception)),
    };
    log_answer("aws", request, operation, code);
    response(request, status, JSON, Body::from(text.into_bytes()))
}

pub(super) fn response(
    request: RequestId,
    status: u16,
    content_type: &'static str,
    body: Body,
) -> Response {
    let mut response = HttpResponse::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("our statuses are lawful");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let id = HeaderValue::try_from(uuid(request)).expect("hex digits and dashes are lawful");
    headers.insert("x-amzn-requestid", id);
    response
}

/// A request's id as 8-4-4-4-12 hex digits.
pub(super) fn uuid(request: RequestId) -> String {
    let hex = to_hex(request.as_bytes());
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn error_text(exception: &Exception) -> JsonText {
    JsonText::object(0, |o| {
        o.text("__type", exception.code.name());
        if let Some(message) = &exception.message {
            o.text("message", message);
        }
    })
}
