//! `serve`: a node, its listeners, and how both end.
//!
//! Invariant: probes and metrics answer before the node has started, and the supervisor hears that
//! it is ready only once it answers.

use std::{io::Write, net::SocketAddr, sync::Arc, time::Duration};

use keystead_server::{Node, serve_operators};
use keystead_service::{Service, StartOptions, start};
use serde::Serialize;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use super::{
    WiringRefused, ending::StopSignals, folder::DataFolder, machine, supervisor::Supervisor,
    witness::asked,
};
use crate::{exit::Exit, failed::Failed, output::Form, plan::ServePlan};

/// The first line that `serve --json` prints.
#[derive(Serialize)]
struct Listening {
    listening: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<String>,
}

/// A node that is ready to answer.
pub(super) struct Front {
    pub(super) service: Arc<Service>,
    pub(super) node: Arc<Node>,
    pub(super) listener: TcpListener,
    pub(super) supervisor: Supervisor,
}

/// Serves until it is told to stop.
pub(crate) fn serve(plan: ServePlan, form: Form) -> Result<Exit, Failed> {
    let ServePlan { data_dir, passphrase, listen, metrics_listen, .. } = plan;
    let (audit_durability, arena_bytes) = (plan.audit_durability, plan.arena_bytes);
    let (upkeep, witnesses) = (plan.upkeep, plan.witnesses);
    keystead_arena::init(arena_bytes).map_err(WiringRefused::from)?;
    machine::started();
    let folder = DataFolder::lock(&data_dir)?;
    let runtime = runtime()?;
    let max_unfenced_ms = u64::try_from(plan.max_unfenced.as_millis()).unwrap_or(u64::MAX);
    let mut site = folder.site(runtime.handle(), &passphrase)?;
    site.witnesses = asked(witnesses, runtime.handle());
    // From here on the passphrase is in locked memory alone.
    drop(passphrase);
    let served = runtime.block_on(async {
        let (node, supervisor) = (Node::starting(machine::readings), Supervisor::of_environment());
        let metrics = serve_metrics(metrics_listen, &node).await?;
        supervisor.say("STATUS=agreeing with the vaults");
        let options = StartOptions { max_unfenced_ms, audit_durability, upkeep };
        let service = start(site, options).await?;
        let listener = bind(listen).await?;
        let address = listener.local_addr().map_err(WiringRefused::Server)?;
        node.serves(service.clone());
        let front = Front { service, node, listener, supervisor };
        run(front, StopSignals::new()?, || say_ready(address, metrics, form)).await
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    served.map_err(Into::into)
}

/// Answers metrics and probes for as long as the process lives; says where.
async fn serve_metrics(
    address: Option<SocketAddr>,
    node: &Arc<Node>,
) -> Result<Option<SocketAddr>, WiringRefused> {
    let Some(address) = address else { return Ok(None) };
    let listener = bind(address).await?;
    let address = listener.local_addr().map_err(WiringRefused::Server)?;
    tokio::spawn(serve_operators(listener, node.clone(), std::future::pending()));
    Ok(Some(address))
}

/// Serves until a signal comes, then ends in order.
pub(super) async fn run(
    front: Front,
    mut signals: StopSignals,
    ready: impl FnOnce() -> std::io::Result<()>,
) -> Result<Exit, WiringRefused> {
    let Front { service, node, listener, supervisor } = front;
    let address = listener.local_addr().map_err(WiringRefused::Server)?;
    ready().map_err(WiringRefused::Server)?;
    supervisor.say(&format!("READY=1\nSTATUS=listening on http://{address}"));
    supervisor.feed_watchdog();
    let stop = async {
        signals.next().await;
        service.begin_stop();
        supervisor.say("STOPPING=1\nSTATUS=ending requests in flight");
        signals.end_at_next();
    };
    let served = keystead_server::serve(listener, service.clone(), node, stop).await;
    served.map_err(WiringRefused::Server)?;
    let left = service.stop().await;
    if left.is_nothing() {
        tracing::info!("stopped; the vaults have everything");
    } else {
        let keystead_service::LeftBehind { requests, changes, entries } = left;
        tracing::warn!(requests, changes, entries, "stopped; the rest goes out at the next start");
    }
    Ok(Exit::Done)
}

/// Binds the address.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, WiringRefused> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| WiringRefused::Listen { address, source })
}

fn say_ready(address: SocketAddr, metrics: Option<SocketAddr>, form: Form) -> std::io::Result<()> {
    let url = |address| format!("http://{address}");
    let listening = Listening { listening: url(address), metrics: metrics.map(url) };
    form.answer(&listening, || {
        let metrics = listening.metrics.as_ref();
        let metrics = metrics.map(|at| format!("metrics on {at}/metrics\n")).unwrap_or_default();
        format!("listening on {}\n{metrics}", listening.listening)
    })?;
    std::io::stdout().flush()
}

/// A thread for each core.
pub(super) fn runtime() -> Result<Runtime, WiringRefused> {
    Builder::new_multi_thread().enable_all().build().map_err(WiringRefused::Server)
}
