//! The part of the table for `/v1/data-keys`, and the schemas of its answers.

use axum::{http::StatusCode, routing::on};
use keystead_service::{DEFAULT_LEASE_MS, LEASE_MAX_MS};

use super::{
    Schema,
    keys::{CONTEXT, KEY_NAME, USED_KEY},
    route::{Route, Verb},
    shape::{
        Member,
        Shape::{Base64, Form, Integer, Time},
    },
};
use crate::api::{
    data_keys,
    problem::{NOT_FOUND, WRONG_STATE},
};

const CIPHERTEXT: Member =
    Member::new("ciphertext", Base64(1, Some(6144)), "The data key as it was handed out.");

const LEASE_SECONDS: Member = Member::new(
    "lease_seconds",
    Integer(1, Some(LEASE_MAX_MS / 1000)),
    "How long the lease lasts, in seconds.",
)
.or(DEFAULT_LEASE_MS / 1000);

const LEASED: &[Member] = &[
    USED_KEY,
    Member::new("plaintext", Base64(1, Some(1024)), "The data key: 1 to 1,024 bytes."),
    Member::new("lease", Base64(1, None), "The lease; opaque."),
    Member::new("expires_at", Time, "From then on the lease opens nothing."),
];

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/v1/data-keys",
        operation: "GenerateLeasedDataKey",
        summary: "Make a random data key that opens through leases alone, and its first lease",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[
            Member::new(
                "key",
                Form(KEY_NAME),
                "The key: its id, its AWS id, its ARN, or an alias.",
            ),
            Member::new("bytes", Integer(1, Some(1024)), "How long it is, in bytes.").or(32),
            CONTEXT,
            LEASE_SECONDS,
        ]),
        rivals: &[],
        answers: &[(StatusCode::CREATED, "Made.", "NewLeasedDataKey")],
        errors: &[NOT_FOUND, WRONG_STATE],
        serve: |method| on(method, data_keys::generate),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/data-keys/leases",
        operation: "LeaseDataKey",
        summary: "Open a leased data key again under a new lease",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[CIPHERTEXT, CONTEXT, LEASE_SECONDS]),
        rivals: &[],
        answers: &[(StatusCode::CREATED, "Opened, under a new lease.", "LeasedDataKey")],
        errors: &[WRONG_STATE],
        serve: |method| on(method, data_keys::lease),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/data-keys/unwrap",
        operation: "UnwrapDataKey",
        summary: "Open a leased data key under a lease that has not ended",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[
            CIPHERTEXT,
            CONTEXT,
            Member::new("lease", Base64(1, None), "The lease as it was handed out."),
        ]),
        rivals: &[],
        answers: &[(StatusCode::OK, "Opened.", "LeasedDataKey")],
        errors: &[WRONG_STATE],
        serve: |method| on(method, data_keys::unwrap),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[
    ("LeasedDataKey", "A data key and the lease that it was opened under.", &[LEASED]),
    (
        "NewLeasedDataKey",
        "A new data key, its ciphertext and its first lease.",
        &[LEASED, &[CIPHERTEXT]],
    ),
];
