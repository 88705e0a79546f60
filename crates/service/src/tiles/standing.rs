//! How far a vault holds a node's ledger, by what is signed in it.
//!
//! Invariant: only a checkpoint that a certified process of that node signed counts. Junk under
//! such a name is passed over: whoever can write into one vault must not be able to stop a node.

use std::collections::BTreeMap;

use keystead_archive::{NodeCertificate, names};
use keystead_crypto::{NotePublic, VerifyingKey};
use keystead_domain::{IncarnationId, InstanceId, NodeId};
use keystead_ledger::{Checkpoint, Note, Origin, TileRows, VerifierKey, checkpoint_size};
use keystead_targets::{Vault, VaultError};

use crate::vaults::object_name;

pub(super) const CERTIFICATES: &str = "certificate/";
const CHECKPOINTS: &str = "checkpoint/";

/// One node's ledger in one vault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogIn<'a> {
    pub(crate) vault: &'a dyn Vault,
    pub(crate) root: &'a VerifyingKey,
    pub(crate) place: LogPlace,
}

/// Whose ledger it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogPlace {
    pub(crate) instance: InstanceId,
    pub(crate) incarnation: IncarnationId,
    pub(crate) node: NodeId,
}

impl LogPlace {
    /// The place of the log with this origin.
    pub(crate) fn of(origin: &Origin) -> Option<Self> {
        let mut parts = origin.as_str().split('/');
        let instance = parts.next()?.parse().ok()?;
        let incarnation = parts.next()?.parse().ok()?;
        Some(Self { instance, incarnation, node: parts.next()?.parse().ok()? })
    }

    /// The log's origin.
    pub(crate) fn origin(&self) -> Origin {
        let Self { instance, incarnation, node } = self;
        Origin::new(&format!("{instance}/{incarnation}/{node}")).expect("ids are parts of origins")
    }

    /// The name of what lies at `path` below the log's folder.
    pub(crate) fn name(&self, path: &str) -> String {
        names::ledger(self.instance, self.incarnation, self.node, path)
    }
}

impl LogIn<'_> {
    /// The largest checkpoint that is signed.
    pub(crate) async fn largest(&self) -> Result<Option<Checkpoint>, VaultError> {
        let keys = self.keys().await?;
        let mut sizes = self.listed(CHECKPOINTS).await?;
        sizes.retain(|path| checkpoint_size(path).is_some());
        sizes.sort_unstable_by_key(|path| std::cmp::Reverse(checkpoint_size(path)));
        for path in &sizes {
            if let Some(checkpoint) = self.signed(path, &keys).await? {
                return Ok(Some(checkpoint));
            }
            tracing::warn!(vault = %self.vault.url(), path, "a checkpoint that nobody signed");
        }
        Ok(None)
    }

    /// The edge under a checkpoint, where its tiles are there and give its root.
    pub(crate) async fn edge(
        &self,
        checkpoint: &Checkpoint,
    ) -> Result<Option<TileRows>, VaultError> {
        let mut edge = BTreeMap::new();
        for tile in TileRows::edge(checkpoint.size()) {
            if let Some(bytes) = self.read(&tile.to_string()).await? {
                edge.insert(tile, bytes);
            }
        }
        let rows = TileRows::resume(checkpoint.size(), |tile| edge.get(&tile).cloned());
        Ok(rows.ok().filter(|rows| rows.root() == *checkpoint.root()))
    }

    /// The checkpoints keys of every process of the node.
    async fn keys(&self) -> Result<Vec<VerifierKey>, VaultError> {
        let (origin, mut keys) = (self.place.origin(), Vec::new());
        for path in self.listed(CERTIFICATES).await? {
            let Some(bytes) = self.read(&path).await? else { continue };
            let Ok(of) = NodeCertificate::verify(&bytes, self.root) else { continue };
            let NodeCertificate { instance, incarnation, node, checkpoints_key, .. } = of;
            if (LogPlace { instance, incarnation, node }) == self.place {
                keys.push(VerifierKey::of_log(&origin, NotePublic(checkpoints_key.0)));
            }
        }
        Ok(keys)
    }

    /// The checkpoint in a note that came from elsewhere, where a process of the node signed it.
    pub(crate) async fn verify(&self, note: &[u8]) -> Result<Option<Checkpoint>, VaultError> {
        Ok(self.signed_by(note, &self.keys().await?))
    }

    async fn signed(
        &self,
        path: &str,
        keys: &[VerifierKey],
    ) -> Result<Option<Checkpoint>, VaultError> {
        let Some(bytes) = self.read(path).await? else { return Ok(None) };
        let found = self.signed_by(&bytes, keys);
        Ok(found.filter(|checkpoint| checkpoint_size(path) == Some(checkpoint.size())))
    }

    fn signed_by(&self, note: &[u8], keys: &[VerifierKey]) -> Option<Checkpoint> {
        let (origin, note) = (self.place.origin(), Note::parse(note).ok()?);
        let by = |key: &VerifierKey| Checkpoint::verify(&note, &origin, key.public()).ok();
        keys.iter().find_map(by)
    }

    /// What lies at `path` below the log's folder.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.vault.read(&object_name(&self.place.name(path))).await
    }

    /// Paths below the log's folder that begin with `folder`.
    async fn listed(&self, folder: &str) -> Result<Vec<String>, VaultError> {
        let own = self.place.name("");
        let listed = self.vault.list(&format!("{own}{folder}")).await?;
        Ok(listed.into_iter().map(|listed| listed.name.as_str()[own.len()..].to_owned()).collect())
    }
}
