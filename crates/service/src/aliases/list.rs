//! ListAliases: from the keyring, in order of name.

use std::{ops::Bound, sync::Arc};

use keystead_domain::{Alias, KeyId};

use super::{AliasPage, ListAliases};
use crate::{
    Cx, Error, Fault, Service,
    audit::Deed,
    door::{Recorded, Resolved, Resource},
    keyring::Snapshot,
};

const OPERATION: &str = "ListAliases";
const LIMIT_MAX: usize = 1000;

impl Service {
    /// Lists the caller's aliases in order of name.
    pub async fn list_aliases(
        self: &Arc<Self>,
        cx: Cx,
        command: ListAliases,
    ) -> Recorded<Result<AliasPage, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), OPERATION, async move {
            let resource = Resource::tenant(cx.principal.tenant);
            let snapshot = service.keyring.snapshot();
            let result = Resolved::new((), resource, snapshot.revision)
                .authorise(&cx, OPERATION)
                .and_then(|_| service.may_act())
                .and_then(|()| page(&cx, &snapshot, &command));
            let deed = Deed { operation: OPERATION, resource: Some(resource) };
            service.record(&cx, deed, snapshot.revision, result).await
        })
        .await
    }
}

fn page(cx: &Cx, snapshot: &Snapshot, command: &ListAliases) -> Result<AliasPage, Error> {
    if !(1..=LIMIT_MAX).contains(&command.limit) {
        let message = format!("Member must have value between 1 and {LIMIT_MAX}");
        return Err(Fault::Field { field: "limit", message }.into());
    }
    let tenant = cx.principal.tenant;
    let of: Option<KeyId> = match &command.key {
        None => None,
        Some(name) => {
            let key = snapshot.key_id(name, tenant)?;
            snapshot.key(key, tenant).ok_or(Fault::NoKey { key })?;
            Some(key)
        }
    };
    let after = command.after.clone().unwrap_or_default();
    let from = Bound::Excluded((tenant, after));
    let mut aliases: Vec<Alias> = snapshot
        .aliases
        .range::<_, (keystead_domain::TenantId, String)>((from, Bound::Unbounded))
        .take_while(|((owner, _), _)| *owner == tenant)
        .filter(|(_, alias)| of.is_none_or(|of| alias.target == of))
        .take(command.limit + 1)
        .map(|(_, alias)| Alias::clone(alias))
        .collect();
    let more = aliases.len() > command.limit;
    aliases.truncate(command.limit);
    let next = aliases.last().filter(|_| more).map(|alias| alias.name.to_string());
    Ok(AliasPage { aliases, next })
}
