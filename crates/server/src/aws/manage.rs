//! Changes of a key that exists: wire to command, result to wire.
//!
//! Invariant: these operations take a key's id or ARN and no alias, as AWS does; what AWS bounds is
//! refused in AWS's words before the service is asked.

use keystead_domain::{Account, BadKeyName, KeyName, KeyState, RotationSchedule};
use keystead_service::{ChangeKey, KeyChange, KeyView};

use super::{
    keys::tags,
    members::{Members, key_name},
    place::Place,
    unread::Unread,
};
use crate::json::JsonText;

/// How long a key waits for its destruction where nobody says.
const DEFAULT_WINDOW_DAYS: i64 = 30;

/// EnableKey, DisableKey, CancelKeyDeletion and DisableKeyRotation, which name a key and no more.
pub(super) fn simple(
    body: &[u8],
    account: &Account,
    change: KeyChange,
) -> Result<ChangeKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    members.finish()?;
    Ok(ChangeKey { key: managed(&key, account)?, change })
}

/// The command, and how many days it named.
pub(super) fn schedule_deletion(body: &[u8], account: &Account) -> Result<ChangeKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let days = members.fields.integer("PendingWindowInDays")?.unwrap_or(DEFAULT_WINDOW_DAYS);
    members.shape.number("pendingWindowInDays", days, 7, 30);
    members.finish()?;
    let window_days = u16::try_from(days).expect("the shape allows 7 to 30");
    let change = KeyChange::ScheduleDeletion { window_days };
    Ok(ChangeKey { key: managed(&key, account)?, change })
}

pub(super) fn update_description(body: &[u8], account: &Account) -> Result<ChangeKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let description = members.text("Description", "description", (0, 8192))?;
    if description.is_none() {
        members.shape.missing("description");
    }
    members.finish()?;
    let change = KeyChange::Describe { description: description.unwrap_or_default() };
    Ok(ChangeKey { key: managed(&key, account)?, change })
}

pub(super) fn tag(body: &[u8], account: &Account) -> Result<ChangeKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    if !members.fields.has("Tags") {
        members.shape.missing("tags");
    }
    let tags = tags(&mut members)?;
    members.finish()?;
    Ok(ChangeKey { key: managed(&key, account)?, change: KeyChange::Tag { tags } })
}

pub(super) fn untag(body: &[u8], account: &Account) -> Result<ChangeKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    if !members.fields.has("TagKeys") {
        members.shape.missing("tagKeys");
    }
    let names = members.fields.texts("TagKeys")?;
    for (index, name) in names.iter().enumerate() {
        members.shape.length(&format!("tagKeys.{}.member", index + 1), name, 1, 128);
    }
    members.finish()?;
    Ok(ChangeKey { key: managed(&key, account)?, change: KeyChange::Untag { names } })
}

pub(super) fn enable_rotation(body: &[u8], account: &Account) -> Result<ChangeKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let default = i64::from(RotationSchedule::DEFAULT_DAYS);
    let days = members.fields.integer("RotationPeriodInDays")?.unwrap_or(default);
    let (min, max) = (RotationSchedule::MIN_DAYS, RotationSchedule::MAX_DAYS);
    members.shape.number("rotationPeriodInDays", days, min.into(), max.into());
    members.finish()?;
    let period_days = u16::try_from(days).expect("the shape allows 90 to 2,560");
    let change = KeyChange::EnableRotation { period_days };
    Ok(ChangeKey { key: managed(&key, account)?, change })
}

/// The answer of operations that answer with nothing.
pub(super) fn nothing<T>(_: &T, _: &Place) -> JsonText {
    JsonText::object(0, |_| {})
}

/// The answer to ScheduleKeyDeletion.
pub(super) fn scheduled(view: &KeyView, place: &Place, change: &KeyChange) -> JsonText {
    let key = &view.key;
    JsonText::object(0, |o| {
        o.text("KeyId", &place.key(key.id)).text("KeyState", key.state.aws_name());
        if let KeyState::Doomed { due } = key.state {
            o.seconds("DeletionDate", due.as_micros());
        }
        if let KeyChange::ScheduleDeletion { window_days } = change {
            o.integer("PendingWindowInDays", i64::from(*window_days));
        }
    })
}

/// The answer that names the key and no more.
pub(super) fn named(view: &KeyView, place: &Place) -> JsonText {
    JsonText::object(0, |o| {
        o.text("KeyId", &place.key(view.key.id));
    })
}

/// A key's id or ARN; an alias names nothing here.
pub(super) fn managed(text: &str, account: &Account) -> Result<KeyName, Unread> {
    match key_name(text, account)? {
        KeyName::Alias(_) => Err(BadKeyName::Malformed { text: text.to_owned() }.into()),
        name @ KeyName::Id(_) => Ok(name),
    }
}
