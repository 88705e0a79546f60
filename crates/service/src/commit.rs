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

impl Service {
    /// Answers once the change is in the ledger and in enough vaults.
    pub(crate) async fn settled<T>(&self, made: Made, answer: T) -> Recorded<Result<T, Error>> {
        let (clock, seq) = (&*self.ports.clock, made.at.commit_seq);
        self.progress.committed.reach(seq);
        let late =
            || Recorded::after_sync(Err(Fault::NotYetVaulted { change: made.change }.into()));
        if !self.progress.journaled.wait(clock, seq, WAIT_MS).await {
            return late();
        }
        if !self.progress.applied.wait(clock, seq, WAIT_MS).await {
            return late();
        }
        Recorded::after_sync(self.may_act().map(|()| answer))
    }
}
