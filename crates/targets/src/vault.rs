//! The port through which sealed objects reach a vault and come back.
//!
//! Invariant: an object is never replaced. A name, once created, reads as the same bytes for ever,
//! and `Created` or `Exists` means that the bytes lie on the vault's durable medium.
//!
//! Why put-new is the fence: of two nodes that write one name exactly one gets `Created`; the other
//! reads back, compares, and adopts or stops. No lease has to be trusted for that.

use crate::{FailureDomain, ObjectName, VaultError, VaultUrl};
use async_trait::async_trait;
use std::{fmt, sync::Arc};

/// What a put found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PutNew {
    /// The name was free; the bytes are durable under it now.
    Created,
    /// The name was taken and is untouched: read it back and compare.
    Exists,
}

/// One object in a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name.
    pub name: ObjectName,
    /// The size of its oldest version in bytes.
    pub bytes: u64,
    /// How many versions there are, delete markers included. More than 1: somebody replaced or
    /// deleted it; that is reported, and the newer versions are ignored.
    pub versions: u32,
}

/// A backup vault. It never sees a key: bytes are opaque.
///
/// A caller never uses one name both for an object and as the folder of others: forms that cannot
/// hold such a pair answer [`VaultError::Clash`].
#[async_trait]
pub trait Vault: Send + Sync + fmt::Debug {
    /// Creates an object unless its name is taken.
    async fn put_new(&self, name: &ObjectName, bytes: &[u8]) -> Result<PutNew, VaultError>;

    /// Creates several objects, in no order that anybody could rely on: `Created` and `Exists` mean
    /// for each what they mean for one. After an error any of them may be there. A form that makes
    /// many durable at less cost than one by one does.
    async fn put_all(
        &self,
        objects: &[(ObjectName, Arc<[u8]>)],
    ) -> Result<Vec<PutNew>, VaultError> {
        let mut puts = Vec::with_capacity(objects.len());
        for (name, bytes) in objects {
            puts.push(self.put_new(name, bytes).await?);
        }
        Ok(puts)
    }

    /// The oldest version of an object, or nothing where there is none.
    async fn read(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, VaultError>;

    /// The objects under a prefix, which is empty or ends with `/`, sorted by name.
    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, VaultError>;

    /// The same without what lies below any folder with a name in `apart`: a ledger grows by a few
    /// objects a second, key copies are without number, and whoever looks for anything else must
    /// not read through them. A form that can pass such a folder over does.
    async fn list_apart(&self, prefix: &str, apart: &[&str]) -> Result<Vec<Listed>, VaultError> {
        let is_apart = |listed: &Listed| {
            let mut folders = listed.name.as_str()[prefix.len()..].split('/');
            folders.next_back();
            folders.any(|folder| apart.contains(&folder))
        };
        let mut all = self.list(prefix).await?;
        all.retain(|listed| !is_apart(listed));
        Ok(all)
    }

    /// Those of these names that no object has, in their order. For many names at once: they come
    /// ascending and lie close together where the caller can have it so, and a form that reads
    /// them in fewer steps than one by one does.
    async fn lacking(&self, names: &[ObjectName]) -> Result<Vec<ObjectName>, VaultError>;

    /// Where the vault is.
    fn url(&self) -> &VaultUrl;

    /// What the vault is lost together with.
    ///
    /// # Errors
    /// [`VaultError::Away`] where the form can find it out only from a vault that answers.
    fn domain(&self) -> Result<FailureDomain, VaultError>;
}

#[async_trait]
impl<V: Vault + ?Sized> Vault for Arc<V> {
    async fn put_new(&self, name: &ObjectName, bytes: &[u8]) -> Result<PutNew, VaultError> {
        V::put_new(self, name, bytes).await
    }

    async fn put_all(
        &self,
        objects: &[(ObjectName, Arc<[u8]>)],
    ) -> Result<Vec<PutNew>, VaultError> {
        V::put_all(self, objects).await
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, VaultError> {
        V::read(self, name).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, VaultError> {
        V::list(self, prefix).await
    }

    async fn list_apart(&self, prefix: &str, apart: &[&str]) -> Result<Vec<Listed>, VaultError> {
        V::list_apart(self, prefix, apart).await
    }

    async fn lacking(&self, names: &[ObjectName]) -> Result<Vec<ObjectName>, VaultError> {
        V::lacking(self, names).await
    }

    fn url(&self) -> &VaultUrl {
        V::url(self)
    }

    fn domain(&self) -> Result<FailureDomain, VaultError> {
        V::domain(self)
    }
}
