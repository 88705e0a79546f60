//! Puts a subject's data key: sealed here, written by the one writer, answered when vaulted.
//!
//! Invariant: a request that is repeated, its first answer lost or not, gets the same data key; so
//! a crash between two attempts never leaves a document under a key that nobody can find.

use std::sync::Arc;

use keystead_crypto::hash::same;
use keystead_domain::{DATA_KEY_BYTES, WrapFacts, WrapId, WrapRecord};
use zeroize::Zeroizing;

use super::{
    DataKeySource, PutWrap, WrapOrigin, WrapPut, data_key_context, resource,
    writer::{Draft, Written},
};
use crate::{
    Cx, Error, Fault, Service,
    audit::{Deed, state_event},
    commit::WAIT_MS,
    door::{Approved, Recorded, Resolved, Resource},
};

const OPERATION: &str = "PutWrap";

/// What came of the writing, before the answer may go out.
struct Outcome {
    written: Written,
    given: bool,
    data_key: Zeroizing<Vec<u8>>,
}

impl Service {
    /// Gives a subject its data key, or finds the one it has.
    pub async fn put_wrap(
        self: &Arc<Self>,
        cx: Cx,
        command: PutWrap,
    ) -> Recorded<Result<WrapPut, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), OPERATION, async move {
            let (at, revision) =
                (Resource::tenant(cx.principal.tenant), service.progress.applied.at());
            let approved = service
                .may_act()
                .and_then(|()| check(&command.data_key))
                .and_then(|()| Resolved::new(command, at, revision).authorise(&cx, OPERATION))
                .map(crate::door::Authorised::approve);
            let outcome = match approved {
                Ok(approved) => service.write_data_key(&cx, approved).await,
                Err(refused) => Err(refused),
            };
            match outcome {
                Ok(outcome) => service.answer_put(&cx, revision, outcome).await,
                Err(error) => {
                    let deed = Deed { operation: OPERATION, resource: Some(at) };
                    service.record(&cx, deed, revision, Err(error)).await
                }
            }
        })
        .await
    }

    async fn write_data_key(
        self: &Arc<Self>,
        cx: &Cx,
        approved: Approved<PutWrap>,
    ) -> Result<Outcome, Error> {
        let (PutWrap { subject, data_key }, at, _) = approved.into_parts();
        let entropy = &self.ports.entropy;
        let (given, data_key) = match data_key {
            DataKeySource::Given(data_key) => (true, data_key),
            DataKeySource::Generated { bytes } => {
                let mut fresh = Zeroizing::new(vec![0; bytes]);
                entropy.fill(&mut fresh);
                (false, fresh)
            }
        };
        let (id, tenant) = (WrapId::random(entropy), at.tenant);
        let keys = self.tenants.get(&tenant).ok_or(Fault::Internal)?;
        let sealed = keys.master.seal(entropy, &data_key_context(tenant, id), &data_key);
        let deed = Deed { operation: OPERATION, resource: Some(resource(tenant, id, None)) };
        let event = state_event(self.ports.clock.now(), &self.tenants, cx, deed);
        let key_check = WrapFacts::key_check(id, &data_key);
        let draft = Draft { id, subject, key_check, data_key: sealed, event };
        let written = self.write_wrap(tenant, draft).await?;
        Ok(Outcome { written, given, data_key })
    }

    async fn answer_put(
        &self,
        cx: &Cx,
        revision: u64,
        outcome: Outcome,
    ) -> Recorded<Result<WrapPut, Error>> {
        let Outcome { written, given, data_key } = outcome;
        match written {
            Written::Made(record, made) => {
                let plaintext = (!given).then_some(data_key);
                self.settled(made, WrapPut { record, origin: WrapOrigin::Made, plaintext }).await
            }
            Written::Found(record, commit_seq) => {
                let at = resource(record.facts.tenant, record.facts.id, Some(&record));
                let deed = Deed { operation: OPERATION, resource: Some(at) };
                let found = self.found(record, commit_seq, given.then_some(data_key)).await;
                self.record(cx, deed, revision, found).await
            }
        }
    }

    /// The record that is there, once it is vaulted: a repeated request waits for the first one's
    /// change.
    async fn found(
        &self,
        record: WrapRecord,
        commit_seq: u64,
        given: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<WrapPut, Error> {
        if !self.progress.applied.wait(&*self.ports.clock, commit_seq, WAIT_MS).await {
            return Err(self.not_yet_vaulted(commit_seq).await);
        }
        let plaintext = match given {
            None => Some(self.open_data_key(&record)?),
            Some(given) => {
                let check = WrapFacts::key_check(record.facts.id, &given);
                if !same(&check, &record.facts.key_check) {
                    let subject = record.facts.subject.to_string();
                    return Err(Fault::OtherDataKey { subject }.into());
                }
                None
            }
        };
        Ok(WrapPut { record, origin: WrapOrigin::Found, plaintext })
    }
}

fn check(data_key: &DataKeySource) -> Result<(), Error> {
    let (field, bytes) = match data_key {
        DataKeySource::Given(data_key) => ("data_key", data_key.len()),
        DataKeySource::Generated { bytes } => ("bytes", *bytes),
    };
    if DATA_KEY_BYTES.contains(&bytes) {
        return Ok(());
    }
    let (min, max) = DATA_KEY_BYTES.into_inner();
    let message = format!("a data key has {min} to {max} bytes, not {bytes}");
    Err(Fault::Field { field, message }.into())
}
