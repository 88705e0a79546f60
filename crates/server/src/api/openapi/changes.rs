//! The part of the table for what changes a key that exists.

use std::sync::Arc;

use axum::{
    http::StatusCode,
    routing::{MethodFilter, MethodRouter, on},
};
use keystead_service::Service;

use super::{
    keys::KEY,
    route::{Route, Verb},
    shape::{
        Member,
        Shape::{Integer, List, Text, Texts},
    },
};
use crate::api::{
    changes,
    problem::{CONFLICT, LIMIT, NOT_FOUND, Problem, UNKNOWN_OUTCOME, WRONG_STATE},
};

const ERRORS: &[Problem] = &[NOT_FOUND, WRONG_STATE, CONFLICT, UNKNOWN_OUTCOME];
const BOUNDED: &[Problem] = &[NOT_FOUND, WRONG_STATE, CONFLICT, LIMIT, UNKNOWN_OUTCOME];

/// One change: its last segment, its operation, what it does, its members.
const fn change(
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    members: &'static [Member],
    serve: fn(MethodFilter) -> MethodRouter<Arc<Service>>,
) -> Route {
    Route {
        verb: Verb::Post,
        path,
        operation,
        summary,
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: Some(members),
        rivals: &[],
        answers: &[(StatusCode::OK, "The key as it is now.", "Key")],
        errors: ERRORS,
        serve,
    }
}

pub(super) const ROUTES: &[Route] = &[
    change("/v1/keys/{key}/enable", "EnableKey", "Use a key again", &[], |method| {
        on(method, changes::enable)
    }),
    change(
        "/v1/keys/{key}/disable",
        "DisableKey",
        "Let a key do nothing, from now on",
        &[],
        |method| on(method, changes::disable),
    ),
    change(
        "/v1/keys/{key}/schedule-deletion",
        "ScheduleKeyDeletion",
        "Let a key do nothing from now on, and destroy it later",
        &[Member::new("window_days", Integer(7, Some(30)), "After how many days.").or(30)],
        |method| on(method, changes::schedule_deletion),
    ),
    change(
        "/v1/keys/{key}/cancel-deletion",
        "CancelKeyDeletion",
        "Do not destroy a key; it stays disabled",
        &[],
        |method| on(method, changes::cancel_deletion),
    ),
    Route {
        verb: Verb::Put,
        ..change(
            "/v1/keys/{key}/description",
            "UpdateKeyDescription",
            "Say something else of a key",
            &[Member::new("description", Text(0, Some(8192)), "Free text.")],
            |method| on(method, changes::describe),
        )
    },
    Route {
        errors: BOUNDED,
        ..change(
            "/v1/keys/{key}/tag",
            "TagResource",
            "Add tags to a key, or give them other values",
            &[Member::new("tags", Texts, "With those that the key has, at most 50.")],
            |method| on(method, changes::tag),
        )
    },
    change(
        "/v1/keys/{key}/untag",
        "UntagResource",
        "Remove tags from a key",
        &[Member::new(
            "names",
            List(&Text(0, None)),
            "Names of tags; those that it does not have are no matter.",
        )],
        |method| on(method, changes::untag),
    ),
    Route {
        errors: BOUNDED,
        ..change(
            "/v1/keys/{key}/rotate",
            "RotateKeyOnDemand",
            "Give a key a new version now, at most 25 times",
            &[],
            |method| on(method, changes::rotate),
        )
    },
    change(
        "/v1/keys/{key}/enable-rotation",
        "EnableKeyRotation",
        "Give a key a new version every so many days",
        &[Member::new("period_days", Integer(90, Some(2560)), "How many.").or(365)],
        |method| on(method, changes::enable_rotation),
    ),
    change(
        "/v1/keys/{key}/disable-rotation",
        "DisableKeyRotation",
        "Give a key no new version by itself",
        &[],
        |method| on(method, changes::disable_rotation),
    ),
];
