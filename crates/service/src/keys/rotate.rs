//! New versions of keys: on demand, and by schedule.
//!
//! Invariant: as with CreateKey, material and key copy are made once, before the change, and the
//! version is used only when enough vaults hold copy and segment; what older versions encrypted
//! opens as before. A version on demand does not move the schedule.

use std::sync::Arc;

use keystead_crypto::Secret;
use keystead_domain::{
    ChangeId, Key, KeyId, KeyVersion, Kind, RotationSchedule, TenantId, Timestamp, to_hex,
};
use keystead_ledger::{Attributes, Value};
use keystead_store::{AggregateRef, ChangeSet, Loaded, MaterialRow};

use super::lawful::rotatable;
use crate::{
    Cx, Error, Fault, KeyView, RotateKey, Service, Vaulted,
    audit::{Deed, job_event_on, state_event_with},
    commit::{Effect, Made, commit_known},
    door::{Approved, Authorised, Recorded, Resolved, Resource},
};

const OPERATION: &str = "RotateKeyOnDemand";
/// How often one key may be rotated on demand.
const ON_DEMAND_MAX: usize = 25;
/// How often schedules are looked through, in milliseconds.
const LOOK_MS: u64 = 60_000;

/// Who wants a version.
#[derive(Debug, Clone, Copy)]
enum Asked<'a> {
    By(&'a Cx),
    BySchedule,
}

/// A key with a new version.
enum Rotated {
    /// By this request's change.
    Made(Key, Made),
    /// By the change with this number, which waits for the vaults.
    Waiting(Key, u64),
}

impl Service {
    /// Gives a key a new version.
    pub async fn rotate_key(
        self: &Arc<Self>,
        cx: Cx,
        command: RotateKey,
    ) -> Recorded<Result<KeyView, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), OPERATION, async move {
            let revision = service.progress.applied.at();
            let found = service.key_resource(&cx, &command.key);
            let deed = Deed { operation: OPERATION, resource: found.as_ref().ok().copied() };
            let approved = found.and_then(|at| {
                service.may_act()?;
                Resolved::new(command, at, revision).authorise(&cx, OPERATION)
            });
            let rotated = match approved.map(Authorised::approve) {
                Ok(approved) => service.rotate_on_demand(&cx, approved).await,
                Err(refused) => Err(refused),
            };
            let shown = |key| service.shown(key, Vaulted::Yes);
            match rotated {
                Ok(Rotated::Made(key, made)) => service.settled(made, shown(key)).await,
                Ok(Rotated::Waiting(key, since)) => {
                    let awaited = service.awaited_change(since, Effect::Vaulted).await;
                    service.record(&cx, deed, revision, awaited.map(|()| shown(key))).await
                }
                Err(error) => service.record(&cx, deed, revision, Err(error)).await,
            }
        })
        .await
    }

    async fn rotate_on_demand(
        &self,
        cx: &Cx,
        approved: Approved<RotateKey>,
    ) -> Result<Rotated, Error> {
        let (_, at, _) = approved.into_parts();
        let id = KeyId::from_bytes(at.id);
        let wanted = [AggregateRef { kind: Kind::Key, id: at.id }];
        let rows = self.ports.store.load(&wanted).await.map_err(Fault::from)?;
        let row = rows.into_iter().flatten().find(|row| row.tenant == at.tenant);
        let row = row.ok_or(Fault::NoKey { key: id })?;
        let key = self.read_key(&row)?;
        let snapshot = self.keyring.snapshot();
        let entry = snapshot.key(id, at.tenant).ok_or(Fault::KeyCreating { key: id })?;
        rotatable(&key)?;
        if entry.version_count() < key.versions.len() {
            return Ok(Rotated::Waiting(key, row.commit_seq));
        }
        if key.on_demand.len() >= ON_DEMAND_MAX {
            return Err(Fault::RotationLimit { key: id }.into());
        }
        let (made, key) = self.add_version(&key, Asked::By(cx)).await?;
        Ok(Rotated::Made(key, made))
    }

    async fn add_version(&self, key: &Key, asked: Asked<'_>) -> Result<(Made, Key), Error> {
        let (id, tenant) = (key.id, key.tenant);
        let material: Secret<32> = self.ports.entropy.secret();
        let number = key.current().number + 1;
        let now = self.ports.clock.now();
        let version = self.vault_version(tenant, (id, key.spec), number, now, &material).await?;
        let keys = self.tenants.get(&tenant).ok_or(Fault::Internal)?;
        let sealed = keys.seal_material(&self.ports.entropy, version.id, &material);
        let at = AggregateRef { kind: Kind::Key, id: *id.as_bytes() };
        let decide = |loaded: &Loaded| {
            let (newest, _) = self.loaded_key(loaded, &at, tenant)?;
            let next = with_version(newest, &version, asked, now)?;
            let mut set = ChangeSet::new(ChangeId::random(&self.ports.entropy), now);
            set.puts.push(self.tenant_put(tenant, at, loaded.expected(&at), &next.to_body())?);
            set.materials.push(MaterialRow { version: version.id, sealed: sealed.clone() });
            set.events.push(self.rotation_event(now, tenant, id, &version, asked));
            Ok((set, next))
        };
        let (made, key) = commit_known(&self.ports, &[at], decide).await?;
        self.progress.committed.reach(made.at.commit_seq);
        Ok((made, key))
    }

    fn rotation_event(
        &self,
        now: Timestamp,
        tenant: TenantId,
        key: KeyId,
        version: &KeyVersion,
        asked: Asked<'_>,
    ) -> Vec<u8> {
        let at = Resource::key(key, tenant, Some(version.id));
        let copy = Value::Clear(to_hex(&version.copy_hash).into_bytes());
        let copy = Attributes::new().with("key-copy", &copy).expect("a hash fits an attribute");
        match asked {
            Asked::By(cx) => {
                let deed = Deed { operation: OPERATION, resource: Some(at) };
                state_event_with(now, &self.tenants, cx, deed, copy)
            }
            Asked::BySchedule => job_event_on(&self.ports, now, "KeyRotated", at, copy),
        }
    }

    /// Rotates what is due, minute by minute.
    pub(crate) async fn keep_rotating(self: Arc<Self>) {
        loop {
            self.ports.clock.sleep_ms(LOOK_MS).await;
            for key in self.keys_to_rotate() {
                if let Err(failed) = self.rotate_by_schedule(&key).await {
                    tracing::warn!(key = %key.id, %failed, "a key is due for rotation and waits");
                }
            }
        }
    }

    async fn rotate_by_schedule(&self, key: &Key) -> Result<(), Error> {
        self.may_act()?;
        let wanted = [AggregateRef { kind: Kind::Key, id: *key.id.as_bytes() }];
        let rows = self.ports.store.load(&wanted).await.map_err(Fault::from)?;
        let since = rows.into_iter().flatten().next().map_or(0, |row| row.commit_seq);
        // While a change of it waits for the vaults, another version would be an orphan.
        if since <= self.progress.applied.at() {
            self.add_version(key, Asked::BySchedule).await?;
        }
        Ok(())
    }

    fn keys_to_rotate(&self) -> Vec<Key> {
        let now = self.ports.clock.now();
        let snapshot = self.keyring.snapshot();
        let due = snapshot.tally().rotating_by(now).filter_map(|id| snapshot.keys().get(&id));
        due.map(|entry| entry.to_key()).filter(|key| rotatable(key).is_ok()).collect()
    }
}

/// The key with a version more, where it is still what the version was made for.
fn with_version(
    mut key: Key,
    version: &KeyVersion,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Key, Error> {
    rotatable(&key)?;
    if key.current().number + 1 != version.number {
        return Err(Fault::Contended.into());
    }
    match asked {
        Asked::By(_) => key.on_demand.push(version.number),
        Asked::BySchedule if is_due(key.rotation, now) => {
            key.rotation = key.rotation.map(|schedule| schedule.rotated(now));
        }
        Asked::BySchedule => return Err(Fault::Contended.into()),
    }
    key.versions.push(version.clone());
    Ok(key)
}

fn is_due(rotation: Option<RotationSchedule>, now: Timestamp) -> bool {
    rotation.is_some_and(|schedule| schedule.next <= now)
}
