//! The HTTP fronts: parse, call the service, encode.
//!
//! Invariant: nothing is decided here. A front proves who sent a request (with the service), makes
//! one typed command of it, and encodes what the service recorded, through one exhaustive table of
//! errors a front. A rule about keys that is found in this crate is a bug.

mod admission;
mod api;
mod aws;
mod crowd;
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
mod witness;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use keystead_domain::RequestId;
use keystead_service::Service;

pub use node::{MachineReadings, Node};
pub use serve::{serve, serve_operators, serve_witness};

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

/// The one line that a request leaves in the log: of what was done at the level of debugging, since
/// the ledger has it, and a line for each of thousands a second would cost more than the answers.
fn log_answer(front: &'static str, request: RequestId, operation: &str, outcome: &str) {
    let operation = Letters(operation);
    if outcome == DONE {
        tracing::debug!(%request, front, %operation, outcome, "answered");
    } else {
        tracing::info!(%request, front, %operation, outcome, "answered");
    }
}

/// The outcome of a request that did what it asked for.
const DONE: &str = "ok";

/// What a stranger sent may hold anything: a log line takes its letters and digits alone.
struct Letters<'a>(&'a str);

impl std::fmt::Display for Letters<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letters = self.0.chars().filter(char::is_ascii_alphanumeric);
        letters.take(64).try_for_each(|letter| std::fmt::Write::write_char(f, letter))
    }
}
