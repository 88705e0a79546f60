//! RestoreKey: one key, or one version of it, as a recovery point has it; told first, then done.
//!
//! Invariant: nothing is brought in that did not open from its copy and do what the running key
//! does, where one runs. What was taken away stays away: a key that is doomed, compromised or
//! destroyed keeps its state. Without `apply` nothing changes; with it the change is guarded by the
//! revision that the difference was told for.

use std::sync::Arc;

use keystead_crypto::{OpenFailed, Secret};
use keystead_domain::{
    ChangeId, Key, KeyId, KeyName, KeyState, KeyVersion, Kind, PointId, PointKind, Timestamp,
    VersionId,
};
use keystead_store::{AggregateRef, ChangeSet, Loaded, MaterialRow};

use crate::{
    Cx, Error, Fault, Service,
    audit::{Deed, said, state_event_with},
    commit::{Made, commit_known},
    door::{Authorised, Recorded, Resolved, Resource},
    keyring::OpenedKey,
    proofs::{agree, held},
    restore::{KeyInVaults, RestoreFailed, key_in_vaults},
    tenants::{TenantKeys, key_version},
};

const OPERATION: &str = "RestoreKey";

/// Brings a key back to what a recovery point has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreKey {
    /// Which key.
    pub key: KeyName,
    /// This version's material alone, and nothing else of the key.
    pub version: Option<VersionId>,
    /// From which point; the newest full one where none is named.
    pub point: Option<PointId>,
    /// The revision that the difference was told for: it is done, if the key still has it. None
    /// tells the difference and does nothing.
    pub apply: Option<u64>,
}

/// What differs, and what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRestored {
    /// Which key.
    pub key: KeyId,
    /// The point that it was compared with, and when that was made; nothing where the newest one
    /// does not have the key yet.
    pub point: Option<(PointId, Timestamp)>,
    /// The key's revision.
    pub revision: u64,
    /// What of the key differs.
    pub fields: Vec<FieldChange>,
    /// What of its materials does.
    pub versions: Vec<VersionFound>,
    /// Whether it was brought back.
    pub applied: bool,
}

/// Something of a key that the point has otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which.
    pub field: &'static str,
    /// As it is.
    pub now: String,
    /// As the point has it.
    pub then: String,
}

/// How a version's material is found in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaterialFound {
    /// It does what the copy does.
    Sound,
    /// There is none.
    Missing,
    /// It does not open, or does something else.
    Damaged,
}

impl MaterialFound {
    /// Its name on wires.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Missing => "missing",
            Self::Damaged => "damaged",
        }
    }
}

/// One version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionFound {
    /// Which.
    pub version: VersionId,
    /// Its number.
    pub number: u32,
    /// How its material is found.
    pub material: MaterialFound,
}

/// A difference with what would mend it.
struct Plan {
    told: KeyRestored,
    next: Key,
    materials: Vec<MaterialRow>,
}

impl Service {
    /// Tells how a key differs from what a recovery point has, and brings it back.
    pub async fn restore_key(
        self: &Arc<Self>,
        cx: Cx,
        command: RestoreKey,
    ) -> Recorded<Result<KeyRestored, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), OPERATION, async move {
            let revision = service.progress.applied.at();
            let found = service.key_resource(&cx, &command.key);
            let deed = Deed { operation: OPERATION, resource: found.as_ref().ok().copied() };
            let approved = found.and_then(|at| {
                service.may_act()?;
                Resolved::new(command, at, revision).authorise(&cx, OPERATION)
            });
            let planned = match approved.map(Authorised::approve) {
                Ok(approved) => {
                    let (command, at, _) = approved.into_parts();
                    service.plan_restore(&command, at).await.map(|plan| (plan, command, at))
                }
                Err(refused) => Err(refused),
            };
            let made = match planned {
                Ok((plan, RestoreKey { apply: Some(apply), .. }, at)) if plan.differs() => {
                    service.commit_restore(&cx, plan, apply, at).await.map(Ok)
                }
                Ok((plan, ..)) => Ok(Err(plan.told)),
                Err(refused) => Err(refused),
            };
            match made {
                Ok(Ok((made, told))) => service.settled(made, told).await,
                Ok(Err(told)) => service.record(&cx, deed, revision, Ok(told)).await,
                Err(error) => service.record(&cx, deed, revision, Err(error)).await,
            }
        })
        .await
    }

    async fn plan_restore(&self, command: &RestoreKey, at: Resource) -> Result<Plan, Error> {
        let id = KeyId::from_bytes(at.id);
        let aggregate = AggregateRef { kind: Kind::Key, id: at.id };
        let loaded = self.ports.store.load(&[aggregate]).await.map_err(Fault::from)?;
        let row = loaded.into_iter().flatten().next().filter(|row| row.tenant == at.tenant);
        let row = row.ok_or(Fault::NoKey { key: id })?;
        let key = self.read_key(&row)?;
        if let KeyState::Destroyed { .. } = key.state {
            return Err(Fault::KeyState { key: id, state: key.state }.into());
        }
        let point = match command.point {
            Some(point) => point,
            None => self.newest_full().await?,
        };
        let held = held(self, self.roots().await?)?;
        let found = key_in_vaults(&self.ports, &held, point, &key).await;
        let KeyInVaults { then, materials } = found.map_err(fault)?;
        let then = then.filter(|(then, _)| then.tenant == at.tenant);
        if command.point.is_some() && then.is_none() {
            return Err(Fault::Nothing { what: "key", name: format!("{id} in {point}") }.into());
        }
        let mut plan = Plan {
            told: KeyRestored {
                key: id,
                point: then.as_ref().map(|(_, at)| (point, *at)),
                revision: row.revision,
                fields: Vec::new(),
                versions: Vec::new(),
                applied: false,
            },
            next: key.clone(),
            materials: Vec::new(),
        };
        let keys = self.tenants.get(&at.tenant).ok_or(Fault::Internal)?;
        let wanted = |version: &KeyVersion| command.version.is_none_or(|one| one == version.id);
        let copies = key.versions.iter().zip(materials);
        for (version, copy) in copies.filter(|(version, _)| wanted(version)) {
            self.compare(&mut plan, keys, &key, (version, copy.map_err(fault)?)).await?;
        }
        if let Some(version) = command.version.filter(|_| plan.told.versions.is_empty()) {
            let name = format!("{version} of {id}");
            return Err(Fault::Nothing { what: "version", name }.into());
        }
        if let (None, Some((then, _))) = (command.version, &then) {
            plan.bring_back_fields(then, self.ports.clock.now());
        }
        Ok(plan)
    }

    /// The newest full point of the inventory, or the base of this incarnation.
    async fn newest_full(&self) -> Result<PointId, Error> {
        let points = self.points().await?;
        let newest = points.iter().rfind(|point| point.kind == PointKind::Full);
        let base = PointId { incarnation: self.instance.incarnation, number: 1 };
        Ok(newest.map_or(base, |point| point.id))
    }

    /// Puts the copy of a version beside its material in the database.
    async fn compare(
        &self,
        plan: &mut Plan,
        keys: &TenantKeys,
        key: &Key,
        (version, copy): (&KeyVersion, Secret<32>),
    ) -> Result<(), Error> {
        let row = self.ports.store.material(version.id).await.map_err(Fault::from)?;
        let raw = row.map(|row| keys.open_material::<32>(version.id, &row));
        let material = self.material_found(key, version.id, raw, &copy)?;
        if material != MaterialFound::Sound {
            let sealed = keys.seal_material(&self.ports.entropy, version.id, &copy);
            plan.materials.push(MaterialRow { version: version.id, sealed });
        }
        let (version, number) = (version.id, version.number);
        plan.told.versions.push(VersionFound { version, number, material });
        Ok(())
    }

    fn material_found(
        &self,
        key: &Key,
        version: VersionId,
        running: Option<Result<Secret<32>, OpenFailed>>,
        copy: &Secret<32>,
    ) -> Result<MaterialFound, Error> {
        let id = key_version(key.id, version);
        let opened = |raw: &Secret<32>| {
            let raw = raw.expose(|raw| Secret::from_slice(raw).expect("32 bytes"));
            OpenedKey::new(key.spec, id, raw)
        };
        let what = || format!("the copy of version `{version}` of key `{}`", key.id);
        let copy = opened(copy).ok_or_else(|| Fault::Corrupt { what: what() })?;
        // A copy that does not even do what it does itself is none.
        if !agree(&self.ports.entropy, key.tenant, &copy, &copy) {
            return Err(Fault::Corrupt { what: what() }.into());
        }
        let Some(running) = running else { return Ok(MaterialFound::Missing) };
        let running = running.ok().and_then(|raw| opened(&raw));
        let agrees =
            running.is_some_and(|running| agree(&self.ports.entropy, key.tenant, &running, &copy));
        Ok(if agrees { MaterialFound::Sound } else { MaterialFound::Damaged })
    }

    async fn commit_restore(
        &self,
        cx: &Cx,
        plan: Plan,
        apply: u64,
        at: Resource,
    ) -> Result<(Made, KeyRestored), Error> {
        let aggregate = AggregateRef { kind: Kind::Key, id: at.id };
        let Plan { mut told, next, materials } = plan;
        let id = ChangeId::random(&self.ports.entropy);
        let decide = |loaded: &Loaded| {
            let row = loaded.stored(&aggregate).filter(|row| row.revision == apply);
            // Somebody changed it since the difference was told.
            row.filter(|_| apply == told.revision).ok_or(Fault::Contended)?;
            let mut set = ChangeSet::new(id, self.ports.clock.now());
            let expected = loaded.expected(&aggregate);
            set.puts.push(self.tenant_put(at.tenant, aggregate, expected, &next.to_body())?);
            set.materials.extend(materials.iter().cloned());
            let deed = Deed { operation: OPERATION, resource: Some(at) };
            let point = told.point.map_or(String::new(), |(point, _)| point.to_string());
            let said = said(&[
                ("point", &point),
                ("fields", &told.fields.iter().map(|of| of.field).collect::<Vec<_>>().join(" ")),
                ("materials", &materials.len().to_string()),
            ]);
            set.events.push(state_event_with(set.at, &self.tenants, cx, deed, said));
            Ok((set, ()))
        };
        let (made, ()) = commit_known(&self.ports, &[aggregate], decide).await?;
        told.versions.iter().for_each(|found| self.keyring.forget(found.version));
        told.applied = true;
        Ok((made, told))
    }
}

impl Plan {
    fn differs(&self) -> bool {
        !self.told.fields.is_empty() || !self.materials.is_empty()
    }

    /// What people have said of the key, and whether it is used, as the point has it.
    fn bring_back_fields(&mut self, then: &Key, now: Timestamp) {
        let present = self.next.clone();
        self.field("description", &present.description, &then.description);
        self.next.description.clone_from(&then.description);
        self.field("tags", &tags(&present), &tags(then));
        self.next.tags.clone_from(&then.tags);
        self.field("rotation", &rotation(&present), &rotation(then));
        if rotation(&present) != rotation(then) {
            let days = then.rotation.map(|schedule| schedule.period_days);
            let starting = |days| keystead_domain::RotationSchedule::starting(days, now);
            self.next.rotation = days.and_then(starting);
        }
        let (one, other) = (expiry(&present), expiry(then));
        self.field("expires_at", &one, &other);
        self.next.expires_at = then.expires_at;
        if let (Some(is), Some(was)) = (used(present.state), used(then.state)) {
            self.field("state", is, was);
            if is != was {
                self.next.state = since(then.state, now);
            }
        }
    }

    fn field(&mut self, field: &'static str, now: &str, then: &str) {
        if now != then {
            let (now, then) = (now.to_owned(), then.to_owned());
            self.told.fields.push(FieldChange { field, now, then });
        }
    }
}

fn tags(key: &Key) -> String {
    let tags: Vec<String> =
        key.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
    tags.join(" ")
}

fn rotation(key: &Key) -> String {
    key.rotation.map_or("none".to_owned(), |schedule| format!("{} days", schedule.period_days))
}

fn expiry(key: &Key) -> String {
    key.expires_at.map_or("never".to_owned(), |at| at.to_string())
}

/// The states between which a key may go to and fro; none of the others comes back.
fn used(state: KeyState) -> Option<&'static str> {
    match state {
        KeyState::Active { .. } => Some("active"),
        KeyState::Suspended { .. } => Some("suspended"),
        KeyState::Deactivated { .. } => Some("deactivated"),
        KeyState::Compromised { .. } | KeyState::Doomed { .. } | KeyState::Destroyed { .. } => None,
    }
}

fn since(state: KeyState, now: Timestamp) -> KeyState {
    match state {
        KeyState::Active { .. } => KeyState::Active { since: now },
        KeyState::Suspended { .. } => KeyState::Suspended { since: now },
        KeyState::Deactivated { .. } => KeyState::Deactivated { since: now },
        other => other,
    }
}

fn fault(failed: RestoreFailed) -> Fault {
    match failed {
        RestoreFailed::NoVault { .. } => Fault::VaultsAway { confirmed: 0, needed: 1 },
        other => Fault::Corrupt { what: format!("what the vaults hold: {other}") },
    }
}
