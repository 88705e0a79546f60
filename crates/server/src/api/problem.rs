//! The one table from our faults to RFC 9457 problems.
//!
//! Invariant: both matches are exhaustive without a wildcard. `type` is a URN that never changes;
//! `detail` is the error's own text, `hint` what to do next, `change` the change to ask for where
//! one may exist.

use axum::http::StatusCode;
use keystead_domain::{ChangeId, RequestId};
use keystead_service::{Error, ErrorKind, Fault};

use crate::{admission::Reason, json::JsonText};

/// How a family of errors is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem {
    /// The end of `urn:keystead:error:<kind>`.
    pub(super) kind: &'static str,
    /// The HTTP status.
    pub(super) status: StatusCode,
    title: &'static str,
}

/// How `error` is shown.
pub(super) fn problem(error: &Error) -> Problem {
    let (kind, status, title) = match error.kind() {
        ErrorKind::Invalid => ("invalid", 400, "The request is not valid"),
        ErrorKind::NotFound => ("not-found", 404, "There is no such thing"),
        ErrorKind::Denied => match error.fault {
            Fault::Unauthenticated(_) => ("unauthenticated", 401, "The caller is not known"),
            _ => ("denied", 403, "The caller may not do this"),
        },
        ErrorKind::ApprovalRequired => ("approval-required", 403, "Somebody must approve first"),
        ErrorKind::WrongState => ("wrong-state", 409, "The state does not allow this"),
        ErrorKind::Conflict => ("conflict", 409, "Another change contradicts this one"),
        ErrorKind::Limit => ("limit", 429, "A quota or rate is exhausted"),
        ErrorKind::Unavailable => ("unavailable", 503, "Not now"),
        ErrorKind::UnknownOutcome => ("unknown-outcome", 500, "It may or may not have happened"),
        ErrorKind::Corrupt => ("corrupt", 500, "Stored bytes are not what was written"),
        ErrorKind::Internal => ("internal", 500, "A fault of this program"),
    };
    Problem { kind, status: StatusCode::from_u16(status).expect("these are statuses"), title }
}

/// The status of what was turned away before it was read.
pub(super) fn turned_away(reason: &Reason, error: &Error) -> StatusCode {
    match reason {
        Reason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Reason::Incomplete => StatusCode::REQUEST_TIMEOUT,
        Reason::Claim(_) | Reason::Unproven => problem(error).status,
    }
}

impl Problem {
    /// The body.
    pub(super) fn text(self, error: &Error, status: StatusCode, request: RequestId) -> JsonText {
        let detail = match &error.fault {
            Fault::Field { field, message } => format!("`{field}`: {message}"),
            _ => error.to_string(),
        };
        JsonText::object(0, |o| {
            o.text("type", &format!("urn:keystead:error:{}", self.kind)).text("title", self.title);
            o.integer("status", i64::from(status.as_u16())).text("detail", &detail);
            if let Some(hint) = error.hint() {
                o.text("hint", hint);
            }
            o.text("request_id", &request.to_string());
            if let Some(change) = change(error) {
                o.text("change", &change.to_string());
            }
        })
    }
}

/// The change that the error is about.
fn change(error: &Error) -> Option<ChangeId> {
    match &error.fault {
        Fault::NotYetVaulted { change } | Fault::Unknown { change } => Some(*change),
        Fault::Unauthenticated(_)
        | Fault::NotAllowed { .. }
        | Fault::KeyName(_)
        | Fault::NoKey { .. }
        | Fault::NoAlias { .. }
        | Fault::Nothing { .. }
        | Fault::KeyState { .. }
        | Fault::KeyCreating { .. }
        | Fault::KeyExpired { .. }
        | Fault::Ciphertext
        | Fault::IncorrectKey
        | Fault::Field { .. }
        | Fault::LeaseExpired
        | Fault::Lease
        | Fault::OtherDataKey { .. }
        | Fault::KitProof
        | Fault::LastKit { .. }
        | Fault::SealAway
        | Fault::DryRun
        | Fault::VaultsAway { .. }
        | Fault::Ledger { .. }
        | Fault::Fenced { .. }
        | Fault::Store(_)
        | Fault::Contended
        | Fault::Corrupt { .. }
        | Fault::IdempotencyReused
        | Fault::Internal => None,
    }
}

/// This front's column of the error matrix.
#[cfg(test)]
pub(crate) fn row(error: &Error) -> String {
    let problem = problem(error);
    format!("{} {}", problem.status.as_u16(), problem.kind)
}
