//! The state at one commit, rebuilt from a base and the segments after it.
//!
//! Invariant: images apply in commit order and the last one wins; with `--to`, changes after that
//! instant are left out except those that only take away: deletions, revocations, and keys that
//! were doomed, compromised or destroyed.

use std::collections::BTreeMap;

use keystead_archive::{ChangeImage, Image, OpenedSegment};
use keystead_domain::{
    Instance, Key, KeyState, Kind, Kit, Tenant, TenantId, Timestamp, WrapLog, WrapRecord,
};

use super::RestoreFailed;
use crate::incarnation::Row;

/// All aggregates, by kind and id.
#[derive(Debug, Default)]
pub(super) struct State {
    rows: BTreeMap<(Kind, [u8; 16]), (TenantId, Vec<u8>)>,
    pub(super) skipped: usize,
}

impl State {
    /// Applies a point or segment.
    pub(super) fn apply(&mut self, opened: &OpenedSegment, to: Option<Timestamp>) {
        self.skipped += opened.skipped.len();
        for entry in &opened.entries {
            for change in &entry.changes {
                let late = to.is_some_and(|to| change.at > to);
                self.change(entry.tenant, change, late);
            }
        }
    }

    fn change(&mut self, tenant: TenantId, change: &ChangeImage, late: bool) {
        for image in &change.puts {
            if !late || takes_away(image) {
                self.rows.insert((image.kind, image.id), (tenant, image.body.clone()));
            }
        }
        for row in &change.deletes {
            self.rows.remove(&(row.kind, row.id));
        }
    }

    /// The instance's settings.
    pub(super) fn instance(&self) -> Result<Instance, RestoreFailed> {
        let body = self.bodies(Kind::Instance).next();
        body.and_then(|(_, body)| Instance::from_body(body).ok())
            .ok_or_else(|| corrupt("the instance's settings"))
    }

    /// All tenants.
    pub(super) fn tenants(&self) -> Result<Vec<Tenant>, RestoreFailed> {
        let read = |(_, body): (TenantId, &Vec<u8>)| {
            Tenant::from_body(body).map_err(|_| corrupt("a tenant"))
        };
        self.bodies(Kind::Tenant).map(read).collect()
    }

    /// All kits, revoked ones too.
    pub(super) fn kits(&self) -> Result<Vec<Kit>, RestoreFailed> {
        let read =
            |(_, body): (TenantId, &Vec<u8>)| Kit::from_body(body).map_err(|_| corrupt("a kit"));
        self.bodies(Kind::Kit).map(read).collect()
    }

    /// All keys.
    pub(super) fn keys(&self) -> Result<Vec<Key>, RestoreFailed> {
        let read =
            |(_, body): (TenantId, &Vec<u8>)| Key::from_body(body).map_err(|_| corrupt("a key"));
        self.bodies(Kind::Key).map(read).collect()
    }

    /// All wrap records.
    pub(super) fn wraps(&self) -> Result<Vec<WrapRecord>, RestoreFailed> {
        let read = |(_, body): (TenantId, &Vec<u8>)| {
            WrapRecord::from_body(body).map_err(|_| corrupt("a wrap record"))
        };
        self.bodies(Kind::WrapRecord).map(read).collect()
    }

    /// How many wrap records each tenant has.
    pub(super) fn wrap_logs(&self) -> Result<Vec<WrapLog>, RestoreFailed> {
        let read = |(_, body): (TenantId, &Vec<u8>)| {
            WrapLog::from_body(body).map_err(|_| corrupt("a wrap log"))
        };
        self.bodies(Kind::WrapLog).map(read).collect()
    }

    /// What goes into the new database as it is: everything that the founding does not make anew.
    /// Access keys and idempotency keys do not: those of before are refused or forgotten.
    pub(super) fn rows(&self) -> Vec<Row> {
        let is_kept = |kind| matches!(kind, Kind::Key | Kind::WrapRecord | Kind::WrapLog);
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

/// Does this image only take away? Such changes hold up to the head, whatever `--to` says.
fn takes_away(image: &Image) -> bool {
    match image.kind {
        Kind::Kit => Kit::from_body(&image.body).is_ok_and(|kit| kit.revoked_at.is_some()),
        Kind::Key => Key::from_body(&image.body).is_ok_and(|key| {
            matches!(
                key.state,
                KeyState::Compromised { .. } | KeyState::Doomed { .. } | KeyState::Destroyed { .. }
            )
        }),
        _ => false,
    }
}

fn corrupt(what: &str) -> RestoreFailed {
    RestoreFailed::State { what: what.to_owned() }
}
