//! A key as the keyring holds it: what uses read lies flat in one small allocation.
//!
//! Invariant: it is the whole key, so [`KeyEntry::to_key`] gives back exactly what went in. An
//! instance may hold a million of them for good, and each byte here is a megabyte there: what
//! nearly all keys share (whose they are, to which epoch their copies are sealed) is held once for
//! all, and what few keys have (a text, tags, an end, earlier versions) is apart, where they do.

use std::sync::Arc;

use keystead_domain::{
    EpochId, Key, KeyId, KeySpec, KeyState, KeyVersion, RotationSchedule, TenantId, Timestamp,
    VersionId,
};

/// A key.
#[derive(Debug, Clone)]
pub(crate) struct KeyEntry {
    pub(crate) id: KeyId,
    pub(crate) spec: KeySpec,
    pub(crate) state: KeyState,
    home: Arc<Home>,
    created_at: Timestamp,
    current: VersionId,
    /// The number of the current version, and so on.
    number: u32,
    version_at: Timestamp,
    copy_hash: [u8; 32],
    key_check: [u8; 32],
    more: Option<Box<More>>,
}

/// What many keys have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Home {
    tenant: TenantId,
    /// To which the copy of the current version is sealed.
    epoch: EpochId,
}

/// What few keys have.
#[derive(Debug, Clone)]
struct More {
    purpose: Box<str>,
    description: Box<str>,
    expires_at: Option<Timestamp>,
    /// All versions but the current one, oldest first.
    earlier: Box<[KeyVersion]>,
    tags: Box<[(String, String)]>,
    rotation: Option<RotationSchedule>,
    on_demand: Box<[u32]>,
}

impl Home {
    /// What `key` has in common with others.
    pub(super) fn of(key: &Key) -> Self {
        Self { tenant: key.tenant, epoch: key.current().epoch }
    }
}

impl KeyEntry {
    /// Packs a key whose home is `home`.
    pub(super) fn new(key: Key, home: Arc<Home>) -> Self {
        let mut versions = key.versions;
        let current = versions.pop().expect("a key that was read or made has a version");
        let more = More {
            purpose: key.purpose.into(),
            description: key.description.into(),
            expires_at: key.expires_at,
            earlier: versions.into(),
            tags: key.tags.into(),
            rotation: key.rotation,
            on_demand: key.on_demand.into(),
        };
        Self {
            id: key.id,
            spec: key.spec,
            state: key.state,
            home,
            created_at: key.created_at,
            current: current.id,
            number: current.number,
            version_at: current.created_at,
            copy_hash: current.copy_hash,
            key_check: current.key_check,
            more: (!more.is_empty()).then(|| Box::new(more)),
        }
    }

    /// The key as it went in.
    pub(crate) fn to_key(&self) -> Key {
        let more = self.more.as_deref().cloned().unwrap_or_else(More::none);
        let mut versions = more.earlier.into_vec();
        versions.push(KeyVersion {
            id: self.current,
            number: self.number,
            created_at: self.version_at,
            epoch: self.home.epoch,
            copy_hash: self.copy_hash,
            key_check: self.key_check,
        });
        Key {
            id: self.id,
            tenant: self.home.tenant,
            spec: self.spec,
            purpose: more.purpose.into(),
            description: more.description.into(),
            created_at: self.created_at,
            expires_at: more.expires_at,
            state: self.state,
            versions,
            tags: more.tags.into_vec(),
            rotation: more.rotation,
            on_demand: more.on_demand.into_vec(),
        }
    }

    /// The same key in another state.
    pub(crate) fn in_state(&self, state: KeyState) -> Self {
        Self { state, ..self.clone() }
    }

    /// Who owns it.
    pub(crate) fn tenant(&self) -> TenantId {
        self.home.tenant
    }

    /// The version that new protection uses.
    pub(crate) fn current(&self) -> VersionId {
        self.current
    }

    /// All versions, oldest first.
    pub(crate) fn versions(&self) -> impl Iterator<Item = VersionId> {
        self.earlier().iter().map(|version| version.id).chain([self.current])
    }

    /// How many versions it has.
    pub(crate) fn version_count(&self) -> usize {
        self.earlier().len() + 1
    }

    /// Whether this is one of its versions.
    pub(crate) fn has(&self, version: VersionId) -> bool {
        self.key_check(version).is_some()
    }

    /// The key-check value of a version, where it is one of this key's.
    pub(crate) fn key_check(&self, version: VersionId) -> Option<[u8; 32]> {
        if version == self.current {
            return Some(self.key_check);
        }
        let earlier = self.earlier().iter().find(|known| known.id == version);
        earlier.map(|known| known.key_check)
    }

    /// The key-check value of the current version.
    pub(crate) fn current_check(&self) -> [u8; 32] {
        self.key_check
    }

    /// May new data be protected at `now`?
    pub(crate) fn may_protect(&self, now: Timestamp) -> bool {
        let end = self.more.as_ref().and_then(|more| more.expires_at);
        self.state.may_protect() && end.is_none_or(|end| now < end)
    }

    /// When it gets its next version by itself, if ever.
    pub(crate) fn rotation(&self) -> Option<RotationSchedule> {
        self.more.as_ref()?.rotation
    }

    fn earlier(&self) -> &[KeyVersion] {
        self.more.as_ref().map_or(&[], |more| &more.earlier)
    }
}

impl More {
    fn none() -> Self {
        Self {
            purpose: Box::default(),
            description: Box::default(),
            expires_at: None,
            earlier: Box::default(),
            tags: Box::default(),
            rotation: None,
            on_demand: Box::default(),
        }
    }

    fn is_empty(&self) -> bool {
        self.purpose.is_empty()
            && self.description.is_empty()
            && self.expires_at.is_none()
            && self.earlier.is_empty()
            && self.tags.is_empty()
            && self.rotation.is_none()
            && self.on_demand.is_empty()
    }
}

#[cfg(test)]
pub(super) mod tests;
