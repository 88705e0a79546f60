//! One `/v1` request from its admission to its answer.
//!
//! Invariant: a handler gets a [`Signed`] request or does not run; what it cannot parse is recorded
//! like what the service refused.

use std::{future::Future, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderValue, Response as HttpResponse, StatusCode, header, request::Parts},
    response::Response,
};
use keystead_domain::{Account, KeyName, RequestId};
use keystead_service::{Cx, Error, Fault, Front, Recorded, Refusal, Service, Wiped};

use super::problem::{problem, turned_away};
use crate::{
    DONE,
    admission::{Admitted, Arrival},
    fields::{BadField, Fields},
    form::{Form, decode},
    json::{BadJson, JsonText},
    log_answer,
};

/// The service name of the credential scope.
const SCOPE: &str = "keystead";

/// A request whose sender is proved.
pub(crate) struct Signed {
    pub(super) cx: Cx,
    pub(super) head: Parts,
    body: Wiped<Vec<u8>>,
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl FromRequest<Arc<Service>> for Signed {
    type Rejection = Response;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, Response> {
        let arrival = Arrival::new(service, Front::Native, request);
        match arrival.admit(service, SCOPE).await {
            Ok(Admitted { cx, head, body, region: _ }) => Ok(Self { cx, head, body }),
            Err(turned) => {
                let (request, reason) = (turned.request, turned.reason.clone());
                let error = turned.record(service, "").await.into_inner();
                Err(respond(request, "", Err((turned_away(&reason, &error), error))))
            }
        }
    }
}

impl Signed {
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn new(cx: Cx, head: Parts, body: Wiped<Vec<u8>>) -> Self {
        Self { cx, head, body }
    }

    /// Parses, calls and encodes.
    pub(super) async fn answer<C, T, F>(
        self,
        service: Arc<Service>,
        operation: &'static str,
        parse: impl FnOnce(&Self, &Account) -> Result<C, Fault>,
        act: impl FnOnce(Arc<Service>, Cx, C) -> F,
        encode: impl FnOnce(&T) -> Answer,
    ) -> Response
    where
        F: Future<Output = Recorded<Result<T, Error>>>,
    {
        let command = match parse(&self, service.account()) {
            Ok(command) => command,
            Err(fault) => return self.refuse(&service, operation, fault.into()).await,
        };
        let request = self.cx.request;
        drop(self.body);
        let outcome = match act(service, self.cx, command).await.into_inner() {
            Ok(result) => Ok(encode(&result)),
            Err(error) => Err((problem(&error).status, error)),
        };
        respond(request, operation, outcome)
    }

    /// Records that a known caller sent what cannot be done, and says so.
    pub(super) async fn refuse(
        self,
        service: &Arc<Service>,
        operation: &str,
        error: Error,
    ) -> Response {
        let Cx { request, front, principal, source } = self.cx;
        let principal = Some(principal);
        let of = operation.to_owned();
        let refusal = Refusal { request, front, operation: of, source, principal, error };
        let error = service.refuse(refusal).await.into_inner();
        respond(request, operation, Err((problem(&error).status, error)))
    }

    /// The members of the body.
    pub(super) fn fields(&self) -> Result<Fields, Fault> {
        self.query(&[])?;
        Ok(Fields::parse(&self.body)?)
    }

    /// The parameters of the query, all of which are `known`.
    pub(super) fn query(&self, known: &[&str]) -> Result<Form, Fault> {
        let query = self.head.uri.query().unwrap_or_default();
        let form = Form::of_query(query).ok_or_else(|| field("query", "cannot be read"))?;
        match form.unknown(known) {
            Some(name) => Err(field("query", &format!("`{name}` is no parameter of this route"))),
            None => Ok(form),
        }
    }

    /// Under which key the client may send this request again; the signature covers it.
    pub(super) fn idempotency_key(&self) -> Result<Option<String>, Fault> {
        let mut given = self.head.headers.get_all("idempotency-key").iter();
        match (given.next(), given.next()) {
            (None, _) => Ok(None),
            (Some(key), None) => match key.to_str() {
                Ok(key) => Ok(Some(key.to_owned())),
                Err(_) => Err(field("Idempotency-Key", "must be printable ASCII")),
            },
            (Some(_), Some(_)) => Err(field("Idempotency-Key", "stands more than once")),
        }
    }

    /// The key that the path names, in any of the forms of a key's name.
    pub(super) fn key(&self, account: &Account) -> Result<KeyName, Fault> {
        Ok(KeyName::parse(&self.segment(3)?, account)?)
    }

    /// The segment of the path with this number, decoded; the one before the first `/` is 0.
    pub(super) fn segment(&self, number: usize) -> Result<String, Fault> {
        let raw = self.head.uri.path().split('/').nth(number).unwrap_or_default();
        decode(raw).ok_or_else(|| field("path", "cannot be read"))
    }
}

impl Answer {
    /// 200 with a JSON body.
    pub(super) fn ok(text: JsonText) -> Self {
        Self { status: StatusCode::OK, body: text.into_bytes() }
    }
}

/// A member or parameter that is not as it must be.
pub(super) fn field(field: &'static str, message: &str) -> Fault {
    Fault::Field { field, message: message.to_owned() }
}

/// Refuses members that no parser took.
pub(super) fn finish(fields: &Fields) -> Result<(), Fault> {
    match fields.left_over() {
        Some(name) => Err(field("body", &format!("`{name}` is no member of this request"))),
        None => Ok(()),
    }
}

impl From<BadJson> for Fault {
    fn from(bad: BadJson) -> Self {
        Self::Field { field: "body", message: bad.to_string() }
    }
}

impl From<BadField> for Fault {
    fn from(bad: BadField) -> Self {
        Self::Field { field: "body", message: bad.to_string() }
    }
}

fn respond(
    request: RequestId,
    operation: &str,
    outcome: Result<Answer, (StatusCode, Error)>,
) -> Response {
    let (status, kind, outcome, body) = match outcome {
        Ok(Answer { status, body }) => (status, "application/json", DONE, body),
        Err((status, error)) => {
            let problem = problem(&error);
            let text = problem.text(&error, status, request);
            (status, "application/problem+json", problem.kind, text.into_bytes())
        }
    };
    log_answer("v1", request, operation, outcome);
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let id = HeaderValue::try_from(request.to_string()).expect("an id is letters and digits");
    headers.insert("x-request-id", id);
    response
}
