//! Rotation: RotateKeyOnDemand, GetKeyRotationStatus, ListKeyRotations.
//!
//! Invariant: a version is named by its key material id, as DescribeKey, Decrypt and
//! GenerateDataKey name it; the first version is no rotation.

use keystead_domain::{Account, Key, KeyState, KeyVersion, to_hex};
use keystead_service::{KeyAspect, KeyView, ReadKey, RotateKey};

use super::{
    manage::managed,
    members::{Members, Paging},
    place::Place,
    unread::Unread,
};
use crate::json::{JsonText, Object};

const DEFAULT_LIMIT: i64 = 100;

/// Which versions ListKeyRotations shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Those that a rotation made.
    Rotations,
    /// The first one as well.
    AllMaterial,
}

pub(super) fn rotate(body: &[u8], account: &Account) -> Result<RotateKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    members.finish()?;
    Ok(RotateKey { key: managed(&key, account)? })
}

pub(super) fn status(body: &[u8], account: &Account) -> Result<ReadKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    members.finish()?;
    Ok(ReadKey { key: managed(&key, account)?, aspect: KeyAspect::RotationStatus })
}

/// The command, which page of its answer is wanted, and of what.
pub(super) fn list(body: &[u8], account: &Account) -> Result<(ReadKey, Paging, Shown), Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let paging = members.paging(DEFAULT_LIMIT, 1000)?;
    let kinds = &["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"];
    let shown = members.name("IncludeKeyMaterial", "includeKeyMaterial", kinds)?;
    members.finish()?;
    let shown = match shown.as_deref() {
        Some("ALL_KEY_MATERIAL") => Shown::AllMaterial,
        _ => Shown::Rotations,
    };
    paging.number()?;
    Ok((ReadKey { key: managed(&key, account)?, aspect: KeyAspect::Rotations }, paging, shown))
}

/// The answer to GetKeyRotationStatus; a key on its way out does not rotate.
pub(super) fn rotation_status(view: &KeyView, place: &Place) -> JsonText {
    let key = &view.key;
    let stays = !matches!(key.state, KeyState::Doomed { .. } | KeyState::Destroyed { .. });
    let schedule = key.rotation.filter(|_| stays);
    JsonText::object(0, |o| {
        o.text("KeyId", &place.key(key.id)).truth("KeyRotationEnabled", schedule.is_some());
        if let Some(schedule) = schedule {
            o.integer("RotationPeriodInDays", i64::from(schedule.period_days));
            o.seconds("NextRotationDate", schedule.next.as_micros());
        }
    })
}

/// The answer to ListKeyRotations: oldest first.
pub(super) fn rotations(
    view: &KeyView,
    place: &Place,
    (paging, shown): (&Paging, Shown),
) -> JsonText {
    let key = &view.key;
    let made = |version: &&KeyVersion| shown == Shown::AllMaterial || version.number > 1;
    let after = paging.number().unwrap_or_default();
    let behind = key.versions.iter().filter(made).filter(|version| version.number > after);
    let page: Vec<&KeyVersion> = behind.clone().take(paging.limit).collect();
    let more = behind.count() > page.len();
    JsonText::object(0, |o| {
        o.list("Rotations", &page, |o, version| write_rotation(o, key, version, place));
        if let Some(last) = page.last().filter(|_| more) {
            o.text("NextMarker", &last.number.to_string());
        }
        o.truth("Truncated", more);
    })
}

fn write_rotation(o: &mut Object<'_>, key: &Key, version: &KeyVersion, place: &Place) {
    let is_current = version.number == key.current().number;
    o.text("KeyId", &place.key(key.id)).text("KeyMaterialId", &to_hex(&version.key_check));
    o.text("KeyMaterialState", if is_current { "CURRENT" } else { "NON_CURRENT" });
    if version.number > 1 {
        let asked = key.on_demand.contains(&version.number);
        o.text("RotationType", if asked { "ON_DEMAND" } else { "AUTOMATIC" });
        o.seconds("RotationDate", version.created_at.as_micros());
    }
}
