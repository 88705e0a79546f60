//! CreateAlias, UpdateAlias, DeleteAlias and ListAliases: wire to command, result to wire.
//!
//! Invariant: an alias names a key and never another alias; whether a name may be one is the
//! service's to say.

use keystead_domain::{Account, KeyName};
use keystead_service::{AliasChange, AliasPage, ChangeAlias, ListAliases};

use super::{
    manage::managed,
    members::{Members, key_name},
    place::Place,
    unread::Unread,
};
use crate::json::JsonText;

const DEFAULT_LIMIT: i64 = 50;
const NO_ALIAS: &str = "Aliases must refer to keys. Not aliases";

/// CreateAlias and UpdateAlias.
pub(super) fn target(
    body: &[u8],
    account: &Account,
    change: impl FnOnce(KeyName) -> AliasChange,
) -> Result<ChangeAlias, Unread> {
    let mut members = Members::parse(body)?;
    let name = alias_name(&mut members)?;
    let target = members.text("TargetKeyId", "targetKeyId", (1, 2048))?;
    if target.is_none() {
        members.shape.missing("targetKeyId");
    }
    members.finish()?;
    match key_name(&target.unwrap_or_default(), account)? {
        KeyName::Alias(_) => Err(Unread::validation(NO_ALIAS)),
        target @ KeyName::Id(_) => Ok(ChangeAlias { name, change: change(target) }),
    }
}

pub(super) fn delete(body: &[u8]) -> Result<ChangeAlias, Unread> {
    let mut members = Members::parse(body)?;
    let name = alias_name(&mut members)?;
    members.finish()?;
    Ok(ChangeAlias { name, change: AliasChange::Delete })
}

pub(super) fn list(body: &[u8], account: &Account) -> Result<ListAliases, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.key_id()?;
    let paging = members.paging(DEFAULT_LIMIT, 1000)?;
    members.finish()?;
    let key = key.map(|key| managed(&key, account)).transpose()?;
    let after = match paging.marker {
        Some(marker) if !marker.starts_with("alias/") => return Err(Unread::Marker),
        marker => marker,
    };
    Ok(ListAliases { key, limit: paging.limit, after })
}

pub(super) fn page(page: &AliasPage, place: &Place) -> JsonText {
    JsonText::object(0, |o| {
        o.list("Aliases", &page.aliases, |o, alias| {
            let name = alias.name.as_str();
            o.text("AliasName", name).text("AliasArn", &place.alias(name));
            o.text("TargetKeyId", &keystead_domain::uuid(alias.target));
            o.seconds("CreationDate", alias.created_at.as_micros());
            o.seconds("LastUpdatedDate", alias.updated_at.as_micros());
        });
        if let Some(next) = &page.next {
            o.text("NextMarker", next);
        }
        o.truth("Truncated", page.next.is_some());
    })
}

fn alias_name(members: &mut Members) -> Result<String, Unread> {
    let name = members.text("AliasName", "aliasName", (1, 256))?;
    match &name {
        None => members.shape.missing("aliasName"),
        Some(name) => {
            let lawful = |c: u8| c.is_ascii_alphanumeric() || b":/_-".contains(&c);
            members.shape.pattern("aliasName", name, "^[a-zA-Z0-9:/_-]+$", lawful);
        }
    }
    Ok(name.unwrap_or_default())
}
