//! The part of the table for recovery points and verifications, and the schemas of their answers.

use axum::{http::StatusCode, routing::on};

use super::{
    Schema,
    route::{Route, Verb},
    shape::{
        Member, POINT_ID,
        Shape::{self, Form, Hex, Integer, List, Named, OneOf, Text, Time},
    },
};
use crate::api::{
    backups,
    problem::{CONFLICT, UNKNOWN_OUTCOME},
};

const COUNT: Shape = Integer(0, None);
const KIND: Shape = OneOf(&["full", "metadata"]);
const LEVEL: Shape = OneOf(&["integrity", "recovery"]);

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/v1/points",
        operation: "CreateRecoveryPoint",
        summary: "Put the whole state, as enough vaults have it, into the vaults as one object",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[Member::new(
            "kind",
            KIND,
            "`full`: a restore can begin from it. `metadata`: no value and no digest of one, for \
             planning; the default.",
        )
        .or_nothing()]),
        rivals: &[],
        answers: &[(StatusCode::CREATED, "It is in enough vaults.", "RecoveryPoint")],
        errors: &[CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, backups::create),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/points",
        operation: "ListRecoveryPoints",
        summary: "List the recovery points, oldest first",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "The points.", "RecoveryPointList")],
        errors: &[],
        serve: |method| on(method, backups::list),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/verifications",
        operation: "VerifyBackups",
        summary: "Verify now every object in the vaults, or walk the whole way back",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[Member::new(
            "level",
            LEVEL,
            "`integrity`: every byte is as it was signed. `recovery`: everything that a restore \
             needs opens, and every key copy does what the running key does.",
        )]),
        rivals: &[],
        answers: &[(StatusCode::OK, "What was found.", "Verification")],
        errors: &[],
        serve: |method| on(method, backups::verify),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[
    (
        "RecoveryPoint",
        "The whole state at one change, as an object in the vaults.",
        &[&[
            Member::new("point", POINT_ID, "Its name."),
            Member::new("kind", KIND, "What it holds."),
            Member::new("at", Time, "When it was made."),
            Member::new("commit_seq", COUNT, "The last change in it."),
            Member::new("follows", COUNT, "The segment after which it stands."),
            Member::new("bytes", COUNT, "Its size in a vault."),
            Member::new("sha256", Hex(32), "Of all its bytes."),
        ]],
    ),
    (
        "RecoveryPointList",
        "Every recovery point that the inventory names.",
        &[&[Member::new("points", List(&Named("RecoveryPoint")), "Oldest first.")]],
    ),
    (
        "Verification",
        "What a verification found.",
        &[&[
            Member::new("level", LEVEL, "Which level ran."),
            Member::new("at", Time, "When it began."),
            Member::new("took_ms", COUNT, "How long it took, in milliseconds."),
            Member::new("objects", COUNT, "Objects that were read and verified."),
            Member::new("bytes", COUNT, "Their bytes."),
            Member::new("versions", COUNT, "Key versions whose copies do what the keys do."),
            Member::new("wraps", COUNT, "Wrapped data keys that opened."),
            Member::new(
                "head",
                Form("^inc_[0-9a-f]{32}\\.[0-9]+\\.[0-9a-f]{32}$"),
                "Up to which head the way back was walked.",
            )
            .or_null(),
            Member::new(
                "findings",
                List(&Text(1, None)),
                "What is wrong; the first hundred. All are in the ledger.",
            ),
        ]],
    ),
];
