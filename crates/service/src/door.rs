//! The one door: resolve, authorise, approve, act, record. Nothing executes without passing it.
//!
//! Invariant: the proof types have private fields and are made here alone, each from the one
//! before; acting functions take [`Approved`] by value and answers are built from [`Recorded`]
//! alone, so that code which skips a step does not compile.

use keystead_domain::{KeyId, Kind, TenantId, VersionId};

use crate::{Cx, Error, Fault};

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) kind: Kind,
    pub(crate) id: [u8; 16],
    pub(crate) tenant: TenantId,
    pub(crate) version: Option<VersionId>,
}

impl Resource {
    pub(crate) fn key(id: KeyId, tenant: TenantId, version: Option<VersionId>) -> Self {
        Self { kind: Kind::Key, id: *id.as_bytes(), tenant, version }
    }

    pub(crate) fn tenant(tenant: TenantId) -> Self {
        Self { kind: Kind::Tenant, id: *tenant.as_bytes(), tenant, version: None }
    }
}

/// A command whose names are resolved against one snapshot.
#[derive(Debug)]
pub(crate) struct Resolved<C> {
    command: C,
    resource: Resource,
    revision: u64,
}

/// A resolved command that policy allows.
#[derive(Debug)]
pub(crate) struct Authorised<C>(Resolved<C>);

/// An authorised command that has the approvals that policy asks for.
#[derive(Debug)]
pub(crate) struct Approved<C>(Authorised<C>);

/// Something that the ledger holds durably; the only thing that a front can encode.
#[derive(Debug)]
pub struct Recorded<T>(T);

impl<C> Resolved<C> {
    pub(crate) fn new(command: C, resource: Resource, revision: u64) -> Self {
        Self { command, resource, revision }
    }

    /// Deny by default: a principal acts within its own tenant and nowhere else.
    pub(crate) fn authorise(
        self,
        cx: &Cx,
        operation: &'static str,
    ) -> Result<Authorised<C>, Error> {
        if self.resource.tenant == cx.principal.tenant {
            Ok(Authorised(self))
        } else {
            Err(Fault::NotAllowed { operation }.into())
        }
    }
}

impl<C> Authorised<C> {
    /// Until policies exist no operation asks for an approval; the step stands so that the day it
    /// does, no path can be forgotten.
    pub(crate) fn approve(self) -> Approved<C> {
        Approved(self)
    }
}

impl<C> Approved<C> {
    /// The command, its resource and the revision that it was decided at.
    pub(crate) fn into_parts(self) -> (C, Resource, u64) {
        let Resolved { command, resource, revision } = self.0.0;
        (command, resource, revision)
    }
}

impl<T> Recorded<T> {
    /// Made by `audit` after the event is durable, and by nobody else.
    pub(crate) fn after_sync(value: T) -> Self {
        Self(value)
    }

    /// The answer, to be counted.
    pub(crate) fn look(&self) -> &T {
        &self.0
    }

    /// The answer.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}
