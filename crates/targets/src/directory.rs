//! A vault in a folder: an external disk, a mounted share, a second machine's export.
//!
//! Invariant: an object appears under its name whole and synced, or not at all, and is never
//! replaced; a folder that is missing, unmounted, replaced or emptied is *away* and never *empty*.
//!
//! Why link(2) and not rename(2): a rename replaces what is there; a link to a taken name fails, in
//! one step, on every node that mounts the folder.

mod folder;
mod lacking;
mod list;
mod put;
mod put_all;
mod read;
#[cfg(test)]
mod tests;

use crate::blocking::{finished, finished_behind};
use crate::name::prefix_folders;
use crate::{Blocking, FailureDomain, Listed, ObjectName, PutNew, Vault, VaultError, VaultUrl};
use async_trait::async_trait;
use folder::Folder;
use std::sync::Arc;
use std::{fmt, io};

/// A vault in a folder. Objects lie under their names; `.tmp` holds what is being written.
///
/// A folder that was unmounted and mounted again may have another device number: it stays away
/// until the vault is opened again.
pub struct DirectoryVault {
    folder: Arc<Folder>,
    blocking: Arc<dyn Blocking>,
}

impl DirectoryVault {
    /// Opens the folder, which must exist, and removes what interrupted puts left in `.tmp`. A
    /// folder that cannot be written is opened all the same, for reading.
    ///
    /// # Errors
    /// [`VaultError::Away`] where the folder is missing or cannot be opened.
    pub async fn open(
        url: VaultUrl,
        blocking: Arc<dyn Blocking>,
    ) -> Result<DirectoryVault, VaultError> {
        let stopped = dropped(&url);
        let opened = finished(&*blocking, move || Folder::open(url)).await;
        let folder = Arc::new(opened.unwrap_or(Err(stopped))?);
        Ok(DirectoryVault { folder, blocking })
    }

    async fn listed(&self, prefix: &str, apart: &[&str]) -> Result<Vec<Listed>, VaultError> {
        let prefix = prefix.to_owned();
        let apart: Vec<String> = apart.iter().map(|folder| (*folder).to_owned()).collect();
        if let Err(source) = prefix_folders(&prefix) {
            return Err(VaultError::PrefixInvalid { prefix, source });
        }
        let answer = self.run(move |folder| list::list(folder, &prefix, &apart)).await;
        answer.unwrap_or_else(|| Err(dropped(self.url())))
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Folder) -> Result<T, VaultError> + Send + 'static,
    ) -> Option<Result<T, VaultError>> {
        let folder = Arc::clone(&self.folder);
        finished(&*self.blocking, move || job(&folder)).await
    }
}

#[async_trait]
impl Vault for DirectoryVault {
    async fn put_new(&self, name: &ObjectName, bytes: &[u8]) -> Result<PutNew, VaultError> {
        let (object, bytes) = (name.clone(), bytes.to_vec());
        let answer = self.run(move |folder| put::put_new(folder, &object, &bytes)).await;
        answer.unwrap_or_else(|| Err(self.folder.unknown(name, stopped())))
    }

    async fn put_all(
        &self,
        objects: &[(ObjectName, Arc<[u8]>)],
    ) -> Result<Vec<PutNew>, VaultError> {
        let (folder, owned) = (Arc::clone(&self.folder), objects.to_vec());
        let put = move || put_all::put_all(&folder, &owned);
        let answer = finished_behind(&*self.blocking, put).await;
        match (answer, objects.first()) {
            (Some(answer), _) => answer,
            (None, Some((name, _))) => Err(self.folder.unknown(name, stopped())),
            (None, None) => Ok(Vec::new()),
        }
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, VaultError> {
        let name = name.clone();
        let answer = self.run(move |folder| read::read(folder, &name)).await;
        answer.unwrap_or_else(|| Err(dropped(self.url())))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, VaultError> {
        self.listed(prefix, &[]).await
    }

    async fn list_apart(&self, prefix: &str, apart: &[&str]) -> Result<Vec<Listed>, VaultError> {
        self.listed(prefix, apart).await
    }

    async fn lacking(&self, names: &[ObjectName]) -> Result<Vec<ObjectName>, VaultError> {
        let (folder, names) = (Arc::clone(&self.folder), names.to_vec());
        let look = move || lacking::lacking(&folder, &names);
        let answer = finished_behind(&*self.blocking, look).await;
        answer.unwrap_or_else(|| Err(dropped(self.url())))
    }

    fn url(&self) -> &VaultUrl {
        self.folder.url()
    }

    /// The declared domain, or the device that held the folder when it was opened.
    fn domain(&self) -> Result<FailureDomain, VaultError> {
        let declared = self.url().declared_domain().map(FailureDomain::declared);
        Ok(declared.unwrap_or_else(|| FailureDomain::device(self.folder.device())))
    }
}

impl fmt::Debug for DirectoryVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DirectoryVault({})", self.url())
    }
}

fn dropped(url: &VaultUrl) -> VaultError {
    VaultError::Failed { url: url.clone(), source: stopped() }
}

fn stopped() -> io::Error {
    io::Error::other("the thread that worked on it stopped")
}
