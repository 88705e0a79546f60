//! The part of the table for signatures and MACs, and the schemas of its answers.

use axum::{http::StatusCode, routing::on};

use super::{
    Schema,
    keys::{DRY_RUN, KEY, SPECS, USED_KEY},
    route::{Route, Verb},
    shape::{
        Member,
        Shape::{Base64, OneOf},
    },
};
use crate::api::{
    problem::{NOT_FOUND, WRONG_STATE},
    signatures::{self, MESSAGE_TYPES},
};

const MESSAGE: Member = Member::new("message", Base64(1, Some(4096)), "1 to 4,096 bytes.");

const MESSAGE_TYPE: Member = Member::new(
    "message_type",
    OneOf(MESSAGE_TYPES),
    "`raw`: the message, which is what it is if this is left out. `digest`: its SHA-256, for \
     ECC_NIST_P256 alone.",
)
.or_nothing();

const SIGNATURE: Member = Member::new(
    "signature",
    Base64(1, Some(6144)),
    "ECC_NIST_P256: the DER of (r, s). ECC_NIST_EDWARDS25519: 64 bytes.",
);

const MAC: Member = Member::new("mac", Base64(1, Some(6144)), "All 32 bytes of the MAC.");

const SIGNED_BY: &[Member] = &[
    USED_KEY,
    Member::new(
        "algorithm",
        OneOf(&["ECDSA_SHA_256", "ED25519_SHA_512"]),
        "How it signs, as AWS names it.",
    ),
];

const MAC_BY: &[Member] = &[
    USED_KEY,
    Member::new("algorithm", OneOf(&["HMAC_SHA_256"]), "How it was made, as AWS names it."),
];

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/v1/keys/{key}/sign",
        operation: "Sign",
        summary: "Sign at most 4,096 bytes",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: Some(&[MESSAGE, MESSAGE_TYPE, DRY_RUN]),
        rivals: &[],
        answers: &[(StatusCode::OK, "Signed.", "Signed")],
        errors: &[NOT_FOUND, WRONG_STATE],
        serve: |method| on(method, signatures::sign),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/keys/{key}/verify",
        operation: "Verify",
        summary: "Check a signature; one that does not hold is refused as invalid",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: Some(&[MESSAGE, MESSAGE_TYPE, SIGNATURE, DRY_RUN]),
        rivals: &[],
        answers: &[(StatusCode::OK, "The signature holds.", "Verified")],
        errors: &[NOT_FOUND, WRONG_STATE],
        serve: |method| on(method, signatures::verify),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/keys/{key}/public-key",
        operation: "GetPublicKey",
        summary: "Show the public half of a key",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "The public half.", "PublicKey")],
        errors: &[NOT_FOUND, WRONG_STATE],
        serve: |method| on(method, signatures::public_key),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/keys/{key}/mac",
        operation: "GenerateMac",
        summary: "Make a MAC of at most 4,096 bytes",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: Some(&[MESSAGE, DRY_RUN]),
        rivals: &[],
        answers: &[(StatusCode::OK, "Made.", "Mac")],
        errors: &[NOT_FOUND, WRONG_STATE],
        serve: |method| on(method, signatures::generate_mac),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/keys/{key}/verify-mac",
        operation: "VerifyMac",
        summary: "Check a MAC; one that does not hold is refused as invalid",
        path_parameters: &[KEY],
        query: &[],
        headers: &[],
        members: Some(&[MESSAGE, MAC, DRY_RUN]),
        rivals: &[],
        answers: &[(StatusCode::OK, "The MAC holds.", "MacVerified")],
        errors: &[NOT_FOUND, WRONG_STATE],
        serve: |method| on(method, signatures::verify_mac),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[
    ("Signed", "A signature.", &[SIGNED_BY, &[SIGNATURE]]),
    ("Verified", "Whose signature it is.", &[SIGNED_BY]),
    (
        "PublicKey",
        "The public half of a key.",
        &[
            SIGNED_BY,
            &[
                Member::new("spec", OneOf(SPECS), "What the key is, as AWS names it."),
                Member::new(
                    "public_key",
                    Base64(1, Some(8192)),
                    "DER SubjectPublicKeyInfo (RFC 5280).",
                ),
            ],
        ],
    ),
    ("Mac", "A MAC.", &[MAC_BY, &[MAC]]),
    ("MacVerified", "Whose MAC it is.", &[MAC_BY]),
];
