//! DescribeKey and ListKeys: what is in force, and what is still on its way into the vaults.

use std::{ops::Bound, sync::Arc};

use keystead_domain::{Key, KeyId, KeyName};

use super::lawful::of_rotated_spec;

use crate::{
    Cx, DescribeKey, Error, Fault, KeyAspect, KeyPage, KeyView, ListKeys, ReadKey, Vaulted,
    audit::Deed,
    door::{Recorded, Resolved, Resource},
    service::Service,
};

const LIMIT_MAX: usize = 1000;

impl Service {
    /// Shows a key.
    pub async fn describe_key(
        self: &Arc<Self>,
        cx: Cx,
        command: DescribeKey,
    ) -> Recorded<Result<KeyView, Error>> {
        self.show_key(cx, "DescribeKey", command.key, |_| Ok(())).await
    }

    /// Shows one side of a key.
    pub async fn read_key_aspect(
        self: &Arc<Self>,
        cx: Cx,
        command: ReadKey,
    ) -> Recorded<Result<KeyView, Error>> {
        let ReadKey { key, aspect } = command;
        self.show_key(cx, aspect.operation(), key, move |view| match aspect {
            KeyAspect::Policy { name } if name != "default" => {
                Err(Fault::Nothing { what: "policy", name }.into())
            }
            KeyAspect::RotationStatus | KeyAspect::Rotations => of_rotated_spec(&view.key),
            _ => Ok(()),
        })
        .await
    }

    async fn show_key(
        self: &Arc<Self>,
        cx: Cx,
        operation: &'static str,
        key: KeyName,
        is_there: impl FnOnce(&KeyView) -> Result<(), Error> + Send + 'static,
    ) -> Recorded<Result<KeyView, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), operation, async move {
            let revision = service.progress.applied.at();
            let found = service.view(&cx, &key).await;
            let resource = found.as_ref().ok().map(resource_of);
            let result = found.and_then(|view| {
                let at = resource_of(&view);
                Resolved::new((), at, revision).authorise(&cx, operation)?;
                is_there(&view).map(|()| view)
            });
            service.record(&cx, Deed { operation, resource }, revision, result).await
        })
        .await
    }

    /// Lists the caller's keys in order of id.
    pub async fn list_keys(
        self: &Arc<Self>,
        cx: Cx,
        command: ListKeys,
    ) -> Recorded<Result<KeyPage, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), "ListKeys", async move {
            let resource = Resource::tenant(cx.principal.tenant);
            let revision = service.progress.applied.at();
            let result = Resolved::new((), resource, revision)
                .authorise(&cx, "ListKeys")
                .and_then(|_| service.page(&cx, &command));
            let deed = Deed { operation: "ListKeys", resource: Some(resource) };
            service.record(&cx, deed, revision, result).await
        })
        .await
    }

    /// A key as callers see it.
    pub(crate) fn shown(&self, key: Key, vaulted: Vaulted) -> KeyView {
        let uses = self.metrics().uses_of(key.id);
        let proven = key.versions.iter().map(|version| self.proofs.proven(version.id));
        KeyView { proven: proven.collect(), key, vaulted, uses }
    }

    async fn view(&self, cx: &Cx, name: &KeyName) -> Result<KeyView, Error> {
        self.may_act()?;
        let snapshot = self.keyring.snapshot();
        let id = snapshot.key_id(name, cx.principal.tenant)?;
        if let Some(entry) = snapshot.key(id, cx.principal.tenant) {
            return Ok(self.shown(entry.to_key(), Vaulted::Yes));
        }
        match self.creating(cx, id).await? {
            Some(key) => Ok(self.shown(key, Vaulted::NotYet)),
            None => Err(Fault::NoKey { key: id }.into()),
        }
    }

    fn page(&self, cx: &Cx, command: &ListKeys) -> Result<KeyPage, Error> {
        self.may_act()?;
        if !(1..=LIMIT_MAX).contains(&command.limit) {
            let message = format!("Member must have value between 1 and {LIMIT_MAX}");
            return Err(Fault::Field { field: "limit", message }.into());
        }
        let snapshot = self.keyring.snapshot();
        let from = command.after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut keys: Vec<KeyView> = snapshot
            .keys()
            .range::<_, KeyId>((from, Bound::Unbounded))
            .filter(|(_, entry)| entry.tenant() == cx.principal.tenant)
            .take(command.limit + 1)
            .map(|(_, entry)| self.shown(entry.to_key(), Vaulted::Yes))
            .collect();
        let more = keys.len() > command.limit;
        keys.truncate(command.limit);
        let next = keys.last().filter(|_| more).map(|view| view.key.id);
        Ok(KeyPage { keys, next })
    }
}

impl KeyAspect {
    /// The operation that asks for it, by AWS's name.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Tags => "ListResourceTags",
            Self::RotationStatus => "GetKeyRotationStatus",
            Self::Rotations => "ListKeyRotations",
            Self::Policy { .. } => "GetKeyPolicy",
            Self::Policies => "ListKeyPolicies",
        }
    }
}

fn resource_of(view: &KeyView) -> Resource {
    Resource::key(view.key.id, view.key.tenant, None)
}
