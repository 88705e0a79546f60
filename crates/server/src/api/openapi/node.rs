//! The part of the table for what a node says of itself and of its caller, and the schemas of its
//! answers.

use axum::{http::StatusCode, routing::on};
use keystead_domain::{IncarnationId, InstanceId, NodeId, PrincipalId, VaultId};

use super::{
    Schema, errors,
    route::{Route, Verb},
    shape::{
        EPOCH_ID, KIT_ID, Member, POINT_ID,
        Shape::{self, Form, Hex, Id, Integer, List, Named, OneOf, Text, Time, Truth},
    },
};
use crate::api::{identity, openapi, status};

const ACCOUNT: Member = Member::new("account", Form("^[0-9]{12}$"), "The account in ARNs.");

const COUNT: Shape = Integer(0, None);

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/v1/status",
        operation: "Status",
        summary: "Say what this node sees now, and what each promise is worth by that",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "The report.", "Status")],
        errors: &[],
        serve: |method| on(method, status::show),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/identity",
        operation: "GetCallerIdentity",
        summary: "Say who the caller is",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "The caller.", "Identity")],
        errors: &[],
        serve: |method| on(method, identity::show),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/openapi.json",
        operation: "DescribeApi",
        summary: "Show this document",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "This document.", "Document")],
        errors: &[],
        serve: |method| on(method, openapi::show),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[
    ("Problem", "An error, RFC 9457.", &[errors::MEMBERS]),
    (
        "Identity",
        "Who the caller is.",
        &[&[
            ACCOUNT,
            Member::new("principal", Id(PrincipalId::PREFIX, 16), "The principal's id."),
            Member::new("name", Text(1, None), "The principal's name."),
        ]],
    ),
    (
        "Status",
        "What `keystead status` prints.",
        &[&[
            Member::new("version", Text(1, None), "The program's version."),
            Member::new("at", Time, "When the report was made."),
            Member::new("instance", Id(InstanceId::PREFIX, 16), "The instance."),
            Member::new("incarnation", Id(IncarnationId::PREFIX, 16), "Its present incarnation."),
            Member::new("node", Id(NodeId::PREFIX, 16), "The serving process."),
            ACCOUNT,
            Member::new("root_public_key", Hex(32), "The root verification key, Ed25519."),
            Member::new(
                "state",
                Form("^(serving|(fenced|stopped): .+)$"),
                "Whether it serves; else why it does not.",
            ),
            Member::new(
                "head",
                Form("^inc_[0-9a-f]{32}\\.[0-9]+\\.[0-9a-f]{32}$"),
                "The newest confirmed segment: incarnation, sequence, the first half of its hash.",
            ),
            Member::new("commit_seq", COUNT, "The last committed change."),
            Member::new("watermark", COUNT, "The last change that enough vaults confirmed."),
            Member::new("ledger_size", COUNT, "Events in the ledger."),
            Member::new(
                "ledger_shipped",
                COUNT,
                "How many of them enough vaults hold under a signed checkpoint.",
            ),
            Member::new(
                "audit_rpo_ms",
                COUNT,
                "The use events of so many milliseconds may be lost with this machine's disk.",
            ),
            Member::new("keys", COUNT, "How many keys exist."),
            Member::new("vaults_min", COUNT, "How many vaults must confirm."),
            Member::new("vaults", List(&Named("VaultStatus")), "Each configured vault."),
            Member::new(
                "failure_domains",
                COUNT,
                "Failure domains of the vaults that answer, the data folder's apart.",
            ),
            Member::new("kits", List(&Named("KitStatus")), "Each kit that is not revoked."),
            Member::new("newest_point", POINT_ID, "The newest full recovery point.").or_null(),
            Member::new("newest_point_at", Time, "When it was made.").or_null(),
            Member::new("versions", COUNT, "Key versions that are not destroyed."),
            Member::new("unproven_versions", COUNT, "How many of them were never proven."),
            Member::new("oldest_proof_at", Time, "The oldest last proof of all others.").or_null(),
            Member::new(
                "verifications",
                List(&Named("VerificationStatus")),
                "Each level of verification.",
            ),
            Member::new("promises", List(&Named("PromiseStatus")), "Each promise."),
        ]],
    ),
    (
        "VaultStatus",
        "How a vault is.",
        &[&[
            Member::new("url", Text(1, None), "Where it is."),
            Member::new("id", Id(VaultId::PREFIX, 16), "Its id."),
            Member::new("domain", Text(1, None), "Its failure domain."),
            Member::new("state", OneOf(&["unasked", "current", "behind", "away"]), "Its state."),
            Member::new("reason", Text(1, None), "Why it is away, where it is.").or_null(),
            Member::new(
                "confirmed_sequence",
                COUNT,
                "The last segment it has, with all before it.",
            ),
            Member::new("missing_segments", COUNT, "How many segments it lacks."),
            Member::new(
                "ledger_entries",
                COUNT,
                "How many ledger events it holds under a signed checkpoint.",
            ),
        ]],
    ),
    (
        "KitStatus",
        "How a kit is.",
        &[&[
            Member::new("kit", KIT_ID, "Its id."),
            Member::new("fingerprint", Hex(32), "Of its public half."),
            Member::new("created_at", Time, "When it was made."),
            Member::new("proven_epoch", EPOCH_ID, "The epoch that it was last seen to open.")
                .or_null(),
            Member::new("proven_at", Time, "When.").or_null(),
        ]],
    ),
    (
        "VerificationStatus",
        "How it stands with one level of verification.",
        &[&[
            Member::new("level", OneOf(&["integrity", "recovery"]), "Which level."),
            Member::new("at", Time, "When it last ran.").or_null(),
            Member::new("due_at", Time, "When it is to run next.").or_null(),
            Member::new("is_overdue", Truth, "Whether it should have run long ago."),
            Member::new("findings", List(&Text(1, None)), "What its last run found wrong."),
        ]],
    ),
    (
        "PromiseStatus",
        "What a promise is worth now.",
        &[&[
            Member::new("number", Integer(1, Some(8)), "Its number."),
            Member::new("name", Text(1, None), "Its name."),
            Member::new("verdict", OneOf(&["holds", "weak", "not due", "broken"]), "The verdict."),
            Member::new("reason", Text(1, None), "Why, where it does not hold.").or_null(),
        ]],
    ),
];
