//! The part of the table for what is known of accesses to the vaults.

use axum::{http::StatusCode, routing::on};

use super::{
    Schema,
    route::{Route, Verb},
    shape::{
        Member,
        Shape::{self, Hex, Integer, List, OneOf, Text, Time, Truth},
    },
};
use crate::api::{accesses, problem::NOT_FOUND};

const COUNT: Shape = Integer(0, Some(i64::MAX));
const SAID: Shape = Text(1, Some(1024));
const RECORDED: (StatusCode, &str, &str) =
    (StatusCode::CREATED, "It is on record.", "AccessRecorded");
const VAULT: Member =
    Member::new("vault", SAID, "The URL of one of the vaults, as status shows it.");

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/v1/vault-readings",
        operation: "ReportVaultReading",
        summary: "Put on record that a command read vaults, or what was taken from them",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[
            Member::new("command", SAID, "As it was called: `backup verify`."),
            Member::new("vaults", List(&SAID), "URLs of the vaults; at most 64.").or_nothing(),
            Member::new("succeeded", Truth, "How it ended."),
        ]),
        rivals: &[],
        answers: &[RECORDED],
        errors: &[],
        serve: |method| on(method, accesses::reading),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/foreign-accesses",
        operation: "ReportForeignAccess",
        summary: "Put on record that the log of the storage shows somebody else at a vault",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[
            VAULT,
            Member::new("who", SAID, "In the words of that log; on record as a keyed hash."),
            Member::new(
                "access",
                OneOf(&["read", "write", "create", "delete", "attributes", "watch-ended"]),
                "What was done. `watch-ended`: the watch over the vault was taken away.",
            ),
            Member::new("succeeded", Truth, "Whether the storage let it happen."),
            Member::new("count", Integer(1, Some(i64::MAX)), "How often."),
            Member::new(
                "objects",
                List(&SAID),
                "The first that it was done to, at most 64; what is no name of ours is on record \
                 as a keyed hash.",
            )
            .or_nothing(),
            Member::new("first_at", Time, "The first time."),
            Member::new("last_at", Time, "The last time."),
        ]),
        rivals: &[],
        answers: &[RECORDED],
        errors: &[NOT_FOUND],
        serve: |method| on(method, accesses::foreign),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/access-log-imports",
        operation: "ImportAccessLog",
        summary: "Put on record that a log of the storage was gone through",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[
            VAULT,
            Member::new("format", SAID, "Which sort of log: `linux-audit`."),
            Member::new("sha256", Hex(32), "Of the log's bytes; on record as a keyed hash."),
            Member::new("accesses", COUNT, "Accesses to the vault in it."),
            Member::new("foreign", COUNT, "Those that were not the service's."),
        ]),
        rivals: &[],
        answers: &[RECORDED],
        errors: &[NOT_FOUND],
        serve: |method| on(method, accesses::import),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[(
    "AccessRecorded",
    "A report of accesses to the vaults that is on record.",
    &[&[Member::new("recorded", Truth, "Always true.")]],
)];
