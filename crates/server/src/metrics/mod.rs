//! `/metrics` in OpenMetrics text.
//!
//! Invariant: each family stands in [`families`] with its help, and is written through it; labels
//! are of closed lists or ids (vaults, kits, the node): no principal, no name that somebody chose,
//! no address. Who may read it is decided by where it listens: an address of loopback that the
//! operator names, else nowhere.

mod families;
mod page;
mod process;
mod service;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response as HttpResponse, header},
    response::Response,
};

use crate::node::Node;
use page::Page;

const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers `GET /metrics`.
pub(crate) async fn show(State(node): State<Arc<Node>>) -> Response {
    let mut response = HttpResponse::new(Body::from(render(&node)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn render(node: &Node) -> String {
    let mut page = Page::default();
    process::write(&mut page, node);
    if let Some(service) = node.service() {
        service::write(&mut page, service);
    }
    page.finish()
}

#[cfg(test)]
mod tests;
