//! Reads the server's refusals (RFC 9457, application/problem+json).
//!
//! Invariant: whatever answers, the outcome is a message, perhaps a hint, and an exit code; text
//! from the server is shown escaped and never obeyed.

use serde_json::Value;

use crate::exit::Exit;

/// What a server said when it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The family, as the last part of `type` or as `kind`; empty where the server named none.
    pub(crate) kind: String,
    /// What went wrong.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// The request's id, to be found in the ledger.
    pub(crate) request: Option<String>,
}

impl Problem {
    /// Reads a body that came with an error status; `None` where it is no problem.
    pub(super) fn read(status: u16, body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| value.get(name)?.as_str());
            found.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let by_type = || text(&["type"])?.rsplit([':', '/', '#']).next().map(str::to_owned);
        Some(Self {
            status,
            kind: text(&["kind"]).or_else(by_type).unwrap_or_default(),
            message: text(&["detail", "title"])?,
            hint: text(&["hint"]),
            request: text(&["request_id"]),
        })
    }

    /// The exit code, by the family where the server named it, else by the status.
    pub(super) fn exit(&self) -> Exit {
        let plain: String = self.kind.chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.to_ascii_lowercase().as_str() {
            "invalid" => Exit::Usage,
            "notfound" => Exit::NotFound,
            "unauthenticated" | "denied" | "approvalrequired" => Exit::Denied,
            "wrongstate" | "conflict" => Exit::WrongState,
            "limit" | "unavailable" => Exit::Unavailable,
            "corrupt" => Exit::Corrupt,
            "unknownoutcome" | "internal" => Exit::Failed,
            _ => self.exit_of_status(),
        }
    }

    fn exit_of_status(&self) -> Exit {
        match self.status {
            401 | 403 => Exit::Denied,
            404 | 410 => Exit::NotFound,
            409 | 412 | 423 => Exit::WrongState,
            429 | 502..=504 => Exit::Unavailable,
            400..=499 => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, json: &str) -> Problem {
        Problem::read(status, json.as_bytes()).unwrap()
    }

    #[test]
    fn the_family_decides_and_then_the_status() {
        for (status, json, exit) in [
            (404, r#"{"type":"urn:keystead:error:not-found","detail":"x"}"#, Exit::NotFound),
            (400, r#"{"kind":"WrongState","detail":"x"}"#, Exit::WrongState),
            (401, r#"{"type":"urn:keystead:error:unauthenticated","detail":"x"}"#, Exit::Denied),
            (500, r#"{"type":"https://a/problems/corrupt","title":"x"}"#, Exit::Corrupt),
            (500, r#"{"type":"about:blank","title":"x"}"#, Exit::Failed),
            (503, r#"{"type":"about:blank","title":"x"}"#, Exit::Unavailable),
            (403, r#"{"title":"x"}"#, Exit::Denied),
            (418, r#"{"title":"x"}"#, Exit::Usage),
            (409, r#"{"kind":"unknown_outcome","title":"x"}"#, Exit::Failed),
        ] {
            assert_eq!(problem(status, json).exit(), exit, "{json}");
        }
    }

    #[test]
    fn what_is_no_problem_is_none() {
        for body in ["", "<html>", "[]", "{}", r#"{"detail":""}"#, r#"{"detail":7}"#, "null"] {
            assert_eq!(Problem::read(500, body.as_bytes()), None, "{body}");
        }
        let whole = problem(503, r#"{"title":"t","detail":"d","hint":"h","request_id":"req_1"}"#);
        assert_eq!((whole.message.as_str(), whole.hint.as_deref()), ("d", Some("h")));
        assert_eq!(whole.request.as_deref(), Some("req_1"));
    }
}
