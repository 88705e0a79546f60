//! Which events somebody wants to see.
//!
//! Invariant: a filter chooses by what a leaf holds and by nothing else; none chooses all.

use clap::ValueEnum;
use keystead_domain::{KeyId, Kind, PrincipalId, RequestId, Timestamp};
use keystead_ledger::{Act, Outcome, Value};

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutcomeKind {
    /// It was done
    Succeeded,
    /// It was not allowed or not lawful
    Refused,
    /// It was allowed and did not succeed
    Failed,
}

/// All that must hold of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EventFilter {
    /// Not before.
    pub(crate) from: Option<Timestamp>,
    /// Before.
    pub(crate) to: Option<Timestamp>,
    pub(crate) key: Option<KeyId>,
    pub(crate) principal: Option<PrincipalId>,
    pub(crate) operation: Option<String>,
    pub(crate) outcome: Option<OutcomeKind>,
    pub(crate) request: Option<RequestId>,
}

impl EventFilter {
    /// Whether it chooses all.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it chooses this event.
    pub(crate) fn takes(&self, act: &Act) -> bool {
        let at = Timestamp::from_micros(act.at);
        self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at < to)
            && self.key.is_none_or(|key| is_about(act, key))
            && self.principal.is_none_or(|who| act.principal == Some(*who.as_bytes()))
            && self.operation.as_ref().is_none_or(|name| act.operation.as_str() == name)
            && self.outcome.is_none_or(|outcome| outcome == kind(act.outcome))
            && self.request.is_none_or(|id| act.request == Some(*id.as_bytes()))
    }
}

fn kind(outcome: Outcome) -> OutcomeKind {
    match outcome {
        Outcome::Succeeded => OutcomeKind::Succeeded,
        Outcome::Refused { .. } => OutcomeKind::Refused,
        Outcome::Failed { .. } => OutcomeKind::Failed,
    }
}

/// Of the key, or with it as the one that encrypts from then on.
fn is_about(act: &Act, key: KeyId) -> bool {
    let of =
        |at: keystead_ledger::Resource| at.kind == Kind::Key.number() && at.id == *key.as_bytes();
    let destination = Value::Clear(key.to_string().into_bytes());
    act.resource.is_some_and(of)
        || act.attributes.named("destination").any(|named| named == destination)
}
