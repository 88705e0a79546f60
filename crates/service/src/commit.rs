//! Commits a change and finds out what became of it; then waits for ledger and vaults.
//!
//! Invariant: whoever gets a [`Made`] has a change that was committed. One whose outcome the
//! database did not tell is asked for until it does; only where it stays silent is the outcome
//! unknown, and the answer names the change to ask for.

use keystead_domain::ChangeId;
use keystead_store::{AggregateRef, ChangeFailed, ChangeSet, Committed, Loaded, change};

use crate::{Error, Fault, Service, door::Recorded, ports::Ports};

/// How long an answer waits for vaults and ledger, in milliseconds.
pub(crate) const WAIT_MS: u64 = 10_000;
/// How often, a second apart, a commit is asked for whose outcome is not known.
const UNKNOWN_TRIES: usize = 10;

/// A change that was committed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) at: Committed,
    pub(crate) change: ChangeId,
}

/// Loads `reads`, decides and commits; what `decide` returned with the set that was committed
/// comes back.
pub(crate) async fn commit_known<T>(
    ports: &Ports,
    reads: &[AggregateRef],
    mut decide: impl FnMut(&Loaded) -> Result<(ChangeSet, T), Error>,
) -> Result<(Made, T), Error> {
    for _ in 0..UNKNOWN_TRIES {
        let mut decided = None;
        let noting = |loaded: &Loaded| {
            let (set, answer) = decide(loaded)?;
            decided = Some((set.id, answer));
            Ok::<_, Error>((set, ()))
        };
        let known = match change(&*ports.store, reads, noting).await {
            Ok((at, ())) => Some(at),
            Err(ChangeFailed::Unknown { change }) => outcome(ports, change).await?,
            Err(failed) => return Err(change_fault(failed)),
        };
        // Surely not committed: it is decided anew.
        let Some(at) = known else { continue };
        let (change, answer) = decided.ok_or(Fault::Internal)?;
        return Ok((Made { at, change }, answer));
    }
    Err(Fault::Contended.into())
}

/// Where a change was committed whose outcome was not told, or nothing where it surely was not.
async fn outcome(ports: &Ports, change: ChangeId) -> Result<Option<Committed>, Error> {
    for _ in 0..UNKNOWN_TRIES {
        ports.clock.sleep_ms(1_000).await;
        if let Ok(known) = ports.store.outcome(change).await {
            return Ok(known);
        }
    }
    Err(Fault::Unknown { change }.into())
}

/// What a caller is told of a change that did not commit, or may not have.
fn change_fault(failed: ChangeFailed<Error>) -> Error {
    match failed {
        ChangeFailed::Decide(refused) => refused,
        ChangeFailed::Contended { .. } => Fault::Contended.into(),
        ChangeFailed::Unknown { change } => Fault::Unknown { change }.into(),
        ChangeFailed::Store(failed) => Fault::Store(failed).into(),
    }
}

/// When a change acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Once it is vaulted: somebody could rely on what it gives.
    Vaulted,
    /// From its commit on: it only takes away.
    AtOnce,
}

impl Effect {
    /// What a caller is told whose change the vaults do not confirm.
    fn late(self, change: ChangeId) -> Fault {
        match self {
            Self::Vaulted => Fault::NotYetVaulted { change },
            Self::AtOnce => Fault::EffectiveNotVaulted { change },
        }
    }
}

impl Service {
    /// Answers once the change is in the ledger and in enough vaults.
    pub(crate) async fn settled<T>(&self, made: Made, answer: T) -> Recorded<Result<T, Error>> {
        self.settled_as(made, Effect::Vaulted, answer).await
    }

    /// The same, for a change that acts in its own way.
    pub(crate) async fn settled_as<T>(
        &self,
        made: Made,
        effect: Effect,
        answer: T,
    ) -> Recorded<Result<T, Error>> {
        let (clock, seq) = (&*self.ports.clock, made.at.commit_seq);
        self.progress.committed.reach(seq);
        if !self.progress.journaled.wait(clock, seq, WAIT_MS).await {
            return Recorded::after_sync(Err(Fault::NotYetVaulted { change: made.change }.into()));
        }
        let done = self.confirmed(seq, effect, async || Ok(made.change)).await;
        Recorded::after_sync(done.and_then(|()| self.may_act().map(|()| answer)))
    }

    /// Waits for a change of before: a command that is repeated waits for what it did.
    pub(crate) async fn awaited_change(&self, seq: u64, effect: Effect) -> Result<(), Error> {
        self.confirmed(seq, effect, async || self.change_at(seq).await).await
    }

    async fn confirmed(
        &self,
        seq: u64,
        effect: Effect,
        change: impl AsyncFnOnce() -> Result<ChangeId, Error>,
    ) -> Result<(), Error> {
        let clock = &*self.ports.clock;
        if self.progress.applied.wait(clock, seq, WAIT_MS).await {
            return Ok(());
        }
        let change = change().await?;
        match self.progress.effective.at() >= seq {
            true => Err(effect.late(change).into()),
            false => Err(Fault::NotYetVaulted { change }.into()),
        }
    }

    /// Which change was committed there.
    pub(crate) async fn change_at(&self, seq: u64) -> Result<ChangeId, Error> {
        let changes = self.ports.store.changes_after(seq - 1, 1).await.map_err(Fault::from)?;
        Ok(changes.first().ok_or(Fault::Internal)?.set.id)
    }
}
