//! Keys as aggregates: create, describe, list.

mod again;
mod create;
mod describe;

use keystead_domain::{Key, KeyId, Kind};
use keystead_store::{AggregateRef, Stored};

use crate::{Cx, Error, Fault, service::Service};

impl Service {
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
