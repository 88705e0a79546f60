//! The state at one commit, rebuilt from a base and the segments after it.
//!
//! Invariant: images apply in commit order and the last one wins; with `--to`, changes after that
//! instant are left out except those that only take away: deletions, revocations, and keys that
//! are doomed, compromised or destroyed at the head. The chain of destructions is always the
//! head's.

use std::collections::BTreeMap;

use keystead_archive::{ChangeImage, Image, OpenedSegment};
use keystead_crypto::bytes::Malformed;
use keystead_domain::{
    Instance, Key, KeyState, Kind, Kit, Tenant, TenantId, Timestamp, WrapLog, WrapRecord,
};

use super::RestoreFailed;
use crate::incarnation::Row;

/// All aggregates, by kind and id.
#[derive(Debug, Default)]
pub(super) struct State {
    rows: BTreeMap<(Kind, [u8; 16]), (TenantId, Vec<u8>)>,
    /// The newest images of keys that are later than what is restored.
    late: BTreeMap<[u8; 16], (TenantId, Vec<u8>)>,
    destructions: Option<[u8; 32]>,
    pub(super) skipped: usize,
}

impl State {
    /// Applies a point or segment.
    pub(super) fn apply(&mut self, opened: OpenedSegment, to: Option<Timestamp>) {
        self.skipped += opened.skipped.len();
        for entry in opened.entries {
            for change in entry.changes {
                let late = to.is_some_and(|to| change.at > to);
                self.change(entry.tenant, change, late);
            }
        }
    }

    fn change(&mut self, tenant: TenantId, change: ChangeImage, late: bool) {
        for image in change.puts {
            if image.kind == Kind::Instance {
                let told = Instance::from_body(&image.body).ok();
                self.destructions = told.map(|told| told.destruction_hash);
            }
            if !late || is_revoked_kit(&image) {
                self.rows.insert((image.kind, image.id), (tenant, image.body));
            } else if image.kind == Kind::Key {
                // Only its last state says whether it is on its way out: doom can be taken back.
                self.late.insert(image.id, (tenant, image.body));
            }
        }
        for row in &change.deletes {
            self.rows.remove(&(row.kind, row.id));
        }
    }

    /// After the last segment: what later changes took away is taken away.
    pub(super) fn settle(&mut self) {
        for (id, (tenant, body)) in std::mem::take(&mut self.late) {
            if is_on_its_way_out(&body) {
                self.rows.insert((Kind::Key, id), (tenant, body));
            }
        }
    }

    /// The chain of destructions at the head.
    pub(super) fn destructions(&self) -> [u8; 32] {
        self.destructions.unwrap_or_default()
    }

    /// The instance's settings.
    pub(super) fn instance(&self) -> Result<Instance, RestoreFailed> {
        let what = "the instance's settings";
        let (_, body) = self.bodies(Kind::Instance).next().ok_or_else(|| corrupt(what))?;
        let instance = Instance::from_body(body).map_err(unread(what))?;
        Ok(Instance { destruction_hash: self.destructions(), ..instance })
    }

    /// All tenants.
    pub(super) fn tenants(&self) -> Result<Vec<Tenant>, RestoreFailed> {
        let read =
            |(_, body): (TenantId, &Vec<u8>)| Tenant::from_body(body).map_err(unread("a tenant"));
        self.bodies(Kind::Tenant).map(read).collect()
    }

    /// All kits, revoked ones too.
    pub(super) fn kits(&self) -> Result<Vec<Kit>, RestoreFailed> {
        let read = |(_, body): (TenantId, &Vec<u8>)| Kit::from_body(body).map_err(unread("a kit"));
        self.bodies(Kind::Kit).map(read).collect()
    }

    /// All keys.
    pub(super) fn keys(&self) -> Result<Vec<Key>, RestoreFailed> {
        let read = |(_, body): (TenantId, &Vec<u8>)| Key::from_body(body).map_err(unread("a key"));
        self.bodies(Kind::Key).map(read).collect()
    }

    /// All wrap records.
    pub(super) fn wraps(&self) -> Result<Vec<WrapRecord>, RestoreFailed> {
        let read = |(_, body): (TenantId, &Vec<u8>)| {
            WrapRecord::from_body(body).map_err(unread("a wrap record"))
        };
        self.bodies(Kind::WrapRecord).map(read).collect()
    }

    /// How many wrap records each tenant has.
    pub(super) fn wrap_logs(&self) -> Result<Vec<WrapLog>, RestoreFailed> {
        let read = |(_, body): (TenantId, &Vec<u8>)| {
            WrapLog::from_body(body).map_err(unread("a wrap log"))
        };
        self.bodies(Kind::WrapLog).map(read).collect()
    }

    /// All rows as they are: tenant and body, by kind and id.
    pub(super) fn into_rows(self) -> BTreeMap<(Kind, [u8; 16]), (TenantId, Vec<u8>)> {
        self.rows
    }

    /// What goes into the new database as it is: everything that the founding does not make anew.
    /// Access keys and idempotency keys do not: those of before are refused or forgotten.
    pub(super) fn rows(&self) -> Vec<Row> {
        let is_kept = |kind| {
            use Kind::{Alias, Key, Point, WrapLog, WrapRecord};
            matches!(kind, Key | Alias | WrapRecord | WrapLog | Point)
        };
        self.rows
            .iter()
            .filter(|((kind, _), _)| is_kept(*kind))
            .map(|((kind, id), (tenant, body))| Row {
                kind: *kind,
                id: *id,
                tenant: *tenant,
                body: body.clone(),
            })
            .collect()
    }

    fn bodies(&self, kind: Kind) -> impl Iterator<Item = (TenantId, &Vec<u8>)> {
        self.rows
            .range((kind, [0; 16])..=(kind, [255; 16]))
            .map(|(_, (tenant, body))| (*tenant, body))
    }
}

/// Is this a kit that was revoked? That holds up to the head, whatever `--to` says.
fn is_revoked_kit(image: &Image) -> bool {
    image.kind == Kind::Kit && Kit::from_body(&image.body).is_ok_and(|kit| kit.revoked_at.is_some())
}

/// Is this key lost, or about to be? That holds as well.
fn is_on_its_way_out(body: &[u8]) -> bool {
    Key::from_body(body).is_ok_and(|key| {
        matches!(
            key.state,
            KeyState::Compromised { .. } | KeyState::Doomed { .. } | KeyState::Destroyed { .. }
        )
    })
}

fn unread(what: &'static str) -> impl Fn(Malformed) -> RestoreFailed {
    move |bad| if bad.is_newer() { RestoreFailed::Newer(bad) } else { corrupt(what) }
}

fn corrupt(what: &str) -> RestoreFailed {
    RestoreFailed::State { what: what.to_owned() }
}
