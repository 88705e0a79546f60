//! Brings the ledgers of earlier incarnations to a vault that missed a part of them.
//!
//! Invariant: what is copied was verified under a signed checkpoint on the way, so that nobody who
//! can write into one vault can have anything brought into the others.

use keystead_archive::NodeCertificate;
use keystead_ledger::Walk;
use keystead_targets::VaultError;
use thiserror::Error;

use super::{LedgerShipper, LogIn, LogPlace, Signed};
use crate::{
    logs::{LogsRefused, places},
    vaults::{Member, NotUsable, object_name},
};

/// Why a ledger was not brought.
#[derive(Debug, Error)]
enum NotBrought {
    #[error(transparent)]
    Ledgers(#[from] LogsRefused),
    #[error(transparent)]
    Vault(#[from] NotUsable),
    #[error("a file of it does not verify")]
    Wrong,
}

impl From<VaultError> for NotBrought {
    fn from(failed: VaultError) -> Self {
        Self::Vault(failed.into())
    }
}

impl LedgerShipper {
    /// Compares with every other vault. One that does not answer is asked when this one, or it,
    /// comes back the next time.
    pub(super) async fn bring_elders(&self, number: usize) {
        let to = &self.set.members[number];
        for (at, from) in self.set.members.iter().enumerate() {
            if at == number {
                continue;
            }
            if let Err(failed) = self.bring_from(from, to).await {
                let (from, to) = (from.vault.url(), to.vault.url());
                tracing::debug!(%from, %to, %failed, "older ledgers are not compared");
            }
        }
    }

    async fn bring_from(&self, from: &Member, to: &Member) -> Result<(), NotBrought> {
        let root = self.set.root();
        for place in places(&*from.vault, &root, Some(self.place.incarnation)).await? {
            let there = LogIn { vault: &*from.vault, root: &root, place };
            let here = LogIn { vault: &*to.vault, ..there };
            let Some(signed) = there.largest_signed().await? else { continue };
            if here.largest().await?.is_some_and(|known| known.size() >= signed.checkpoint.size()) {
                continue;
            }
            self.bring(&there, &signed, to).await?;
        }
        Ok(())
    }

    async fn bring(&self, log: &LogIn<'_>, signed: &Signed, to: &Member) -> Result<(), NotBrought> {
        for path in log.certificates().await? {
            let Some(bytes) = log.read(&path).await? else { continue };
            if NodeCertificate::verify(&bytes, log.root).is_ok() {
                put(to, &log.place, &path, &bytes).await?;
            }
        }
        let mut walk = Walk::new(&signed.checkpoint);
        while let Some(tile) = walk.wants() {
            let path = tile.to_string();
            let bytes = log.read(&path).await?.ok_or(NotBrought::Wrong)?;
            walk.give(&bytes).map_err(|_| NotBrought::Wrong)?;
            put(to, &log.place, &path, &bytes).await?;
        }
        put(to, &log.place, &signed.checkpoint.name(), &signed.note).await
    }
}

/// What lies there under the name already is not replaced, whatever it is.
async fn put(to: &Member, place: &LogPlace, path: &str, bytes: &[u8]) -> Result<(), NotBrought> {
    Ok(to.put(&object_name(&place.name(path)), bytes).await.map(drop)?)
}
