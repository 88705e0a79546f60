//! `/livez` and `/readyz`: whether the process runs, and whether it should get requests.
//!
//! Invariant: anybody who reaches the port is answered, so the answer is made of a closed list of
//! words that name no vault, path or caller. A probe is counted and is no event.
//!
//! `/readyz` answers 503 while anything of the node's work must wait, changes included; with
//! `?for=uses` only while keys cannot be used. Text by default, each reason on a line; `?verbose`
//! shows those that hold too; `Accept: application/json` gives an object.

use std::{fmt::Write, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Response as HttpResponse, StatusCode, Uri, header},
    response::Response,
    routing::get,
};
use keystead_service::NotReady;

use crate::{
    json::JsonText,
    node::{Node, Probe},
};

/// The routes, whatever the state of those that they join.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(node: Arc<Node>) -> Router<S> {
    Router::new().route("/livez", get(live)).route("/readyz", get(ready)).with_state(node)
}

/// Says that the process answers, and nothing about keys, vaults or callers.
async fn live(State(node): State<Arc<Node>>) -> Response {
    node.probed(Probe::Live);
    answer(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned().into_bytes())
}

async fn ready(State(node): State<Arc<Node>>, uri: Uri, headers: HeaderMap) -> Response {
    let mut reasons = node.not_ready();
    let query = uri.query().unwrap_or_default();
    if query.split('&').any(|part| part == "for=uses") {
        reasons.retain(|reason| !reason.lets_uses_go_on());
    }
    let (probe, status) = match reasons.is_empty() {
        true => (Probe::Ready, StatusCode::OK),
        false => (Probe::NotReady, StatusCode::SERVICE_UNAVAILABLE),
    };
    node.probed(probe);
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        return answer(status, "application/json", json(&reasons));
    }
    let verbose = query.split('&').any(|part| part == "verbose");
    answer(status, "text/plain; charset=utf-8", text(&reasons, verbose).into_bytes())
}

fn text(reasons: &[NotReady], verbose: bool) -> String {
    let mut text = String::from(if reasons.is_empty() { "ready\n" } else { "not ready\n" });
    for reason in NotReady::ALL {
        let line = match (reasons.contains(&reason), verbose) {
            (true, true) => writeln!(text, "[-] {}: {}", reason.name(), reason.message()),
            (true, false) => writeln!(text, "{}: {}", reason.name(), reason.message()),
            (false, true) => writeln!(text, "[+] not {}", reason.name()),
            (false, false) => Ok(()),
        };
        line.expect("a string takes every text");
    }
    text
}

fn json(reasons: &[NotReady]) -> Vec<u8> {
    let text = JsonText::object(0, |o| {
        o.truth("ready", reasons.is_empty());
        o.truth("ready_for_uses", reasons.iter().all(|reason| reason.lets_uses_go_on()));
        o.list("reasons", reasons, |o, reason| {
            o.text("reason", reason.name());
            o.text("message", reason.message());
        });
    });
    text.into_bytes().to_vec()
}

fn answer(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response {
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_line_and_verbose_shows_what_holds_too() {
        assert_eq!(text(&[], false), "ready\n");
        let brief = text(&[NotReady::Fenced, NotReady::VaultsAway], false);
        assert_eq!(brief.lines().count(), 3);
        assert!(brief.starts_with("not ready\nfenced: "), "{brief}");
        let verbose = text(&[NotReady::Fenced], true);
        assert_eq!(verbose.lines().count(), 1 + NotReady::ALL.len());
        assert!(verbose.contains("[-] fenced: ") && verbose.contains("[+] not vaults-away\n"));
    }

    #[test]
    fn a_program_learns_whether_uses_go_on() {
        let of = |reasons: &[NotReady]| -> serde_json::Value {
            serde_json::from_slice(&json(reasons)).unwrap()
        };
        let away = of(&[NotReady::VaultsAway]);
        assert_eq!((&away["ready"], &away["ready_for_uses"]), (&false.into(), &true.into()));
        assert_eq!(away["reasons"][0]["reason"], "vaults-away");
        assert_eq!(of(&[NotReady::JournalFull])["ready_for_uses"], false);
        assert_eq!(of(&[])["reasons"], serde_json::json!([]));
    }
}
