//! Turns what happened into ledger events, and makes answers wait until theirs is durable.
//!
//! Invariant: one event for each authenticated request that is answered, refusals included;
//! addresses and context values enter as an HMAC under the tenant's audit key, never in clear. What
//! was not proved to come from anybody is counted, not recorded one by one.

use std::{collections::BTreeMap, sync::Mutex};

use keystead_domain::{RequestId, TenantId, Timestamp};
use keystead_journal::JournalFailed;
use keystead_ledger::{Act, Attributes, Event, Operation, Outcome, StateEvent, Value};

use crate::{
    Cx, Error, Fault, Front, LedgerFault,
    door::{Recorded, Resource},
    ports::Ports,
    tenants::Tenants,
};

/// How many sources are told apart between two summaries: each makes an event.
const SOURCES_MAX: usize = 64;

/// Writes events.
#[derive(Debug)]
pub(crate) struct Audit {
    unproven: Mutex<BTreeMap<[u8; 32], u64>>,
    system: TenantId,
}

impl Audit {
    pub(crate) fn new(system: TenantId) -> Self {
        Self { unproven: Mutex::new(BTreeMap::new()), system }
    }

    /// Records a use, whatever came of it, and hands the answer out once the event is durable.
    pub(crate) async fn record_use<T>(
        &self,
        ports: &Ports,
        tenants: &Tenants,
        cx: &Cx,
        (deed, keyring_revision, attributes): (Deed<'_>, u64, Attributes),
        result: Result<T, Error>,
    ) -> Recorded<Result<T, Error>> {
        let outcome = outcome(&result);
        let act = Act { attributes, ..act(ports.clock.now(), tenants, cx, deed, outcome) };
        let leaf = Event::Use { keyring_revision, act }.encode().expect("our events fit a leaf");
        match ports.journal.record(leaf).await {
            Ok(_) => Recorded::after_sync(result),
            Err(failed) => Recorded::after_sync(Err(ledger_fault(&failed).into())),
        }
    }

    /// Counts a request that nobody proved to have sent, per source and within bounded memory.
    pub(crate) fn count_unproven(&self, tenants: &Tenants, source: &str) {
        let mac = source_mac(tenants, self.system, source).unwrap_or([0; 32]);
        let counts = &mut *self.unproven.lock().expect("no code panics while it holds this lock");
        let full = counts.len() >= SOURCES_MAX && !counts.contains_key(&mac);
        // Sources beyond the bound share one count, so that a flood costs no memory.
        *counts.entry(if full { [0; 32] } else { mac }).or_default() += 1;
    }

    /// Writes the counts since the last time as events of the node.
    pub(crate) async fn flush_unproven(&self, ports: &Ports) -> Result<(), JournalFailed> {
        let counts = std::mem::take(
            &mut *self.unproven.lock().expect("no code panics while it holds this lock"),
        );
        let mut failed = Ok(());
        for (source, count) in counts {
            if failed.is_ok() {
                failed = record_node(ports, refused_act(ports.clock.now(), source, count)).await;
            }
            // Those that found no room go into the next summary.
            if failed.is_err() {
                let waiting = &mut *self.unproven.lock().expect("no code panics in this lock");
                *waiting.entry(source).or_default() += count;
            }
        }
        failed
    }
}

/// A counted summary of what one source asked and did not prove.
fn refused_act(now: Timestamp, source: [u8; 32], count: u64) -> Act {
    let attributes = Attributes::new()
        .with("count", &Value::Clear(count.to_string().into_bytes()))
        .expect("a number fits an attribute");
    let source = (source != [0; 32]).then_some(source);
    Act { source, ..node_act(now, "UnprovenRequestsRefused", attributes) }
}

/// What an event says was done, and to what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deed<'a> {
    pub(crate) operation: &'a str,
    pub(crate) resource: Option<Resource>,
}

/// The event that a change set carries; its `commit_seq` is added when it is placed.
pub(crate) fn state_event(now: Timestamp, tenants: &Tenants, cx: &Cx, deed: Deed<'_>) -> Vec<u8> {
    state_event_with(now, tenants, cx, deed, Attributes::new())
}

/// The same, saying more of what was done.
pub(crate) fn state_event_with(
    now: Timestamp,
    tenants: &Tenants,
    cx: &Cx,
    deed: Deed<'_>,
    attributes: Attributes,
) -> Vec<u8> {
    let act = Act { attributes, ..act(now, tenants, cx, deed, Outcome::Succeeded) };
    StateEvent { act }.encode_unplaced().expect("our events fit a leaf")
}

/// The event of a change that a job of ours makes to so many things.
pub(crate) fn job_event(ports: &Ports, now: Timestamp, operation: &str, count: usize) -> Vec<u8> {
    let attributes = Attributes::new()
        .with("count", &Value::Clear(count.to_string().into_bytes()))
        .expect("a number fits an attribute");
    let request = RequestId::random(&ports.entropy);
    let act = Act { request: Some(*request.as_bytes()), ..node_act(now, operation, attributes) };
    StateEvent { act }.encode_unplaced().expect("our events fit a leaf")
}

/// The event of a change that a job of ours makes to one thing.
pub(crate) fn job_event_on(
    ports: &Ports,
    now: Timestamp,
    operation: &str,
    at: Resource,
    attributes: Attributes,
) -> Vec<u8> {
    let request = RequestId::random(&ports.entropy);
    let act = Act {
        request: Some(*request.as_bytes()),
        tenant: Some(*at.tenant.as_bytes()),
        resource: Some(keystead_ledger::Resource { kind: at.kind.number(), id: at.id }),
        key_version: at.version.map(|version| *version.as_bytes()),
        ..node_act(now, operation, attributes)
    };
    StateEvent { act }.encode_unplaced().expect("our events fit a leaf")
}

/// What an event says in the clear; a text that is too long for an attribute is cut.
pub(crate) fn said(fields: &[(&str, &str)]) -> Attributes {
    let with = |said: Attributes, (name, text): &(&str, &str)| {
        let cut = text.floor_char_boundary(keystead_ledger::CLEAR_BYTES);
        let value = Value::Clear(text.as_bytes()[..cut].to_vec());
        said.with(name, &value).expect("it was cut to what fits")
    };
    fields.iter().fold(Attributes::new(), with)
}

/// An event of the node itself.
pub(crate) fn node_act(now: Timestamp, operation: &str, attributes: Attributes) -> Act {
    Act {
        at: now.as_micros(),
        request: None,
        tenant: None,
        principal: None,
        front: keystead_ledger::Front::Job,
        operation: Operation::new(operation).expect("our operations are letters"),
        resource: None,
        key_version: None,
        outcome: Outcome::Succeeded,
        source: None,
        attributes,
    }
}

/// Records an event of the node; on a full disk too, since such events are few and say why.
pub(crate) async fn record_node(ports: &Ports, act: Act) -> Result<(), JournalFailed> {
    let leaf = Event::Node { act }.encode().expect("our events fit a leaf");
    ports.journal.record_reserved(leaf).await
}

/// What a caller is told when the ledger takes no event.
pub(crate) fn ledger_fault(failed: &JournalFailed) -> Fault {
    let reason = match failed {
        JournalFailed::Full => LedgerFault::Full,
        JournalFailed::Busy => LedgerFault::Busy,
        _ => LedgerFault::Stopped,
    };
    Fault::Ledger { reason }
}

fn act(now: Timestamp, tenants: &Tenants, cx: &Cx, deed: Deed<'_>, outcome: Outcome) -> Act {
    let tenant = cx.principal.tenant;
    Act {
        at: now.as_micros(),
        request: Some(*cx.request.as_bytes()),
        tenant: Some(*tenant.as_bytes()),
        principal: Some(*cx.principal.id.as_bytes()),
        front: match cx.front {
            Front::Aws => keystead_ledger::Front::Aws,
            Front::Native => keystead_ledger::Front::Native,
            Front::Job => keystead_ledger::Front::Job,
        },
        operation: Operation::new(deed.operation)
            .or_else(|_| Operation::new("Unknown"))
            .expect("`Unknown` is letters"),
        resource: deed
            .resource
            .map(|at| keystead_ledger::Resource { kind: at.kind.number(), id: at.id }),
        key_version: deed.resource.and_then(|at| at.version).map(|version| *version.as_bytes()),
        outcome,
        source: source_mac(tenants, tenant, &cx.source),
        attributes: Attributes::new(),
    }
}

fn source_mac(tenants: &Tenants, tenant: TenantId, source: &str) -> Option<[u8; 32]> {
    Some(tenants.get(&tenant)?.source_mac(source))
}

fn outcome<T>(result: &Result<T, Error>) -> Outcome {
    use crate::ErrorKind as K;
    let Err(error) = result else { return Outcome::Succeeded };
    let error_kind = error.kind().number();
    match error.kind() {
        K::Invalid
        | K::NotFound
        | K::Denied
        | K::ApprovalRequired
        | K::WrongState
        | K::Conflict
        | K::Limit => Outcome::Refused { error_kind },
        K::Unavailable | K::UnknownOutcome | K::Corrupt | K::Internal => {
            Outcome::Failed { error_kind }
        }
    }
}
