//! CreateKey: material, its copies in the vaults, then the commit, then the answer.
//!
//! Invariant: material and key copy are made once, before the change, never inside its retry; the
//! key is usable only when enough vaults hold copy and segment. A copy without a commit is an
//! orphan that nobody is told of.

use std::sync::Arc;

use keystead_archive::{Algorithm, CopyKind, KeyCopy, KeyCopyFields, names, object_hash};
use keystead_crypto::{Entropy, P256Key, Secret, key_check_value};
use keystead_domain::{
    ChangeId, IdempotencyKey, Key, KeyId, KeySpec, KeyState, KeyVersion, Kind, Timestamp,
    VersionId, to_hex,
};
use keystead_ledger::{Attributes, Value};
use keystead_store::{AggregateRef, ChangeSet, Expected, MaterialRow, Stored};

use super::{again::Known, check_tags, most};
use crate::{
    CreateKey, Cx, Error, Fault, KeyView, Vaulted,
    audit::{Deed, state_event_with},
    commit::{Made, WAIT_MS, commit_known},
    door::{Approved, Recorded, Resolved, Resource},
    service::Service,
    tenants::key_version,
    vaults::{object_name, put_quorum},
};

const OPERATION: &str = "CreateKey";
const DESCRIPTION_MAX: usize = 8192;
const PURPOSE_MAX: usize = 128;

impl Service {
    /// Makes a key.
    pub async fn create_key(
        self: &Arc<Self>,
        cx: Cx,
        command: CreateKey,
    ) -> Recorded<Result<KeyView, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), OPERATION, async move {
            let revision = service.progress.applied.at();
            let resource = Resource::tenant(cx.principal.tenant);
            let approved = service
                .may_act()
                .and_then(|()| check(&command))
                .and_then(|()| Resolved::new(command, resource, revision).authorise(&cx, OPERATION))
                .map(crate::door::Authorised::approve);
            let made = match approved {
                Ok(approved) => service.make_once(&cx, approved).await,
                Err(refused) => Err(refused),
            };
            match made {
                Ok(Keyed::Made(key, made)) => service.answer(key, made).await,
                Ok(Keyed::Found(key, made)) => {
                    let at = Resource::key(key.id, key.tenant, None);
                    let deed = Deed { operation: OPERATION, resource: Some(at) };
                    let found = service.awaited(key, made).await;
                    service.record(&cx, deed, revision, found).await
                }
                Err(error) => {
                    let deed = Deed { operation: OPERATION, resource: Some(resource) };
                    service.record(&cx, deed, revision, Err(error)).await
                }
            }
        })
        .await
    }

    /// Makes the key, or finds the one that the same command made before.
    async fn make_once(&self, cx: &Cx, approved: Approved<CreateKey>) -> Result<Keyed, Error> {
        let (command, at, _) = approved.into_parts();
        let over = match self.known(cx, &command).await? {
            Known::Same(key, made) => return Ok(Keyed::Found(key, made)),
            Known::Over(row) => Some(row),
            Known::New => None,
        };
        match self.make_key(cx, &command, at, over.as_ref()).await {
            Ok((key, made)) => Ok(Keyed::Made(key, made)),
            // The same command, sent twice at once: one of them makes the key.
            Err(Error { fault: Fault::Contended }) if command.idempotency_key.is_some() => {
                match self.known(cx, &command).await? {
                    Known::Same(key, made) => Ok(Keyed::Found(key, made)),
                    Known::New | Known::Over(_) => Err(Fault::Contended.into()),
                }
            }
            Err(failed) => Err(failed),
        }
    }

    async fn make_key(
        &self,
        cx: &Cx,
        command: &CreateKey,
        at: Resource,
        over: Option<&Stored>,
    ) -> Result<(Key, Made), Error> {
        let now = self.ports.clock.now();
        let material = draw(command.spec, &self.ports.entropy);
        let id = KeyId::random(&self.ports.entropy);
        let version = self.vault_version(at.tenant, (id, command.spec), 1, now, &material).await?;
        let keys = self.tenants.get(&at.tenant).ok_or(Fault::Internal)?;
        let sealed = keys.seal_material(&self.ports.entropy, version.id, &material);
        let key = Key {
            id,
            tenant: at.tenant,
            spec: command.spec,
            purpose: command.purpose.clone(),
            description: command.description.clone(),
            created_at: now,
            expires_at: command.expires_at,
            state: KeyState::Active { since: now },
            versions: vec![version],
            tags: command.tags.clone().into_iter().collect(),
            rotation: None,
            on_demand: Vec::new(),
        };
        let row = MaterialRow { version: key.current().id, sealed };
        let mut set = self.new_key_set(cx, now, &key, row)?;
        self.remember(cx, command, &key, over, &mut set)?;
        let (made, ()) = commit_known(&self.ports, &[], |_| Ok((set.clone(), ()))).await?;
        self.progress.committed.reach(made.at.commit_seq);
        Ok((key, made))
    }

    /// Makes the copy of a new version and waits until enough vaults hold it.
    pub(super) async fn vault_version(
        &self,
        tenant: keystead_domain::TenantId,
        (key, spec): (KeyId, KeySpec),
        number: u32,
        now: Timestamp,
        material: &Secret<32>,
    ) -> Result<KeyVersion, Error> {
        let (entropy, sealing) = (&self.ports.entropy, self.sealing());
        let id = VersionId::random(entropy);
        let fields = KeyCopyFields {
            instance: self.instance.id,
            tenant,
            kind: CopyKind::TenantKey,
            key,
            version: id,
            version_number: number,
            algorithm: Algorithm::from(spec),
            epoch: sealing.epoch,
            recipient_set_hash: sealing.recipient_set_hash,
            created_at: now,
        };
        let copy =
            KeyCopy::make(entropy, &sealing.signer, &sealing.epoch_public, &fields, material)
                .map_err(|_| Fault::Internal)?;
        let copy_hash = object_hash(&copy);
        let name = object_name(&names::key_copy(self.instance.id, key, id, sealing.epoch));
        put_quorum(&self.ports, &self.set, &name, copy.into()).await?;
        let key_check = material.expose(|raw| key_check_value(key_version(key, id), raw));
        let epoch = sealing.epoch;
        Ok(KeyVersion { id, number, created_at: now, epoch, copy_hash, key_check })
    }

    fn new_key_set(
        &self,
        cx: &Cx,
        now: Timestamp,
        key: &Key,
        row: MaterialRow,
    ) -> Result<ChangeSet, Error> {
        let aggregate = AggregateRef { kind: Kind::Key, id: *key.id.as_bytes() };
        let mut set = ChangeSet::new(ChangeId::random(&self.ports.entropy), now);
        let body = key.to_body();
        set.puts.push(self.tenant_put(key.tenant, aggregate, Expected::Absent, &body)?);
        set.materials.push(row);
        let at = Resource::key(key.id, key.tenant, Some(key.current().id));
        let deed = Deed { operation: OPERATION, resource: Some(at) };
        // The backup of the key is a fact of its own: which copy, by its hash (R002-30).
        let copy = Value::Clear(to_hex(&key.current().copy_hash).into_bytes());
        let copy = Attributes::new().with("key-copy", &copy).expect("a hash fits an attribute");
        set.events.push(state_event_with(now, &self.tenants, cx, deed, copy));
        Ok(set)
    }

    /// Waits for ledger and vaults. The event must be durable; the vaults may be late.
    async fn answer(&self, key: Key, made: Made) -> Recorded<Result<KeyView, Error>> {
        let (clock, seq) = (&*self.ports.clock, made.at.commit_seq);
        if !self.progress.journaled.wait(clock, seq, WAIT_MS).await {
            return Recorded::after_sync(Err(Fault::NotYetVaulted { change: made.change }.into()));
        }
        let view = self.awaited(key, made).await;
        Recorded::after_sync(self.may_act().and(view))
    }

    /// The key, and whether the vaults hold it by now.
    async fn awaited(&self, key: Key, made: Made) -> Result<KeyView, Error> {
        let seq = made.at.commit_seq;
        let vaulted = match self.progress.applied.wait(&*self.ports.clock, seq, WAIT_MS).await {
            true => Vaulted::Yes,
            false => Vaulted::NotYet,
        };
        Ok(self.shown(key, vaulted))
    }
}

/// A key and the change that made it.
enum Keyed {
    /// This request's.
    Made(Key, Made),
    /// One of before, with the same idempotency key.
    Found(Key, Made),
}

/// New material: bytes of our own choosing, since what the library draws by itself would not be
/// the same in two runs of a simulation.
fn draw(spec: KeySpec, entropy: &Entropy) -> Secret<32> {
    match spec {
        KeySpec::P256 => P256Key::draw(entropy),
        KeySpec::Symmetric | KeySpec::Ed25519 | KeySpec::Hmac256 => entropy.secret(),
    }
}

fn check(command: &CreateKey) -> Result<(), Error> {
    most("description", command.description.chars().count(), DESCRIPTION_MAX)?;
    most("purpose", command.purpose.chars().count(), PURPOSE_MAX)?;
    if command.idempotency_key.as_ref().is_some_and(|key| !IdempotencyKey::is_lawful(key)) {
        let message = "must be 1 to 128 printable ASCII characters without spaces".to_owned();
        return Err(Fault::Field { field: "Idempotency-Key", message }.into());
    }
    check_tags(&command.tags)
}
