//! Who sent a request: AWS Signature Version 4 against the access keys below the watermark.
//!
//! Invariant: an unknown access key costs the same derivation and comparison as a known one, so
//! that time does not tell which exist; derived signing keys are cached for their day and scope.

use std::sync::Arc;

use keystead_crypto::{Secret, sigv4};
use keystead_domain::AccessKey;

use crate::{AuthFault, Error, Fault, Principal, keyring::AccessEntry, service::Service};

/// How far a request's time may be from ours, in seconds (AWS: 15 minutes).
const SKEW_SECONDS: i64 = 15 * 60;

/// Which derived signing key: access key id, date, region and service, none of which holds a slash.
pub(crate) type SigningScope = String;

impl Service {
    /// Verifies a request's signature for a front whose service name is `service`.
    ///
    /// # Errors
    /// [`Fault::Unauthenticated`], or [`Fault::Fenced`] for a key that this node does not know and
    /// might.
    pub fn authenticate(
        &self,
        claim: &sigv4::Claim,
        service: &str,
    ) -> Result<Arc<Principal>, Error> {
        let refused = |why| Error::from(Fault::Unauthenticated(why));
        if claim.scope.service != service {
            return Err(refused(AuthFault::WrongService));
        }
        let now = self.ports.clock.now().as_micros() / 1_000_000;
        if (claim.signed_at - now).abs() > SKEW_SECONDS {
            return Err(refused(AuthFault::Skewed));
        }
        let snapshot = self.keyring.snapshot();
        let entry = snapshot.access_keys.get(&claim.access_key_id);
        let key = self.signing_key(entry, claim)?;
        let good = sigv4::verify(&key, claim);
        let Some(entry) = entry else {
            // A node that may not act cannot know which access keys there are by now.
            self.may_act()?;
            return Err(refused(AuthFault::UnknownAccessKey));
        };
        if !good {
            return Err(refused(AuthFault::BadSignature));
        }
        Ok(entry.principal.get_or_init(|| Arc::new(self.principal(&entry.key))).clone())
    }

    fn principal(&self, key: &AccessKey) -> Principal {
        Principal {
            id: key.principal,
            tenant: key.tenant,
            account: self.instance.account.clone(),
            access_key_id: key.access_key_id.clone(),
            name: key.name.clone(),
        }
    }

    fn signing_key(
        &self,
        entry: Option<&Arc<AccessEntry>>,
        claim: &sigv4::Claim,
    ) -> Result<Arc<Secret<32>>, Error> {
        let Some(entry) = entry else {
            return Ok(Arc::new(sigv4::signing_key(&self.no_secret, &claim.scope)));
        };
        let scope = &claim.scope;
        let parts = [&*claim.access_key_id, &*scope.date, &*scope.region, &*scope.service];
        let cached: SigningScope = parts.join("/");
        if let Some(key) = self.signing_keys.find(&cached) {
            return Ok(key);
        }
        let corrupt = || Fault::Corrupt { what: format!("access key `{}`", claim.access_key_id) };
        let keys = self.tenants.get(&entry.key.tenant).ok_or_else(corrupt)?;
        let secret =
            keys.open_material::<40>(entry.key.secret, &entry.secret).map_err(|_| corrupt())?;
        let key = Arc::new(sigv4::signing_key(&secret, scope));
        // Only a signature that verifies may fill the cache, or strangers could empty it.
        if sigv4::verify(&key, claim) {
            self.signing_keys.insert(cached, key.clone());
        }
        Ok(key)
    }
}
