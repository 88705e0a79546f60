//! STS GetCallerIdentity over the query protocol: what `aws sts get-caller-identity` and the start
//! of every Terraform run ask.
//!
//! Invariant: it is the only action; it takes no parameter but `Action` and `Version`, each once.
//! Codes and statuses are STS's, which differ from those of KMS: 403 for all that concerns the
//! signature.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use keystead_domain::RequestId;
use keystead_service::{CallerIdentity, Cx, Fault, Refusal, Service};

use super::{
    answer::{response, uuid},
    errors::{exception, turned_away},
    exception::{Code, Exception},
    place::Place,
};
use crate::{
    admission::{Admitted, Arrival},
    form::Form,
    log_answer,
};

/// The service name of the credential scope.
const SCOPE: &str = "sts";
const ACTION: &str = "GetCallerIdentity";
const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// An error as STS clients see one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    code: &'static str,
    status: u16,
    message: String,
}

pub(super) async fn handle(service: &Arc<Service>, arrival: Arrival) -> Response {
    let request = arrival.request;
    let outcome = match arrival.admit(service, SCOPE).await {
        Err(turned) => {
            let reason = turned.reason.clone();
            let error = turned.record(service, ACTION).await.into_inner();
            Err(rename(&turned_away(&reason, &error, &Place::unsigned(service))))
        }
        Ok(admitted) => admitted_request(service, admitted).await,
    };
    respond(request, outcome)
}

async fn admitted_request(service: &Arc<Service>, admitted: Admitted) -> Result<String, Failure> {
    let Admitted { cx, region, body, .. } = admitted;
    let place = Place { region, account: service.account().clone() };
    if let Err(failure) = parse(&body) {
        return Err(refuse(service, cx, &place, failure).await);
    }
    match service.caller_identity(cx).await.into_inner() {
        Ok(identity) => Ok(result(&identity, &place)),
        Err(error) => Err(rename(&exception(&error, &place))),
    }
}

/// Refuses all but the one action.
pub(super) fn parse(body: &[u8]) -> Result<(), Failure> {
    let failure = |code, message: String| Failure { code, status: 400, message };
    let form = Form::parse(body)
        .ok_or_else(|| failure("MalformedQueryString", "The form cannot be read.".into()))?;
    let action = form.value("Action").ok_or_else(|| {
        failure("MissingAction", "The request must contain the parameter Action.".into())
    })?;
    let version = form.value("Version").unwrap_or(VERSION);
    if action != ACTION || version != VERSION {
        let message = format!("Could not find operation {action} for version {version}");
        return Err(failure("InvalidAction", message));
    }
    Ok(())
}

async fn refuse(service: &Arc<Service>, cx: Cx, place: &Place, failure: Failure) -> Failure {
    let Cx { request, front, principal, source } = cx;
    let message = "not GetCallerIdentity".to_owned();
    let error = Fault::Field { field: "Action", message }.into();
    let operation = String::new();
    let refusal = Refusal { request, front, operation, source, principal: Some(principal), error };
    let recorded = service.refuse(refusal).await.into_inner();
    match recorded.fault {
        Fault::Field { .. } => failure,
        // The refusal could not be recorded: that is what the caller is told.
        _ => rename(&exception(&recorded, place)),
    }
}

/// STS's code and status for a code of KMS.
fn rename(exception: &Exception) -> Failure {
    use Code as C;
    let (code, status) = match exception.code {
        C::MissingAuthenticationToken => ("MissingAuthenticationToken", 403),
        C::IncompleteSignature => ("IncompleteSignature", 400),
        C::UnrecognizedClient => ("InvalidClientTokenId", 403),
        C::InvalidSignature => ("SignatureDoesNotMatch", 403),
        C::AccessDenied => ("AccessDenied", 403),
        C::Throttling => ("Throttling", 400),
        C::RequestTooLarge => ("RequestEntityTooLarge", 413),
        C::RequestTimeout => ("RequestTimeout", 408),
        C::DependencyTimeout | C::KeyUnavailable => ("ServiceUnavailable", 503),
        C::KmsInternal => ("InternalFailure", 500),
        C::AlreadyExists
        | C::Conflict
        | C::Disabled
        | C::DryRunOperation
        | C::IncorrectKey
        | C::InvalidCiphertext
        | C::InvalidGrantToken
        | C::InvalidKeyUsage
        | C::InvalidMarker
        | C::KmsInvalidMac
        | C::KmsInvalidSignature
        | C::KmsInvalidState
        | C::LimitExceeded
        | C::NotAuthorized
        | C::NotFound
        | C::Serialization
        | C::Tag
        | C::UnknownOperation
        | C::UnsupportedOperation
        | C::Validation => ("ValidationError", 400),
    };
    Failure { code, status, message: exception.message.clone().unwrap_or_default() }
}

fn result(identity: &CallerIdentity, place: &Place) -> String {
    format!(
        "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
        escape(&place.user(&identity.name)),
        identity.user,
        identity.account,
    )
}

fn respond(request: RequestId, outcome: Result<String, Failure>) -> Response {
    let id = uuid(request);
    let (status, code, text) = match outcome {
        Ok(result) => (
            200,
            "ok",
            format!(
                "<{ACTION}Response xmlns=\"{NAMESPACE}\"><{ACTION}Result>{result}</{ACTION}Result>\
                 <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
                 </{ACTION}Response>\n"
            ),
        ),
        Err(Failure { code, status, message }) => (
            status,
            code,
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{}</Type><Code>{code}</Code>\
                 <Message>{}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>\n",
                if status < 500 { "Sender" } else { "Receiver" },
                escape(&message),
            ),
        ),
    };
    log_answer("aws", request, ACTION, code);
    response(request, status, "text/xml", Body::from(text))
}

/// Text as XML 1.0 content; characters that XML does not have become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// This front's column of the error matrix.
#[cfg(test)]
pub(super) fn row(exception: &Exception) -> String {
    let Failure { code, status, .. } = rename(exception);
    format!("{status} {code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_action_is_read() {
        for good in ["Action=GetCallerIdentity&Version=2011-06-15", "Action=GetCallerIdentity"] {
            assert_eq!(parse(good.as_bytes()), Ok(()));
        }
        let cases = [
            ("", "MissingAction"),
            ("Version=2011-06-15", "MissingAction"),
            ("Action=AssumeRole&Version=2011-06-15", "InvalidAction"),
            ("Action=GetCallerIdentity&Version=2012-01-01", "InvalidAction"),
            ("Action=GetCallerIdentity&Action=GetCallerIdentity", "MalformedQueryString"),
            ("Action=%", "MalformedQueryString"),
        ];
        for (body, code) in cases {
            assert_eq!(parse(body.as_bytes()).unwrap_err().code, code, "{body}");
        }
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escape("a<b>&\"c\u{1}\n"), "a&lt;b&gt;&amp;\"c\u{fffd}\n");
    }
}
