//! The running service: what every use case shares.
//!
//! Invariant: made only by `start`, after seal, database, journal and vaults have agreed with each
//! other. Each operation outlives its caller, so that a client that goes away cancels nothing.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use keystead_crypto::{Secret, VerifyingKey};
use keystead_domain::{Account, Instance, NodeId, RequestId};
use keystead_ledger::Attributes;

use crate::{
    CallerIdentity, Cx, Error, Fault, Front, LedgerFault, Principal,
    audit::{Audit, Deed},
    authenticate::SigningScope,
    door::{Recorded, Resolved, Resource},
    keyring::Keyring,
    keys::{Destroying, LateAnswers},
    kits::Challenges,
    lru::Lru,
    metrics::{Census, Metrics},
    outliving::Outliving,
    points::PointNumbers,
    ports::Ports,
    progress::Progress,
    proofs::Proofs,
    shipper::{ChainEnd, Sealing, Shipper},
    start::{AuditDurability, Upkeep},
    tenants::Tenants,
    tiles::LedgerShipper,
    vaults::VaultSet,
    wraps::WrapWriter,
};

/// How long an answer waits for its event to be in the vaults, in milliseconds.
const EVENT_WAIT_MS: u64 = 10_000;

/// A serving node.
#[derive(Debug)]
pub struct Service {
    pub(crate) ports: Ports,
    pub(crate) instance: Instance,
    pub(crate) node: NodeId,
    pub(crate) root: VerifyingKey,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) set: Arc<VaultSet>,
    pub(crate) shipper: Arc<Shipper>,
    pub(crate) audit: Audit,
    pub(crate) signing_keys: Lru<SigningScope, Arc<Secret<32>>>,
    pub(crate) challenges: Challenges,
    pub(crate) wraps: WrapWriter,
    pub(crate) ledger: Arc<LedgerShipper>,
    pub(crate) durability: AuditDurability,
    pub(crate) late: LateAnswers,
    pub(crate) destroying: Destroying,
    pub(crate) proofs: Proofs,
    pub(crate) point_numbers: PointNumbers,
    pub(crate) upkeep: Upkeep,
    /// The change with which this incarnation's base ends.
    pub(crate) base: ChainEnd,
    /// What a check of the whole journal found damaged.
    pub(crate) journal_damage: OnceLock<String>,
    /// Held by the one act that changes roots, kits or epochs.
    pub(crate) root_acts: tokio::sync::Mutex<()>,
    /// What was last counted of everything.
    pub(crate) census: RwLock<Option<Arc<Census>>>,
    pub(crate) stopping: AtomicBool,
    /// Stands in for the secret of access keys that do not exist.
    pub(crate) no_secret: Secret<40>,
}

/// What a front could not parse or authenticate.
#[derive(Debug)]
pub struct Refusal {
    /// The request's id.
    pub request: RequestId,
    /// Through which front it came.
    pub front: Front,
    /// What was asked, as far as it is known; else empty.
    pub operation: String,
    /// From where.
    pub source: Arc<str>,
    /// Who asked, where that was proved.
    pub principal: Option<Arc<Principal>>,
    /// What the caller will be told.
    pub error: Error,
}

impl Service {
    /// The account that ARNs show.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.instance.account
    }

    /// What this node has done since it started.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.ports.metrics
    }

    /// Says that this node will stop soon: whoever sends it requests should send them elsewhere.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// What seals and signs at present.
    pub(crate) fn sealing(&self) -> Arc<Sealing> {
        self.shipper.sealing()
    }

    /// A new request id.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        RequestId::random(&self.ports.entropy)
    }

    /// Records what a front refused by itself: one event where the caller was proved, a counted
    /// summary where not.
    pub async fn refuse(self: &Arc<Self>, refusal: Refusal) -> Recorded<Error> {
        let Refusal { request, front, operation, source, principal, error } = refusal;
        let Some(principal) = principal else {
            self.metrics().unproven(front, &error);
            self.audit.count_unproven(&self.tenants, &source);
            return Recorded::after_sync(error);
        };
        let cx = Cx { request, front, principal, source };
        let deed = Deed { operation: &operation, resource: None };
        let refused: Result<(), Error> = Err(error);
        let recorded = self.record(&cx, deed, self.progress.applied.at(), refused).await;
        let error = recorded.into_inner().err().unwrap_or_else(|| Fault::Internal.into());
        self.metrics().answered(front, &operation, Some(&error), None);
        Recorded::after_sync(error)
    }

    /// Says who the caller is.
    pub async fn caller_identity(
        self: &Arc<Self>,
        cx: Cx,
    ) -> Recorded<Result<CallerIdentity, Error>> {
        self.tell(cx, "GetCallerIdentity", |cx| CallerIdentity {
            account: cx.principal.account.clone(),
            user: cx.principal.id,
            name: cx.principal.name.clone(),
        })
        .await
    }

    /// Lets the caller read what a front says of itself.
    pub async fn describe_api(self: &Arc<Self>, cx: Cx) -> Recorded<Result<(), Error>> {
        self.tell(cx, "DescribeApi", |_| ()).await
    }

    /// Answers a caller's question from what is known of the caller alone.
    async fn tell<T: Send + 'static>(
        self: &Arc<Self>,
        cx: Cx,
        operation: &'static str,
        answer: impl FnOnce(&Cx) -> T + Send + 'static,
    ) -> Recorded<Result<T, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), operation, async move {
            let resource = Resource::tenant(cx.principal.tenant);
            let revision = service.progress.applied.at();
            let allowed = Resolved::new((), resource, revision).authorise(&cx, operation);
            let result = allowed.map(|_| answer(&cx));
            let deed = Deed { operation, resource: Some(resource) };
            service.record(&cx, deed, revision, result).await
        })
        .await
    }

    /// Records an outcome, then makes sure that this node may still answer.
    pub(crate) async fn record<T>(
        &self,
        cx: &Cx,
        deed: Deed<'_>,
        revision: u64,
        result: Result<T, Error>,
    ) -> Recorded<Result<T, Error>> {
        self.record_saying(cx, deed, revision, Attributes::new(), result).await
    }

    /// The same, where the event says more than what was done to what.
    pub(crate) async fn record_saying<T>(
        &self,
        cx: &Cx,
        deed: Deed<'_>,
        revision: u64,
        said: Attributes,
        result: Result<T, Error>,
    ) -> Recorded<Result<T, Error>> {
        let audit = &self.audit;
        let recorded =
            audit.record_use(&self.ports, &self.tenants, cx, (deed, revision, said), result).await;
        if let Err(late) = self.event_vaulted().await {
            return Recorded::after_sync(Err(late));
        }
        match self.may_act() {
            Ok(()) => recorded,
            Err(fenced) => Recorded::after_sync(Err(fenced)),
        }
    }

    /// Where events must be in the vaults before an answer: waits until all that are synced are.
    async fn event_vaulted(&self) -> Result<(), Error> {
        if self.durability == AuditDurability::Local {
            return Ok(());
        }
        let size = self.ports.journal.head().size;
        match self.ledger.wait(&*self.ports.clock, size, EVENT_WAIT_MS).await {
            true => Ok(()),
            false => Err(Fault::Ledger { reason: LedgerFault::NotVaulted }.into()),
        }
    }

    /// Records an outcome that a fenced node may tell too: its status.
    pub(crate) async fn record_unfenced<T>(
        &self,
        cx: &Cx,
        deed: Deed<'_>,
        revision: u64,
        result: Result<T, Error>,
    ) -> Recorded<Result<T, Error>> {
        let audit = &self.audit;
        let said = Attributes::new();
        audit.record_use(&self.ports, &self.tenants, cx, (deed, revision, said), result).await
    }

    /// Does this node still hold the instance?
    pub(crate) fn may_act(&self) -> Result<(), Error> {
        Ok(self.set.fence.check(self.ports.clock.monotonic_ms())?)
    }

    /// Carries an operation out, whether or not its caller stays; one that panicked is recorded as
    /// such.
    pub(crate) fn carry_out<T: Send + 'static, W>(
        self: &Arc<Self>,
        cx: Cx,
        operation: &'static str,
        work: W,
    ) -> impl Future<Output = Recorded<Result<T, Error>>> + Send + use<T, W>
    where
        W: Future<Output = Recorded<Result<T, Error>>> + Send + 'static,
    {
        let (front, service) = (cx.front, self.clone());
        let (running, begun_us) = (self.ports.metrics.begin(), self.ports.clock.monotonic_us());
        let counted = async move {
            let recorded = work.await;
            let took_us = service.ports.clock.monotonic_us().saturating_sub(begun_us);
            let error = recorded.look().as_ref().err();
            service.metrics().answered(front, operation, error, Some(took_us));
            drop(running);
            recorded
        };
        // In its box before anybody waits: the futures around it would each have room for it.
        let outliving = Outliving::new(operation, self.ports.tasks.clone(), counted);
        let service = self.clone();
        async move {
            match outliving.await {
                Ok(recorded) => recorded,
                Err(_) => Box::pin(service.record_panic(&cx, operation)).await,
            }
        }
    }

    async fn record_panic<T>(
        &self,
        cx: &Cx,
        operation: &'static str,
    ) -> Recorded<Result<T, Error>> {
        let deed = Deed { operation, resource: None };
        let revision = self.progress.applied.at();
        let fault: Error = Fault::Internal.into();
        self.metrics().answered(cx.front, operation, Some(&fault), None);
        self.record(cx, deed, revision, Err(fault)).await
    }
}
