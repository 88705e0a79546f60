//! `/v1/openapi.json`: what `/v1` is, as an OpenAPI 3.1 document that is made from the table of
//! routes.
//!
//! Invariant: the router serves this table and nothing beside it, and `docs/reference/openapi.json`
//! is what a reviewer saw of it. That the document is true of the running server is proven by
//! `tests/clients/test_openapi.py`, which calls every operation that stands in it.

mod accesses;
mod aliases;
mod backups;
mod changes;
mod data_keys;
mod errors;
mod keys;
mod kits;
mod node;
mod route;
mod shape;
mod signatures;
#[cfg(test)]
mod tests;
mod wraps;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use keystead_service::Service;
use serde_json::{Map, Value, json};

use super::{
    call::{Answer, Signed},
    status::no_command,
};
use route::Route;
use shape::{Member, object};

const ABOUT: &str = "\
Keys, data keys and recovery kits of one Keystead instance.

Every request is signed with AWS Signature Version 4 under the service name `keystead`; the region \
may be any. Members and parameters that are not listed are refused. `null` is the same as a member \
that is left out. Binary values are base64 (RFC 4648, section 4, with padding), times RFC 3339 in \
UTC. A request's body has at most 65,536 bytes. Errors are RFC 9457 problems.";

const SIGNATURE: &str = "\
AWS Signature Version 4 (`AWS4-HMAC-SHA256`) with the credential scope \
`<date>/<region>/keystead/aws4_request`. It covers method, path, query, `host`, every `x-amz-*` \
header and the body. The time in `x-amz-date` may differ from the server's by 15 minutes.";

static TEXT: LazyLock<Bytes> = LazyLock::new(|| text().into());

/// A schema that answers name: its name, what it says, its members.
type Schema = (&'static str, &'static str, &'static [&'static [Member]]);

/// `GET /v1/openapi.json`
pub(super) async fn show(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, ()| service.describe_api(cx).await;
    let shown = |(): &()| Answer { status: StatusCode::OK, body: TEXT.clone() };
    signed.answer(service, "DescribeApi", no_command, act, shown).await
}

/// Every route of `/v1`.
pub(super) fn routes() -> impl Iterator<Item = &'static Route> {
    let keys = [keys::ROUTES, changes::ROUTES, aliases::ROUTES, signatures::ROUTES];
    let recovery = [kits::ROUTES, backups::ROUTES, accesses::ROUTES, node::ROUTES];
    let others = [wraps::ROUTES, data_keys::ROUTES].into_iter().chain(recovery);
    keys.into_iter().chain(others).flatten()
}

fn schemas() -> impl Iterator<Item = &'static Schema> {
    let keys = [keys::SCHEMAS, aliases::SCHEMAS, signatures::SCHEMAS];
    let recovery = [kits::SCHEMAS, backups::SCHEMAS, accesses::SCHEMAS, node::SCHEMAS];
    let others = [wraps::SCHEMAS, data_keys::SCHEMAS].into_iter().chain(recovery);
    keys.into_iter().chain(others).flatten()
}

fn text() -> String {
    let text = serde_json::to_string_pretty(&document()).expect("a tree of texts and numbers");
    text + "\n"
}

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keystead", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document comes from."}],
        "security": [{"signature": []}],
        "paths": paths(),
        "components": {
            "schemas": named_schemas(),
            "responses": error_responses(),
            "securitySchemes": {"signature": {
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": SIGNATURE, "x-amazon-apigateway-authtype": "awsSigv4",
            }},
        },
    })
}

fn paths() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes() {
        let verbs = paths.entry(route.path).or_default();
        verbs.insert(route.verb.name().to_owned(), route.operation());
    }
    json!(paths)
}

fn named_schemas() -> Value {
    let mut schemas: Map<String, Value> = schemas()
        .map(|(name, about, members)| {
            let mut schema = object(members);
            schema["description"] = (*about).into();
            ((*name).to_owned(), schema)
        })
        .collect();
    // Its own schema is the specification's.
    let about = "An OpenAPI 3.1 document: this one.";
    schemas.insert("Document".into(), json!({"type": "object", "description": about}));
    schemas.into()
}

fn error_responses() -> Value {
    let all = routes().flat_map(Route::errors);
    let named =
        all.map(|(status, kinds)| (errors::name(status, &kinds), errors::response(status, &kinds)));
    named.collect::<Map<_, _>>().into()
}
