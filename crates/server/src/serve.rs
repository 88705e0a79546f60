//! Accepts connections and serves them within bounds.
//!
//! Invariant: connections, header sizes and the time that a request may take to arrive are bounded,
//! so that a stranger can hold neither memory nor a connection for free, and gives up its place to
//! who comes next when all are taken. On shutdown no new request
//! is taken, and those in flight get [`DRAIN`] to end; their operations run on in any case.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Method, Request},
};
use futures_util::{FutureExt, future::Either};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use keystead_service::{Service, witness::WitnessBook};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    Node,
    admission::Peer,
    aws,
    crowd::{Call, Crowd, Place},
    operators, router,
    witness::witness_router,
};

/// How many connections are served at once. One more takes the place of the oldest that has proved
/// nothing; where all have, it waits.
const MAX_CONNECTIONS: u32 = 1024;

/// How long the head of a request may take, and how long a connection may idle.
const HEAD_WAIT: Duration = Duration::from_secs(60);

/// How large the head of a request may be, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// How much of a connection's input is buffered at once, in bytes.
const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// How long requests in flight may take once `shutdown` has come.
const DRAIN: Duration = Duration::from_secs(20);

/// How long to wait where the system has no descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How many connections are served at once on the operators' listener.
const MAX_OPERATORS: u32 = 16;

/// Serves every front on `listener` until `shutdown` ends, then drains.
///
/// # Errors
/// None at present: a connection that fails ends alone.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    node: Arc<Node>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let routes = Routes { aws: Some(service.clone()), router: router(service, node) };
    accept(listener, routes, MAX_CONNECTIONS, shutdown).await
}

/// Serves metrics and probes on `listener` until `shutdown` ends.
///
/// # Errors
/// As [`serve`].
pub async fn serve_operators(
    listener: TcpListener,
    node: Arc<Node>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    accept(listener, Routes { aws: None, router: operators(node) }, MAX_OPERATORS, shutdown).await
}

/// Serves a witness on `listener` until `shutdown` ends, then drains.
///
/// # Errors
/// As [`serve`].
pub async fn serve_witness(
    listener: TcpListener,
    witness: Arc<WitnessBook>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let routes = Routes { aws: None, router: witness_router(witness) };
    accept(listener, routes, MAX_CONNECTIONS, shutdown).await
}

/// What a listener serves.
#[derive(Clone)]
struct Routes {
    /// Where `POST /` is the AWS front, it goes there past the router, whose own boxes and look-ups
    /// nearly every request would pay for.
    aws: Option<Arc<Service>>,
    router: Router,
}

async fn accept(
    listener: TcpListener,
    routes: Routes,
    max_connections: u32,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(max_connections as usize));
    let crowd = Arc::new(Crowd::default());
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if permits.available_permits() == 0 {
                        crowd.make_room();
                    }
                    let permit = permits.clone().acquire_owned().await;
                    let permit = permit.expect("nothing closes this semaphore");
                    let (routes, place) = (routes.clone(), crowd.enter());
                    let connection = Connection { routes, peer, permit, place };
                    tokio::spawn(connection.run(stream));
                }
                Err(failed) => {
                    tracing::warn!(%failed, "no connection could be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    drop(listener);
    crowd.drain();
    if tokio::time::timeout(DRAIN, permits.acquire_many(max_connections)).await.is_err() {
        tracing::warn!("connections were cut off at shutdown");
    }
    Ok(())
}

struct Connection {
    routes: Routes,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
    place: Place,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        let Self { routes: Routes { aws, router }, peer, permit, place } = self;
        let from = Peer::new(peer.ip(), place.standing.clone());
        // Answers are small and whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let routed = TowerToHyperService::new(router);
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(from.clone());
            match &aws {
                Some(service) if is_aws(&request) => {
                    Either::Left(aws::handle(State(service.clone()), request).map(Ok))
                }
                _ => Either::Right(hyper::service::Service::call(&routed, request)),
            }
        });
        let ended = {
            let served = http().serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(served);
            tokio::select! {
                // At each turn both are asked, the cheaper one second.
                biased;
                ended = connection.as_mut() => ended,
                call = place.standing.called() => match call {
                    Call::Leave => Ok(()),
                    Call::Drain => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                },
            }
        };
        if let Err(failed) = ended {
            tracing::debug!(%failed, "a connection ended early");
        }
        drop((permit, place));
    }
}

/// As the router has it.
fn is_aws(request: &Request<Body>) -> bool {
    request.method() == Method::POST && request.uri().path() == "/"
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_BUFFER_BYTES);
    http
}
