//! The part of the table for `/v1/wraps`, and the schemas of its answers.

use axum::{http::StatusCode, routing::on};
use keystead_domain::{TenantId, WrapId};

use super::{
    Schema,
    keys::LIMIT,
    route::{Route, Verb},
    shape::{
        KEY_ID, Member,
        Shape::{self, Base64, Form, Hex, Id, Integer, List, Named, OneOf, Time},
        VERSION_ID,
    },
};
use crate::api::{
    problem::{CONFLICT, NOT_FOUND, UNKNOWN_OUTCOME},
    wraps,
};

const SUBJECT_NAME: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,512}$";
const DATA_KEY: Shape = Base64(16, Some(1024));

const SUBJECT: Member = Member::new(
    "subject",
    Form(SUBJECT_NAME),
    "The caller's own name for a document, a row, a file: 1 to 512 bytes of UTF-8 without control \
     characters, percent-encoded.",
);

const RECORD: &[Member] = &[
    Member::new("wrap", Id(WrapId::PREFIX, 16), "Its id."),
    Member::new("subject", Form(SUBJECT_NAME), "What the data key encrypts."),
    Member::new("tenant", Id(TenantId::PREFIX, 16), "Whose it is."),
    Member::new("sequence", Integer(1, None), "Counts the tenant's records without a gap."),
    Member::new("algorithm", OneOf(&["AES-256-GCM"]), "How the data key is wrapped."),
    Member::new("created_at", Time, "When the record was made."),
    Member::new("key_check", Hex(32), "The data key's check value."),
    Member::new("key", KEY_ID, "The key that wraps it."),
    Member::new("key_version", VERSION_ID, "The version of that key."),
    Member::new("message_id", Hex(32), "From which the nonce is derived."),
    Member::new("tag", Hex(16), "The tag of the wrapping."),
    Member::new(
        "data_key",
        Base64(1, None),
        "The wrapped data key, with all that is needed to unwrap it.",
    ),
];

const PLAINTEXT: Member = Member::new("plaintext", DATA_KEY, "The data key: 16 to 1,024 bytes.");

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/v1/wraps",
        operation: "ListWraps",
        summary: "List wrap records in order of sequence",
        path_parameters: &[],
        query: &[
            LIMIT,
            Member::new("after", Integer(0, None), "Start behind this sequence.").or(0),
        ],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "A page of records.", "WrapPage")],
        errors: &[],
        serve: |method| on(method, wraps::list),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/wraps/{subject}",
        operation: "DescribeWrap",
        summary: "Show a subject's record; its data key stays closed",
        path_parameters: &[SUBJECT],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "The record.", "WrapRecord")],
        errors: &[NOT_FOUND],
        serve: |method| on(method, wraps::describe),
    },
    Route {
        verb: Verb::Put,
        path: "/v1/wraps/{subject}",
        operation: "PutWrap",
        summary: "Give a subject its data key, or find the one it has",
        path_parameters: &[SUBJECT],
        query: &[],
        headers: &[],
        members: Some(&[
            Member::new(
                "data_key",
                DATA_KEY,
                "A data key that the caller brings: 16 to 1,024 bytes.",
            )
            .or_nothing(),
            Member::new(
                "bytes",
                Integer(16, Some(1024)),
                "How long a new data key is, in bytes; not with `data_key`.",
            )
            .or(32),
        ]),
        rivals: &["bytes", "data_key"],
        answers: &[
            (StatusCode::CREATED, "The record was made.", "WrapPut"),
            (StatusCode::OK, "The subject had a record with this data key.", "WrapPut"),
        ],
        errors: &[CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, wraps::put),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/wraps/{subject}/unwrap",
        operation: "UnwrapSubject",
        summary: "Open a subject's data key",
        path_parameters: &[SUBJECT],
        query: &[],
        headers: &[],
        members: Some(&[]),
        rivals: &[],
        answers: &[(StatusCode::OK, "The record and its data key.", "UnwrappedRecord")],
        errors: &[NOT_FOUND],
        serve: |method| on(method, wraps::unwrap),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/wrap-statement",
        operation: "StateWraps",
        summary: "Say, signed, how many wrap records there are",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "The statement.", "WrapStatement")],
        errors: &[],
        serve: |method| on(method, wraps::statement),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[
    ("WrapRecord", "A subject's wrapped data key.", &[RECORD]),
    (
        "WrapPut",
        "A record, with the data key where the caller did not bring it.",
        &[RECORD, &[PLAINTEXT.or_left_out()]],
    ),
    ("UnwrappedRecord", "A record and its data key.", &[RECORD, &[PLAINTEXT]]),
    (
        "WrapPage",
        "Some records in order of sequence.",
        &[&[
            Member::new("wraps", List(&Named("WrapRecord")), "The records."),
            Member::new(
                "next",
                Form("^[1-9][0-9]*$"),
                "The `after` of the next page, if there is one.",
            )
            .or_null(),
        ]],
    ),
    (
        "WrapStatement",
        "How many records a tenant has.",
        &[&[
            Member::new("count", Integer(0, None), "The last record's sequence."),
            Member::new("chain", Hex(32), "The chain over all records."),
            Member::new(
                "statement",
                Base64(1, None),
                "Both, signed by the node (format: wrap-export).",
            ),
        ]],
    ),
];
