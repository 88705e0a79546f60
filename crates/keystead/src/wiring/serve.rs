//! `serve`: a node, its listener, and how both end.

use std::{future::Future, io::Write, net::SocketAddr, sync::Arc, time::Duration};

use keystead_service::{Service, StartOptions, start};
use serde::Serialize;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};

use super::{WiringRefused, folder::DataFolder, witness::asked};
use crate::{exit::Exit, failed::Failed, output::Form, plan::ServePlan};

/// The first line that `serve --json` prints.
#[derive(Serialize)]
struct Listening {
    listening: String,
}

/// Serves until it is told to stop.
pub(crate) fn serve(plan: ServePlan, form: Form) -> Result<Exit, Failed> {
    let ServePlan { data_dir, passphrase, listen, max_unfenced, audit_durability, .. } = plan;
    let (arena_bytes, witnesses) = (plan.arena_bytes, plan.witnesses);
    keystead_arena::init(arena_bytes).map_err(WiringRefused::from)?;
    let folder = DataFolder::lock(&data_dir)?;
    let runtime = runtime()?;
    let max_unfenced_ms = u64::try_from(max_unfenced.as_millis()).unwrap_or(u64::MAX);
    let mut site = folder.site(runtime.handle(), &passphrase)?;
    site.witnesses = asked(witnesses, runtime.handle());
    // From here on the passphrase is in locked memory alone.
    drop(passphrase);
    let served = runtime.block_on(async {
        let service = start(site, StartOptions { max_unfenced_ms, audit_durability }).await?;
        let listener = bind(listen).await?;
        let ready = listener.local_addr().map_err(WiringRefused::Server)?;
        run(service, listener, stop_signal()?, || say_ready(ready, form)).await
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    served.map_err(Into::into)
}

/// Serves until `stop` ends.
pub(super) async fn run(
    service: Arc<Service>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce() -> std::io::Result<()>,
) -> Result<Exit, WiringRefused> {
    ready().map_err(WiringRefused::Server)?;
    keystead_server::serve(listener, service.clone(), stop).await.map_err(WiringRefused::Server)?;
    service.stop().await;
    Ok(Exit::Done)
}

/// Binds the address.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, WiringRefused> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| WiringRefused::Listen { address, source })
}

fn say_ready(address: SocketAddr, form: Form) -> std::io::Result<()> {
    let listening = Listening { listening: format!("http://{address}") };
    form.answer(&listening, || format!("listening on {}\n", listening.listening))?;
    std::io::stdout().flush()
}

/// Ends at SIGTERM or SIGINT.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, WiringRefused> {
    let mut term = signal(SignalKind::terminate()).map_err(WiringRefused::Server)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(WiringRefused::Server)?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A thread for each core.
pub(super) fn runtime() -> Result<Runtime, WiringRefused> {
    Builder::new_multi_thread().enable_all().build().map_err(WiringRefused::Server)
}
