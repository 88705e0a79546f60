//! The part of the table for `/v1/aliases`, and the schemas of its answers.

use axum::{http::StatusCode, routing::on};

use super::{
    Schema,
    keys::{KEY_NAME, LIMIT},
    route::{Route, Verb},
    shape::{
        KEY_ID, Member,
        Shape::{Form, List, Named, Time},
    },
};
use crate::api::{
    aliases,
    problem::{CONFLICT, NOT_FOUND, UNKNOWN_OUTCOME, WRONG_STATE},
};

const NAME: &str = "^alias/[A-Za-z0-9/_-]{1,250}$";

const ALIAS: Member = Member::new("alias", Form(NAME), "The alias, percent-encoded.");

const TARGET: Member = Member::new(
    "key",
    Form(KEY_NAME),
    "The key that it names: an id, an AWS id, an ARN, or an alias of it.",
);

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/v1/aliases",
        operation: "CreateAlias",
        summary: "Give a key a name",
        path_parameters: &[],
        query: &[],
        headers: &[],
        members: Some(&[
            Member::new("alias", Form(NAME), "The name; `alias/aws/` is reserved."),
            TARGET,
        ]),
        rivals: &[],
        answers: &[(StatusCode::CREATED, "Made.", "Done")],
        errors: &[NOT_FOUND, WRONG_STATE, CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, aliases::create),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/aliases",
        operation: "ListAliases",
        summary: "List aliases in order of name",
        path_parameters: &[],
        query: &[
            Member::new("key", Form(KEY_NAME), "Those of this key alone.").or_nothing(),
            LIMIT,
            Member::new("after", Form(NAME), "Start behind this alias.").or_nothing(),
        ],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "A page of aliases.", "AliasPage")],
        errors: &[NOT_FOUND],
        serve: |method| on(method, aliases::list),
    },
    Route {
        verb: Verb::Put,
        path: "/v1/aliases/{alias}",
        operation: "UpdateAlias",
        summary: "Let an alias name another key",
        path_parameters: &[ALIAS],
        query: &[],
        headers: &[],
        members: Some(&[TARGET]),
        rivals: &[],
        answers: &[(StatusCode::OK, "Moved.", "Done")],
        errors: &[NOT_FOUND, WRONG_STATE, CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, aliases::update),
    },
    Route {
        verb: Verb::Delete,
        path: "/v1/aliases/{alias}",
        operation: "DeleteAlias",
        summary: "Delete an alias, from now on",
        path_parameters: &[ALIAS],
        query: &[],
        headers: &[],
        members: None,
        rivals: &[],
        answers: &[(StatusCode::OK, "Deleted.", "Done")],
        errors: &[NOT_FOUND, CONFLICT, UNKNOWN_OUTCOME],
        serve: |method| on(method, aliases::delete),
    },
];

pub(super) const SCHEMAS: &[Schema] = &[
    ("Done", "It was done; there is no more to say.", &[]),
    (
        "Alias",
        "A name of a key.",
        &[&[
            Member::new("alias", Form(NAME), "The name."),
            Member::new("key", KEY_ID, "The key that it names."),
            Member::new("created_at", Time, "When it was made."),
            Member::new("updated_at", Time, "When it was last moved."),
        ]],
    ),
    (
        "AliasPage",
        "Some aliases in order of name.",
        &[&[
            Member::new("aliases", List(&Named("Alias")), "The aliases."),
            Member::new("next", Form(NAME), "The `after` of the next page, if there is one.")
                .or_null(),
        ]],
    ),
];
