//! CreateAlias, UpdateAlias and DeleteAlias.
//!
//! Invariant: the key that an alias will name is read and guarded in the same change, so that no
//! alias is given to a key that is on its way out. A command that is repeated while the vaults are
//! away finds what it did and waits for that same change.

use std::sync::Arc;

use keystead_domain::{Alias, AliasId, AliasName, ChangeId, KeyId, KeyName, Kind};
use keystead_store::{AggregateRef, ChangeSet, Delete, Loaded, Put, Stored};

use super::{AliasChange, ChangeAlias, alias_index, resource};
use crate::{
    Cx, Error, Fault, Service,
    audit::{Deed, state_event},
    commit::{Effect, Made, commit_known},
    door::{Approved, Authorised, Recorded, Resolved, Resource},
    keys::not_on_its_way_out,
};

/// How a name came to stand for what was asked for.
enum Changed {
    /// By this request's change.
    Made(Made),
    /// By the change with this number.
    Found(u64),
}

impl Service {
    /// Makes, moves or deletes an alias.
    pub async fn change_alias(
        self: &Arc<Self>,
        cx: Cx,
        command: ChangeAlias,
    ) -> Recorded<Result<(), Error>> {
        let (service, operation) = (self.clone(), command.change.operation());
        self.carry_out(cx.clone(), operation, async move {
            let (revision, at) =
                (service.progress.applied.at(), Resource::tenant(cx.principal.tenant));
            let effect = match command.change {
                AliasChange::Delete => Effect::AtOnce,
                AliasChange::Create { .. } | AliasChange::Update { .. } => Effect::Vaulted,
            };
            let approved = service
                .may_act()
                .and_then(|()| Resolved::new(command, at, revision).authorise(&cx, operation));
            let changed = match approved.map(Authorised::approve) {
                Ok(approved) => service.commit_alias(&cx, approved).await,
                Err(refused) => Err(refused),
            };
            let deed = Deed { operation, resource: Some(at) };
            match changed {
                Ok(Changed::Made(made)) => service.settled_as(made, effect, ()).await,
                Ok(Changed::Found(since)) => {
                    let awaited = service.awaited_change(since, effect).await;
                    service.record(&cx, deed, revision, awaited).await
                }
                Err(error) => service.record(&cx, deed, revision, Err(error)).await,
            }
        })
        .await
    }

    async fn commit_alias(
        &self,
        cx: &Cx,
        approved: Approved<ChangeAlias>,
    ) -> Result<Changed, Error> {
        let (ChangeAlias { name, change }, at, _) = approved.into_parts();
        let name: AliasName = name.parse().map_err(Fault::AliasName)?;
        let present = self.alias_row(at.tenant, &name).await?;
        match (change, present) {
            (AliasChange::Create { target }, None) => self.make_alias(cx, &name, &target).await,
            (AliasChange::Create { target }, Some((alias, row))) => {
                let same = self.target(cx, &target).is_ok_and(|target| target == alias.target);
                match same && row.commit_seq > self.progress.applied.at() {
                    true => Ok(Changed::Found(row.commit_seq)),
                    false => Err(exists(&name)),
                }
            }
            (AliasChange::Update { target }, Some((alias, row))) => {
                self.move_alias(cx, alias, &row, &target).await
            }
            (AliasChange::Delete, Some((alias, row))) => self.delete_alias(cx, &alias, &row).await,
            (AliasChange::Delete, None) => {
                let snapshot = self.keyring.snapshot();
                let gone = snapshot.removed_aliases.get(&(at.tenant, name.to_string())).copied();
                gone.map(Changed::Found).ok_or_else(|| none(&name))
            }
            (AliasChange::Update { .. }, None) => Err(none(&name)),
        }
    }

    async fn make_alias(
        &self,
        cx: &Cx,
        name: &AliasName,
        target: &KeyName,
    ) -> Result<Changed, Error> {
        let now = self.ports.clock.now();
        let alias = Alias {
            id: AliasId::random(&self.ports.entropy),
            tenant: cx.principal.tenant,
            name: name.clone(),
            target: self.target(cx, target)?,
            created_at: now,
            updated_at: now,
        };
        match self.put_alias(cx, "CreateAlias", &alias).await {
            // Somebody else took the name meanwhile.
            Err(Error { fault: Fault::Contended })
                if self.alias_row(alias.tenant, name).await?.is_some() =>
            {
                Err(exists(name))
            }
            other => other.map(Changed::Made),
        }
    }

    async fn move_alias(
        &self,
        cx: &Cx,
        alias: Alias,
        row: &Stored,
        target: &KeyName,
    ) -> Result<Changed, Error> {
        let target = self.target(cx, target)?;
        if alias.target == target {
            return Ok(Changed::Found(row.commit_seq));
        }
        self.same_usage(&alias, target)?;
        let moved = Alias { target, updated_at: self.ports.clock.now(), ..alias };
        self.put_alias(cx, "UpdateAlias", &moved).await.map(Changed::Made)
    }

    /// Whoever encrypts under a name must not find a key for signatures there all at once.
    fn same_usage(&self, alias: &Alias, target: KeyId) -> Result<(), Error> {
        let snapshot = self.keyring.snapshot();
        let usage = |id| snapshot.key(id, alias.tenant).map(|entry| entry.spec.usage());
        // Whether there is such a key is not decided here.
        match usage(alias.target).zip(usage(target)) {
            Some((present, next)) if present != next => {
                let message = "Member must be a key with the usage of the present one".to_owned();
                Err(Fault::Field { field: "targetKeyId", message }.into())
            }
            _ => Ok(()),
        }
    }

    async fn put_alias(
        &self,
        cx: &Cx,
        operation: &'static str,
        alias: &Alias,
    ) -> Result<Made, Error> {
        let at = AggregateRef { kind: Kind::Alias, id: *alias.id.as_bytes() };
        let key_at = AggregateRef { kind: Kind::Key, id: *alias.target.as_bytes() };
        let decide = |loaded: &Loaded| {
            let (key, _) = self.loaded_key(loaded, &key_at, alias.tenant)?;
            not_on_its_way_out(&key)?;
            if operation == "UpdateAlias" && loaded.stored(&at).is_none() {
                return Err(none(&alias.name));
            }
            let mut set = self.alias_set(cx, operation, alias);
            let put = self.tenant_put(alias.tenant, at, loaded.expected(&at), &alias.to_body())?;
            set.puts.push(Put { index: alias_index(alias), ..put });
            Ok((set, ()))
        };
        let (made, ()) = commit_known(&self.ports, &[at, key_at], decide).await?;
        Ok(made)
    }

    async fn delete_alias(&self, cx: &Cx, alias: &Alias, row: &Stored) -> Result<Changed, Error> {
        let at = row.aggregate;
        let decide = |loaded: &Loaded| {
            let row = loaded.stored(&at).ok_or_else(|| none(&alias.name))?;
            let mut set = self.alias_set(cx, "DeleteAlias", alias);
            let (tenant, revision) = (row.tenant, row.revision);
            set.deletes.push(Delete { aggregate: at, tenant, revision });
            Ok((set, ()))
        };
        let (made, ()) = commit_known(&self.ports, &[at], decide).await?;
        Ok(Changed::Made(made))
    }

    fn alias_set(&self, cx: &Cx, operation: &'static str, alias: &Alias) -> ChangeSet {
        let now = self.ports.clock.now();
        let mut set = ChangeSet::new(ChangeId::random(&self.ports.entropy), now);
        let deed = Deed { operation, resource: Some(resource(alias)) };
        set.events.push(state_event(now, &self.tenants, cx, deed));
        set
    }

    fn target(&self, cx: &Cx, name: &KeyName) -> Result<KeyId, Error> {
        self.keyring.snapshot().key_id(name, cx.principal.tenant)
    }
}

fn exists(name: &AliasName) -> Error {
    Fault::AliasExists { alias: name.to_string() }.into()
}

fn none(name: &AliasName) -> Error {
    Fault::NoAlias { alias: name.to_string() }.into()
}
