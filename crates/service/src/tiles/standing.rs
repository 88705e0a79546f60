//! How far a vault holds a node's ledger, by what is signed in it.
//!
//! Invariant: only a checkpoint that a certified process of that node signed counts. Junk under
//! such a name is passed over: whoever can write into one vault must not be able to stop a node.

use std::collections::BTreeMap;

use keystead_archive::{NodeCertificate, names};
use keystead_crypto::{NotePublic, VerifyingKey};
use keystead_domain::{IncarnationId, InstanceId, NodeId};
use keystead_ledger::{
    Checkpoint, Hash, Note, Origin, TILE_WIDTH, TileName, TileRows, checkpoint_size,
};
use keystead_targets::{Vault, VaultError};

use crate::vaults::object_name;

pub(super) const CERTIFICATES: &str = "certificate/";
const CHECKPOINTS: &str = "checkpoint/";
pub(super) const COSIGNED: &str = "cosigned/";

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

/// A checkpoint as it lies in a vault, with what proves it.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) checkpoint: Checkpoint,
    /// The note, cosignatures included.
    pub(crate) note: Vec<u8>,
    /// The certificate of the process that signed it.
    pub(crate) certificate: Vec<u8>,
    /// The key in it.
    pub(crate) key: NotePublic,
}

/// A process of the node.
struct Signer {
    certificate: Vec<u8>,
    key: NotePublic,
}

impl LogIn<'_> {
    /// The largest checkpoint that is signed.
    pub(crate) async fn largest(&self) -> Result<Option<Checkpoint>, VaultError> {
        Ok(self.largest_signed().await?.map(|signed| signed.checkpoint))
    }

    /// The same with what proves it.
    pub(crate) async fn largest_signed(&self) -> Result<Option<Signed>, VaultError> {
        self.largest_in(CHECKPOINTS).await
    }

    /// The largest one that witnesses cosigned, by what it says: their lines are not verified.
    pub(crate) async fn largest_cosigned(&self) -> Result<Option<Signed>, VaultError> {
        self.largest_in(COSIGNED).await
    }

    async fn largest_in(&self, folder: &str) -> Result<Option<Signed>, VaultError> {
        let signers = self.signers().await?;
        let size = |path: &str| checkpoint_size(&path.replace(COSIGNED, CHECKPOINTS));
        let mut sizes = self.listed(folder).await?;
        sizes.retain(|path| size(path).is_some());
        sizes.sort_unstable_by_key(|path| std::cmp::Reverse(size(path)));
        for path in &sizes {
            let Some(bytes) = self.read(path).await? else { continue };
            let found = self.signed_by(&bytes, &signers);
            let named = |signed: &Signed| size(path) == Some(signed.checkpoint.size());
            if let Some(signed) = found.filter(named) {
                return Ok(Some(signed));
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

    /// The paths of the certificates of its processes.
    pub(crate) async fn certificates(&self) -> Result<Vec<String>, VaultError> {
        self.listed(CERTIFICATES).await
    }

    /// Every process of the node.
    async fn signers(&self) -> Result<Vec<Signer>, VaultError> {
        let mut signers = Vec::new();
        for path in self.certificates().await? {
            let Some(certificate) = self.read(&path).await? else { continue };
            let Ok(of) = NodeCertificate::verify(&certificate, self.root) else { continue };
            let NodeCertificate { instance, incarnation, node, checkpoints_key: key, .. } = of;
            if (LogPlace { instance, incarnation, node }) == self.place {
                signers.push(Signer { certificate, key });
            }
        }
        Ok(signers)
    }

    /// The checkpoint in a note that came from elsewhere, where a process of the node signed it.
    pub(crate) async fn verify(&self, note: &[u8]) -> Result<Option<Signed>, VaultError> {
        Ok(self.signed_by(note, &self.signers().await?))
    }

    fn signed_by(&self, note: &[u8], signers: &[Signer]) -> Option<Signed> {
        let (origin, parsed) = (self.place.origin(), Note::parse(note).ok()?);
        signers.iter().find_map(|Signer { certificate, key }| {
            let checkpoint = Checkpoint::verify(&parsed, &origin, *key).ok()?;
            let (note, certificate) = (note.to_vec(), certificate.clone());
            Some(Signed { checkpoint, note, certificate, key: *key })
        })
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

/// The hashes of a tile as a log of `size` entries has it: its own file, or the beginning of a
/// wider one that was put since.
pub(crate) async fn tile_at(
    log: &LogIn<'_>,
    tile: &TileName,
    size: u64,
) -> Result<Option<Vec<Hash>>, VaultError> {
    debug_assert!(TileName::at_size(tile.level(), tile.index(), size) == Some(*tile));
    let full = TileName::new(tile.level(), tile.index(), TILE_WIDTH);
    for name in [Some(*tile), full].into_iter().flatten() {
        let Some(bytes) = log.read(&name.to_string()).await? else { continue };
        if let Ok(mut hashes) = name.read_hashes(&bytes) {
            hashes.truncate(tile.width().into());
            return Ok(Some(hashes));
        }
    }
    Ok(None)
}
