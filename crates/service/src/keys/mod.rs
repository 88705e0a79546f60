//! Keys as aggregates: create, describe, list, change, destroy.

mod again;
mod change;
mod create;
mod describe;
mod destroy;
mod late;
mod lawful;
mod restore;
mod rotate;

pub(crate) use destroy::Destroying;
pub(crate) use late::LateAnswers;
pub(crate) use lawful::not_on_its_way_out;
pub use restore::{FieldChange, KeyRestored, MaterialFound, RestoreKey, VersionFound};

use std::collections::BTreeMap;

use keystead_domain::{Key, KeyId, KeyName, Kind, TenantId};
use keystead_store::{AggregateRef, Loaded, Stored};

use crate::{Cx, Error, Fault, door::Resource, service::Service};

const TAGS_MAX: usize = 50;

impl Service {
    /// What a name stands for, whether a key of that id exists or not.
    fn key_resource(&self, cx: &Cx, name: &KeyName) -> Result<Resource, Error> {
        let tenant = cx.principal.tenant;
        let id = self.keyring.snapshot().key_id(name, tenant)?;
        Ok(Resource::key(id, tenant, None))
    }

    /// A key's newest revision and the change that made it, where the key is usable at all.
    pub(crate) fn loaded_key(
        &self,
        loaded: &Loaded,
        at: &AggregateRef,
        tenant: TenantId,
    ) -> Result<(Key, u64), Error> {
        let key = KeyId::from_bytes(at.id);
        let row = loaded.stored(at).filter(|row| row.tenant == tenant);
        let row = row.ok_or(Fault::NoKey { key })?;
        if self.keyring.snapshot().key(key, tenant).is_none() {
            return Err(Fault::KeyCreating { key }.into());
        }
        Ok((self.read_key(row)?, row.commit_seq))
    }

    /// A key that is committed and not yet in the keyring, if there is such a one.
    async fn creating(&self, cx: &Cx, id: KeyId) -> Result<Option<Key>, Error> {
        let wanted = [AggregateRef { kind: Kind::Key, id: *id.as_bytes() }];
        let found = self.ports.store.load(&wanted).await.map_err(Fault::from)?;
        let Some(row) = found.into_iter().flatten().next() else { return Ok(None) };
        if row.tenant != cx.principal.tenant {
            return Ok(None);
        }
        self.read_key(&row).map(Some)
    }

    fn read_key(&self, row: &Stored) -> Result<Key, Error> {
        let corrupt =
            || Fault::Corrupt { what: format!("{}", KeyId::from_bytes(row.aggregate.id)) };
        let keys = self.tenants.get(&row.tenant).ok_or_else(corrupt)?;
        let body = keys.open_body(row).map_err(|_| corrupt())?;
        Ok(Key::from_body(&body).map_err(|_| corrupt())?)
    }

    /// *Does not exist* and *is being created* are two answers.
    pub(crate) async fn explain(&self, cx: &Cx, error: Error) -> Error {
        let Fault::NoKey { key } = error.fault else { return error };
        match self.creating(cx, key).await {
            Ok(Some(_)) => Fault::KeyCreating { key }.into(),
            Ok(None) => error,
            Err(other) => other,
        }
    }
}

/// Refuses tags that no key may have.
fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    most("tags", tags.len(), TAGS_MAX)?;
    for (name, value) in tags {
        crate::uses::length("tagKey", name.chars().count(), 128)?;
        most("tagValue", value.chars().count(), 256)?;
    }
    Ok(())
}

/// Refuses what is too long, in the words that AWS clients know.
fn most(field: &'static str, len: usize, max: usize) -> Result<(), Error> {
    if len <= max {
        return Ok(());
    }
    let message = format!("Member must have length less than or equal to {max}");
    Err(Fault::Field { field, message }.into())
}
