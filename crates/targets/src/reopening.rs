//! A vault that is opened on first use and again after it was away: unmounted, moved, restarted.
//!
//! Invariant: it never turns *away* into *empty*: what cannot be opened answers `Away`, and the
//! next call tries again.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::{FailureDomain, Listed, ObjectName, PutNew, Vault, VaultError, VaultUrl};

/// Opens vaults by URL; the binary knows which adapter serves which scheme.
#[async_trait]
pub trait VaultOpener: Send + Sync + fmt::Debug {
    /// Opens the vault at `url`.
    async fn open(&self, url: &VaultUrl) -> Result<Arc<dyn Vault>, VaultError>;
}

/// A vault behind its opener.
#[derive(Debug)]
pub struct ReopeningVault {
    url: VaultUrl,
    opener: Arc<dyn VaultOpener>,
    open: Mutex<Option<Arc<dyn Vault>>>,
    domain: std::sync::Mutex<Option<FailureDomain>>,
}

impl ReopeningVault {
    /// A vault that is not open yet.
    #[must_use]
    pub fn new(url: VaultUrl, opener: Arc<dyn VaultOpener>) -> Self {
        Self { url, opener, open: Mutex::new(None), domain: std::sync::Mutex::new(None) }
    }

    async fn opened(&self) -> Result<Arc<dyn Vault>, VaultError> {
        let mut open = self.open.lock().await;
        if let Some(vault) = &*open {
            return Ok(vault.clone());
        }
        let vault = self.opener.open(&self.url).await?;
        let domain = vault.domain()?;
        *self.domain.lock().expect("no code panics while it holds this lock") = Some(domain);
        *open = Some(vault.clone());
        Ok(vault)
    }

    async fn judged<T>(&self, result: Result<T, VaultError>) -> Result<T, VaultError> {
        if matches!(result, Err(VaultError::Away { .. })) {
            *self.open.lock().await = None;
        }
        result
    }
}

#[async_trait]
impl Vault for ReopeningVault {
    async fn put_new(&self, name: &ObjectName, bytes: &[u8]) -> Result<PutNew, VaultError> {
        let result = self.opened().await?.put_new(name, bytes).await;
        self.judged(result).await
    }

    async fn put_all(
        &self,
        objects: &[(ObjectName, Arc<[u8]>)],
    ) -> Result<Vec<PutNew>, VaultError> {
        let result = self.opened().await?.put_all(objects).await;
        self.judged(result).await
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, VaultError> {
        let result = self.opened().await?.read(name).await;
        self.judged(result).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, VaultError> {
        let result = self.opened().await?.list(prefix).await;
        self.judged(result).await
    }

    async fn list_apart(&self, prefix: &str, apart: &[&str]) -> Result<Vec<Listed>, VaultError> {
        let result = self.opened().await?.list_apart(prefix, apart).await;
        self.judged(result).await
    }

    async fn lacking(&self, names: &[ObjectName]) -> Result<Vec<ObjectName>, VaultError> {
        let result = self.opened().await?.lacking(names).await;
        self.judged(result).await
    }

    fn url(&self) -> &VaultUrl {
        &self.url
    }

    fn domain(&self) -> Result<FailureDomain, VaultError> {
        let known = self.domain.lock().expect("no code panics while it holds this lock").clone();
        known.ok_or_else(|| VaultError::Away {
            url: self.url.clone(),
            source: crate::Absence::Unreachable(std::io::ErrorKind::NotConnected.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryVault, wait};

    #[derive(Debug)]
    struct Once(MemoryVault);

    #[async_trait]
    impl VaultOpener for Once {
        async fn open(&self, _: &VaultUrl) -> Result<Arc<dyn Vault>, VaultError> {
            self.0.list("").await.map(|_| Arc::new(self.0.clone()) as Arc<dyn Vault>)
        }
    }

    #[test]
    fn a_vault_that_comes_back_is_opened_again() {
        let memory = MemoryVault::named("a").unwrap();
        let vault = ReopeningVault::new(memory.url().clone(), Arc::new(Once(memory.clone())));
        assert!(vault.domain().is_err());
        let name: ObjectName = "x/y".parse().unwrap();
        memory.away();
        assert!(matches!(wait(vault.read(&name)), Err(VaultError::Away { .. })));
        memory.back();
        assert_eq!(wait(vault.put_new(&name, b"1")).unwrap(), PutNew::Created);
        assert!(vault.domain().is_ok());
        memory.away();
        assert!(wait(vault.read(&name)).is_err());
        memory.back();
        assert_eq!(wait(vault.read(&name)).unwrap(), Some(b"1".to_vec()));
    }
}
