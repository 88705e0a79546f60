//! A client: signs each request, and notes what it was told.
//!
//! Invariant: what is noted here was answered; a crash can take nothing of it back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use keystead_domain::{
    Key, KeyId, KeyName, KeySpec, KeyUsage, KitId, PointKind, RecoveryPoint, RequestId, WrapLog,
};
use keystead_service::{
    AliasChange, AliasPage, ChangeAlias, ChangeKey, CreateKey, CreatePoint, Cx, DataKeyLeased,
    DataKeySource, Decrypt, DescribeKey, DrillAnswer, DrillChallenge, DrillProved, Encrypt,
    EncryptionContext, Error, Fault, Front, GenerateDataKey, GenerateLeasedDataKey, GenerateMac,
    GetPublicKey, HandOut, KeyChange, KeyPage, KeyRestored, KeyView, LeaseDataKey, Level,
    ListAliases, ListKeys, ListWraps, MessageType, PutWrap, ReEncrypt, Recorded, RestoreKey,
    RotateKey, Run, Service, Sign, UnwrapDataKey, Vaulted, Verification, Verify, VerifyMac,
    WrapOrigin, WrapPage, WrapStatement,
    sigv4::{self, RequestParts, Scope},
    status::{StatusReport, VaultStatus},
};
use keystead_testkit::Sim;
use zeroize::Zeroizing;

use crate::node::Operator;

/// What was answered so far; clones are handles on the same notes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Told>>);

/// The answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) keys: Vec<KeyView>,
    /// Keys with a change of which nobody knows, or which waits.
    pub(crate) unsure: BTreeSet<KeyId>,
    pub(crate) sealed: Vec<Sealed>,
    pub(crate) signed: Vec<Signed>,
    /// Subject → its data key.
    pub(crate) wraps: BTreeMap<String, Vec<u8>>,
    pub(crate) requests: Vec<Request>,
}

/// A plaintext and the ciphertext that was answered for it.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) key: KeyId,
    pub(crate) context: EncryptionContext,
    pub(crate) plaintext: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
}

/// A message and the signature or MAC that was answered for it.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) key: Key,
    pub(crate) message: Vec<u8>,
    pub(crate) by: Vec<u8>,
}

/// One answered request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) operation: &'static str,
    pub(crate) answer: Answer,
}

/// How it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// Refused or failed, with its event.
    Refused,
    /// It says itself that the ledger took no event, or not yet, or that nobody knows.
    Open,
}

impl Notes {
    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap()
    }

    /// The same notes, apart from these.
    pub(crate) fn copied(&self) -> Self {
        Self(Arc::new(Mutex::new(self.told().clone())))
    }

    fn answered<T>(&self, cx: &Cx, operation: &'static str, result: &Result<T, Error>) {
        let answer = match result {
            Ok(_) => Answer::Done,
            Err(Error {
                fault:
                    Fault::Ledger { .. }
                    | Fault::NotYetVaulted { .. }
                    | Fault::EffectiveNotVaulted { .. }
                    | Fault::Unknown { .. },
            }) => Answer::Open,
            Err(_) => Answer::Refused,
        };
        self.told().requests.push(Request { id: cx.request, operation, answer });
    }
}

/// A client of one node.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    service: Arc<Service>,
    operator: Arc<Operator>,
    sim: Sim,
    pub(crate) notes: Notes,
}

impl Client {
    pub(crate) fn new(
        service: &Arc<Service>,
        operator: &Arc<Operator>,
        sim: &Sim,
        notes: &Notes,
    ) -> Self {
        Self {
            service: service.clone(),
            operator: operator.clone(),
            sim: sim.clone(),
            notes: notes.clone(),
        }
    }

    /// Signs a request as a client on the wire does and lets the service verify it.
    pub(crate) fn cx(&self) -> Result<Cx, Error> {
        let date = sigv4::amz_date(self.sim.now().as_micros() / 1_000_000);
        let scope = Scope {
            date: date[..8].to_owned(),
            region: "eu-central-1".to_owned(),
            service: "kms".to_owned(),
        };
        let host = [("host", b"localhost".as_slice())];
        let body_sha256 = sigv4::body_sha256(b"{}");
        let parts = RequestParts {
            method: "POST",
            raw_path: "/",
            raw_query: "",
            headers: &host,
            body_sha256,
        };
        let operator = &self.operator;
        let signed =
            sigv4::sign(&operator.secret, &operator.access_key_id, &scope, &date, &parts).unwrap();
        let mut headers = host.to_vec();
        headers.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let claim = sigv4::claim(&RequestParts { headers: &headers, ..parts }).unwrap();
        let principal = self.service.authenticate(&claim, "kms")?;
        let source = "192.0.2.7".into();
        Ok(Cx { request: self.service.request_id(), front: Front::Aws, principal, source })
    }

    pub(crate) async fn create(&self, description: &str) -> Result<KeyView, Error> {
        self.create_under(None, description).await
    }

    pub(crate) async fn create_under(
        &self,
        idempotency_key: Option<&str>,
        description: &str,
    ) -> Result<KeyView, Error> {
        let description = description.to_owned();
        let idempotency_key = idempotency_key.map(str::to_owned);
        self.make(CreateKey { description, idempotency_key, ..CreateKey::default() }).await
    }

    /// A key of any spec.
    pub(crate) async fn create_as(
        &self,
        spec: KeySpec,
        description: &str,
    ) -> Result<KeyView, Error> {
        let description = description.to_owned();
        self.make(CreateKey { spec, description, ..CreateKey::default() }).await
    }

    async fn make(&self, command: CreateKey) -> Result<KeyView, Error> {
        let cx = self.cx()?;
        let recorded = self.service.create_key(cx.clone(), command).await;
        let result = self.noted(&cx, "CreateKey", recorded);
        if let Ok(view) = &result {
            self.notes.told().keys.push(view.clone());
        }
        result
    }

    /// Changes a key; what was answered is what must be found again.
    pub(crate) async fn change(&self, key: KeyId, change: KeyChange) -> Result<KeyView, Error> {
        let cx = self.cx()?;
        let operation = change.operation();
        let command = ChangeKey { key: KeyName::Id(key), change };
        let was_sure = self.notes.told().unsure.insert(key);
        let recorded = self.service.change_key(cx.clone(), command).await;
        let result = self.noted(&cx, operation, recorded);
        self.note_key(key, was_sure, &result);
        result
    }

    /// Gives a key a new version.
    pub(crate) async fn rotate(&self, key: KeyId) -> Result<KeyView, Error> {
        let cx = self.cx()?;
        let command = RotateKey { key: KeyName::Id(key) };
        let was_sure = self.notes.told().unsure.insert(key);
        let recorded = self.service.rotate_key(cx.clone(), command).await;
        let result = self.noted(&cx, "RotateKeyOnDemand", recorded);
        self.note_key(key, was_sure, &result);
        result
    }

    /// Makes a recovery point.
    pub(crate) async fn create_point(&self, kind: PointKind) -> Result<RecoveryPoint, Error> {
        let cx = self.cx()?;
        let recorded = self.service.create_point(cx.clone(), CreatePoint { kind }).await;
        self.noted(&cx, "CreateRecoveryPoint", recorded)
    }

    /// The inventory of recovery points.
    pub(crate) async fn points(&self) -> Vec<RecoveryPoint> {
        let cx = self.cx().unwrap();
        let recorded = self.service.list_points(cx.clone()).await;
        self.noted(&cx, "ListRecoveryPoints", recorded).unwrap()
    }

    /// Compares a key with a recovery point, and brings it back where `apply` says so.
    pub(crate) async fn restore_key(&self, command: RestoreKey) -> Result<KeyRestored, Error> {
        let cx = self.cx()?;
        let recorded = self.service.restore_key(cx.clone(), command).await;
        self.noted(&cx, "RestoreKey", recorded)
    }

    /// Begins an attended drill.
    pub(crate) async fn challenge_drill(&self, kit: KitId) -> Result<DrillChallenge, Error> {
        let cx = self.cx()?;
        let recorded = self.service.challenge_drill(cx.clone(), kit).await;
        self.noted(&cx, "ChallengeDrill", recorded)
    }

    /// Ends an attended drill.
    pub(crate) async fn prove_drill(&self, answer: DrillAnswer) -> Result<DrillProved, Error> {
        let cx = self.cx()?;
        let recorded = self.service.prove_drill(cx.clone(), answer).await;
        self.noted(&cx, "ProveDrill", recorded)
    }

    /// Verifies the vaults.
    pub(crate) async fn verify_backups(&self, level: Level) -> Result<Verification, Error> {
        let cx = self.cx()?;
        let recorded = self.service.verify_backups(cx.clone(), level).await;
        self.noted(&cx, "VerifyBackups", recorded)
    }

    /// Takes note of what a key is by now.
    pub(crate) async fn look_at(&self, key: KeyId) -> KeyView {
        let result = self.describe(key).await;
        self.note_key(key, false, &result);
        result.unwrap()
    }

    /// Makes, moves or deletes an alias.
    pub(crate) async fn alias(&self, name: &str, change: AliasChange) -> Result<(), Error> {
        let cx = self.cx()?;
        let (operation, name) = (change.operation(), name.to_owned());
        let command = ChangeAlias { name, change };
        let recorded = self.service.change_alias(cx.clone(), command).await;
        self.noted(&cx, operation, recorded)
    }

    pub(crate) async fn aliases(&self, of: Option<KeyId>) -> Result<AliasPage, Error> {
        let cx = self.cx()?;
        let command = ListAliases { key: of.map(KeyName::Id), limit: 1000, after: None };
        let recorded = self.service.list_aliases(cx.clone(), command).await;
        self.noted(&cx, "ListAliases", recorded)
    }

    /// The key that a name stands for.
    pub(crate) async fn named(&self, alias: &str) -> Result<KeyId, Error> {
        let cx = self.cx()?;
        let command = DescribeKey { key: KeyName::Alias(alias.to_owned()) };
        let recorded = self.service.describe_key(cx.clone(), command).await;
        Ok(self.noted(&cx, "DescribeKey", recorded)?.key.id)
    }

    /// Encrypts again what was noted, under a key named by its alias.
    pub(crate) async fn re_encrypt(&self, sealed: &Sealed, to: &str) -> Result<Sealed, Error> {
        let cx = self.cx()?;
        let destination_context = EncryptionContext::from([("new".to_owned(), "yes".to_owned())]);
        let command = ReEncrypt {
            ciphertext: sealed.ciphertext.clone(),
            source_context: sealed.context.clone(),
            source: Some(KeyName::Id(sealed.key)),
            destination: KeyName::Alias(to.to_owned()),
            destination_context: destination_context.clone(),
            run: Run::ForReal,
        };
        let recorded = self.service.re_encrypt(cx.clone(), command).await;
        let done = self.noted(&cx, "ReEncrypt", recorded)?;
        let next = Sealed {
            key: done.destination,
            context: destination_context,
            plaintext: sealed.plaintext.clone(),
            ciphertext: done.ciphertext,
        };
        self.notes.told().sealed.push(next.clone());
        Ok(next)
    }

    /// Takes over what is told of a key; while nothing is told, nobody is sure of it.
    fn note_key(&self, key: KeyId, was_sure: bool, result: &Result<KeyView, Error>) {
        let told = &mut *self.notes.told();
        let is_open = told.requests.last().is_some_and(|last| last.answer == Answer::Open);
        match result {
            Ok(view) => {
                told.unsure.remove(&key);
                let noted = told.keys.iter_mut().filter(|noted| noted.key.id == key);
                noted.for_each(|noted| *noted = view.clone());
            }
            Err(_) if was_sure && !is_open => drop(told.unsure.remove(&key)),
            Err(_) => {}
        }
    }

    pub(crate) async fn encrypt(&self, key: KeyId, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let cx = self.cx()?;
        let context = context();
        let command = Encrypt {
            key: KeyName::Id(key),
            plaintext: Zeroizing::new(plaintext.to_vec()),
            context: context.clone(),
            run: Run::ForReal,
        };
        let recorded = self.service.encrypt(cx.clone(), command).await;
        let done = self.noted(&cx, "Encrypt", recorded)?;
        let (plaintext, ciphertext) = (plaintext.to_vec(), done.ciphertext.clone());
        self.notes.told().sealed.push(Sealed { key, context, plaintext, ciphertext });
        Ok(done.ciphertext)
    }

    /// Does with a key what it is for.
    pub(crate) async fn use_once(&self, key: &Key, message: &[u8]) -> Result<(), Error> {
        match key.spec.usage() {
            KeyUsage::EncryptDecrypt => self.encrypt(key.id, message).await.map(drop),
            KeyUsage::SignVerify => self.sign(key, message).await.map(drop),
            KeyUsage::GenerateVerifyMac => self.mac(key, message).await.map(drop),
        }
    }

    pub(crate) async fn sign(&self, key: &Key, message: &[u8]) -> Result<Vec<u8>, Error> {
        let cx = self.cx()?;
        let command = Sign {
            key: KeyName::Id(key.id),
            message: Zeroizing::new(message.to_vec()),
            message_type: MessageType::Raw,
            algorithm: None,
            run: Run::ForReal,
        };
        let recorded = self.service.sign(cx.clone(), command).await;
        let by = self.noted(&cx, "Sign", recorded)?.signature;
        self.note_signed(key, message, &by);
        Ok(by)
    }

    pub(crate) async fn mac(&self, key: &Key, message: &[u8]) -> Result<Vec<u8>, Error> {
        let cx = self.cx()?;
        let command = GenerateMac {
            key: KeyName::Id(key.id),
            message: Zeroizing::new(message.to_vec()),
            algorithm: None,
            run: Run::ForReal,
        };
        let recorded = self.service.generate_mac(cx.clone(), command).await;
        let by = self.noted(&cx, "GenerateMac", recorded)?.mac;
        self.note_signed(key, message, &by);
        Ok(by)
    }

    fn note_signed(&self, key: &Key, message: &[u8], by: &[u8]) {
        let (key, message, by) = (key.clone(), message.to_vec(), by.to_vec());
        self.notes.told().signed.push(Signed { key, message, by });
    }

    /// Checks a signature or a MAC.
    pub(crate) async fn verify(&self, signed: &Signed) -> Result<(), Error> {
        match signed.key.spec.usage() {
            KeyUsage::GenerateVerifyMac => self.verify_mac(signed).await,
            KeyUsage::SignVerify | KeyUsage::EncryptDecrypt => self.verify_signature(signed).await,
        }
    }

    pub(crate) async fn verify_signature(&self, signed: &Signed) -> Result<(), Error> {
        let cx = self.cx()?;
        let command = Verify {
            key: KeyName::Id(signed.key.id),
            message: Zeroizing::new(signed.message.clone()),
            message_type: MessageType::Raw,
            signature: signed.by.clone(),
            algorithm: None,
            run: Run::ForReal,
        };
        let recorded = self.service.verify(cx.clone(), command).await;
        self.noted(&cx, "Verify", recorded).map(drop)
    }

    pub(crate) async fn verify_mac(&self, signed: &Signed) -> Result<(), Error> {
        let cx = self.cx()?;
        let command = VerifyMac {
            key: KeyName::Id(signed.key.id),
            message: Zeroizing::new(signed.message.clone()),
            mac: signed.by.clone(),
            algorithm: None,
            run: Run::ForReal,
        };
        let recorded = self.service.verify_mac(cx.clone(), command).await;
        self.noted(&cx, "VerifyMac", recorded).map(drop)
    }

    /// The public half of a key, as DER.
    pub(crate) async fn public_key(&self, key: KeyId) -> Result<Vec<u8>, Error> {
        let cx = self.cx()?;
        let command = GetPublicKey { key: KeyName::Id(key) };
        let recorded = self.service.public_key(cx.clone(), command).await;
        Ok(self.noted(&cx, "GetPublicKey", recorded)?.der)
    }

    pub(crate) async fn data_key(&self, key: KeyId) -> Result<Vec<u8>, Error> {
        let cx = self.cx()?;
        let context = context();
        let command = GenerateDataKey {
            key: KeyName::Id(key),
            bytes: 32,
            context: context.clone(),
            hand_out: HandOut::Both,
            run: Run::ForReal,
        };
        let recorded = self.service.generate_data_key(cx.clone(), command).await;
        let done = self.noted(&cx, "GenerateDataKey", recorded)?;
        let plaintext = done.plaintext.expect("both halves were asked for").to_vec();
        let ciphertext = done.ciphertext.clone();
        self.notes.told().sealed.push(Sealed { key, context, plaintext, ciphertext });
        Ok(done.ciphertext)
    }

    pub(crate) async fn decrypt(&self, sealed: &Sealed) -> Result<Vec<u8>, Error> {
        let cx = self.cx()?;
        let command = Decrypt {
            ciphertext: sealed.ciphertext.clone(),
            context: sealed.context.clone(),
            key: None,
            run: Run::ForReal,
        };
        let recorded = self.service.decrypt(cx.clone(), command).await;
        let done = self.noted(&cx, "Decrypt", recorded)?;
        assert_eq!(done.key, sealed.key);
        Ok(done.plaintext.to_vec())
    }

    /// Gives a subject a data key of the server's making, or finds the one it has.
    pub(crate) async fn put_wrap(&self, subject: &str) -> Result<(WrapOrigin, Vec<u8>), Error> {
        let data_key = DataKeySource::Generated { bytes: 32 };
        let (origin, plaintext) = self.put_wrap_of(subject, data_key).await?;
        let plaintext = plaintext.expect("the server's own data key is handed out");
        let told = self.notes.told().wraps.insert(subject.to_owned(), plaintext.clone());
        assert!(told.is_none_or(|told| told == plaintext), "`{subject}` got another data key");
        Ok((origin, plaintext))
    }

    /// Gives a subject this data key.
    pub(crate) async fn put_wrap_of(
        &self,
        subject: &str,
        data_key: DataKeySource,
    ) -> Result<(WrapOrigin, Option<Vec<u8>>), Error> {
        let given = match &data_key {
            DataKeySource::Given(given) => Some(given.to_vec()),
            DataKeySource::Generated { .. } => None,
        };
        let cx = self.cx()?;
        let command = PutWrap { subject: subject.parse().unwrap(), data_key };
        let recorded = self.service.put_wrap(cx.clone(), command).await;
        let put = self.noted(&cx, "PutWrap", recorded)?;
        if let Some(given) = given {
            self.notes.told().wraps.insert(subject.to_owned(), given);
        }
        Ok((put.origin, put.plaintext.map(|plaintext| plaintext.to_vec())))
    }

    pub(crate) async fn unwrap(&self, subject: &str) -> Result<Vec<u8>, Error> {
        let cx = self.cx()?;
        let recorded = self.service.unwrap_wrap(cx.clone(), subject.parse().unwrap()).await;
        Ok(self.noted(&cx, "UnwrapSubject", recorded)?.plaintext.to_vec())
    }

    pub(crate) async fn wraps(&self, after: u64, limit: usize) -> Result<WrapPage, Error> {
        let cx = self.cx()?;
        let recorded = self.service.list_wraps(cx.clone(), ListWraps { limit, after }).await;
        self.noted(&cx, "ListWraps", recorded)
    }

    pub(crate) async fn wrap_statement(&self) -> Result<WrapStatement, Error> {
        let cx = self.cx()?;
        let recorded = self.service.wrap_statement(cx.clone()).await;
        self.noted(&cx, "StateWraps", recorded)
    }

    pub(crate) async fn leased(&self, key: KeyId, lease_ms: i64) -> Result<DataKeyLeased, Error> {
        let cx = self.cx()?;
        let (key, context) = (KeyName::Id(key), context());
        let command = GenerateLeasedDataKey { key, bytes: 32, context, lease_ms };
        let recorded = self.service.generate_leased_data_key(cx.clone(), command).await;
        self.noted(&cx, "GenerateLeasedDataKey", recorded)
    }

    pub(crate) async fn lease_again(
        &self,
        ciphertext: &[u8],
        lease_ms: i64,
    ) -> Result<DataKeyLeased, Error> {
        let cx = self.cx()?;
        let command =
            LeaseDataKey { ciphertext: ciphertext.to_vec(), context: context(), lease_ms };
        let recorded = self.service.lease_data_key(cx.clone(), command).await;
        self.noted(&cx, "LeaseDataKey", recorded)
    }

    pub(crate) async fn unwrap_leased(
        &self,
        ciphertext: &[u8],
        lease: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let cx = self.cx()?;
        let (ciphertext, lease) = (ciphertext.to_vec(), lease.to_vec());
        let command = UnwrapDataKey { ciphertext, context: context(), lease };
        let recorded = self.service.unwrap_data_key(cx.clone(), command).await;
        Ok(self.noted(&cx, "UnwrapDataKey", recorded)?.plaintext.to_vec())
    }

    pub(crate) async fn list(&self) -> Result<KeyPage, Error> {
        let cx = self.cx()?;
        let recorded =
            self.service.list_keys(cx.clone(), ListKeys { limit: 1000, after: None }).await;
        self.noted(&cx, "ListKeys", recorded)
    }

    pub(crate) async fn describe(&self, key: KeyId) -> Result<KeyView, Error> {
        let cx = self.cx()?;
        let command = DescribeKey { key: KeyName::Id(key) };
        let recorded = self.service.describe_key(cx.clone(), command).await;
        self.noted(&cx, "DescribeKey", recorded)
    }

    /// Lets virtual time pass.
    pub(crate) async fn waits_ms(&self, ms: u64) {
        self.sim.sleep_ms(ms).await;
    }

    pub(crate) async fn status(&self) -> Result<StatusReport, Error> {
        let cx = self.cx()?;
        let recorded = self.service.status(cx.clone()).await;
        self.noted(&cx, "Status", recorded)
    }

    /// Waits until every change is in every vault.
    pub(crate) async fn settled(&self) {
        assert!(self.settles().await, "not settled: {:?}", self.status().await);
    }

    /// The same, where a stopped node or a vault that stays away may forbid it.
    pub(crate) async fn settled_if_it_can(&self) {
        self.settles().await;
    }

    async fn settles(&self) -> bool {
        for _ in 0..120 {
            if let Ok(status) = self.status().await {
                let current =
                    |vault: &VaultStatus| vault.state == "current" && vault.missing_segments == 0;
                if status.watermark == status.commit_seq && status.vaults.iter().all(current) {
                    return true;
                }
            }
            self.sim.sleep_ms(1_000).await;
        }
        false
    }

    /// Every acknowledged key exists, what was encrypted under it opens, what it signed verifies.
    pub(crate) async fn everything_opens(&self) {
        let Told { keys, sealed, signed, unsure, .. } = self.notes.told().clone();
        let page = self.list().await.unwrap();
        for view in keys {
            let found = page.keys.iter().find(|found| found.key.id == view.key.id);
            let found = found.unwrap_or_else(|| panic!("`{}` was acknowledged", view.key.id));
            assert_eq!(found.vaulted, Vaulted::Yes);
            assert!(found.key == view.key || unsure.contains(&view.key.id), "{found:?} {view:?}");
        }
        for sealed in sealed {
            let key = page.keys.iter().find(|found| found.key.id == sealed.key);
            let opened = self.decrypt(&sealed).await;
            match key.is_some_and(|found| found.key.state.may_open()) {
                true => assert_eq!(opened.unwrap(), sealed.plaintext),
                false => assert!(matches!(opened.unwrap_err().fault, Fault::KeyState { .. })),
            }
        }
        for signed in signed {
            let key = page.keys.iter().find(|found| found.key.id == signed.key.id);
            let verified = self.verify(&signed).await;
            match key.is_some_and(|found| found.key.state.may_open()) {
                true => verified.unwrap(),
                false => assert!(matches!(verified.unwrap_err().fault, Fault::KeyState { .. })),
            }
        }
        self.every_subject_unwraps().await;
    }

    /// Every acknowledged data key comes out again, and the registry has no gap.
    async fn every_subject_unwraps(&self) {
        let wraps = self.notes.told().wraps.clone();
        for (subject, data_key) in &wraps {
            assert_eq!(&self.unwrap(subject).await.unwrap(), data_key, "`{subject}`");
        }
        let statement = self.wrap_statement().await.unwrap().log;
        let mut log = WrapLog::empty(statement.tenant);
        loop {
            let page = self.wraps(log.count, 3).await.unwrap();
            for record in &page.records {
                log = log.followed_by(&record.facts).expect("sequences have no gaps");
            }
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(log, statement);
        assert!(log.count >= wraps.len() as u64);
    }

    fn noted<T>(
        &self,
        cx: &Cx,
        operation: &'static str,
        recorded: Recorded<Result<T, Error>>,
    ) -> Result<T, Error> {
        let result = recorded.into_inner();
        self.notes.answered(cx, operation, &result);
        result
    }
}

fn context() -> EncryptionContext {
    [("patient".to_owned(), "4711".to_owned())].into()
}
