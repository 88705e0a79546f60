//! A vault as one process reaches it, and the opener that finds it by its URL.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use keystead_targets::{
    Absence, FailureDomain, FaultyVault, Listed, MemoryVault, ObjectName, PutNew, Vault,
    VaultError, VaultOpener, VaultUrl,
};

use crate::{Life, Sim};

/// Longest time of one call, in virtual milliseconds, unless the vault was made slow.
const CALL_MS: u64 = 3;

/// A vault of one process.
#[derive(Debug)]
pub(crate) struct ProcessVault {
    pub(crate) inner: FaultyVault<MemoryVault>,
    life: Life,
    sim: Sim,
    call_ms: AtomicU64,
}

impl ProcessVault {
    pub(crate) fn new(inner: FaultyVault<MemoryVault>, life: Life, sim: Sim) -> Self {
        Self { inner, life, sim, call_ms: AtomicU64::new(CALL_MS) }
    }

    /// From now on each call takes up to twice so many virtual milliseconds.
    pub(crate) fn slow_down(&self, call_ms: u64) {
        self.call_ms.store(call_ms, Ordering::Release);
    }

    async fn begin(&self) -> Result<(), VaultError> {
        self.sim.pause(self.call_ms.load(Ordering::Acquire)).await;
        self.alive()
    }

    async fn end<T>(&self, answer: Result<T, VaultError>) -> Result<T, VaultError> {
        // A crash ends everything now, not when the answer would have come.
        self.alive()?;
        self.sim.pause(self.call_ms.load(Ordering::Acquire)).await;
        self.alive()?;
        answer
    }

    fn alive(&self) -> Result<(), VaultError> {
        if self.inner.has_crashed() {
            self.life.end();
        }
        match self.life.is_over() {
            true => Err(VaultError::Crashed { url: self.url().clone() }),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Vault for ProcessVault {
    async fn put_new(&self, name: &ObjectName, bytes: &[u8]) -> Result<PutNew, VaultError> {
        self.begin().await?;
        self.end(self.inner.put_new(name, bytes).await).await
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, VaultError> {
        self.begin().await?;
        self.end(self.inner.read(name).await).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, VaultError> {
        self.begin().await?;
        self.end(self.inner.list(prefix).await).await
    }

    async fn list_apart(&self, prefix: &str, apart: &[&str]) -> Result<Vec<Listed>, VaultError> {
        self.begin().await?;
        self.end(self.inner.list_apart(prefix, apart).await).await
    }

    async fn lacking(&self, names: &[ObjectName]) -> Result<Vec<ObjectName>, VaultError> {
        self.begin().await?;
        self.end(self.inner.lacking(names).await).await
    }

    fn url(&self) -> &VaultUrl {
        self.inner.url()
    }

    fn domain(&self) -> Result<FailureDomain, VaultError> {
        self.alive()?;
        self.inner.domain()
    }
}

/// All vaults of one process, by URL.
#[derive(Debug)]
pub(crate) struct ProcessVaults(pub(crate) Vec<Arc<ProcessVault>>);

#[async_trait]
impl VaultOpener for ProcessVaults {
    async fn open(&self, url: &VaultUrl) -> Result<Arc<dyn Vault>, VaultError> {
        let found = self.0.iter().find(|vault| vault.url() == url);
        let Some(vault) = found else {
            let source = Absence::Unreachable(io::ErrorKind::NotFound.into());
            return Err(VaultError::Away { url: url.clone(), source });
        };
        // Opening one that is away fails, as opening an unmounted folder does.
        vault.list("").await?;
        Ok(vault.clone())
    }
}
