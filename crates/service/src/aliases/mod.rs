//! Aliases: made, moved, deleted, listed; found by everybody in the keyring.
//!
//! Invariant: a name is unique within its tenant, held so by a unique index and not by looking
//! first. Deleting one acts at its commit; making or moving one acts below the watermark.

mod change;
mod list;

use keystead_domain::{Alias, AliasName, KeyName, Kind, TenantId};
use keystead_store::{Index, IndexEntry, Scan, Stored};

use crate::{Error, Fault, Service, door::Resource};

/// Changes what a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeAlias {
    /// The name with its `alias/`, as the caller wrote it.
    pub name: String,
    /// How.
    pub change: AliasChange,
}

/// What can be done with an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AliasChange {
    /// Make it.
    Create {
        /// The key that it will name.
        target: KeyName,
    },
    /// Let it name another key.
    Update {
        /// Which.
        target: KeyName,
    },
    /// Let it name nothing; acts at once.
    Delete,
}

/// Lists aliases in order of name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAliases {
    /// Those of this key alone.
    pub key: Option<KeyName>,
    /// 1 to 1,000.
    pub limit: usize,
    /// Start behind this name.
    pub after: Option<String>,
}

/// One page of aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasPage {
    /// In order of name.
    pub aliases: Vec<Alias>,
    /// Behind which name the next page begins, if there is one.
    pub next: Option<String>,
}

impl AliasChange {
    /// Its name in the ledger, which is AWS's.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CreateAlias",
            Self::Update { .. } => "UpdateAlias",
            Self::Delete => "DeleteAlias",
        }
    }
}

impl Service {
    /// The newest committed row of a name.
    async fn alias_row(
        &self,
        tenant: TenantId,
        name: &AliasName,
    ) -> Result<Option<(Alias, Stored)>, Error> {
        let prefix = index_value(tenant, name);
        let scan = Scan::Index { index: Index::AliasName, prefix, after: None, limit: 1 };
        let rows = self.ports.store.scan(scan).await.map_err(Fault::from)?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        Ok(Some((self.read_alias(&row)?, row)))
    }

    pub(crate) fn read_alias(&self, row: &Stored) -> Result<Alias, Error> {
        let corrupt = || Fault::Corrupt { what: "an alias".to_owned() };
        let keys = self.tenants.get(&row.tenant).ok_or_else(corrupt)?;
        let body = keys.open_body(row).map_err(|_| corrupt())?;
        Ok(Alias::from_body(&body).map_err(|_| corrupt())?)
    }
}

/// What an alias is to the door and to the ledger.
fn resource(alias: &Alias) -> Resource {
    let id = *alias.id.as_bytes();
    Resource { kind: Kind::Alias, id, tenant: alias.tenant, version: None }
}

/// The index entries of an alias.
pub(crate) fn alias_index(alias: &Alias) -> Vec<IndexEntry> {
    let value = index_value(alias.tenant, &alias.name);
    vec![IndexEntry { index: Index::AliasName, value }]
}

/// The length makes no name the beginning of another's entry.
fn index_value(tenant: TenantId, name: &AliasName) -> Vec<u8> {
    let mut w = keystead_crypto::bytes::Writer::new();
    w.raw(tenant.as_bytes()).text(name.as_str());
    w.finish()
}
