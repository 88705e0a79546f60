//! The part of the table for `/v1/keys`, and the schemas of its answers.

use axum::{http::StatusCode, routing::on};

use super::{
    Schema,
    route::{Route, Verb},
    shape::{
        EPOCH_ID, KEY_ID, Member,
        Shape::{Base64, Form, Hex, Integer, List, Named, OneOf, Text, Texts, Time, Truth},
        VERSION_ID,
    },
};
use crate::api::{
    keys,
    problem::{CONFLICT, NOT_FOUND, UNKNOWN_OUTCOME, WRONG_STATE},
    uses,
};

/// Every form of a key's name.
pub(super) const KEY_NAME: &str = "^(arn:aws[^:]*:kms:[^:]*:[0-9]{12}:(key/)?)?\
    (key_[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|alias/[A-Za-z0-9:/_-]{1,250})$";

pub(super) const CONTEXT: Member = Member::new(
    "context",
    Texts,
    "Bound to the ciphertext: opening it takes exactly the same names and values.",
)
.or_nothing();

pub(super) const USED_KEY: Member = Member::new("key_id", KEY_ID, "The key that was used.");

pub(super) const LIMIT: Member =
    Member::new("limit", Integer(1, Some(1000)), "How many to list at most.").or(100);

/// What a key can be, as AWS names it.
pub(super) const SPECS: &[&str] =
    &["SYMMETRIC_DEFAULT", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "HMAC_256"];

pub(super) const KEY: Member = Member::new(
    "key",
    Form(KEY_NAME),
    "The key: its id, its AWS id, its ARN, or an alias, percent-encoded.",
);

pub(super) const DRY_RUN: Member = Member::new(
    "dry_run",
    Truth,
    "If true, nothing is done or answered: what would have succeeded is refused as invalid with \
     a detail that says so.",
)
.or_nothing();

const IDEMPOTENCY_KEY: Member = Member::new(
    "Idempotency-Key",
    Form("^[!-~]{1,128}$"),
    "Chosen by the client and kept for 24 hours: the same command under the same key makes one \
     key. Another command under it is a conflict.",
)
.or_nothing();

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/v1/keys",
        operation: "CreateKey",
        summary: "Make a key",
        path_parameters: &[],
        query: &[],
        headers: &[IDEMPOTENCY_KEY],
        members: Some(&[
            Member::new(
                "spec",
                OneOf(SPECS),
                "What it computes, as AWS names it; left out, it is SYMMETRIC_DEFAULT. It says \
                 what the key is for as well: encryption, signatures, or MACs.",
            )
            .or_nothing(),
            Member::new("purpose", Text(0, Some(128)), "`PHI`, `AUDIT`, or free text.")
                .or_nothing(),
            Member::new("description", Text(0, Some(8192)), "Free text.").or_nothing(),
            Member::new(
                "tags",
                Texts,
                "At most 50; names have 1 to 128 characters, values 0 to 256.",
            )
            .or_nothing(),
            Member::new("expires_at", Time, "From then on it protects nothing new.").or_nothing(),
        ]),
        rivals: &[],
        answers: &[
            (StatusCode::CREATED, "Made, and held by enough vaults.", "Key"),
            (StatusCode::ACCEPTED, "Made, and not yet held by enough vaults.", "Key"),
        ],
        errors: &[CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, keys::create),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/keys",
        operation: "ListKeys",
        summary: "List keys in order of id",
        path_parameters: &[],
        query: &[LIMIT, Member::new("after", KEY_ID, "Start behind this key.").or_nothing()],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "A page of keys.", "KeyPage")],
        errors: &[],
        serve: |method| on(method, keys::list),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/keys/{key}",
        operation: "DescribeKey",
        summary: "Show a key",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "The key.", "Key")],
        errors: &[NOT_FOUND],
        serve: |method| on(method, keys::describe),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/keys/{key}/encrypt",
        operation: "Encrypt",
        summary: "Encrypt at most 4,096 bytes",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: Some(&[
            Member::new("plaintext", Base64(1, Some(4096)), "1 to 4,096 bytes."),
            CONTEXT,
            DRY_RUN,
        ]),
        rivals: &[],
        answers: &[(StatusCode::OK, "Encrypted.", "Encrypted")],
        errors: &[NOT_FOUND, WRONG_STATE],
        serve: |method| on(method, uses::encrypt),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/keys/{key}/decrypt",
        operation: "Decrypt",
        summary: "Decrypt what this key encrypted",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: Some(&[
            Member::new("ciphertext", Base64(1, Some(6144)), "1 to 6,144 bytes."),
            CONTEXT,
            DRY_RUN,
        ]),
        rivals: &[],
        answers: &[(StatusCode::OK, "Decrypted.", "Decrypted")],
        errors: &[NOT_FOUND, WRONG_STATE],
        serve: |method| on(method, uses::decrypt),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[
    (
        "Key",
        "A key, without its material.",
        &[&[
            Member::new("id", KEY_ID, "Its id."),
            Member::new(
                "aws_key_id",
                Form("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
                "The same id in the form that AWS clients know.",
            ),
            Member::new("spec", OneOf(SPECS), "Its kind, as AWS names it."),
            Member::new(
                "algorithm",
                OneOf(&["AES-256-GCM", "ECDSA-P256-SHA-256", "Ed25519", "HMAC-SHA-256"]),
                "How it encrypts, signs, or makes MACs.",
            ),
            Member::new("purpose", Text(0, Some(128)), "As it was given; else empty."),
            Member::new("description", Text(0, Some(8192)), "As it was given; else empty."),
            Member::new(
                "state",
                OneOf(&["active", "suspended", "deactivated", "compromised", "destroyed"]),
                "NIST SP 800-57 part 1, section 7.",
            ),
            Member::new(
                "vaulted",
                Truth,
                "Whether enough vaults hold its copies; it is usable then.",
            ),
            Member::new("created_at", Time, "When it was made."),
            Member::new("expires_at", Time, "From then on it protects nothing new.").or_null(),
            Member::new("deletion_at", Time, "When it will be destroyed, if it will be.").or_null(),
            Member::new("rotation_period_days", Integer(90, Some(2560)), "How often it rotates.")
                .or_null(),
            Member::new("next_rotation_at", Time, "When it rotates next.").or_null(),
            Member::new("versions", List(&Named("KeyVersion")), "Oldest first."),
            Member::new(
                "uses",
                List(&Named("KeyUse")),
                "What it was used for since this node started; the ledger has each use.",
            ),
            Member::new("tags", Texts, "Name and value of each."),
        ]],
    ),
    (
        "KeyUse",
        "How often one operation used a key.",
        &[&[
            Member::new("operation", Text(1, Some(64)), "Which."),
            Member::new("count", Integer(1, None), "How often it was carried out."),
        ]],
    ),
    (
        "KeyVersion",
        "One generation of a key's material.",
        &[&[
            Member::new("id", VERSION_ID, "Its id."),
            Member::new("number", Integer(1, Some(0xffff_ffff)), "Counts the key's versions."),
            Member::new("created_at", Time, "When it was made."),
            Member::new("epoch", EPOCH_ID, "The epoch its copies are sealed to."),
            Member::new("copy_sha256", Hex(32), "SHA-256 of its copy in the vaults."),
            Member::new("key_check", Hex(32), "The check value of its material."),
            Member::new("proven_at", Time, "When its copy last did what the running key does.")
                .or_null(),
        ]],
    ),
    (
        "KeyPage",
        "Some keys in order of id.",
        &[&[
            Member::new("keys", List(&Named("Key")), "The keys."),
            Member::new("next", KEY_ID, "The `after` of the next page, if there is one.").or_null(),
        ]],
    ),
    (
        "Encrypted",
        "A ciphertext.",
        &[&[
            USED_KEY,
            Member::new("ciphertext", Base64(1, Some(6144)), "What to give to decrypt."),
        ]],
    ),
    (
        "Decrypted",
        "A plaintext.",
        &[&[USED_KEY, Member::new("plaintext", Base64(1, Some(4096)), "1 to 4,096 bytes.")]],
    ),
];
