//! A witness at both ends: one that is asked over HTTP, and `witness serve`.

use std::{io::Write, sync::Arc, time::Duration};

use async_trait::async_trait;
use keystead_crypto::Entropy;
use keystead_journal::FileDisk;
use keystead_ledger::VerifierKey;
use keystead_service::{
    Witness,
    witness::{WitnessBook, WitnessUnusable},
};
use serde::Serialize;
use tokio::runtime::Handle;
use ureq::Agent;

use super::{
    WiringRefused,
    ending::StopSignals,
    serve::{bind, runtime},
    world::OsClock,
};
use crate::{
    cli::WitnessServeArgs,
    config::WitnessPlace,
    exit::{Exit, Explained},
    failed::Failed,
    output::Form,
};

/// How long a witness may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const ANSWER_BYTES: u64 = 128 * 1024;

/// A witness that is asked over HTTP.
#[derive(Debug)]
struct Asked {
    place: WitnessPlace,
    agent: Agent,
    handle: Handle,
}

/// The witnesses of a configuration.
pub(super) fn asked(places: Vec<WitnessPlace>, handle: &Handle) -> Vec<Arc<dyn Witness>> {
    let config = Agent::config_builder().http_status_as_error(false).proxy(None);
    let agent: Agent = config.timeout_global(Some(TIMEOUT)).build().into();
    let one = |place| -> Arc<dyn Witness> {
        Arc::new(Asked { place, agent: agent.clone(), handle: handle.clone() })
    };
    places.into_iter().map(one).collect()
}

#[async_trait]
impl Witness for Asked {
    fn key(&self) -> &VerifierKey {
        &self.place.key
    }

    async fn add_checkpoint(&self, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        let (agent, url) = (self.agent.clone(), format!("{}/add-checkpoint", self.place.url));
        let asking = self.handle.spawn_blocking(move || -> Result<(u16, Vec<u8>), ureq::Error> {
            let answer = agent.post(&url).send(&body[..])?;
            let status = answer.status().as_u16();
            let body = answer.into_body().into_with_config().limit(ANSWER_BYTES).read_to_vec()?;
            Ok((status, body))
        });
        let answered = asking.await.map_err(|lost| lost.to_string())?;
        answered.map_err(|failed| failed.to_string())
    }
}

impl Explained for WitnessUnusable {
    fn exit(&self) -> Exit {
        match self {
            Self::Damaged { .. } => Exit::Corrupt,
            Self::OtherName { .. } => Exit::WrongState,
            Self::NotALog { .. } => Exit::Usage,
            Self::Disk(_) => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Damaged { .. } => {
                "begin a new witness, with a new name, in a new folder: this one must not cosign \
                 again"
            }
            Self::OtherName { .. } => "name another --state-dir",
            Self::NotALog { .. } => "give the key of a ledger, as `audit verify` prints it",
            Self::Disk(_) => "check the path and its permissions",
        };
        Some(hint.to_owned())
    }
}

/// What `witness serve` prints once it answers.
#[derive(Serialize)]
struct Listening {
    listening: String,
    key: String,
}

/// Serves a witness until it is told to stop.
pub(crate) fn serve(args: &WitnessServeArgs, form: Form) -> Result<Exit, Failed> {
    let runtime = runtime()?;
    let disk = Arc::new(FileDisk::open(&args.state_dir).map_err(WiringRefused::from)?);
    let (clock, entropy) = (Arc::new(OsClock::new()), Entropy::os());
    let (name, logs) = (args.name.clone(), args.logs.clone());
    let book = WitnessBook::open(disk, clock, &entropy, name, logs).map_err(WiringRefused::from)?;
    let key = book.key().to_string();
    let served = runtime.block_on(async {
        let listener = bind(args.listen).await?;
        let address = listener.local_addr().map_err(WiringRefused::Server)?;
        let said = Listening { listening: format!("http://{address}"), key };
        let text = || format!("listening on {}\nkey  {}\n", said.listening, said.key);
        form.answer(&said, text)
            .and_then(|()| std::io::stdout().flush())
            .map_err(WiringRefused::Server)?;
        let mut signals = StopSignals::new()?;
        let stop = async {
            signals.next().await;
            signals.end_at_next();
        };
        let served = keystead_server::serve_witness(listener, Arc::new(book), stop).await;
        served.map_err(WiringRefused::Server)
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    served?;
    Ok(Exit::Done)
}
