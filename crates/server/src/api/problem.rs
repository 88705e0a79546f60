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
    /// The same for all errors of this kind.
    pub(super) title: &'static str,
}

pub(super) const INVALID: Problem = Problem::new("invalid", 400, "The request is not valid");
pub(super) const UNAUTHENTICATED: Problem =
    Problem::new("unauthenticated", 401, "The caller is not known");
pub(super) const DENIED: Problem = Problem::new("denied", 403, "The caller may not do this");
pub(super) const APPROVAL_REQUIRED: Problem =
    Problem::new("approval-required", 403, "Somebody must approve first");
pub(super) const NOT_FOUND: Problem = Problem::new("not-found", 404, "There is no such thing");
pub(super) const WRONG_STATE: Problem =
    Problem::new("wrong-state", 409, "The state does not allow this");
pub(super) const CONFLICT: Problem =
    Problem::new("conflict", 409, "Another change contradicts this one");
pub(super) const LIMIT: Problem = Problem::new("limit", 429, "A quota or rate is exhausted");
pub(super) const UNAVAILABLE: Problem = Problem::new("unavailable", 503, "Not now");
pub(super) const UNKNOWN_OUTCOME: Problem =
    Problem::new("unknown-outcome", 500, "It may or may not have happened");
pub(super) const CORRUPT: Problem =
    Problem::new("corrupt", 500, "Stored bytes are not what was written");
pub(super) const INTERNAL: Problem = Problem::new("internal", 500, "A fault of this program");

/// What is [`INVALID`] and was turned away because its body is too long, or did not arrive.
pub(super) const TOO_LARGE: Problem = Problem { status: StatusCode::PAYLOAD_TOO_LARGE, ..INVALID };
pub(super) const INCOMPLETE: Problem = Problem { status: StatusCode::REQUEST_TIMEOUT, ..INVALID };

/// How `error` is shown.
pub(super) fn problem(error: &Error) -> Problem {
    match error.kind() {
        ErrorKind::Invalid => INVALID,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::Denied => match error.fault {
            Fault::Unauthenticated(_) => UNAUTHENTICATED,
            _ => DENIED,
        },
        ErrorKind::ApprovalRequired => APPROVAL_REQUIRED,
        ErrorKind::WrongState => WRONG_STATE,
        ErrorKind::Conflict => CONFLICT,
        ErrorKind::Limit => LIMIT,
        ErrorKind::Unavailable => UNAVAILABLE,
        ErrorKind::UnknownOutcome => UNKNOWN_OUTCOME,
        ErrorKind::Corrupt => CORRUPT,
        ErrorKind::Internal => INTERNAL,
    }
}

/// The status of what was turned away before it was read.
pub(super) fn turned_away(reason: &Reason, error: &Error) -> StatusCode {
    match reason {
        Reason::TooLarge => TOO_LARGE.status,
        Reason::Incomplete => INCOMPLETE.status,
        Reason::Claim(_) | Reason::Unproven => problem(error).status,
    }
}

impl Problem {
    const fn new(kind: &'static str, status: u16, title: &'static str) -> Self {
        match StatusCode::from_u16(status) {
            Ok(status) => Self { kind, status, title },
            Err(_) => panic!("this is no status"),
        }
    }

    /// Its `type`.
    pub(super) fn urn(self) -> String {
        format!("urn:keystead:error:{}", self.kind)
    }

    /// The body.
    pub(super) fn text(self, error: &Error, status: StatusCode, request: RequestId) -> JsonText {
        let detail = match &error.fault {
            Fault::Field { field, message } => format!("`{field}`: {message}"),
            _ => error.to_string(),
        };
        JsonText::object(0, |o| {
            o.text("type", &self.urn()).text("title", self.title);
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
        Fault::NotYetVaulted { change }
        | Fault::EffectiveNotVaulted { change }
        | Fault::Unknown { change } => Some(*change),
        Fault::Unauthenticated(_)
        | Fault::NotAllowed { .. }
        | Fault::KeyName(_)
        | Fault::NoKey { .. }
        | Fault::NoAlias { .. }
        | Fault::AliasExists { .. }
        | Fault::AliasName(_)
        | Fault::TagLimit { .. }
        | Fault::RotationLimit { .. }
        | Fault::NotDoomed { .. }
        | Fault::Nothing { .. }
        | Fault::KeyState { .. }
        | Fault::KeyCreating { .. }
        | Fault::KeyExpired { .. }
        | Fault::Ciphertext
        | Fault::NewerCiphertext(_)
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
        | Fault::KeyUsage { .. }
        | Fault::Algorithm { .. }
        | Fault::NoPublicKey { .. }
        | Fault::NotRotated { .. }
        | Fault::Signature
        | Fault::Mac
        | Fault::Internal => None,
    }
}

/// This front's column of the error matrix.
#[cfg(test)]
pub(crate) fn row(error: &Error) -> String {
    let problem = problem(error);
    format!("{} {}", problem.status.as_u16(), problem.kind)
}
