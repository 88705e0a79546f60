//! An entry of the table: one route with all that a client may send to it and gets from it.
//!
//! Invariant: a route is served only through its entry, so that there is none without one.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    http::StatusCode,
    routing::{MethodFilter, MethodRouter},
};
use keystead_service::Service;
use serde_json::{Value, json};

use super::{
    errors::{self, EVERYWHERE},
    shape::{Member, named, object},
};
use crate::api::problem::Problem;

/// One route.
#[derive(Debug)]
pub(in crate::api) struct Route {
    pub(super) verb: Verb,
    /// With its parameters in braces.
    pub(super) path: &'static str,
    /// As ledger and log name it.
    pub(super) operation: &'static str,
    pub(super) summary: &'static str,
    pub(super) path_parameters: &'static [Member],
    pub(super) query: &'static [Member],
    pub(super) headers: &'static [Member],
    /// Members of the request's body; none where the body is not read.
    pub(super) members: Option<&'static [Member]>,
    /// Members of which one excludes the others.
    pub(super) rivals: &'static [&'static str],
    /// Status, what it says, and the schema of the body.
    pub(super) answers: &'static [(StatusCode, &'static str, &'static str)],
    /// Beside those that every route has.
    pub(super) errors: &'static [Problem],
    /// What answers it.
    pub(super) serve: fn(MethodFilter) -> MethodRouter<Arc<Service>>,
}

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    /// Its name in the document.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

impl Route {
    /// Serves it.
    pub(in crate::api) fn add_to(&self, router: Router<Arc<Service>>) -> Router<Arc<Service>> {
        router.route(self.path, (self.serve)(self.verb.filter()))
    }

    /// The errors that it can answer with, by status.
    pub(super) fn errors(&self) -> BTreeMap<u16, Vec<Problem>> {
        let mut by_status: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
        for problem in EVERYWHERE.iter().chain(self.errors) {
            by_status.entry(problem.status.as_u16()).or_default().push(*problem);
        }
        by_status
    }

    /// Its Operation Object.
    pub(super) fn operation(&self) -> Value {
        let mut operation = json!({
            "operationId": self.operation, "summary": self.summary, "responses": self.responses(),
        });
        let parameters = self.parameters();
        if !parameters.is_empty() {
            operation["parameters"] = json!(parameters);
        }
        if let Some(members) = self.members {
            operation["requestBody"] = self.request_body(members);
        }
        operation
    }

    fn parameters(&self) -> Vec<Value> {
        let places = [("path", self.path_parameters), ("query", self.query)];
        let places = places.into_iter().chain([("header", self.headers)]);
        places
            .flat_map(|(place, of)| of.iter().map(move |member| member.parameter(place)))
            .collect()
    }

    fn request_body(&self, members: &[Member]) -> Value {
        let mut schema = object(&[members]);
        if !self.rivals.is_empty() {
            schema["not"] = json!({"required": self.rivals});
        }
        let required = schema.get("required").is_some();
        json!({"required": required, "content": {"application/json": {"schema": schema}}})
    }

    fn responses(&self) -> Value {
        let answers = self.answers.iter().map(|(status, about, schema)| {
            let content = json!({"application/json": {"schema": named(schema)}});
            (status.as_str().to_owned(), json!({"description": about, "content": content}))
        });
        let errors = self.errors();
        let errors = errors.iter().map(|(status, of)| {
            let name = errors::name(*status, of);
            (status.to_string(), json!({"$ref": format!("#/components/responses/{name}")}))
        });
        answers.chain(errors).collect::<serde_json::Map<_, _>>().into()
    }
}
