//! Asks witnesses to cosign what was shipped, and puts what they say beside it.
//!
//! Invariant: shipping never waits for a witness. Only a checkpoint that enough vaults hold is
//! shown; a cosignature counts only once it verified, and lies in the vaults as `cosigned/<size>`.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use keystead_ledger::{
    AddCheckpoint, Checkpoint, Hash, Note, ProofRefused, TileName, hashes_from_tiles,
    prove_consistency, read_cosignatures, tiles_for_consistency,
};
use keystead_targets::VaultError;
use thiserror::Error;

use super::{
    LedgerShipper, LogIn, SHIPPED_EVERY_MS,
    standing::{COSIGNED, tile_at},
};
use crate::ports::Witness;

const RETRY_MAX_MS: u64 = 60_000;
/// A witness that cosigned so recently stands behind what was shipped since.
pub(crate) const FRESH_MS: u64 = 60_000;

/// Where one witness stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cosigned {
    /// How many entries it is known to have cosigned, here or for an earlier process.
    pub(crate) size: u64,
    /// When its last cosignature came, by the monotonic clock.
    pub(crate) at_ms: u64,
    /// Why it does not cosign, where it does not.
    pub(crate) reason: Option<String>,
    next_ms: u64,
    wait_ms: u64,
}

/// Why nobody can be asked at present.
#[derive(Debug, Error)]
enum NotAsked {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("no vault holds the checkpoint")]
    NoCheckpoint,
    #[error(transparent)]
    Proof(#[from] ProofRefused),
}

/// All witnesses, each with where it stands.
#[derive(Debug)]
pub(crate) struct Witnesses {
    all: Vec<(Arc<dyn Witness>, Mutex<Cosigned>)>,
    /// What was cosigned last, and by number the vaults that do not have it yet.
    last: Mutex<Option<Brought>>,
}

/// A cosigned checkpoint on its way into the vaults.
#[derive(Debug, Clone)]
struct Brought {
    checkpoint: Checkpoint,
    note: Vec<u8>,
    missing: Vec<usize>,
}

impl Witnesses {
    pub(crate) fn new(all: &[Arc<dyn Witness>]) -> Self {
        let all = all.iter().map(|one| (one.clone(), Mutex::default())).collect();
        Self { all, last: Mutex::default() }
    }

    /// The name of each, and where it stands.
    pub(crate) fn standing(&self) -> Vec<(String, Cosigned)> {
        let name = |of: &Arc<dyn Witness>| of.key().name().to_string();
        self.all.iter().map(|(of, at)| (name(of), lock(at).clone())).collect()
    }
}

impl LedgerShipper {
    /// Asks each second, where the shipped ledger grew.
    pub(super) async fn keep_asking(self: Arc<Self>) {
        while self.set.fence.reason().is_none() {
            self.ports.clock.sleep_ms(SHIPPED_EVERY_MS).await;
            if let Err(failed) = self.ask_all().await {
                tracing::debug!(%failed, "no witness is asked");
            }
            self.bring_cosigned().await;
        }
    }

    async fn ask_all(&self) -> Result<(), NotAsked> {
        let (size, now_ms) = (self.shipped(), self.ports.clock.monotonic_ms());
        let due = |at: &Cosigned| at.size != size && at.next_ms <= now_ms;
        let due: Vec<_> = self.witnesses.all.iter().filter(|(_, at)| due(&lock(at))).collect();
        if size == 0 || due.is_empty() {
            return Ok(());
        }
        let Some(number) = (0..self.sizes.len()).find(|at| self.shipped_to(*at) == size) else {
            return Err(NotAsked::NoCheckpoint);
        };
        let vault = &*self.set.members[number].vault;
        let log = LogIn { vault, root: &self.set.root(), place: self.place };
        let bytes = log.read(&format!("checkpoint/{size}")).await?.unwrap_or_default();
        let signed = log.verify(&bytes).await?.ok_or(NotAsked::NoCheckpoint)?;
        let note = Note::parse(&signed.note).map_err(|_| NotAsked::NoCheckpoint)?;
        let asked = due.iter().map(|(witness, at)| self.ask(&log, &note, size, &**witness, at));
        let mut cosigned = note.clone();
        for line in join_all(asked).await.into_iter().flatten() {
            cosigned = cosigned.with(line).unwrap_or(note.clone());
        }
        if cosigned.signatures().len() > note.signatures().len() {
            let (checkpoint, note) = (signed.checkpoint, cosigned.to_string().into_bytes());
            let missing = (0..self.set.members.len()).collect();
            *lock(&self.witnesses.last) = Some(Brought { checkpoint, note, missing });
        }
        Ok(())
    }

    /// Asks one; its line where it cosigned.
    async fn ask(
        &self,
        log: &LogIn<'_>,
        note: &Note,
        size: u64,
        witness: &dyn Witness,
        at: &Mutex<Cosigned>,
    ) -> Option<keystead_ledger::NoteSignature> {
        let old = lock(at).size;
        let mut asked = self.submit(log, note, (old, size), witness).await;
        // Another process of this node, or the witness's memory, was at another size.
        if let Err(Answer::Other(latest)) = &asked
            && *latest != old
            && *latest <= size
        {
            asked = self.submit(log, note, (*latest, size), witness).await;
        }
        let now_ms = self.ports.clock.monotonic_ms();
        let mut at = lock(at);
        match asked {
            Ok(line) => {
                *at = Cosigned { size, at_ms: now_ms, ..Cosigned::default() };
                Some(line)
            }
            Err(answer) => {
                let reason = answer.to_string();
                tracing::warn!(witness = %witness.key().name(), reason, "no cosignature");
                at.wait_ms = (at.wait_ms * 2).clamp(SHIPPED_EVERY_MS, RETRY_MAX_MS);
                (at.next_ms, at.reason) = (now_ms + at.wait_ms, Some(reason));
                None
            }
        }
    }

    async fn submit(
        &self,
        log: &LogIn<'_>,
        note: &Note,
        (old, size): (u64, u64),
        witness: &dyn Witness,
    ) -> Result<keystead_ledger::NoteSignature, Answer> {
        let proof = growth(log, old, size).await.map_err(|no| Answer::Nothing(no.to_string()))?;
        let asked = AddCheckpoint { old, proof, checkpoint: note.clone() };
        let sent = witness.add_checkpoint(asked.to_string().into_bytes()).await;
        let (status, body) = sent.map_err(Answer::Nothing)?;
        match status {
            200 => line_of(&body, note, witness).ok_or(Answer::NotCosigned),
            409 => {
                let text = String::from_utf8_lossy(&body);
                let latest = text.strip_suffix('\n').and_then(|text| text.parse().ok());
                Err(latest.map_or(Answer::Refused(409), Answer::Other))
            }
            status => Err(Answer::Refused(status)),
        }
    }

    /// Puts what was cosigned last into each vault that has come so far; one that lags gets it as
    /// soon as it has.
    async fn bring_cosigned(&self) {
        let Some(Brought { checkpoint, note, missing }) = lock(&self.witnesses.last).clone() else {
            return;
        };
        let (size, mut left) = (checkpoint.size(), Vec::new());
        for number in missing {
            let member = &self.set.members[number];
            let path = format!("{COSIGNED}{size}");
            if self.shipped_to(number) < size {
                left.push(number);
            } else if let Err(failed) = self.put(member, &path, &note).await {
                let vault = member.vault.url();
                tracing::debug!(%vault, %failed, "a cosigned checkpoint waits for a vault");
                left.push(number);
            }
        }
        if let Some(last) = &mut *lock(&self.witnesses.last) {
            last.missing = left;
        }
    }
}

/// What a witness said instead of cosigning.
#[derive(Debug, Error)]
enum Answer {
    #[error("no answer: {0}")]
    Nothing(String),
    #[error("it has cosigned another checkpoint of {0} entries of this log")]
    Other(u64),
    #[error("it refused with status {0}")]
    Refused(u16),
    #[error("its answer holds no cosignature by its key")]
    NotCosigned,
}

/// The line by the witness's key, where it verifies.
fn line_of(
    body: &[u8],
    note: &Note,
    witness: &dyn Witness,
) -> Option<keystead_ledger::NoteSignature> {
    let key = witness.key();
    let is_its_own = |line: &keystead_ledger::NoteSignature| {
        let with = note.clone().with(line.clone());
        with.is_ok_and(|with| Checkpoint::cosigned_at(&with, key.name(), key.public()).is_ok())
    };
    read_cosignatures(body).ok()?.into_iter().find(is_its_own)
}

/// The consistency proof between two sizes that a vault holds.
async fn growth(log: &LogIn<'_>, old: u64, size: u64) -> Result<Vec<Hash>, NotAsked> {
    let mut tiles = std::collections::BTreeMap::<TileName, Vec<Hash>>::new();
    for tile in tiles_for_consistency(old, size) {
        if let Some(hashes) = tile_at(log, &tile, size).await? {
            tiles.insert(tile, hashes);
        }
    }
    let hash = hashes_from_tiles(size, |tile| tiles.get(&tile).cloned());
    Ok(prove_consistency(hash, old, size)?)
}

fn lock<T>(at: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    at.lock().expect("no code panics while it holds this lock")
}
