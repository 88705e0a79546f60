//! The part of the table for `/v1/kits`, and the schemas of its answers.

use axum::{http::StatusCode, routing::on};

use super::{
    Schema,
    route::{Route, Verb},
    shape::{
        EPOCH_ID, KEY_ID, KIT_ID, Member,
        Shape::{Base64, Form, Hex, Integer, List, Named, Text, Time},
        VERSION_ID,
    },
};
use crate::api::{
    kits,
    problem::{CONFLICT, NOT_FOUND, UNKNOWN_OUTCOME, WRONG_STATE},
};

const KIT: Member = Member::new("kit", KIT_ID, "The kit.");
const CHALLENGE: Member = Member::new("challenge", Hex(32), "The challenge that is answered.");

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/v1/kits",
        operation: "ListKits",
        summary: "List all kits, revoked ones too",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "The kits.", "KitList")],
        errors: &[],
        serve: |method| on(method, kits::list),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/kits/challenge",
        operation: "ChallengeNewKit",
        summary: "Ask for a challenge that a new kit signs",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[]),
        rivals: &[],
        answers: &[(StatusCode::OK, "The challenge.", "NewKitChallenge")],
        errors: &[],
        serve: |method| on(method, kits::challenge_new),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/kits",
        operation: "CreateKit",
        summary: "Take a new kit in; seed and passphrase stay with its maker",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[
            Member::new("kit", KIT_ID, "The kit's id, chosen by its maker."),
            Member::new("public", Base64(1216, Some(1216)), "Its X-Wing public key: 1,216 bytes."),
            Member::new("proof_key", Hex(32), "The Ed25519 key that verifies its proofs."),
            CHALLENGE,
            Member::new("proof", Hex(64), "Its signature over the challenge."),
            Member::new(
                "program",
                Text(1, Some(64)),
                "What makes the kit: 1 to 64 bytes of UTF-8.",
            ),
        ]),
        rivals: &[],
        answers: &[(StatusCode::CREATED, "Taken in; it is to be proven next.", "NewKit")],
        errors: &[CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, kits::create),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/kits/{kit}/challenge",
        operation: "ChallengeKit",
        summary: "Ask for a challenge that only a holder of the kit can open",
        path_parameters: &[KIT],
        query: &[],
        headers: &[],
        members: Some(&[]),
        rivals: &[],
        answers: &[(StatusCode::OK, "The challenge.", "KitChallenge")],
        errors: &[NOT_FOUND],
        serve: |method| on(method, kits::challenge),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/kits/{kit}/proofs",
        operation: "ProveKit",
        summary: "Prove that a kit opens what is sealed today",
        path_parameters: &[KIT],
        query: &[],
        headers: &[],
        members: Some(&[
            CHALLENGE,
            Member::new("answer", Hex(32), "What was sealed in the challenge."),
        ]),
        rivals: &[],
        answers: &[(StatusCode::OK, "Proven.", "Kit")],
        errors: &[NOT_FOUND, CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, kits::prove),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/kits/{kit}/drill",
        operation: "ChallengeDrill",
        summary: "Begin an attended drill: a challenge for the kit, tasks for the recovered keys",
        path_parameters: &[KIT],
        query: &[],
        headers: &[],
        members: Some(&[]),
        rivals: &[],
        answers: &[(StatusCode::OK, "The challenge and the tasks.", "DrillChallenge")],
        errors: &[NOT_FOUND],
        serve: |method| on(method, kits::challenge_drill),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/kits/{kit}/drills",
        operation: "ProveDrill",
        summary: "End an attended drill: the kit opened the backups, its keys are the running ones",
        path_parameters: &[KIT],
        query: &[],
        headers: &[],
        members: Some(&[
            CHALLENGE,
            Member::new("answer", Hex(32), "What was sealed in the challenge."),
            Member::new(
                "answers",
                List(&Named("DrillAnswer")),
                "What each recovered key made of its task.",
            ),
            Member::new(
                "took",
                Form("^(0|[1-9][0-9]{0,11})ms$"),
                "How long the way back took, in milliseconds, as in `1234ms`.",
            ),
        ]),
        rivals: &[],
        answers: &[(StatusCode::OK, "It counts.", "ProvedDrill")],
        errors: &[NOT_FOUND, CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, kits::prove_drill),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/kits/{kit}/revoke",
        operation: "RevokeKit",
        summary: "Begin an epoch that a kit does not open",
        path_parameters: &[KIT],
        query: &[],
        headers: &[],
        members: Some(&[]),
        rivals: &[],
        answers: &[(StatusCode::OK, "Revoked.", "RevokedKit")],
        errors: &[NOT_FOUND, WRONG_STATE, CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, kits::revoke),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[
    (
        "Kit",
        "A recovery kit's public half.",
        &[&[
            Member::new("kit", KIT_ID, "Its id."),
            Member::new("fingerprint", Hex(32), "Of its public half."),
            Member::new("created_at", Time, "When it was made."),
            Member::new("revoked_at", Time, "When it was revoked.").or_null(),
            Member::new("proven_epoch", EPOCH_ID, "The epoch that it was last seen to open.")
                .or_null(),
            Member::new("proven_at", Time, "When.").or_null(),
        ]],
    ),
    ("KitList", "Every kit.", &[&[Member::new("kits", List(&Named("Kit")), "In order of id.")]]),
    (
        "NewKitChallenge",
        "What a new kit signs.",
        &[&[Member::new("challenge", Hex(32), "32 random bytes, answered once.")]],
    ),
    (
        "KitChallenge",
        "What only a holder of the kit can open.",
        &[&[
            Member::new("id", Hex(32), "Names the challenge in the answer."),
            Member::new("epoch", Base64(1, None), "The root-signed record of the epoch in force."),
            Member::new("slots", Base64(1, None), "Its root-signed slot table."),
            Member::new("sealed", Base64(1, None), "32 bytes sealed to the epoch: the answer."),
        ]],
    ),
    (
        "DrillChallenge",
        "What only the kit opens, and what only the recovered keys do.",
        &[&[
            Member::new("challenge", Named("KitChallenge"), "For the kit."),
            Member::new("tasks", List(&Named("DrillTask")), "At most a hundred, drawn at random."),
        ]],
    ),
    (
        "DrillTask",
        "A ciphertext to decrypt, or a message to sign or to make the MAC of.",
        &[&[
            Member::new("key", KEY_ID, "The key."),
            Member::new("version", VERSION_ID, "The version of it that does the task."),
            Member::new("given", Base64(1, Some(6144)), "The ciphertext or message."),
        ]],
    ),
    (
        "DrillAnswer",
        "What a recovered key made of its task.",
        &[&[
            Member::new("version", VERSION_ID, "The version that did it."),
            Member::new("answer", Base64(1, Some(4096)), "The plaintext, signature or MAC."),
        ]],
    ),
    (
        "ProvedDrill",
        "A drill that counts.",
        &[&[
            Member::new("kit", Named("Kit"), "The kit, proven now."),
            Member::new("exercised", Integer(0, None), "Recovered keys that did their tasks."),
        ]],
    ),
    (
        "NewKit",
        "What the maker of a kit needs to finish and prove it.",
        &[&[
            Member::new("statement", Base64(1, None), "The root-signed header of the kit."),
            Member::new("vaults", List(&Text(1, None)), "The vaults' URLs, for the printed sheet."),
            Member::new("challenge", Named("KitChallenge"), "What to open next."),
        ]],
    ),
    (
        "RevokedKit",
        "A kit that opens nothing that is made from now on.",
        &[&[
            KIT,
            Member::new("epoch", EPOCH_ID, "The epoch that begins without it."),
            Member::new("still_opens", List(&EPOCH_ID), "Epochs that a copy of it still opens."),
        ]],
    ),
];
