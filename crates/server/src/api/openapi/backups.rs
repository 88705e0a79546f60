//! The part of the table for recovery points and verifications, and the schemas of their answers.

use axum::{http::StatusCode, routing::on};

use super::{
    Schema,
    keys::KEY,
    route::{Route, Verb},
    shape::{
        KEY_ID, Member, POINT_ID,
        Shape::{self, Form, Hex, Integer, List, Named, OneOf, Text, Time, Truth},
        VERSION_ID,
    },
};
use crate::api::{
    backups,
    problem::{CONFLICT, NOT_FOUND, UNKNOWN_OUTCOME, WRONG_STATE},
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
    Route {
        verb: Verb::Post,
        path: "/v1/keys/{key}/restore",
        operation: "RestoreKey",
        summary: "Tell how a key differs from what a recovery point has, and bring it back",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: Some(&[
            Member::new("point", POINT_ID, "Which point; by default the newest full one.")
                .or_nothing(),
            Member::new(
                "version",
                VERSION_ID,
                "Only the material of this version, and nothing else of the key.",
            )
            .or_nothing(),
            Member::new(
                "apply",
                Integer(1, Some(i64::MAX)),
                "The revision that the difference was told for: bring the key back, if it still \
                 has it. Without it nothing is done.",
            )
            .or_nothing(),
        ]),
        rivals: &[],
        answers: &[(
            StatusCode::OK,
            "What differs, and whether it was brought back.",
            "KeyRestored",
        )],
        errors: &[NOT_FOUND, WRONG_STATE, CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, backups::restore),
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
        "KeyRestored",
        "How a key differs from what a recovery point has.",
        &[&[
            Member::new("key_id", KEY_ID, "The key."),
            Member::new(
                "point",
                POINT_ID,
                "The point that it was compared with; null where the newest does not have it.",
            )
            .or_null(),
            Member::new("point_at", Time, "When that was made.").or_null(),
            Member::new("revision", COUNT, "The key's revision: what `apply` takes."),
            Member::new("fields", List(&Named("FieldChange")), "What of the key differs."),
            Member::new("versions", List(&Named("VersionFound")), "Each version compared."),
            Member::new("applied", Truth, "Whether it was brought back."),
        ]],
    ),
    (
        "FieldChange",
        "Something of a key that the point has otherwise.",
        &[&[
            Member::new(
                "field",
                OneOf(&["description", "tags", "rotation", "expires_at", "state"]),
                "Which.",
            ),
            Member::new("now", Text(0, None), "As it is."),
            Member::new("then", Text(0, None), "As the point has it."),
        ]],
    ),
    (
        "VersionFound",
        "How a version's material is found beside its copy in the vaults.",
        &[&[
            Member::new("version", VERSION_ID, "Which version."),
            Member::new("number", Integer(1, Some(0xffff_ffff)), "Its number."),
            Member::new("material", OneOf(&["sound", "missing", "damaged"]), "Its material."),
        ]],
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
