//! `audit …`: the ledgers in vaults, with nothing but a root public key.
//!
//! Invariant: no server is asked, no vault is written, and nothing is shown that does not verify.

mod export;
mod files;
mod import;
mod list;
mod prove;
mod refused;
mod verify;

use std::{fs, path::Path, sync::Arc};

use keystead_crypto::VerifyingKey;
use keystead_service::logs::{Ledgers, LogsRefused};
use keystead_targets::{Vault, VaultOpener, VaultUrl};
use tokio::runtime::Runtime;

use super::{serve::runtime, world::Adapters};
use crate::{
    cli::{AuditCommand, RootPublicKey},
    client::{Client, ProfileRefused},
    exit::Exit,
    failed::Failed,
    output::{
        Form,
        progress::{Progress, Total},
    },
};

pub(crate) use refused::AuditFailed;

/// The vaults of one command, and the key that everything is verified under.
struct Opened {
    runtime: Runtime,
    vaults: Vec<Arc<dyn Vault>>,
    root: VerifyingKey,
}

/// Runs one of the commands.
pub(crate) fn run(
    command: &AuditCommand,
    client: Result<Client, ProfileRefused>,
    form: Form,
) -> Result<Exit, Failed> {
    match command {
        AuditCommand::Verify(args) => {
            let root = root(args.root_public_key, client)?;
            match (&args.proof, &args.export) {
                (Some(proof), _) => files::proof(proof, args, &root, form),
                (None, Some(file)) => files::export(file, args.checkpoint.as_deref(), &root, form),
                (None, None) => verify::verify(args, root, form),
            }
        }
        AuditCommand::List(args) => {
            list::list(args, root(args.ledgers.root_public_key, client)?, form)
        }
        AuditCommand::Export(args) => {
            export::export(args, root(args.ledgers.root_public_key, client)?, form)
        }
        AuditCommand::Prove(args) => {
            prove::prove(args, root(args.ledgers.root_public_key, client)?, form)
        }
        AuditCommand::Import(args) => return import::import(args, &client?, form),
    }?;
    Ok(Exit::Done)
}

/// The key that was given, or the profile's.
fn root(
    given: Option<RootPublicKey>,
    client: Result<Client, ProfileRefused>,
) -> Result<VerifyingKey, Failed> {
    Ok(VerifyingKey(match given {
        Some(RootPublicKey(root)) => root,
        None => *client.map_err(AuditFailed::NoRoot)?.root_public_key(),
    }))
}

impl Opened {
    fn open(urls: &[VaultUrl], root: VerifyingKey) -> Result<Self, Failed> {
        let runtime = runtime()?;
        let opener = Adapters(runtime.handle().clone());
        let opened = urls.iter().map(|url| {
            let vault = |source| AuditFailed::Vault { url: Box::new(url.clone()), source };
            runtime.block_on(opener.open(url)).map_err(vault)
        });
        let vaults = opened.collect::<Result<_, _>>()?;
        Ok(Self { runtime, vaults, root })
    }

    /// Runs `work` with the ledgers that were found.
    fn with<T>(
        &self,
        work: impl AsyncFnOnce(&Ledgers<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let vaults: Vec<&dyn Vault> = self.vaults.iter().map(|vault| &**vault).collect();
        self.runtime.block_on(async {
            let ledgers = Ledgers::find(&vaults, &self.root).await.map_err(refused)?;
            work(&ledgers).await
        })
    }
}

/// A line of progress for something that reads every entry.
fn counting(phase: &'static str, ledgers: &Ledgers<'_>) -> Progress {
    let progress = Progress::new();
    progress.phase(phase, Total::Named(ledgers.entries(), "entries"));
    progress
}

fn refused(refused: LogsRefused) -> AuditFailed {
    AuditFailed::Ledgers(Box::new(refused))
}

fn read(path: &Path) -> Result<Vec<u8>, AuditFailed> {
    fs::read(path).map_err(|source| AuditFailed::Unreadable { path: path.to_owned(), source })
}
