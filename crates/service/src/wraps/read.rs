//! Reads the registry: one record, its data key, all records, their signed count.

use std::sync::Arc;

use keystead_archive::WrapStatement as Signed;
use keystead_domain::{Subject, TenantId, WrapRecord};
use zeroize::Zeroizing;

use super::{ListWraps, Unwrapped, WrapPage, WrapStatement, data_key_context, resource};
use crate::{
    Cx, Error, Fault, Service,
    audit::Deed,
    door::{Approved, Recorded, Resolved, Resource},
};

const LIMIT_MAX: usize = 1000;

impl Service {
    /// Shows a subject's record; its data key stays closed.
    pub async fn describe_wrap(
        self: &Arc<Self>,
        cx: Cx,
        subject: Subject,
    ) -> Recorded<Result<WrapRecord, Error>> {
        self.use_wrap(cx, "DescribeWrap", subject, |_, approved| Ok(approved.into_parts().0)).await
    }

    /// Opens a subject's data key.
    pub async fn unwrap_wrap(
        self: &Arc<Self>,
        cx: Cx,
        subject: Subject,
    ) -> Recorded<Result<Unwrapped, Error>> {
        self.use_wrap(cx, "UnwrapSubject", subject, |service, approved| {
            let (record, _, _) = approved.into_parts();
            let plaintext = service.open_data_key(&record)?;
            Ok(Unwrapped { record, plaintext })
        })
        .await
    }

    /// Lists the tenant's records in order of sequence.
    pub async fn list_wraps(
        self: &Arc<Self>,
        cx: Cx,
        command: ListWraps,
    ) -> Recorded<Result<WrapPage, Error>> {
        self.read_registry(cx, "ListWraps", async move |service, tenant| {
            if !(1..=LIMIT_MAX).contains(&command.limit) {
                let message = format!("Member must have value between 1 and {LIMIT_MAX}");
                return Err(Fault::Field { field: "limit", message }.into());
            }
            let mut records = service.wraps_after(tenant, command.after, command.limit + 1).await?;
            let more = records.len() > command.limit;
            records.truncate(command.limit);
            let next = records.last().filter(|_| more).map(|record| record.facts.sequence);
            Ok(WrapPage { records, next })
        })
        .await
    }

    /// Says, signed by this node, how many records there are and what their chain is.
    pub async fn wrap_statement(
        self: &Arc<Self>,
        cx: Cx,
    ) -> Recorded<Result<WrapStatement, Error>> {
        self.read_registry(cx, "StateWraps", async move |service, tenant| {
            let log = service.vaulted_wrap_log(tenant).await?;
            let statement = Signed {
                instance: service.instance.id,
                incarnation: service.instance.incarnation,
                tenant,
                count: log.count,
                chain: log.chain,
                at: service.ports.clock.now(),
            };
            let signed = statement.issue(&service.sealing().signer).map_err(|_| Fault::Internal)?;
            Ok(WrapStatement { log, signed })
        })
        .await
    }

    /// Opens a record's data key and makes sure that it is the one that was put.
    pub(super) fn open_data_key(&self, record: &WrapRecord) -> Result<Zeroizing<Vec<u8>>, Error> {
        let facts = &record.facts;
        let corrupt = || Fault::Corrupt { what: format!("the data key of `{}`", facts.id) };
        let keys = self.tenants.get(&facts.tenant).ok_or_else(corrupt)?;
        let place = data_key_context(facts.tenant, facts.id);
        let opened = keys.master.open(&place, &record.data_key).map_err(|_| corrupt())?;
        let check = keystead_domain::WrapFacts::key_check(facts.id, &opened);
        let same = keystead_crypto::hash::same(&check, &facts.key_check);
        if same { Ok(opened) } else { Err(corrupt().into()) }
    }

    /// A use of one record: resolved by its subject, then through the door.
    async fn use_wrap<T: Send + 'static>(
        self: &Arc<Self>,
        cx: Cx,
        operation: &'static str,
        subject: Subject,
        act: impl FnOnce(&Self, Approved<WrapRecord>) -> Result<T, Error> + Send + 'static,
    ) -> Recorded<Result<T, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), operation, async move {
            let (tenant, revision) = (cx.principal.tenant, service.progress.applied.at());
            let found = match service.may_act() {
                Ok(()) => service.vaulted_wrap(tenant, &subject).await,
                Err(fenced) => Err(fenced),
            };
            let at = found.as_ref().map_or_else(
                |_| Resource::tenant(tenant),
                |record| resource(tenant, record.facts.id, Some(record)),
            );
            let result = found
                .and_then(|record| Resolved::new(record, at, revision).authorise(&cx, operation))
                .and_then(|authorised| act(&service, authorised.approve()));
            let deed = Deed { operation, resource: Some(at) };
            service.record(&cx, deed, revision, result).await
        })
        .await
    }

    /// Reads more than one record, through the door.
    async fn read_registry<T: Send + 'static, F>(
        self: &Arc<Self>,
        cx: Cx,
        operation: &'static str,
        act: impl FnOnce(Arc<Self>, TenantId) -> F + Send + 'static,
    ) -> Recorded<Result<T, Error>>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let service = self.clone();
        self.carry_out(cx.clone(), operation, async move {
            let (tenant, revision) = (cx.principal.tenant, service.progress.applied.at());
            let at = Resource::tenant(tenant);
            let passed = service
                .may_act()
                .and_then(|()| Resolved::new(tenant, at, revision).authorise(&cx, operation));
            let result = match passed {
                Ok(authorised) => {
                    let (tenant, _, _) = authorised.approve().into_parts();
                    act(service.clone(), tenant).await
                }
                Err(refused) => Err(refused),
            };
            let deed = Deed { operation, resource: Some(at) };
            service.record(&cx, deed, revision, result).await
        })
        .await
    }
}
