//! Leased data keys: a data key whose ciphertext opens only through a lease that has not ended.
//!
//! Invariant: the lease bounds the handle, not the ciphertext: unwrapping under an ended lease is
//! refused, and the same ciphertext opens under a new lease at any time. Its kind is in the
//! ciphertext's AAD, so that Decrypt is no way around. A lease is sealed under the tenant's master
//! key: nothing is stored, any node can read it, and a restore ends all of them.

use keystead_crypto::{
    CipherContext, CipherKind, Lease as LeaseContent, SealContext, Sealed,
    bytes::{Malformed, Reader, Writer},
    message_id,
};
use keystead_domain::{KeyId, KeyName, KeyUsage, PrincipalId, TenantId, Timestamp};
use zeroize::Zeroizing;

use super::{Use, data_key, decrypt, encrypt::seal, meant_for, resolved, steps};
use crate::{
    Cx, EncryptionContext, Error, Fault, Run,
    door::{Approved, Resource},
    keyring::Snapshot,
    service::Service,
};

/// How long a lease lasts where the caller does not say, in milliseconds: 15 minutes.
pub const DEFAULT_LEASE_MS: i64 = 15 * 60 * 1000;
/// How long a lease may last, in milliseconds: a day.
pub const LEASE_MAX_MS: i64 = 24 * 60 * 60 * 1000;
const LEASE_VERSION: u8 = 1;

/// Makes a random data key that opens through leases alone, and the first lease of it.
#[derive(Debug)]
pub struct GenerateLeasedDataKey {
    /// Under which key.
    pub key: KeyName,
    /// 1 to 1,024 bytes.
    pub bytes: usize,
    /// Bound to the ciphertext.
    pub context: EncryptionContext,
    /// 1,000 to [`LEASE_MAX_MS`].
    pub lease_ms: i64,
}

/// Opens a leased data key again under a new lease.
#[derive(Debug)]
pub struct LeaseDataKey {
    /// As [`GenerateLeasedDataKey`] made it.
    pub ciphertext: Vec<u8>,
    /// As it was then.
    pub context: EncryptionContext,
    /// 1,000 to [`LEASE_MAX_MS`].
    pub lease_ms: i64,
}

/// Opens a leased data key under a lease that has not ended.
#[derive(Debug)]
pub struct UnwrapDataKey {
    /// As [`GenerateLeasedDataKey`] made it.
    pub ciphertext: Vec<u8>,
    /// As it was then.
    pub context: EncryptionContext,
    /// The lease as it was handed out.
    pub lease: Vec<u8>,
}

/// A handle on a leased data key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What to send with [`UnwrapDataKey`].
    pub token: Vec<u8>,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
}

/// A leased data key, opened.
pub struct DataKeyLeased {
    /// Under which key.
    pub key: KeyId,
    /// The ciphertext, where it is new.
    pub ciphertext: Vec<u8>,
    /// The data key.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Under which lease.
    pub lease: Lease,
}

impl std::fmt::Debug for DataKeyLeased {
    /// Names the type and nothing in it: it holds plaintext.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKeyLeased(…)")
    }
}

impl Use for GenerateLeasedDataKey {
    const OPERATION: &'static str = "GenerateLeasedDataKey";
    type Done = DataKeyLeased;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        data_key::check_bytes("bytes", self.bytes)?;
        check_lease(self.lease_ms)?;
        steps::current(cx, snapshot, &self.key)
    }

    fn run(&self) -> Run {
        Run::ForReal
    }

    async fn act(
        service: &Service,
        cx: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<DataKeyLeased, Error> {
        let (command, at, _) = approved.into_parts();
        let entry = resolved(snapshot, &at)?;
        meant_for(entry, KeyUsage::EncryptDecrypt, Self::OPERATION)?;
        let mut plaintext = Zeroizing::new(vec![0; command.bytes]);
        service.ports.entropy.fill(&mut plaintext);
        let kind = CipherKind::LeasedDataKey;
        let ciphertext = seal(service, entry, kind, &command.context, &plaintext).await?;
        let lease = grant(service, cx, &ciphertext, command.lease_ms)?;
        Ok(DataKeyLeased { key: entry.id, ciphertext, plaintext, lease })
    }
}

impl Use for LeaseDataKey {
    const OPERATION: &'static str = "LeaseDataKey";
    type Done = DataKeyLeased;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        check_lease(self.lease_ms)?;
        decrypt::named(cx, snapshot, &self.ciphertext)
    }

    fn run(&self) -> Run {
        Run::ForReal
    }

    async fn act(
        service: &Service,
        cx: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<DataKeyLeased, Error> {
        let (command, at, _) = approved.into_parts();
        let LeaseDataKey { ciphertext, context, lease_ms } = command;
        let plaintext = open(service, snapshot, &at, &ciphertext, &context).await?;
        let lease = grant(service, cx, &ciphertext, lease_ms)?;
        Ok(DataKeyLeased { key: KeyId::from_bytes(at.id), ciphertext, plaintext, lease })
    }
}

impl Use for UnwrapDataKey {
    const OPERATION: &'static str = "UnwrapDataKey";
    type Done = DataKeyLeased;

    fn resolve(&self, cx: &Cx, snapshot: &Snapshot) -> Result<Resource, Error> {
        decrypt::named(cx, snapshot, &self.ciphertext)
    }

    fn run(&self) -> Run {
        Run::ForReal
    }

    async fn act(
        service: &Service,
        cx: &Cx,
        snapshot: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<DataKeyLeased, Error> {
        let (command, at, _) = approved.into_parts();
        let UnwrapDataKey { ciphertext, context, lease } = command;
        // The lease first: an ended one says nothing about the ciphertext.
        let expires_at = held(service, cx, &ciphertext, &lease)?;
        let plaintext = open(service, snapshot, &at, &ciphertext, &context).await?;
        let lease = Lease { token: lease, expires_at };
        Ok(DataKeyLeased { key: KeyId::from_bytes(at.id), ciphertext, plaintext, lease })
    }
}

fn check_lease(lease_ms: i64) -> Result<(), Error> {
    if (1_000..=LEASE_MAX_MS).contains(&lease_ms) {
        return Ok(());
    }
    let message = format!("Member must have value between 1 and {}", LEASE_MAX_MS / 1000);
    Err(Fault::Field { field: "lease_seconds", message }.into())
}

async fn open(
    service: &Service,
    snapshot: &Snapshot,
    at: &Resource,
    ciphertext: &[u8],
    context: &EncryptionContext,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let kind = CipherKind::LeasedDataKey;
    let context = CipherContext::new(kind, at.tenant.as_bytes(), context);
    Ok(decrypt::open(service, snapshot, at, &context, ciphertext).await?.1)
}

fn grant(service: &Service, cx: &Cx, ciphertext: &[u8], lease_ms: i64) -> Result<Lease, Error> {
    let tenant = cx.principal.tenant;
    let expires_at = service.ports.clock.now().plus_ms(lease_ms);
    let keys = service.tenants.get(&tenant).ok_or(Fault::Internal)?;
    let place = place(tenant, ciphertext)?;
    let mut w = Writer::new();
    w.u8(LEASE_VERSION);
    cx.principal.id.write(&mut w);
    w.i64(expires_at.as_micros());
    let token: Sealed<LeaseContent> = keys.master.seal(&service.ports.entropy, &place, &w.finish());
    Ok(Lease { token: token.as_bytes().to_vec(), expires_at })
}

/// When the lease ends, where it is this principal's of this data key and has not ended.
fn held(service: &Service, cx: &Cx, ciphertext: &[u8], lease: &[u8]) -> Result<Timestamp, Error> {
    let tenant = cx.principal.tenant;
    let keys = service.tenants.get(&tenant).ok_or(Fault::Internal)?;
    let token = Sealed::<LeaseContent>::from_bytes(lease.to_vec()).map_err(|_| Fault::Lease)?;
    let opened = keys.master.open(&place(tenant, ciphertext)?, &token).map_err(|_| Fault::Lease)?;
    let (of, expires_at) = read(&opened).map_err(|_| Fault::Lease)?;
    match (of == cx.principal.id, service.ports.clock.now() < expires_at) {
        (true, true) => Ok(expires_at),
        (true, false) => Err(Fault::LeaseExpired.into()),
        (false, _) => Err(Fault::Lease.into()),
    }
}

fn read(lease: &[u8]) -> Result<(PrincipalId, Timestamp), Malformed> {
    let mut r = Reader::new(lease);
    match r.u8()? {
        LEASE_VERSION => {}
        found => {
            let (found, known) = (found.into(), LEASE_VERSION.into());
            return Err(Malformed::Version { what: "lease", found, known });
        }
    }
    let read = (PrincipalId::read(&mut r)?, Timestamp::from_micros(r.i64()?));
    r.finish().map(|()| read)
}

/// A lease belongs to one ciphertext, by its random message id.
fn place(tenant: TenantId, ciphertext: &[u8]) -> Result<SealContext, Error> {
    let message = message_id(ciphertext).ok_or(Fault::Ciphertext)?;
    Ok(SealContext::new(tenant.as_bytes(), "lease", &message, 0))
}
