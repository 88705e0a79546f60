//! An answer of either front, whatever it says, with the id under which the record knows it.
//!
//! Invariant: a request is sent once; whoever tries again decides that.

use serde_json::Value;
use ureq::{Agent, http::Request};

use crate::CallFailed;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The request's id as 32 hex digits.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answered {
    pub(crate) fn of(
        operation: &str,
        agent: &Agent,
        request: Request<Vec<u8>>,
    ) -> Result<Self, CallFailed> {
        let silence = |source: ureq::Error| CallFailed::Silence {
            operation: operation.to_owned(),
            source: Box::new(source),
        };
        let answer = agent.run(request).map_err(silence)?;
        let status = answer.status().as_u16();
        let foreign = || CallFailed::Foreign { operation: operation.to_owned(), status };
        let id = ["x-amzn-requestid", "x-request-id"];
        let id = id.iter().find_map(|name| answer.headers().get(*name)?.to_str().ok());
        let request = id.ok_or_else(foreign)?.trim_start_matches("req_").replace('-', "");
        let bytes = answer.into_body().read_to_vec().map_err(silence)?;
        let body = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
        Ok(Self { request, status, body })
    }
}
