//! One log as it lies in the vault that holds most of it: read whole, or proved entry by entry.
//!
//! Invariant: a [`FoundLog`] that left this module's finder has a signed checkpoint, and its first
//! entry was read under it.

use std::collections::{BTreeMap, VecDeque};

use keystead_crypto::NotePublic;
use keystead_ledger::{
    Checkpoint, CompactRange, Hash, Head, Leaf, LogRefused, ProofRefused, Succession, TILE_WIDTH,
    TileLevel, TileName, hashes_from_tiles, prove_consistency, prove_inclusion,
    tiles_for_consistency, tiles_for_inclusion,
};

use super::{EachEntry, Entries, LogRead, LogsRefused};
use crate::tiles::{LogIn, Signed, tile_at};

/// How many tiles are kept between two proofs.
const TILES_KEPT: usize = 256;

/// A log.
#[derive(Debug)]
pub struct FoundLog<'v> {
    log: LogIn<'v>,
    signed: Option<Signed>,
    follows: Vec<(Head, bool)>,
    /// The largest checkpoint that witnesses cosigned.
    cosigned: Option<Signed>,
    /// What other vaults hold of it.
    elsewhere: Vec<(Head, String)>,
}

/// A root that must come out of a log at some size.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) by: Claim,
}

/// Who says so.
#[derive(Debug)]
pub(super) enum Claim {
    /// The log that follows.
    Next { next: keystead_ledger::Origin, tail_unknown: bool },
    /// Another vault.
    Vault(String),
    /// A checkpoint that witnesses cosigned.
    Cosigned,
    /// A checkpoint that was kept elsewhere.
    Kept,
}

/// Tiles that were read for proofs.
#[derive(Debug, Default)]
pub struct ProofTiles(BTreeMap<TileName, Vec<Hash>>);

impl<'v> FoundLog<'v> {
    pub(super) fn new(log: LogIn<'v>, signed: Option<Signed>) -> Self {
        Self { log, signed, follows: Vec::new(), cosigned: None, elsewhere: Vec::new() }
    }

    /// Takes note of another vault's part of the log, and of whichever is the longer one.
    pub(super) fn beside(&mut self, log: LogIn<'v>, signed: Signed) {
        let size = |signed: &Option<Signed>| signed.as_ref().map(|of| of.checkpoint.size());
        let (mut vault, mut other) = (log, Some(signed));
        if size(&self.signed) < size(&other) {
            std::mem::swap(&mut self.log, &mut vault);
            std::mem::swap(&mut self.signed, &mut other);
        }
        let head = other.map(|of| of.checkpoint.head().clone());
        self.elsewhere.extend(head.map(|head| (head, vault.vault.url().to_string())));
    }

    /// Reads the first entry: what the log follows.
    pub(super) async fn read_first(&mut self) -> Result<(), LogsRefused> {
        let origin = self.log.place.origin();
        if self.signed.is_none() {
            return Err(LogsRefused::NoCheckpoint { origin });
        }
        self.cosigned = self.log.largest_cosigned().await?;
        let first = self.entries_checked().next().await?;
        if let Some(first) = first.as_ref().and_then(|leaves| leaves.first()) {
            let refused = |refused| LogsRefused::Succession { origin: origin.clone(), refused };
            let past = Succession::read(&origin, &first.event()).map_err(refused)?;
            self.follows = past.heads().map(|(head, unknown)| (head.clone(), unknown)).collect();
        }
        Ok(())
    }

    /// Its origin, size and root.
    #[must_use]
    pub fn head(&self) -> &Head {
        self.checkpoint().head()
    }

    /// Its largest signed checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.signed().checkpoint
    }

    /// The checkpoint as a note, as it lies in the vault.
    #[must_use]
    pub fn note(&self) -> &[u8] {
        &self.signed().note
    }

    /// The certificate of the process that signed it.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.signed().certificate
    }

    /// The key of the process that signed the checkpoint.
    #[must_use]
    pub fn signer(&self) -> NotePublic {
        self.signed().key
    }

    /// The largest checkpoint that witnesses cosigned, as a note: their lines are not verified yet.
    #[must_use]
    pub fn cosigned(&self) -> Option<(&Checkpoint, &[u8])> {
        self.cosigned.as_ref().map(|signed| (&signed.checkpoint, &signed.note[..]))
    }

    /// The checkpoint that proves the first `size` entries: one that is cosigned, where it has as
    /// many; its note and the certificate of its signer.
    #[must_use]
    pub fn proving(&self, size: u64) -> (&Checkpoint, &[u8], &[u8]) {
        let covers = |signed: &&Signed| size <= signed.checkpoint.size();
        let signed = self.cosigned.as_ref().filter(covers).unwrap_or_else(|| self.signed());
        (&signed.checkpoint, &signed.note, &signed.certificate)
    }

    /// The last known heads of the logs that it follows, and whether each one's tail is unknown.
    #[must_use]
    pub fn follows(&self) -> &[(Head, bool)] {
        &self.follows
    }

    /// Its entries, from the first on.
    #[must_use]
    pub fn entries_checked(&self) -> Entries<'_> {
        Entries::new(&self.log, self.checkpoint())
    }

    pub(super) fn elsewhere(&self) -> &[(Head, String)] {
        &self.elsewhere
    }

    pub(super) fn log(&self) -> &LogIn<'v> {
        &self.log
    }

    fn signed(&self) -> &Signed {
        self.signed.as_ref().expect("a log without a checkpoint is refused when it is found")
    }

    /// Reads the log whole, and what is claimed of it on the way.
    pub(super) async fn read_whole(
        &self,
        mut claimed: Vec<Claimed>,
        each: EachEntry<'_>,
    ) -> Result<LogRead, LogsRefused> {
        claimed.sort_by_key(|claimed| claimed.size);
        let (mut claimed, mut tree) = (VecDeque::from(claimed), CompactRange::new());
        let (head, mut entries) = (self.head(), self.entries_checked());
        self.settle(&tree, &mut claimed)?;
        while let Some(leaves) = entries.next().await? {
            for (index, leaf) in (entries.passed() - leaves.len() as u64..).zip(&leaves) {
                each(&head.origin, index, leaf);
                // Without a claim that is still open nothing has to be hashed twice.
                if !claimed.is_empty() {
                    tree.push(leaf.hash());
                    self.settle(&tree, &mut claimed)?;
                }
            }
        }
        let mut missing = 0;
        for open in claimed {
            missing = missing.max(self.beyond(open)?);
        }
        Ok(LogRead { head: head.clone(), follows: self.follows.clone(), missing })
    }

    /// Compares with all that is claimed of the log at the size that was reached.
    fn settle(
        &self,
        tree: &CompactRange,
        claimed: &mut VecDeque<Claimed>,
    ) -> Result<(), LogsRefused> {
        while let Some(at) = claimed.pop_front_if(|claimed| claimed.size == tree.size()) {
            if at.root != tree.root() {
                return Err(self.other(at));
            }
        }
        Ok(())
    }

    /// The log has another root than what is claimed.
    fn other(&self, Claimed { size, by, .. }: Claimed) -> LogsRefused {
        let origin = self.head().origin.clone();
        match by {
            Claim::Next { next, .. } => LogsRefused::NotFollowed { origin, next, size },
            Claim::Vault(vault) => LogsRefused::Forked { origin, size, vault },
            Claim::Cosigned | Claim::Kept => LogsRefused::Rewritten { origin, size },
        }
    }

    /// The log ends before what is claimed: how many entries are missing, where that can be.
    fn beyond(&self, Claimed { size, by, .. }: Claimed) -> Result<u64, LogsRefused> {
        let Head { origin, size: here, .. } = self.head().clone();
        match by {
            Claim::Next { tail_unknown: true, .. } => Ok(size - here),
            Claim::Next { next, .. } => Err(LogsRefused::Cut { origin, next, size }),
            Claim::Vault(vault) => Err(LogsRefused::Forked { origin, size, vault }),
            Claim::Cosigned | Claim::Kept => Err(LogsRefused::Short { origin, size }),
        }
    }

    /// One entry; believed once its inclusion is proved.
    ///
    /// # Errors
    /// [`LogsRefused`].
    pub async fn entry(&self, index: u64) -> Result<Leaf, LogsRefused> {
        let Head { origin, size, .. } = self.head().clone();
        let width = u64::from(TILE_WIDTH);
        let bundle = TileName::at_size(TileLevel::Entries, index / width, size);
        let bundle = bundle.filter(|_| index < size);
        let none = || LogsRefused::NoEntry { origin: origin.clone(), size, index };
        let bundle = bundle.ok_or_else(none)?;
        let bytes = self.file(&bundle).await?;
        let refused = |refused| LogsRefused::Log { origin: origin.clone(), refused };
        let entries = bundle.read_entries(&bytes).map_err(|bad| refused(bad.into()))?;
        let at = usize::try_from(index % width).expect("less than a bundle");
        let entry = entries.get(at).ok_or_else(none)?;
        Leaf::from_bytes(entry.to_vec())
            .map_err(|source| refused(LogRefused::NotLeaf { index, source }))
    }

    /// The proof that entry `index` is in the log as it was at `size` entries.
    ///
    /// # Errors
    /// [`LogsRefused`].
    pub async fn prove(
        &self,
        index: u64,
        size: u64,
        tiles: &mut ProofTiles,
    ) -> Result<Vec<Hash>, LogsRefused> {
        self.read_tiles(tiles_for_inclusion(index, size), size, tiles).await?;
        let hash = hashes_from_tiles(size, |tile| tiles.0.get(&tile).cloned());
        prove_inclusion(hash, index, size).map_err(|refused| self.no_proof(refused))
    }

    /// The proof that the log of `size` entries grew out of one of `older` entries.
    ///
    /// # Errors
    /// [`LogsRefused`].
    pub async fn prove_growth(&self, older: u64, size: u64) -> Result<Vec<Hash>, LogsRefused> {
        let mut tiles = ProofTiles::default();
        self.read_tiles(tiles_for_consistency(older, size), size, &mut tiles).await?;
        let hash = hashes_from_tiles(size, |tile| tiles.0.get(&tile).cloned());
        prove_consistency(hash, older, size).map_err(|refused| self.no_proof(refused))
    }

    /// The certificate of the process that signed a note that came from elsewhere.
    ///
    /// # Errors
    /// [`LogsRefused::OlderUnknown`] where none of this log did.
    pub async fn certificate_of(&self, note: &[u8]) -> Result<(Checkpoint, Vec<u8>), LogsRefused> {
        let signed = self.log.verify(note).await?.ok_or(LogsRefused::OlderUnknown)?;
        Ok((signed.checkpoint, signed.certificate))
    }

    fn no_proof(&self, refused: ProofRefused) -> LogsRefused {
        LogsRefused::NoProof { origin: self.head().origin.clone(), refused }
    }

    async fn read_tiles(
        &self,
        wanted: impl IntoIterator<Item = TileName>,
        size: u64,
        tiles: &mut ProofTiles,
    ) -> Result<(), LogsRefused> {
        if tiles.0.len() > TILES_KEPT {
            tiles.0.clear();
        }
        for tile in wanted {
            if tiles.0.contains_key(&tile) {
                continue;
            }
            let (origin, path) = (self.head().origin.clone(), tile.to_string());
            let hashes = tile_at(&self.log, &tile, size).await?;
            tiles.0.insert(tile, hashes.ok_or(LogsRefused::Missing { origin, path })?);
        }
        Ok(())
    }

    async fn file(&self, tile: &TileName) -> Result<Vec<u8>, LogsRefused> {
        let (origin, path) = (self.head().origin.clone(), tile.to_string());
        let bytes = self.log.read(&path).await?;
        bytes.ok_or(LogsRefused::Missing { origin, path })
    }
}
