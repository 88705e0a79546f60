//! Kits of a running instance: made with the custodian's client, proven by opening, revoked.
//!
//! Invariant: neither seed nor passphrase crosses the wire. A kit is proven when its holder opens a
//! challenge that was sealed to the epoch in force, which takes the kit's slot and nothing less.
//! Root acts ask the seal again, and what they open lives for that act alone.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
};

use crate::{
    Cx, Error, Fault, NewKit, Service,
    audit::{Deed, state_event, state_event_with},
    commit::{Made, commit_known},
    door::{Recorded, Resolved, Resource},
    drills::GivenTask,
    found::{SEAL_FILE, file},
    incarnation::{Epoch, Named, new_epoch, recipient_set, slot_table},
    init::{kit_row, sign_kit},
    ports::blocking,
    shipper::Sealing,
    start::scan_all,
    vaults::{object_name, put_quorum},
};
use keystead_archive::{EpochRecord, KitRequest, RecipientSet, SlotPlace, names};
use keystead_crypto::{
    Entropy, RecipientKey, RecipientSeed, Roots, SealFailed, Secret, Signature, SigningKey,
    VerifyingKey, hash::same,
};
use keystead_domain::{ChangeId, EpochId, Instance, Kind, Kit, KitId, Timestamp};
use keystead_ledger::Attributes;
use keystead_store::{AggregateRef, ChangeSet, Expected, Loaded, Put};

const CHALLENGES_MAX: usize = 256;
/// HPKE info of a challenge to a kit's holder.
const CHALLENGE_INFO: &str = "keystead/v1/hpke/kit-challenge/";

/// Challenges that were handed out and not yet answered; the oldest go first.
#[derive(Debug, Default)]
pub(crate) struct Challenges(Mutex<BTreeMap<(Timestamp, [u8; 32]), Purpose>>);

/// What a challenge was handed out for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To prove possession of a new kit.
    NewKit,
    /// To prove that a kit opens an epoch; the answer is this.
    Opens { kit: KitId, epoch: EpochId, answer: [u8; 32] },
    /// The same, and to do with recovered keys what the running ones do.
    Drill { kit: KitId, epoch: EpochId, answer: [u8; 32], tasks: Vec<GivenTask> },
}

/// A new kit as its maker sends it.
#[derive(Debug, Clone)]
pub struct CreateKit {
    /// Its id.
    pub kit: KitId,
    /// Its public half: an X-Wing public key.
    pub public: Vec<u8>,
    /// The Ed25519 key that verifies its proofs of possession.
    pub proof_key: [u8; 32],
    /// The challenge that the server gave.
    pub challenge: [u8; 32],
    /// The kit's signature over it.
    pub proof: [u8; 64],
    /// The program that makes the kit, as its header will name it.
    pub program: String,
}

/// What the maker of a kit needs to finish and prove it.
#[derive(Debug, Clone)]
pub struct KitCreated {
    /// The root-signed statement: the kit's header.
    pub statement: Vec<u8>,
    /// The vaults, for the printed sheet.
    pub vaults: Vec<String>,
    /// What to open next.
    pub challenge: KitChallenge,
}

/// Opened by a kit's holder through the slot table, it proves the kit.
#[derive(Debug, Clone)]
pub struct KitChallenge {
    /// Names the challenge in the answer.
    pub id: [u8; 32],
    /// The root-signed record of the epoch in force.
    pub epoch: Vec<u8>,
    /// Its root-signed slot table.
    pub slots: Vec<u8>,
    /// 32 bytes sealed to the epoch.
    pub sealed: Vec<u8>,
}

impl KitChallenge {
    /// Opens the challenge with a kit's private half; the holder's side.
    ///
    /// # Errors
    /// [`keystead_archive::ObjectRefused`] where table, record or kit do not fit.
    pub fn open(
        &self,
        seed: &RecipientSeed,
        root: &VerifyingKey,
    ) -> Result<[u8; 32], keystead_archive::ObjectRefused> {
        let record = EpochRecord::verify(&self.epoch, root)?;
        let table = keystead_archive::SlotTable::verify(&self.slots, root)?;
        let epoch = table.open(seed, &record)?;
        let answer = epoch.open(CHALLENGE_INFO, &self.id, &self.sealed)?;
        answer.as_slice().try_into().map_err(|_| keystead_crypto::OpenFailed.into())
    }
}

/// A proof that a kit opens the epoch in force.
#[derive(Debug, Clone)]
pub struct ProveKit {
    /// Which kit.
    pub kit: KitId,
    /// Which challenge.
    pub challenge: [u8; 32],
    /// What was sealed in it.
    pub answer: [u8; 32],
}

/// A kit that opens nothing new any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitRevoked {
    /// Which.
    pub kit: KitId,
    /// The epoch that begins without it.
    pub epoch: EpochId,
    /// What a copy of the kit could still open: the epochs before.
    pub still_opens: Vec<EpochId>,
}

impl Challenges {
    fn hand_out(&self, entropy: &Entropy, now: Timestamp, purpose: Purpose) -> [u8; 32] {
        let id = entropy.array();
        let open = &mut *self.0.lock().expect("no code panics while it holds this lock");
        open.insert((now, id), purpose);
        while open.len() > CHALLENGES_MAX {
            open.pop_first();
        }
        id
    }

    /// Takes a challenge out: each is answered at most once, rightly or wrongly.
    pub(crate) fn take(&self, id: &[u8; 32]) -> Option<Purpose> {
        let open = &mut *self.0.lock().expect("no code panics while it holds this lock");
        let key = *open.keys().find(|(_, other)| other == id)?;
        open.remove(&key)
    }
}

impl Service {
    /// A challenge for the maker of a new kit.
    pub async fn kit_challenge(self: &Arc<Self>, cx: Cx) -> Recorded<Result<[u8; 32], Error>> {
        self.kit_act(cx, "ChallengeNewKit", |service, _| async move {
            let now = service.ports.clock.now();
            Ok(service.challenges.hand_out(&service.ports.entropy, now, Purpose::NewKit))
        })
        .await
    }

    /// Takes a new kit into the recipient set and signs its header.
    pub async fn create_kit(
        self: &Arc<Self>,
        cx: Cx,
        command: CreateKit,
    ) -> Recorded<Result<KitCreated, Error>> {
        self.kit_change(cx, "CreateKit", |service, cx| async move {
            service.new_kit(&cx, command).await
        })
        .await
    }

    /// Hands out a challenge that only a holder of the kit can open.
    pub async fn challenge_kit(
        self: &Arc<Self>,
        cx: Cx,
        kit: KitId,
    ) -> Recorded<Result<KitChallenge, Error>> {
        self.kit_act(
            cx,
            "ChallengeKit",
            move |service, _| async move { service.challenge(kit).await },
        )
        .await
    }

    /// Records that a kit opened the epoch in force.
    pub async fn prove_kit(
        self: &Arc<Self>,
        cx: Cx,
        command: ProveKit,
    ) -> Recorded<Result<Kit, Error>> {
        self.kit_change(
            cx,
            "ProveKit",
            |service, cx| async move { service.proven(&cx, &command).await },
        )
        .await
    }

    /// All kits, revoked ones too, in order of id.
    pub async fn list_kits(self: &Arc<Self>, cx: Cx) -> Recorded<Result<Vec<Kit>, Error>> {
        self.kit_act(cx, "ListKits", |service, _| async move { service.all_kits().await }).await
    }

    /// Takes a kit out of the recipient set and begins an epoch that it does not open.
    pub async fn revoke_kit(
        self: &Arc<Self>,
        cx: Cx,
        kit: KitId,
    ) -> Recorded<Result<KitRevoked, Error>> {
        self.kit_change(cx, "RevokeKit", move |service, cx| async move {
            service.revoke(&cx, kit).await
        })
        .await
    }

    /// One act that changes nothing, through the door.
    pub(crate) async fn kit_act<T: Send + 'static, F>(
        self: &Arc<Self>,
        cx: Cx,
        operation: &'static str,
        act: impl FnOnce(Arc<Self>, Cx) -> F + Send + 'static,
    ) -> Recorded<Result<T, Error>>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let service = self.clone();
        self.carry_out(cx.clone(), operation, async move {
            let (resource, revision) = service.tenant_of(&cx);
            let result = match service.pass(&cx, operation) {
                Ok(()) => act(service.clone(), cx.clone()).await,
                Err(refused) => Err(refused),
            };
            let deed = Deed { operation, resource: Some(resource) };
            service.record(&cx, deed, revision, result).await
        })
        .await
    }

    /// One act that changes the state: its event is the change's own, and the answer waits for it.
    pub(crate) async fn kit_change<T: Send + 'static, F>(
        self: &Arc<Self>,
        cx: Cx,
        operation: &'static str,
        act: impl FnOnce(Arc<Self>, Cx) -> F + Send + 'static,
    ) -> Recorded<Result<T, Error>>
    where
        F: Future<Output = Result<(Made, T), Error>> + Send + 'static,
    {
        let service = self.clone();
        self.carry_out(cx.clone(), operation, async move {
            let (resource, revision) = service.tenant_of(&cx);
            let made = match service.pass(&cx, operation) {
                Ok(()) => {
                    // One change of the recipient set at a time.
                    let _turn = service.root_acts.lock().await;
                    act(service.clone(), cx.clone()).await
                }
                Err(refused) => Err(refused),
            };
            match made {
                Ok((at, answer)) => service.settled(at, answer).await,
                Err(error) => {
                    let deed = Deed { operation, resource: Some(resource) };
                    service.record(&cx, deed, revision, Err(error)).await
                }
            }
        })
        .await
    }

    fn tenant_of(&self, cx: &Cx) -> (Resource, u64) {
        (Resource::tenant(cx.principal.tenant), self.progress.applied.at())
    }

    fn pass(&self, cx: &Cx, operation: &'static str) -> Result<(), Error> {
        self.may_act()?;
        let (resource, revision) = self.tenant_of(cx);
        Resolved::new((), resource, revision).authorise(cx, operation)?.approve().into_parts();
        Ok(())
    }

    async fn all_kits(&self) -> Result<Vec<Kit>, Error> {
        let rows = scan_all(&self.ports, Kind::Kit).await.map_err(Fault::from)?;
        rows.iter().map(|row| self.system_body(row, Kit::from_body)).collect()
    }

    pub(crate) fn system_body<T, M>(
        &self,
        row: &keystead_store::Stored,
        read: impl Fn(&[u8]) -> Result<T, M>,
    ) -> Result<T, Error> {
        let corrupt = || Error::from(Fault::Corrupt { what: row.aggregate.kind.to_string() });
        let system = self.tenants.get(&self.instance.system_tenant).ok_or_else(corrupt)?;
        let body = system.open_body(row).map_err(|_| corrupt())?;
        read(&body).map_err(|_| corrupt())
    }

    /// Asks the seal, off the threads that answer.
    pub(crate) async fn roots(&self) -> Result<Roots, Error> {
        let (disk, seal) = (self.ports.disk.clone(), self.ports.seal.clone());
        let open = move || -> Result<Roots, Fault> {
            let slot = disk.read(&file(SEAL_FILE)).map_err(|_| Fault::SealAway)?;
            seal.open(&slot.ok_or(Fault::SealAway)?).map_err(|_: SealFailed| Fault::SealAway)
        };
        Ok(blocking(&*self.ports.tasks, open).await.ok_or(Fault::Internal)??)
    }

    async fn new_kit(&self, cx: &Cx, command: CreateKit) -> Result<(Made, KitCreated), Error> {
        let CreateKit { kit, public, proof_key, challenge, proof, program } = command;
        let public = RecipientKey::from_bytes(&public).map_err(|_| Fault::Field {
            field: "public",
            message: "not an X-Wing public key".to_owned(),
        })?;
        let (proof_key, proof) = (VerifyingKey(proof_key), Signature(proof));
        let request = KitRequest { kit, public: public.clone(), proof_key };
        let handed_out = self.challenges.take(&challenge) == Some(Purpose::NewKit);
        if !handed_out || request.verify(&challenge, &proof).is_err() {
            return Err(Fault::KitProof.into());
        }
        let mut kits = self.all_kits().await?;
        if kits.iter().any(|other| other.id == kit) {
            return Err(Fault::Contended.into());
        }
        let now = self.ports.clock.now();
        let new = NewKit { id: kit, public, proof_key };
        let row = kit_row(&new, now);
        kits.push(row.clone());
        let roots = self.roots().await?;
        let act = RootAct::new(self, roots)?;
        let tables = act.publish(self, &kits).await?;
        let statement = sign_kit(&act.root, self.instance.id, &new, now, &program);
        let change_of = KitChange { kit: (&row, Expected::Absent), tables: &tables, epoch: None };
        let committed = self.commit_kits(cx, now, "CreateKit", &change_of).await?;
        let challenge = self.challenge_with(kit, tables.slots(&act.current()));
        let vaults = self.instance.vaults.iter().map(|vault| vault.url.clone()).collect();
        Ok((committed, KitCreated { statement, vaults, challenge: challenge? }))
    }

    async fn challenge(&self, kit: KitId) -> Result<KitChallenge, Error> {
        let slots = self.slots_for(kit).await?;
        self.challenge_with(kit, slots)
    }

    /// The slot table in force, for a kit that is in it.
    async fn slots_for(&self, kit: KitId) -> Result<Vec<u8>, Error> {
        let known = self.all_kits().await?;
        if !known.iter().any(|other| other.id == kit && other.revoked_at.is_none()) {
            return Err(Fault::Nothing { what: "kit", name: kit.to_string() }.into());
        }
        let sealing = self.sealing();
        let number = self.recipients_number().await?;
        let name = names::slots(self.instance.id, sealing.epoch, number);
        self.read_from_vaults(&name).await
    }

    /// A challenge of a drill, with its tasks.
    pub(crate) async fn drill_challenge(
        &self,
        kit: KitId,
        tasks: Vec<GivenTask>,
    ) -> Result<KitChallenge, Error> {
        let (slots, sealing) = (self.slots_for(kit).await?, self.sealing());
        let answer: [u8; 32] = self.ports.entropy.array();
        let purpose = Purpose::Drill { kit, epoch: sealing.epoch, answer, tasks };
        Ok(self.sealed_challenge(slots, &answer, purpose))
    }

    fn challenge_with(&self, kit: KitId, slots: Vec<u8>) -> Result<KitChallenge, Error> {
        let answer: [u8; 32] = self.ports.entropy.array();
        let purpose = Purpose::Opens { kit, epoch: self.sealing().epoch, answer };
        Ok(self.sealed_challenge(slots, &answer, purpose))
    }

    fn sealed_challenge(
        &self,
        slots: Vec<u8>,
        answer: &[u8; 32],
        purpose: Purpose,
    ) -> KitChallenge {
        let (entropy, sealing) = (&self.ports.entropy, self.sealing());
        let id = self.challenges.hand_out(entropy, self.ports.clock.now(), purpose);
        let sealed = sealing.epoch_public.seal(entropy, CHALLENGE_INFO, &id, answer);
        KitChallenge { id, epoch: sealing.epoch_record.clone(), slots, sealed }
    }

    async fn read_from_vaults(&self, name: &str) -> Result<Vec<u8>, Error> {
        for member in &self.set.members {
            if let Ok(Some(bytes)) = member.vault.read(&object_name(name)).await {
                return Ok(bytes);
            }
        }
        Err(Fault::VaultsAway { confirmed: 0, needed: 1 }.into())
    }

    async fn proven(&self, cx: &Cx, command: &ProveKit) -> Result<(Made, Kit), Error> {
        let Some(Purpose::Opens { kit, epoch, answer }) = self.challenges.take(&command.challenge)
        else {
            return Err(Fault::KitProof.into());
        };
        if kit != command.kit || !same(&answer, &command.answer) {
            return Err(Fault::KitProof.into());
        }
        self.note_proof(cx, (kit, epoch), "ProveKit", Attributes::new()).await
    }

    /// Writes into the inventory that a kit opened an epoch.
    pub(crate) async fn note_proof(
        &self,
        cx: &Cx,
        (kit, epoch): (KitId, EpochId),
        operation: &'static str,
        said: Attributes,
    ) -> Result<(Made, Kit), Error> {
        let now = self.ports.clock.now();
        let at = AggregateRef { kind: Kind::Kit, id: *kit.as_bytes() };
        let id = ChangeId::random(&self.ports.entropy);
        let decide = |loaded: &Loaded| {
            let gone = || Error::from(Fault::Nothing { what: "kit", name: kit.to_string() });
            let row = loaded.stored(&at).ok_or_else(gone)?;
            let mut kit = self.system_body(row, Kit::from_body)?;
            kit.proven = Some((epoch, now));
            let mut set = ChangeSet::new(id, now);
            let deed = Deed { operation, resource: Some(Resource::tenant(cx.principal.tenant)) };
            set.events.push(state_event_with(now, &self.tenants, cx, deed, said.clone()));
            set.puts.push(self.system_put(Kind::Kit, &at.id, loaded.expected(&at), &kit.to_body()));
            Ok((set, kit))
        };
        commit_known(&self.ports, &[at], decide).await
    }

    async fn revoke(&self, cx: &Cx, kit: KitId) -> Result<(Made, KitRevoked), Error> {
        let now = self.ports.clock.now();
        let mut kits = self.all_kits().await?;
        let known = kits.iter_mut().find(|other| other.id == kit && other.revoked_at.is_none());
        let Some(known) = known else {
            return Err(Fault::Nothing { what: "kit", name: kit.to_string() }.into());
        };
        known.revoked_at = Some(now);
        let row = known.clone();
        if kits.iter().all(|kit| kit.revoked_at.is_some()) {
            return Err(Fault::LastKit { kit }.into());
        }
        let mut act = RootAct::new(self, self.roots().await?)?;
        let still_opens: Vec<EpochId> = act.epochs.iter().map(|epoch| epoch.id).collect();
        act.begin_epoch(self, now);
        let tables = act.publish(self, &kits).await?;
        act.reseal(self).await?;
        let epoch = act.current();
        let expected = self.revision_of(kit).await?;
        let change_of = KitChange { kit: (&row, expected), tables: &tables, epoch: Some(epoch) };
        let committed = self.commit_kits(cx, now, "RevokeKit", &change_of).await?;
        self.use_epoch(&act, &tables);
        Ok((committed, KitRevoked { kit, epoch, still_opens }))
    }

    async fn revision_of(&self, kit: KitId) -> Result<Expected, Error> {
        let at = AggregateRef { kind: Kind::Kit, id: *kit.as_bytes() };
        let found = self.ports.store.load(&[at]).await.map_err(Fault::from)?;
        let row = found.into_iter().flatten().next();
        Ok(row.map_or(Expected::Absent, |row| Expected::Revision(row.revision)))
    }

    /// The number of the recipient set in force.
    pub(crate) async fn recipients_number(&self) -> Result<u64, Error> {
        let rows = scan_all(&self.ports, Kind::RecipientSet).await.map_err(Fault::from)?;
        let row = rows.first().ok_or(Fault::Corrupt { what: "recipient set".to_owned() })?;
        self.system_body(row, |bytes| RecipientSet::verify(bytes, &self.root).map(|set| set.number))
    }

    /// Commits the inventory, the recipient set and, with a new epoch, its record and the settings.
    async fn commit_kits(
        &self,
        cx: &Cx,
        now: Timestamp,
        operation: &'static str,
        change_of: &KitChange<'_>,
    ) -> Result<Made, Error> {
        let KitChange { kit: (kit, kit_expected), tables, epoch } = change_of;
        let id = ChangeId::random(&self.ports.entropy);
        let set_at = AggregateRef { kind: Kind::RecipientSet, id: *self.instance.id.as_bytes() };
        let instance_at = AggregateRef { kind: Kind::Instance, id: *self.instance.id.as_bytes() };
        let decide = |loaded: &Loaded| {
            let mut set = self.kit_set(cx, id, now, operation);
            let body = kit.to_body();
            set.puts.push(self.system_put(Kind::Kit, kit.id.as_bytes(), *kit_expected, &body));
            let expected = loaded.expected(&set_at);
            set.puts.push(self.system_put(set_at.kind, &set_at.id, expected, &tables.set));
            if let Some(epoch) = *epoch {
                let record = &tables.epoch_record;
                let put = self.system_put(Kind::Epoch, epoch.as_bytes(), Expected::Absent, record);
                set.puts.push(put);
                let row = loaded.stored(&instance_at).ok_or(Fault::Internal)?;
                let mut instance = self.system_body(row, Instance::from_body)?;
                instance.epoch = epoch;
                let (expected, body) = (loaded.expected(&instance_at), instance.to_body());
                let put = self.system_put(Kind::Instance, &instance_at.id, expected, &body);
                set.puts.push(put);
            }
            Ok((set, ()))
        };
        let (made, ()) = commit_known(&self.ports, &[set_at, instance_at], decide).await?;
        Ok(made)
    }

    fn kit_set(&self, cx: &Cx, id: ChangeId, now: Timestamp, operation: &'static str) -> ChangeSet {
        let mut set = ChangeSet::new(id, now);
        let deed = Deed { operation, resource: Some(Resource::tenant(cx.principal.tenant)) };
        set.events.push(state_event(now, &self.tenants, cx, deed));
        set
    }

    pub(crate) fn system_put(
        &self,
        kind: Kind,
        id: &[u8; 16],
        expected: Expected,
        body: &[u8],
    ) -> Put {
        let tenant = self.instance.system_tenant;
        let keys = self.tenants.get(&tenant).expect("start opened the system tenant");
        let body = keys.seal_body(&self.ports.entropy, kind, id, expected.next(), body);
        let aggregate = AggregateRef { kind, id: *id };
        Put { aggregate, tenant, expected, body, index: Vec::new() }
    }

    /// From here on copies and segments are sealed to the new epoch.
    fn use_epoch(&self, act: &RootAct, tables: &Tables) {
        let epoch = act.epochs.last().expect("an act has the epoch that it began");
        let present = self.sealing();
        let next = Sealing {
            signer: present.signer.clone(),
            epoch: epoch.id,
            epoch_public: epoch.seed.public(),
            epoch_record: tables.epoch_record.clone(),
            recipient_set_hash: RecipientSet::hash(&tables.set),
        };
        *self.shipper.sealing.write().expect("no code panics while it holds this lock") =
            Arc::new(next);
    }
}

/// The roots, opened for one act.
struct RootAct {
    root: SigningKey,
    epochs: Vec<Epoch>,
    roots: Roots,
}

/// One change of the inventory and what follows from it.
struct KitChange<'a> {
    kit: (&'a Kit, Expected),
    tables: &'a Tables,
    /// The epoch that begins with it.
    epoch: Option<EpochId>,
}

/// What an act has put into the vaults.
struct Tables {
    set: Vec<u8>,
    epoch_record: Vec<u8>,
    slots: BTreeMap<EpochId, Vec<u8>>,
}

impl Tables {
    fn slots(&self, epoch: &EpochId) -> Vec<u8> {
        self.slots.get(epoch).cloned().unwrap_or_default()
    }
}

impl RootAct {
    fn new(service: &Service, roots: Roots) -> Result<Self, Error> {
        let root = SigningKey::from_seed(copy(&roots.root_signing));
        if root.public() != service.root {
            return Err(Fault::SealAway.into());
        }
        let epochs = roots
            .epochs
            .iter()
            .map(|(id, seed)| Epoch {
                id: EpochId::from_bytes(*id),
                record: Vec::new(),
                seed: RecipientSeed::new(copy(seed)),
            })
            .collect();
        Ok(Self { root, epochs, roots })
    }

    /// The epoch in force, once this act is done.
    fn current(&self) -> EpochId {
        self.epochs.last().expect("an instance has an epoch").id
    }

    fn begin_epoch(&mut self, service: &Service, now: Timestamp) {
        let number = service.sealing().epoch_number(&service.root);
        let previous = Some((self.current(), number));
        let id = service.instance.id;
        let epoch = new_epoch(&service.ports.entropy, &self.root, id, previous, now);
        self.roots.epochs.push((*epoch.id.as_bytes(), copy(epoch.seed.secret())));
        self.epochs.push(epoch);
    }

    /// Signs and puts recipient set and slot tables for these kits, under the next number.
    async fn publish(&self, service: &Service, kits: &[Kit]) -> Result<Tables, Error> {
        let (id, entropy) = (service.instance.id, &service.ports.entropy);
        let number = free_number(service).await?;
        let set = recipient_set(&self.root, &service.instance, number, kits);
        let recipient_set_hash = RecipientSet::hash(&set);
        let mut objects =
            vec![Named { name: names::recipients(id, number), bytes: set.clone().into() }];
        let mut slots = BTreeMap::new();
        for epoch in &self.epochs {
            let place = SlotPlace { instance: id, epoch: epoch.id, number, recipient_set_hash };
            let table = slot_table(entropy, &self.root, place, epoch, kits);
            let name = names::slots(id, epoch.id, number);
            objects.push(Named { name, bytes: table.clone().into() });
            slots.insert(epoch.id, table);
        }
        let newest = self.epochs.last().expect("an instance has an epoch");
        let epoch_record = match newest.record.is_empty() {
            true => service.sealing().epoch_record.clone(),
            false => newest.record.clone(),
        };
        if !newest.record.is_empty() {
            let bytes = epoch_record.clone().into();
            objects.push(Named { name: names::epoch(id, newest.id), bytes });
        }
        for object in objects {
            let name = object_name(&object.name);
            put_quorum(&service.ports, &service.set, &name, object.bytes).await?;
        }
        Ok(Tables { set, epoch_record, slots })
    }

    /// Writes the seal slot with the new epoch in it.
    async fn reseal(&self, service: &Service) -> Result<(), Error> {
        let (disk, seal) = (service.ports.disk.clone(), service.ports.seal.clone());
        let entropy = service.ports.entropy.clone();
        let roots = duplicate(&self.roots);
        let write = move || -> Result<(), Fault> {
            let slot = seal.close(&entropy, &roots).map_err(|_| Fault::SealAway)?;
            disk.replace(&file(SEAL_FILE), &slot).map_err(|_| Fault::SealAway)
        };
        Ok(blocking(&*service.ports.tasks, write).await.ok_or(Fault::Internal)??)
    }
}

/// The next number that no vault which answers knows: an interrupted act may have used some.
async fn free_number(service: &Service) -> Result<u64, Error> {
    let mut number = service.recipients_number().await? + 1;
    while service.read_from_vaults(&names::recipients(service.instance.id, number)).await.is_ok() {
        number += 1;
    }
    Ok(number)
}

fn copy(secret: &Secret<32>) -> Secret<32> {
    secret.expose(|raw| Secret::from_slice(raw).expect("32 bytes"))
}

fn duplicate(roots: &Roots) -> Roots {
    Roots {
        instance: roots.instance,
        root_wrap_id: roots.root_wrap_id,
        root_wrap: copy(&roots.root_wrap),
        root_signing: copy(&roots.root_signing),
        epochs: roots.epochs.iter().map(|(id, seed)| (*id, copy(seed))).collect(),
    }
}
