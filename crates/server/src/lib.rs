//! The HTTP fronts: parse, call the service, encode.
//!
//! Invariant: nothing is decided here. A front proves who sent a request (with the service), makes
//! one typed command of it, and encodes what the service recorded, through one exhaustive table of
//! errors a front. A rule about keys that is found in this crate is a bug.

mod admission;
mod api;
mod aws;
mod fields;
mod form;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod json;
#[cfg(test)]
mod matrix;
mod metrics;
mod node;
mod probes;
mod serve;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use keystead_domain::RequestId;
use keystead_service::Service;

pub use node::{MachineReadings, Node};
pub use serve::{serve, serve_operators};

/// Every route of every front.
pub fn router(service: Arc<Service>, node: Arc<Node>) -> Router {
    Router::new()
        .route("/", post(aws::handle))
        .merge(api::routes())
        .merge(probes::routes(node))
        .fallback(api::no_route)
        .method_not_allowed_fallback(api::no_route)
        .with_state(service)
}

/// What operators and their programs read: metrics and probes, on a listener of their own.
pub fn operators(node: Arc<Node>) -> Router {
    let metrics = Router::new().route("/metrics", get(metrics::show)).with_state(node.clone());
    metrics.merge(probes::routes(node))
}

/// The one line that a request leaves in the log.
fn log_answer(front: &'static str, request: RequestId, operation: &str, outcome: &str) {
    // What a stranger sent may hold anything: a log line takes its letters and digits alone.
    let known = operation.chars().filter(char::is_ascii_alphanumeric);
    let operation: String = known.take(64).collect();
    tracing::info!(%request, front, operation, outcome, "answered");
}
