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
mod serve;
mod witness;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use keystead_domain::RequestId;
use keystead_service::Service;

pub use serve::{serve, serve_witness};

/// Every route of every front.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", post(aws::handle))
        .route("/livez", get(livez))
        .merge(api::routes())
        .fallback(api::no_route)
        .method_not_allowed_fallback(api::no_route)
        .with_state(service)
}

/// Says that the process runs, and nothing about keys, vaults or callers.
async fn livez() -> &'static str {
    "ok\n"
}

/// The one line that a request leaves in the log.
fn log_answer(front: &'static str, request: RequestId, operation: &str, outcome: &str) {
    // What a stranger sent may hold anything: a log line takes its letters and digits alone.
    let known = operation.chars().filter(char::is_ascii_alphanumeric);
    let operation: String = known.take(64).collect();
    tracing::info!(%request, front, operation, outcome, "answered");
}
