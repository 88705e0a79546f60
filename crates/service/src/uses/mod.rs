//! Uses of keys: encrypt, decrypt, data keys, signatures, MACs. They read one keyring snapshot;
//! only the first use of a key asks the database, for its sealed material.
//!
//! Invariant: a use is decided and executed on the same snapshot, its event names that snapshot's
//! revision, and the answer waits for the event.

mod data_key;
mod decrypt;
mod encrypt;
mod lease;
mod mac;
mod random;
mod re_encrypt;
mod sign;
mod steps;

pub use lease::{
    DEFAULT_LEASE_MS, DataKeyLeased, GenerateLeasedDataKey, LEASE_MAX_MS, Lease, LeaseDataKey,
    UnwrapDataKey,
};
pub use mac::{GenerateMac, MacGenerated, MacVerified, VerifyMac};
pub use sign::{
    GetPublicKey, MessageType, PublicKeyShown, Sign, SignatureVerified, SignedMessage, Verify,
};

use std::{future::Future, sync::Arc};

use keystead_domain::{KeyId, KeyName, KeyUsage, Kind, VersionId};
use keystead_ledger::Attributes;

use crate::{
    Cx, DataKeyGenerated, Decrypt, Decrypted, Encrypt, Encrypted, Error, Fault, GenerateDataKey,
    GenerateRandom, RandomBytes, ReEncrypt, ReEncrypted, Run,
    audit::Deed,
    door::{Approved, Recorded, Resolved, Resource},
    keyring::{KeyEntry, OpenedKey, Snapshot},
    service::Service,
};

/// The longest message that is encrypted, signed or given a MAC, in bytes.
pub(crate) const MESSAGE_MAX: usize = 4096;

/// A command that uses a key.
pub(crate) trait Use: Sized + Send + 'static {
    const OPERATION: &'static str;
    type Done: Send + 'static;

    /// Finds what it is about.
    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error>;

    /// What its event says beyond what it is about.
    fn said(&self, _: &Cx, _: &Snapshot) -> Attributes {
        Attributes::new()
    }

    /// Whether it is for real.
    fn run(&self) -> Run;

    /// Does it. It waits for nothing but the first opening of a key.
    fn act(
        service: &Service,
        cx: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> impl Future<Output = Result<Self::Done, Error>> + Send;
}

impl Service {
    /// Encrypts at most 4,096 bytes.
    pub async fn encrypt(
        self: &Arc<Self>,
        cx: Cx,
        command: Encrypt,
    ) -> Recorded<Result<Encrypted, Error>> {
        self.use_key(cx, command).await
    }

    /// Decrypts what Encrypt or GenerateDataKey made.
    pub async fn decrypt(
        self: &Arc<Self>,
        cx: Cx,
        command: Decrypt,
    ) -> Recorded<Result<Decrypted, Error>> {
        self.use_key(cx, command).await
    }

    /// Makes a random data key and encrypts it.
    pub async fn generate_data_key(
        self: &Arc<Self>,
        cx: Cx,
        command: GenerateDataKey,
    ) -> Recorded<Result<DataKeyGenerated, Error>> {
        self.use_key(cx, command).await
    }

    /// Encrypts again what was encrypted, without showing it.
    pub async fn re_encrypt(
        self: &Arc<Self>,
        cx: Cx,
        command: ReEncrypt,
    ) -> Recorded<Result<ReEncrypted, Error>> {
        self.use_key(cx, command).await
    }

    /// Makes random bytes.
    pub async fn generate_random(
        self: &Arc<Self>,
        cx: Cx,
        command: GenerateRandom,
    ) -> Recorded<Result<RandomBytes, Error>> {
        self.use_key(cx, command).await
    }

    /// Makes a random data key that opens through leases alone.
    pub async fn generate_leased_data_key(
        self: &Arc<Self>,
        cx: Cx,
        command: GenerateLeasedDataKey,
    ) -> Recorded<Result<DataKeyLeased, Error>> {
        self.use_key(cx, command).await
    }

    /// Opens a leased data key again under a new lease.
    pub async fn lease_data_key(
        self: &Arc<Self>,
        cx: Cx,
        command: LeaseDataKey,
    ) -> Recorded<Result<DataKeyLeased, Error>> {
        self.use_key(cx, command).await
    }

    /// Opens a leased data key under a lease that has not ended.
    pub async fn unwrap_data_key(
        self: &Arc<Self>,
        cx: Cx,
        command: UnwrapDataKey,
    ) -> Recorded<Result<DataKeyLeased, Error>> {
        self.use_key(cx, command).await
    }

    /// Signs at most 4,096 bytes, or a digest.
    pub async fn sign(
        self: &Arc<Self>,
        cx: Cx,
        command: Sign,
    ) -> Recorded<Result<SignedMessage, Error>> {
        self.use_key(cx, command).await
    }

    /// Checks a signature; one that does not hold is refused.
    pub async fn verify(
        self: &Arc<Self>,
        cx: Cx,
        command: Verify,
    ) -> Recorded<Result<SignatureVerified, Error>> {
        self.use_key(cx, command).await
    }

    /// Shows the public half of a key.
    pub async fn public_key(
        self: &Arc<Self>,
        cx: Cx,
        command: GetPublicKey,
    ) -> Recorded<Result<PublicKeyShown, Error>> {
        self.use_key(cx, command).await
    }

    /// Makes a MAC of at most 4,096 bytes.
    pub async fn generate_mac(
        self: &Arc<Self>,
        cx: Cx,
        command: GenerateMac,
    ) -> Recorded<Result<MacGenerated, Error>> {
        self.use_key(cx, command).await
    }

    /// Checks a MAC; one that does not hold is refused.
    pub async fn verify_mac(
        self: &Arc<Self>,
        cx: Cx,
        command: VerifyMac,
    ) -> Recorded<Result<MacVerified, Error>> {
        self.use_key(cx, command).await
    }

    fn use_key<C: Use>(
        self: &Arc<Self>,
        cx: Cx,
        command: C,
    ) -> impl Future<Output = Recorded<Result<C::Done, Error>>> + Send + use<C> {
        let service = self.clone();
        let within = cx.clone();
        self.carry_out(cx, C::OPERATION, async move {
            let snapshot = service.keyring.snapshot();
            let found = match command.resolve(&within, &snapshot) {
                Ok(found) => Ok(found),
                Err(error) => Err(service.explain(&within, error).await),
            };
            let deed = Deed { operation: C::OPERATION, resource: found.as_ref().ok().copied() };
            let said = command.said(&within, &snapshot);
            let result = match found {
                Ok(at) => service.pass_door(&within, command, at, &snapshot).await,
                Err(error) => Err(error),
            };
            if let (Ok(_), Some(at)) = (&result, deed.resource) {
                service.count_use(at, C::OPERATION);
            }
            service.record_saying(&within, deed, snapshot.revision, said, result).await
        })
    }

    /// Counts what was carried out under a key.
    fn count_use(&self, at: Resource, operation: &'static str) {
        if at.kind == Kind::Key {
            self.metrics().key_used(KeyId::from_bytes(at.id), operation);
        }
    }

    async fn pass_door<C: Use>(
        &self,
        cx: &Cx,
        command: C,
        resource: Resource,
        snapshot: &Snapshot,
    ) -> Result<C::Done, Error> {
        self.may_act()?;
        let run = command.run();
        let resolved = Resolved::new(command, resource, snapshot.revision);
        let approved = resolved.authorise(cx, C::OPERATION)?.approve();
        // A dry run is done and thrown away: else it would promise what would then be refused.
        let done = C::act(self, cx, snapshot, approved).await?;
        match run {
            Run::ForReal => Ok(done),
            Run::Dry => Err(Fault::DryRun.into()),
        }
    }
}

impl Service {
    /// The opened key of one version.
    pub(crate) async fn open_key(
        &self,
        entry: &KeyEntry,
        version: VersionId,
    ) -> Result<Arc<OpenedKey>, Error> {
        self.keyring.open(&*self.ports.store, &self.tenants, entry, version).await
    }
}

/// The key that a caller names, in the caller's own tenant.
pub(crate) fn find<'a>(
    cx: &Cx,
    snapshot: &'a Snapshot,
    name: &KeyName,
) -> Result<&'a Arc<KeyEntry>, Error> {
    let tenant = cx.principal.tenant;
    let key = snapshot.key_id(name, tenant)?;
    snapshot.key(key, tenant).ok_or_else(|| Fault::NoKey { key }.into())
}

/// A key under which new data may be protected now.
pub(crate) fn protecting(service: &Service, entry: &KeyEntry) -> Result<(), Error> {
    if !entry.state.may_protect() {
        return Err(Fault::KeyState { key: entry.id, state: entry.state }.into());
    }
    if !entry.may_protect(service.ports.clock.now()) {
        return Err(Fault::KeyExpired { key: entry.id }.into());
    }
    Ok(())
}

/// A key that is there to be used so, whatever its state.
pub(crate) fn meant_for(
    key: &KeyEntry,
    usage: KeyUsage,
    operation: &'static str,
) -> Result<(), Error> {
    if key.spec.usage() == usage {
        return Ok(());
    }
    Err(Fault::KeyUsage { key: key.id, spec: key.spec, operation }.into())
}

/// A key that may check or open what it made.
pub(crate) fn opening(key: &KeyEntry) -> Result<(), Error> {
    if key.state.may_open() {
        return Ok(());
    }
    Err(Fault::KeyState { key: key.id, state: key.state }.into())
}

/// The entry that a resource was resolved to, on the same snapshot.
pub(crate) fn resolved<'a>(snapshot: &'a Snapshot, at: &Resource) -> Result<&'a KeyEntry, Error> {
    let id = KeyId::from_bytes(at.id);
    snapshot.key(id, at.tenant).map(|entry| &**entry).ok_or_else(|| Fault::NoKey { key: id }.into())
}

/// Refuses a length outside `1..=max`, in the words that AWS clients know.
pub(crate) fn length(field: &'static str, len: usize, max: usize) -> Result<(), Error> {
    let bound = match len {
        0 => "greater than or equal to 1".to_owned(),
        _ if len > max => format!("less than or equal to {max}"),
        _ => return Ok(()),
    };
    Err(Fault::Field { field, message: format!("Member must have length {bound}") }.into())
}
