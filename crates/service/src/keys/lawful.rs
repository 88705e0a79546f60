//! What each change makes of a key, and where it is refused: the part that needs no database.
//!
//! Invariant: deciding twice on the same key decides the same; a command that finds the key as it
//! wants it changes nothing, so that it can be repeated.

use std::collections::BTreeMap;

use keystead_domain::{Key, KeyState, KeyUsage, RotationSchedule, Timestamp, Transition, Unlawful};

use super::TAGS_MAX;
use crate::{Error, Fault, KeyChange, commit::Effect};

const DESCRIPTION_MAX: usize = 8192;
const WINDOW_DAYS: std::ops::RangeInclusive<u16> = 7..=30;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What stands above the watermark, as far as a repeated command has to know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// Whether the key's newest revision waits for the vaults.
    pub(super) is_waiting: bool,
    /// The state that is in force meanwhile.
    pub(super) in_force: KeyState,
    /// Whether this very command made that revision and was answered too late.
    pub(super) is_repeated: bool,
}

impl KeyChange {
    /// Its name in the ledger, which is AWS's.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Enable => "EnableKey",
            Self::Disable => "DisableKey",
            Self::ScheduleDeletion { .. } => "ScheduleKeyDeletion",
            Self::CancelDeletion => "CancelKeyDeletion",
            Self::Describe { .. } => "UpdateKeyDescription",
            Self::Tag { .. } => "TagResource",
            Self::Untag { .. } => "UntagResource",
            Self::EnableRotation { .. } => "EnableKeyRotation",
            Self::DisableRotation => "DisableKeyRotation",
        }
    }

    /// When it acts.
    pub(super) const fn effect(&self) -> Effect {
        match self {
            Self::Disable | Self::ScheduleDeletion { .. } => Effect::AtOnce,
            Self::Enable
            | Self::CancelDeletion
            | Self::Describe { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation => Effect::Vaulted,
        }
    }

    /// Refuses what no key could be made of.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self {
            Self::ScheduleDeletion { window_days } if !WINDOW_DAYS.contains(window_days) => {
                let message = "Member must have value between 7 and 30".to_owned();
                Err(Fault::Field { field: "pendingWindowInDays", message }.into())
            }
            Self::EnableRotation { period_days }
                if RotationSchedule::starting(*period_days, Timestamp::default()).is_none() =>
            {
                let message = "Member must have value between 90 and 2560".to_owned();
                Err(Fault::Field { field: "rotationPeriodInDays", message }.into())
            }
            Self::Describe { description } => {
                super::most("description", description.chars().count(), DESCRIPTION_MAX)
            }
            Self::Tag { tags } => super::check_tags(tags),
            _ => Ok(()),
        }
    }

    /// The key after it at `now`, or nothing where the key is already so.
    pub(super) fn made_of(
        &self,
        key: &Key,
        standing: Standing,
        now: Timestamp,
    ) -> Result<Option<Key>, Error> {
        match self {
            Self::Enable | Self::Disable | Self::ScheduleDeletion { .. } | Self::CancelDeletion => {
                self.moved(key, standing, now)
            }
            Self::Describe { .. } | Self::Tag { .. } | Self::Untag { .. } => {
                not_on_its_way_out(key)?;
                self.noted(key)
            }
            Self::EnableRotation { period_days } => {
                rotatable(key)?;
                let present = key.rotation.filter(|present| present.period_days == *period_days);
                let next = present.or_else(|| RotationSchedule::starting(*period_days, now));
                Ok(unless_same(key, Key { rotation: next, ..key.clone() }))
            }
            Self::DisableRotation => {
                rotatable(key)?;
                Ok(unless_same(key, Key { rotation: None, ..key.clone() }))
            }
        }
    }

    fn moved(&self, key: &Key, at: Standing, now: Timestamp) -> Result<Option<Key>, Error> {
        let doomed = matches!(key.state, KeyState::Doomed { .. });
        let (is_so, transition) = match self {
            Self::Enable => (matches!(key.state, KeyState::Active { .. }), Transition::Enable),
            Self::Disable => (matches!(key.state, KeyState::Suspended { .. }), Transition::Disable),
            Self::ScheduleDeletion { window_days } => {
                let due = now.plus_ms(i64::from(*window_days) * DAY_MS);
                (
                    doomed && (at.is_waiting || at.is_repeated),
                    Transition::ScheduleDestruction { due },
                )
            }
            _ => {
                let suspended = matches!(key.state, KeyState::Suspended { .. });
                let still_doomed = matches!(at.in_force, KeyState::Doomed { .. });
                let waits = at.is_waiting && still_doomed;
                let is_so = suspended && (waits || at.is_repeated);
                if !doomed && !is_so {
                    return Err(Fault::NotDoomed { key: key.id }.into());
                }
                (is_so, Transition::CancelDestruction)
            }
        };
        if is_so {
            return Ok(None);
        }
        let state = key.state.after(transition, now);
        let state = state.map_err(|Unlawful { state }| Fault::KeyState { key: key.id, state })?;
        Ok(Some(Key { state, ..key.clone() }))
    }

    fn noted(&self, key: &Key) -> Result<Option<Key>, Error> {
        let mut next = key.clone();
        let mut tags: BTreeMap<String, String> = next.tags.into_iter().collect();
        match self {
            Self::Describe { description } => next.description.clone_from(description),
            Self::Tag { tags: more } => tags.extend(more.clone()),
            Self::Untag { names } => tags.retain(|name, _| !names.contains(name)),
            _ => {}
        }
        if tags.len() > TAGS_MAX {
            return Err(Fault::TagLimit { key: key.id }.into());
        }
        next.tags = tags.into_iter().collect();
        Ok(unless_same(key, next))
    }
}

/// Refuses where a key is to be destroyed, or was.
pub(crate) fn not_on_its_way_out(key: &Key) -> Result<(), Error> {
    match key.state {
        KeyState::Doomed { .. } | KeyState::Destroyed { .. } => {
            Err(Fault::KeyState { key: key.id, state: key.state }.into())
        }
        _ => Ok(()),
    }
}

/// Refuses where a key is not in use.
pub(super) fn usable(key: &Key) -> Result<(), Error> {
    match key.state {
        KeyState::Active { .. } => Ok(()),
        state => Err(Fault::KeyState { key: key.id, state }.into()),
    }
}

/// Refuses where a key is not in use or of a spec that has one version for good: the public half
/// or the MAC of another version would verify nothing that this one made.
pub(super) fn rotatable(key: &Key) -> Result<(), Error> {
    of_rotated_spec(key)?;
    usable(key)
}

/// Refuses where keys of this spec have one version for good.
pub(super) fn of_rotated_spec(key: &Key) -> Result<(), Error> {
    match key.spec.usage() {
        KeyUsage::EncryptDecrypt => Ok(()),
        KeyUsage::SignVerify | KeyUsage::GenerateVerifyMac => {
            Err(Fault::NotRotated { key: key.id, spec: key.spec }.into())
        }
    }
}

fn unless_same(key: &Key, next: Key) -> Option<Key> {
    (next != *key).then_some(next)
}

#[cfg(test)]
mod tests {
    use keystead_domain::{EpochId, KeyId, KeySpec, KeyVersion, TenantId, VersionId};

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn key(state: KeyState) -> Key {
        let version = KeyVersion {
            id: VersionId::from_bytes([1; 8]),
            number: 1,
            created_at: NOW,
            epoch: EpochId::from_bytes([2; 16]),
            copy_hash: [3; 32],
            key_check: [4; 32],
        };
        Key {
            id: KeyId::from_bytes([5; 16]),
            tenant: TenantId::from_bytes([6; 16]),
            spec: KeySpec::Symmetric,
            purpose: String::new(),
            description: "d".into(),
            created_at: NOW,
            expires_at: None,
            state,
            versions: vec![version],
            tags: Vec::new(),
            rotation: None,
            on_demand: Vec::new(),
        }
    }

    fn states() -> [KeyState; 6] {
        [
            KeyState::Active { since: NOW },
            KeyState::Suspended { since: NOW },
            KeyState::Deactivated { since: NOW },
            KeyState::Compromised { since: NOW },
            KeyState::Doomed { due: NOW.plus_ms(DAY_MS) },
            KeyState::Destroyed { at: NOW },
        ]
    }

    fn changes() -> [KeyChange; 9] {
        let tags = [("a".to_owned(), "b".to_owned())].into();
        [
            KeyChange::Enable,
            KeyChange::Disable,
            KeyChange::ScheduleDeletion { window_days: 7 },
            KeyChange::CancelDeletion,
            KeyChange::Describe { description: "new".into() },
            KeyChange::Tag { tags },
            KeyChange::Untag { names: vec!["none".into()] },
            KeyChange::EnableRotation { period_days: 90 },
            KeyChange::DisableRotation,
        ]
    }

    fn letter(made: &Result<Option<Key>, Error>) -> char {
        match made {
            Err(_) => '.',
            Ok(None) => '=',
            Ok(Some(next)) => match next.state {
                KeyState::Active { .. } => 'A',
                KeyState::Suspended { .. } => 'S',
                KeyState::Deactivated { .. } => 'D',
                KeyState::Compromised { .. } => 'C',
                KeyState::Doomed { .. } => 'X',
                KeyState::Destroyed { .. } => 'G',
            },
        }
    }

    #[test]
    fn every_state_meets_every_change() {
        // One row a state, one column a change; `.` is refused and `=` is so already.
        let want = ["=SX.AA=A=", "A=X.SS=..", ".SX.DD=..", "..X.CC=..", "...S.....", "........."];
        for (state, want) in states().into_iter().zip(&want) {
            let (key, at) =
                (key(state), Standing { is_waiting: false, in_force: state, is_repeated: false });
            let made = changes().map(|change| letter(&change.made_of(&key, at, NOW)));
            assert_eq!(&made.into_iter().collect::<String>(), want, "{state:?}");
        }
    }

    #[test]
    fn a_command_that_is_repeated_finds_what_it_did() {
        let [_, suspended, _, _, doomed, _] = states();
        let at = |is_waiting, is_repeated, in_force| Standing { is_waiting, in_force, is_repeated };
        let schedule = KeyChange::ScheduleDeletion { window_days: 30 };
        for (waiting, repeated) in [(true, false), (false, true)] {
            let found = schedule.made_of(&key(doomed), at(waiting, repeated, doomed), NOW);
            assert_eq!(letter(&found), '=');
            let cancel = KeyChange::CancelDeletion;
            let found = cancel.made_of(&key(suspended), at(waiting, repeated, doomed), NOW);
            assert_eq!(letter(&found), '=');
        }
        // A key that waits because it was disabled was not taken back.
        let cancel = KeyChange::CancelDeletion;
        let other = cancel.made_of(&key(suspended), at(true, false, suspended), NOW);
        assert_eq!(letter(&other), '.');
    }

    #[test]
    fn only_what_takes_away_acts_at_once() {
        let at_once: Vec<_> = changes()
            .into_iter()
            .filter(|change| change.effect() == Effect::AtOnce)
            .map(|change| change.operation())
            .collect();
        assert_eq!(at_once, ["DisableKey", "ScheduleKeyDeletion"]);
    }
}
