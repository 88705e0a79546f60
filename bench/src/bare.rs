//! The bare server: what a KMS costs without being one.
//!
//! Invariant: HTTP stack, JSON, SigV4, ciphertexts and signatures are those of Keystead, made by
//! the same crates; there is no policy, no ledger, no keyring, no log, and one process-wide key of
//! each kind. The ratio to it is therefore the price of everything else.

mod asked;
mod verified;

use std::{io, io::Write, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use keystead_crypto::{CipherKey, Ed25519Key, Entropy, KeyVersion, Secret};
use keystead_driver::Access;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use self::verified::Verifier;
use crate::failed::Failed;

pub(crate) const CIPHER_KEY: &str = "1f2e3d4c-0000-4000-8000-000000000001";
pub(crate) const SIGNING_KEY: &str = "1f2e3d4c-0000-4000-8000-000000000002";
/// Where the server is told the secret of the access key that may ask it.
pub(crate) const SECRET_VARIABLE: &str = "KEYSTEAD_BENCH_SECRET";
const ACCESS_KEY_ID: &str = "AKIABENCHBENCHBENCH0";
const MAX_BODY_BYTES: usize = 64 * 1024;
const TENANT: [u8; 16] = [7; 16];

/// All its state.
#[derive(Debug)]
struct Bare {
    verifier: Verifier,
    cipher: CipherKey,
    signer: Ed25519Key,
    entropy: Entropy,
}

/// A new access key for a server that is about to start.
pub(crate) fn new_access() -> Access {
    let random: [u8; 20] = Entropy::os().array();
    let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Access::of(&json!({ "access_key_id": ACCESS_KEY_ID, "secret_access_key": secret }))
        .expect("40 digits are a secret")
}

/// Serves until it is killed: the body of `keystead-bench bare`.
pub(crate) fn serve() -> Result<(), Failed> {
    let secret = std::env::var(SECRET_VARIABLE).unwrap_or_default();
    let secret = Secret::from_slice(secret.as_bytes());
    let secret = secret.ok_or_else(|| Failed::Usage { problem: "no secret".to_owned() })?;
    let entropy = Entropy::os();
    let id = KeyVersion { key: entropy.array(), version: entropy.array() };
    let bare = Arc::new(Bare {
        verifier: Verifier::new(ACCESS_KEY_ID, secret),
        cipher: CipherKey::new(id, &entropy.secret()),
        signer: Ed25519Key::new(entropy.secret()),
        entropy,
    });
    // As `keystead serve` has it: a thread for each core that the process may use.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.and_then(|runtime| runtime.block_on(listen(bare))).map_err(Failed::system("bare"))
}

async fn listen(bare: Arc<Bare>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let listening = format!("http://{}", listener.local_addr()?);
    println!("{}", json!({ "listening": listening }));
    io::stdout().flush()?;
    let router = Router::new().route("/", post(answer)).with_state(bare);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(router.clone(), stream));
    }
}

/// The bounds and settings of Keystead's own server.
async fn connection(router: Router, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        hyper::service::Service::call(&service, request.map(Body::new))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(std::time::Duration::from_secs(60))
        .max_header_size(32 * 1024)
        .max_buf_size(128 * 1024);
    // A client that goes away ends its connection alone.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(State(bare): State<Arc<Bare>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else { return refused("the body") };
    if bare.verifier.verify(&head, &body).is_none() {
        return refused("the signature");
    }
    match operation(&head.headers).and_then(|operation| asked::run(&bare, operation, &body)) {
        Some(answer) => respond(&answer),
        None => refused("the request"),
    }
}

fn operation(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.strip_prefix("TrentService.")
}

fn respond(answer: &Value) -> Response {
    let body = Bytes::from(answer.to_string());
    // Clients of the protocol expect an id; a bare server has nothing to find by one.
    let headers = [
        (header::CONTENT_TYPE, "application/x-amz-json-1.1"),
        (HeaderName::from_static("x-amzn-requestid"), "00000000-0000-0000-0000-000000000000"),
    ];
    (headers, body).into_response()
}

fn refused(what: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, what).into_response()
}
