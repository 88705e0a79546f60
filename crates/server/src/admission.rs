//! What every front does before it reads a request: take the body within bounds, read the claim,
//! have it authenticated.
//!
//! Invariant: no byte of a body is parsed before its sender is known, and nothing is admitted
//! whose body, path, query or `x-amz-*` headers the signature does not cover. Who is turned away
//! gets no other work done than that of a stranger.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    http::{header, request::Parts},
};
use futures_util::StreamExt;
use keystead_domain::RequestId;
use keystead_service::{
    AuthFault, Cx, Error, Fault, Front, Recorded, Refusal, Service, Wiped,
    sigv4::{self, ClaimFault},
};

use crate::crowd::Standing;

/// The longest body, in bytes: the longest lawful request needs 40 KiB.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(20);

/// The address at the other end of a connection, as text, and what is known of the connection;
/// `serve` puts it into each request.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    source: Arc<str>,
    standing: Arc<Standing>,
}

impl Peer {
    pub(crate) fn new(address: IpAddr, standing: Arc<Standing>) -> Self {
        Self { source: address.to_canonical().to_string().into(), standing }
    }
}

/// A request before anything of it is believed.
pub(crate) struct Arrival {
    pub(crate) request: RequestId,
    front: Front,
    source: Arc<str>,
    pub(crate) head: Parts,
    body: Body,
}

/// A request whose sender is proved.
pub(crate) struct Admitted {
    pub(crate) cx: Cx,
    /// The region of the credential scope.
    pub(crate) region: String,
    pub(crate) head: Parts,
    pub(crate) body: Wiped<Vec<u8>>,
}

/// A request that was turned away.
pub(crate) struct TurnedAway {
    pub(crate) request: RequestId,
    /// What the front tells the caller where the error alone says too little.
    pub(crate) reason: Reason,
    front: Front,
    source: Arc<str>,
    error: Error,
}

/// Why a request was turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Its body is longer than [`MAX_BODY_BYTES`].
    TooLarge,
    /// Its body did not arrive.
    Incomplete,
    /// It makes no claim that can be verified.
    Claim(ClaimFault),
    /// Its claim is false.
    Unproven,
}

impl Arrival {
    pub(crate) fn new(service: &Service, front: Front, request: Request) -> Self {
        let (head, body) = request.into_parts();
        let peer = head.extensions.get::<Peer>();
        let source = peer.map_or_else(|| "".into(), |peer| peer.source.clone());
        Self { request: service.request_id(), front, source, head, body }
    }

    /// Proves who sent the request, for the service name `scope`.
    pub(crate) async fn admit(
        self,
        service: &Service,
        scope: &str,
    ) -> Result<Admitted, TurnedAway> {
        let Self { request, front, source, head, body } = self;
        let turned = |(reason, error): (Reason, Error)| TurnedAway {
            request,
            reason,
            front,
            source: source.clone(),
            error,
        };
        let body = read(&head, body).await.map_err(|reason| turned(undelivered(reason)))?;
        let claim = claim(&head, &body).map_err(|fault| turned(unclaimed(fault)))?;
        let principal = service
            .authenticate(&claim, scope)
            .map_err(|error| turned((Reason::Unproven, error)))?;
        if let Some(peer) = head.extensions.get::<Peer>() {
            peer.standing.prove();
        }
        let cx = Cx { request, front, principal, source };
        Ok(Admitted { cx, region: claim.scope.region, head, body })
    }
}

impl TurnedAway {
    /// Counts the request; what comes back is what the caller is told.
    pub(crate) async fn record(self, service: &Arc<Service>, operation: &str) -> Recorded<Error> {
        let Self { request, front, source, error, reason: _ } = self;
        let (operation, source) = (operation.to_owned(), network(&source).into());
        service.refuse(Refusal { request, front, operation, source, principal: None, error }).await
    }
}

/// Whoever has one IPv6 address has 2^64 of them: they count as one source.
fn network(source: &str) -> String {
    match source.parse::<Ipv6Addr>() {
        Ok(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        Err(_) => source.to_owned(),
    }
}

async fn read(head: &Parts, body: Body) -> Result<Wiped<Vec<u8>>, Reason> {
    let declared = head.headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(Reason::TooLarge);
    }
    let chunks = read_chunks(body, declared.unwrap_or(MAX_BODY_BYTES));
    let mut chunks = std::pin::pin!(chunks);
    // Nearly always it came with the head, and there is nothing to set a timer for.
    match futures_util::poll!(&mut chunks) {
        Poll::Ready(read) => read,
        Poll::Pending => {
            tokio::time::timeout(BODY_WAIT, chunks).await.unwrap_or(Err(Reason::Incomplete))
        }
    }
}

/// Reads into a buffer that never grows: one that grew would leave plaintext behind.
async fn read_chunks(body: Body, capacity: usize) -> Result<Wiped<Vec<u8>>, Reason> {
    let mut bytes = Wiped::new(Vec::with_capacity(capacity));
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Reason::Incomplete)?;
        if chunk.len() > capacity - bytes.len() {
            return Err(Reason::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn claim(head: &Parts, body: &[u8]) -> Result<sigv4::Claim, ClaimFault> {
    let headers: Vec<(&str, &[u8])> =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    sigv4::claim(&sigv4::RequestParts {
        method: head.method.as_str(),
        raw_path: head.uri.path(),
        raw_query: head.uri.query().unwrap_or_default(),
        headers: &headers,
        body_sha256: sigv4::body_sha256(body),
    })
}

fn undelivered(reason: Reason) -> (Reason, Error) {
    let message = match reason {
        Reason::TooLarge => "the body is longer than 64 KiB",
        Reason::Incomplete | Reason::Claim(_) | Reason::Unproven => "the body did not arrive",
    };
    (reason, Fault::Field { field: "body", message: message.to_owned() }.into())
}

fn unclaimed(fault: ClaimFault) -> (Reason, Error) {
    let why = match &fault {
        ClaimFault::Missing => AuthFault::Missing,
        ClaimFault::PayloadHash => AuthFault::BadSignature,
        ClaimFault::OtherDay => AuthFault::Skewed,
        ClaimFault::SessionToken => AuthFault::UnknownAccessKey,
        ClaimFault::Repeated { .. }
        | ClaimFault::Algorithm
        | ClaimFault::Incomplete { .. }
        | ClaimFault::NotSigned { .. }
        | ClaimFault::Absent { .. }
        | ClaimFault::Instant
        | ClaimFault::Path
        | ClaimFault::Query
        | ClaimFault::TooLong { .. } => AuthFault::Incomplete,
    };
    (Reason::Claim(fault), Fault::Unauthenticated(why).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_one_ipv6_network_count_as_one_source() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2::"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:3::1"), network("2001:db8:1:2::1"));
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
    }
}
