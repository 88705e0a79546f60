//! The front of a witness: `POST /add-checkpoint` (C2SP tlog-witness), and nothing else.
//!
//! Invariant: a request needs no authentication beyond the signatures in it; bodies are bounded,
//! and the state is written where it holds up no other connection.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, Response as HttpResponse, StatusCode, header},
    response::Response,
    routing::post,
};
use keystead_service::witness::WitnessBook;

/// The longest body: the longest note with the longest proof has less.
const MAX_BODY_BYTES: usize = 160 * 1024;

/// The routes of a witness.
pub(crate) fn witness_router(witness: Arc<WitnessBook>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<WitnessBook>>, body: Bytes) -> Response {
    let decided = tokio::task::spawn_blocking(move || witness.add_checkpoint(&body)).await;
    let Ok(answer) = decided else {
        return respond(500, "text/plain; charset=utf-8", "a fault of this program\n".to_owned());
    };
    tracing::info!(status = answer.status, "a checkpoint was shown");
    respond(answer.status, answer.content_type, answer.body)
}

fn respond(status: u16, content_type: &'static str, body: String) -> Response {
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("our statuses are lawful");
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
