//! Encrypts one field of a record over `/v1` and reads it back: `encrypt_field KEY`.
//!
//! Endpoint and access key come from the environment. Every request is signed (AWS Signature
//! Version 4, scope service `keystead`) by the same function with which the server checks it.

use std::{
    env,
    io::{self, Write},
    time::SystemTime,
};

use base64_simd::STANDARD as BASE64;
use keystead_crypto::{
    Secret,
    hash::sha256,
    sigv4::{ClaimFault, RequestParts, Scope, amz_date, sign},
};
use serde_json::{Value, json};
use thiserror::Error;
use ureq::http::{Request, StatusCode};

/// Why a field was not encrypted or not read.
#[derive(Debug, Error)]
enum Failed {
    #[error("the environment: {0}")]
    Environment(#[from] env::VarError),
    #[error("the request cannot be signed: {0}")]
    Unsigned(#[from] ClaimFault),
    #[error("the request was not answered: {0}")]
    Http(#[from] ureq::Error),
    #[error("the answer is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// RFC 9457: `type` never changes its meaning, `detail` is for people.
    #[error("{status}: {problem}")]
    Refused { status: StatusCode, problem: Value },
    #[error("`{what}` has not its form")]
    Form { what: &'static str },
    #[error("the output: {0}")]
    Output(#[from] io::Error),
}

struct Client {
    endpoint: String,
    access_key_id: String,
    secret_access_key: Secret<40>,
}

impl Client {
    fn from_environment() -> Result<Self, Failed> {
        let secret = env::var("AWS_SECRET_ACCESS_KEY")?;
        let form = || Failed::Form { what: "AWS_SECRET_ACCESS_KEY" };
        Ok(Self {
            endpoint: env::var("AWS_ENDPOINT_URL")?,
            access_key_id: env::var("AWS_ACCESS_KEY_ID")?,
            secret_access_key: Secret::from_slice(secret.as_bytes()).ok_or_else(form)?,
        })
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        let body = body.to_string().into_bytes();
        let host = self.endpoint.trim_start_matches("http://");
        let parts = RequestParts {
            method: "POST",
            raw_path: path,
            raw_query: "",
            headers: &[("host", host.as_bytes()), ("content-type", b"application/json")],
            body_sha256: sha256(&body),
        };
        let now = amz_date(unix_seconds());
        let (date, region) = (now[..8].to_owned(), "local".to_owned());
        let scope = Scope { date, region, service: "keystead".to_owned() };
        let signed = sign(&self.secret_access_key, &self.access_key_id, &scope, &now, &parts)?;
        let mut request = Request::post(format!("{}{path}", self.endpoint))
            .header("host", host)
            .header("content-type", "application/json");
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let request = request.body(body).map_err(ureq::Error::from)?;
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.run(request)?;
        let answer = serde_json::from_str(&response.body_mut().read_to_string()?)?;
        match response.status() {
            status if status.is_success() => Ok(answer),
            status => Err(Failed::Refused { status, problem: answer }),
        }
    }

    /// What to store instead of the value: text that fits any column.
    fn protect(&self, key: &str, row: &str, value: &str) -> Result<String, Failed> {
        let plaintext = BASE64.encode_to_string(value);
        let body = json!({"plaintext": plaintext, "context": place(row)});
        let answer = self.post(&format!("/v1/keys/{key}/encrypt"), &body)?;
        text(&answer, "ciphertext").map(str::to_owned)
    }

    /// The value.
    fn reveal(&self, key: &str, row: &str, stored: &str) -> Result<String, Failed> {
        let body = json!({"ciphertext": stored, "context": place(row)});
        let answer = self.post(&format!("/v1/keys/{key}/decrypt"), &body)?;
        let bytes = BASE64.decode_to_vec(text(&answer, "plaintext")?).ok();
        let value = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        value.ok_or(Failed::Form { what: "plaintext" })
    }
}

/// Where the field lies. It is bound to the ciphertext and is not secret.
fn place(row: &str) -> Value {
    json!({"table": "patients", "field": "tax_number", "row": row})
}

fn text<'a>(answer: &'a Value, what: &'static str) -> Result<&'a str, Failed> {
    answer[what].as_str().ok_or(Failed::Form { what })
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn run() -> Result<String, Failed> {
    let key = env::args().nth(1).ok_or(Failed::Form { what: "KEY" })?;
    let client = Client::from_environment()?;
    let stored = client.protect(&key, "17", "85 073 003 328")?;
    let read = client.reveal(&key, "17", &stored)?;
    let moved = match client.reveal(&key, "18", &stored) {
        Err(Failed::Refused { problem, .. }) => text(&problem, "type")?.to_owned(),
        other => format!("{other:?}"),
    };
    let length = stored.len();
    Ok(format!("stored {length} characters\nread {read}\nin another row {moved}\n"))
}

fn main() -> Result<(), Failed> {
    Ok(io::stdout().write_all(run()?.as_bytes())?)
}
