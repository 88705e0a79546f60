//! Destroys keys whose time has come.
//!
//! Invariant: a key is destroyed at or after its due time, and only where its doom is vaulted; its
//! state, erasure of the materials, the chain of destructions and the event are one change. Copies
//! in vaults stay until they can be deleted there: they are residual, and `status` says so. While
//! the wall clock disagrees with elapsed time nothing is destroyed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use keystead_domain::{ChangeId, Instance, Key, KeyId, KeyState, Kind, TenantId, Transition};
use keystead_ledger::Attributes;
use keystead_store::{AggregateRef, ChangeSet, Delete, Loaded};

use crate::{Error, Fault, Service, audit::job_event_on, commit::commit_known, door::Resource};

/// How often keys are looked through, in milliseconds.
const LOOK_MS: u64 = 60_000;
/// How far the wall clock may have moved against elapsed time.
const JUMP_MS: i64 = 5 * 60 * 1000;

/// Whether destruction is suspended.
#[derive(Debug, Default)]
pub(crate) struct Destroying(AtomicBool);

impl Destroying {
    /// Since the clock jumped.
    pub(crate) fn is_suspended(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Service {
    /// Destroys what is due, minute by minute.
    pub(crate) async fn keep_destroying(self: Arc<Self>) {
        let trusted = self.clock_lead_ms();
        loop {
            self.ports.clock.sleep_ms(LOOK_MS).await;
            let jumped = (self.clock_lead_ms() - trusted).abs() > JUMP_MS;
            self.destroying.0.store(jumped, Ordering::Relaxed);
            if jumped {
                tracing::warn!("the clock jumped: keys that are due for destruction stay");
                continue;
            }
            for (key, tenant) in self.due_keys() {
                if let Err(failed) = self.destroy_key(key, tenant).await {
                    tracing::warn!(%key, %failed, "a key that is due was not destroyed");
                }
            }
        }
    }

    /// How far the wall clock is ahead of elapsed time.
    fn clock_lead_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.ports.clock.monotonic_ms()).unwrap_or(i64::MAX);
        self.ports.clock.now().as_micros() / 1000 - elapsed
    }

    fn due_keys(&self) -> Vec<(KeyId, TenantId)> {
        let now = self.ports.clock.now();
        let snapshot = self.keyring.snapshot();
        let doomed = snapshot.tally().doomed_by(now).filter_map(|id| snapshot.keys().get(&id));
        doomed.map(|entry| (entry.id, entry.tenant())).collect()
    }

    async fn destroy_key(&self, id: KeyId, tenant: TenantId) -> Result<(), Error> {
        self.may_act()?;
        let key_at = AggregateRef { kind: Kind::Key, id: *id.as_bytes() };
        let instance_at = AggregateRef { kind: Kind::Instance, id: *self.instance.id.as_bytes() };
        let mut reads = vec![key_at, instance_at];
        reads.extend(
            self.keyring
                .snapshot()
                .aliases_of(id)
                .map(|alias| AggregateRef { kind: Kind::Alias, id: *alias.id.as_bytes() }),
        );
        let mut stays = false;
        let decide = |loaded: &Loaded| {
            let (key, since) = self.loaded_key(loaded, &key_at, tenant)?;
            let now = self.ports.clock.now();
            if !is_due(key.state, now) || since > self.progress.applied.at() {
                stays = true;
                return Err(Fault::Contended.into());
            }
            let mut set = ChangeSet::new(ChangeId::random(&self.ports.entropy), now);
            self.destruction(loaded, key, &mut set)?;
            set.deletes.extend(reads[2..].iter().filter_map(|at| self.alias_gone(loaded, at, id)));
            Ok((set, ()))
        };
        let committed = commit_known(&self.ports, &reads, decide).await;
        match committed {
            Ok((made, ())) => self.progress.committed.reach(made.at.commit_seq),
            // It was taken back, or its doom is not vaulted yet.
            Err(_) if stays => {}
            Err(failed) => return Err(failed),
        }
        Ok(())
    }

    /// What the destruction of a key changes.
    fn destruction(&self, loaded: &Loaded, key: Key, set: &mut ChangeSet) -> Result<(), Error> {
        let now = set.at;
        let state = key.state.after(Transition::Destroy, now).map_err(|_| Fault::Internal)?;
        let key = Key { state, rotation: None, ..key };
        let at = AggregateRef { kind: Kind::Key, id: *key.id.as_bytes() };
        let body = key.to_body();
        set.puts.push(self.tenant_put(key.tenant, at, loaded.expected(&at), &body)?);
        set.erase.extend(key.versions.iter().map(|version| version.id));
        let at = AggregateRef { kind: Kind::Instance, id: *self.instance.id.as_bytes() };
        let row = loaded.stored(&at).ok_or(Fault::Internal)?;
        let mut instance = self.system_body(row, Instance::from_body)?;
        key.versions.iter().for_each(|version| instance.destroyed(version.id, now));
        let body = instance.to_body();
        set.puts.push(self.system_put(Kind::Instance, &at.id, loaded.expected(&at), &body));
        let of = Resource::key(key.id, key.tenant, None);
        set.events.push(job_event_on(&self.ports, now, "KeyDestroyed", of, Attributes::new()));
        Ok(())
    }

    /// An alias goes with the key that it names.
    fn alias_gone(&self, loaded: &Loaded, at: &AggregateRef, key: KeyId) -> Option<Delete> {
        let row = loaded.stored(at)?;
        let names_it = self.read_alias(row).is_ok_and(|alias| alias.target == key);
        let delete =
            || Delete { aggregate: row.aggregate, tenant: row.tenant, revision: row.revision };
        names_it.then(delete)
    }
}

fn is_due(state: KeyState, now: keystead_domain::Timestamp) -> bool {
    matches!(state, KeyState::Doomed { due } if due <= now)
}
