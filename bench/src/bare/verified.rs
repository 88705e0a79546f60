//! SigV4 as Keystead verifies it: claim, date, signature under a key that is cached for its scope.

use std::{
    sync::{Arc, RwLock},
    time::SystemTime,
};

use axum::http::request::Parts;
use keystead_crypto::{
    Secret,
    sigv4::{Claim, RequestParts, Scope, body_sha256, claim, signing_key, verify},
};

const SKEW_SECONDS: i64 = 15 * 60;

/// Knows one access key.
#[derive(Debug)]
pub(super) struct Verifier {
    access_key_id: &'static str,
    secret: Secret<40>,
    cached: RwLock<Option<(Scope, Arc<Secret<32>>)>>,
}

impl Verifier {
    pub(super) fn new(access_key_id: &'static str, secret: Secret<40>) -> Self {
        Self { access_key_id, secret, cached: RwLock::new(None) }
    }

    /// Something where the request is signed, for now.
    pub(super) fn verify(&self, head: &Parts, body: &[u8]) -> Option<()> {
        let headers: Vec<(&str, &[u8])> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let claim = claim(&RequestParts {
            method: head.method.as_str(),
            raw_path: head.uri.path(),
            raw_query: head.uri.query().unwrap_or_default(),
            headers: &headers,
            body_sha256: body_sha256(body),
        });
        let claim = claim.ok()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let is_now = (claim.signed_at - i64::try_from(now).ok()?).abs() <= SKEW_SECONDS;
        let is_known = claim.access_key_id == self.access_key_id && claim.scope.service == "kms";
        (is_now && is_known && verify(&self.signing_key(&claim), &claim)).then_some(())
    }

    fn signing_key(&self, claim: &Claim) -> Arc<Secret<32>> {
        const LOCK: &str = "no code panics while it holds this lock";
        if let Some((scope, key)) = &*self.cached.read().expect(LOCK)
            && *scope == claim.scope
        {
            return key.clone();
        }
        let key = Arc::new(signing_key(&self.secret, &claim.scope));
        *self.cached.write().expect(LOCK) = Some((claim.scope.clone(), key.clone()));
        key
    }
}
