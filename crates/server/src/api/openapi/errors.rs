//! Errors in the document: RFC 9457 problems, by status and kind.
//!
//! Invariant: kinds, statuses and titles are those of `problem.rs`; a status names every kind that
//! a route can answer with under it, and no other.

use keystead_domain::{ChangeId, RequestId};
use serde_json::{Value, json};

use super::shape::{
    Member,
    Shape::{Form, Id, Integer, Text},
    named,
};
use crate::api::problem::{
    CORRUPT, DENIED, INCOMPLETE, INTERNAL, INVALID, Problem, TOO_LARGE, UNAUTHENTICATED,
    UNAVAILABLE,
};

/// What any route can answer with.
pub(super) const EVERYWHERE: [Problem; 8] =
    [INVALID, UNAUTHENTICATED, DENIED, INCOMPLETE, TOO_LARGE, CORRUPT, INTERNAL, UNAVAILABLE];

/// The members of every problem.
pub(super) const MEMBERS: &[Member] = &[
    Member::new(
        "type",
        Form("^urn:keystead:error:[a-z-]+$"),
        "The kind of error: it never changes, and is what programs compare.",
    ),
    Member::new("title", Text(1, None), "The kind in words."),
    Member::new("status", Integer(400, Some(599)), "The HTTP status."),
    Member::new("detail", Text(1, None), "What went wrong this time, for people."),
    Member::new("hint", Text(1, None), "What to do next, where that is known.").or_left_out(),
    Member::new("request_id", Id(RequestId::PREFIX, 16), "Names the request in log and ledger."),
    Member::new(
        "change",
        Id(ChangeId::PREFIX, 16),
        "The change that may have been committed, where there is one.",
    )
    .or_left_out(),
];

/// The name of a Response Object: a status and the kinds under it.
pub(super) fn name(status: u16, kinds: &[Problem]) -> String {
    kinds.iter().fold(status.to_string(), |name, problem| name + "." + problem.kind)
}

/// A Response Object: a problem of this status and one of these kinds.
pub(super) fn response(status: u16, kinds: &[Problem]) -> Value {
    let titles: Vec<_> = kinds.iter().map(|problem| problem.title).collect();
    let urns: Vec<_> = kinds.iter().map(|problem| problem.urn()).collect();
    let narrower = json!({"properties": {"status": {"const": status}, "type": {"enum": urns}}});
    let schema = json!({"allOf": [named("Problem"), narrower]});
    json!({
        "description": format!("{}.", titles.join("; or ")),
        "content": {"application/problem+json": {"schema": schema}},
    })
}
