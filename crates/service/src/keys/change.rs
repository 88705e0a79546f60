//! Changes of a key that exists: its state, its description, its tags, its rotation.
//!
//! Invariant: a change is decided on the newest committed revision and guarded by it; one that only
//! takes away acts from its commit on. A command that is repeated while the vaults are away finds
//! what it did and waits for that same change.

use std::sync::Arc;

use keystead_domain::{ChangeId, Key, KeyId, KeyState, Kind};
use keystead_ledger::{Attributes, Value};
use keystead_store::{AggregateRef, ChangeSet, Loaded};

use super::lawful::Standing;
use crate::{
    ChangeKey, Cx, Error, Fault, KeyChange, KeyView, Service, Vaulted,
    audit::{Deed, state_event_with},
    commit::{Made, commit_known},
    door::{Approved, Authorised, Recorded, Resolved},
};

/// A key and how it came to be as it was asked for.
enum Changed {
    /// By this request's change.
    Made(Key, Made),
    /// By the change with this number, or an earlier one.
    Found(Key, u64),
}

impl Service {
    /// Changes a key.
    pub async fn change_key(
        self: &Arc<Self>,
        cx: Cx,
        command: ChangeKey,
    ) -> Recorded<Result<KeyView, Error>> {
        let (service, operation) = (self.clone(), command.change.operation());
        self.carry_out(cx.clone(), operation, async move {
            let (revision, effect) = (service.progress.applied.at(), command.change.effect());
            let found = service.key_resource(&cx, &command.key);
            let deed = Deed { operation, resource: found.as_ref().ok().copied() };
            let approved = found.and_then(|at| {
                service.may_act().and_then(|()| command.change.check())?;
                Resolved::new(command, at, revision).authorise(&cx, operation)
            });
            let changed = match approved.map(Authorised::approve) {
                Ok(approved) => service.commit_key_change(&cx, approved).await,
                Err(refused) => Err(refused),
            };
            match changed {
                Ok(Changed::Made(key, made)) => {
                    let (id, seq) = (key.id, made.at.commit_seq);
                    let answer =
                        service.settled_as(made, effect, service.shown(key, Vaulted::Yes)).await;
                    service.remember_late(&cx, id, operation, seq);
                    answer
                }
                Ok(Changed::Found(key, since)) => {
                    let awaited = service.awaited_change(since, effect).await;
                    if awaited.is_ok() {
                        service.late.answered(cx.principal.id, key.id);
                    }
                    let result = awaited.map(|()| service.shown(key, Vaulted::Yes));
                    service.record(&cx, deed, revision, result).await
                }
                Err(error) => service.record(&cx, deed, revision, Err(error)).await,
            }
        })
        .await
    }

    async fn commit_key_change(
        &self,
        cx: &Cx,
        approved: Approved<ChangeKey>,
    ) -> Result<Changed, Error> {
        let (ChangeKey { change, .. }, at, _) = approved.into_parts();
        let aggregate = AggregateRef { kind: Kind::Key, id: at.id };
        let mut found = None;
        let decide = |loaded: &Loaded| {
            let now = self.ports.clock.now();
            let (key, since) = self.loaded_key(loaded, &aggregate, at.tenant)?;
            let Some(next) = change.made_of(&key, self.standing(cx, &change, &key, since), now)?
            else {
                found = Some(Changed::Found(key, since));
                return Err(Fault::Contended.into());
            };
            let mut set = ChangeSet::new(ChangeId::random(&self.ports.entropy), now);
            let expected = loaded.expected(&aggregate);
            set.puts.push(self.tenant_put(at.tenant, aggregate, expected, &next.to_body())?);
            let deed = Deed { operation: change.operation(), resource: Some(at) };
            set.events.push(state_event_with(now, &self.tenants, cx, deed, due(&next)));
            Ok((set, next))
        };
        let committed = commit_known(&self.ports, &[aggregate], decide).await;
        match found {
            Some(found) => Ok(found),
            None => committed.map(|(made, key)| Changed::Made(key, made)),
        }
    }

    /// A change that the vaults did not confirm in time will be asked for again.
    fn remember_late(&self, cx: &Cx, key: KeyId, operation: &'static str, seq: u64) {
        if self.progress.applied.at() < seq {
            self.late.note(cx.principal.id, key, operation, seq);
        }
    }

    fn standing(&self, cx: &Cx, change: &KeyChange, key: &Key, since: u64) -> Standing {
        let snapshot = self.keyring.snapshot();
        let in_force = snapshot.key(key.id, key.tenant).map_or(key.state, |entry| entry.state);
        let is_waiting = since > self.progress.applied.at();
        let is_repeated = self.late.is(cx.principal.id, key.id, change.operation(), since);
        Standing { is_waiting, in_force, is_repeated }
    }
}

/// When a key that was doomed will be destroyed is a part of what was done.
fn due(key: &Key) -> Attributes {
    match key.state {
        KeyState::Doomed { due } => Attributes::new()
            .with("due", &Value::Clear(due.to_string().into_bytes()))
            .expect("a time fits an attribute"),
        _ => Attributes::new(),
    }
}
