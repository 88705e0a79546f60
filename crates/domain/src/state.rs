//! The states of a key, NIST SP 800-57 part 1 §7's, each carrying its own data.
//!
//! Invariant: a transition consumes the old state and takes `now`; what is not lawful returns the
//! state it refused. Names that others know (AWS, the seeds' documents) are views, never a second
//! state machine. `Creating` is not here: it is a comparison of a commit with the vaults'
//! watermark.

use keystead_crypto::bytes::{Malformed, Reader, Writer};
use thiserror::Error;

use crate::Timestamp;

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Protects and opens (SP 800-57: active).
    Active {
        /// Since when.
        since: Timestamp,
    },
    /// Does nothing for now (suspended; AWS: Disabled).
    Suspended {
        /// Since when.
        since: Timestamp,
    },
    /// Opens, protects no more (deactivated).
    Deactivated {
        /// Since when.
        since: Timestamp,
    },
    /// Opens under an incident, protects no more (compromised).
    Compromised {
        /// Since when.
        since: Timestamp,
    },
    /// Does nothing and is destroyed at `due` unless cancelled (AWS: PendingDeletion).
    Doomed {
        /// When it will be destroyed.
        due: Timestamp,
    },
    /// Its material is gone from every place that we write to (destroyed).
    Destroyed {
        /// When.
        at: Timestamp,
    },
}

/// A change of state that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Back to active.
    Enable,
    /// To suspended.
    Disable,
    /// To deactivated.
    Deactivate,
    /// To compromised.
    MarkCompromised,
    /// To doomed.
    ScheduleDestruction {
        /// When it will be destroyed.
        due: Timestamp,
    },
    /// From doomed to suspended.
    CancelDestruction,
    /// From doomed, at or after its due time, to destroyed.
    Destroy,
}

/// A transition that the key's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a key that is {state} does not allow this")]
pub struct Unlawful {
    /// The state that stays.
    pub state: KeyState,
}

impl KeyState {
    /// May new data be protected?
    #[must_use]
    pub const fn may_protect(self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// May data that was protected be opened without an incident?
    #[must_use]
    pub const fn may_open(self) -> bool {
        matches!(self, Self::Active { .. } | Self::Deactivated { .. })
    }

    /// The state after `transition` at `now`.
    ///
    /// # Errors
    /// [`Unlawful`] with the state that stays.
    pub fn after(self, transition: Transition, now: Timestamp) -> Result<Self, Unlawful> {
        use Transition as T;
        match (self, transition) {
            (Self::Suspended { .. }, T::Enable) => Ok(Self::Active { since: now }),
            (Self::Active { .. } | Self::Deactivated { .. }, T::Disable)
            | (Self::Doomed { .. }, T::CancelDestruction) => Ok(Self::Suspended { since: now }),
            (Self::Active { .. } | Self::Suspended { .. }, T::Deactivate) => {
                Ok(Self::Deactivated { since: now })
            }
            (
                Self::Active { .. } | Self::Suspended { .. } | Self::Deactivated { .. },
                T::MarkCompromised,
            ) => Ok(Self::Compromised { since: now }),
            (
                Self::Active { .. }
                | Self::Suspended { .. }
                | Self::Deactivated { .. }
                | Self::Compromised { .. },
                T::ScheduleDestruction { due },
            ) if due > now => Ok(Self::Doomed { due }),
            (Self::Doomed { due }, T::Destroy) if now >= due => Ok(Self::Destroyed { at: now }),
            _ => Err(Unlawful { state: self }),
        }
    }

    /// This state while `later` is committed and not yet in the vaults: what a change takes away
    /// holds from its commit on, what it gives waits.
    #[must_use]
    pub const fn restricted_by(self, later: Self) -> Self {
        if later.allows() <= self.allows() { later } else { self }
    }

    /// How much is allowed; less is further on the way to its end.
    const fn allows(self) -> u8 {
        match self {
            Self::Active { .. } => 4,
            Self::Deactivated { .. } => 3,
            Self::Suspended { .. } | Self::Compromised { .. } => 2,
            Self::Doomed { .. } => 1,
            Self::Destroyed { .. } => 0,
        }
    }

    /// The name in NIST SP 800-57 part 1 rev. 5, §7.
    #[must_use]
    pub const fn nist_name(self) -> &'static str {
        match self {
            Self::Active { .. } => "active",
            Self::Suspended { .. } => "suspended",
            Self::Deactivated { .. } | Self::Doomed { .. } => "deactivated",
            Self::Compromised { .. } => "compromised",
            Self::Destroyed { .. } => "destroyed",
        }
    }

    /// The name in the AWS KMS protocol.
    #[must_use]
    pub const fn aws_name(self) -> &'static str {
        match self {
            Self::Active { .. } => "Enabled",
            Self::Suspended { .. } | Self::Deactivated { .. } | Self::Compromised { .. } => {
                "Disabled"
            }
            Self::Doomed { .. } => "PendingDeletion",
            Self::Destroyed { .. } => "Unavailable",
        }
    }

    /// The status of `hipaa-key-management.md` (R002-09).
    #[must_use]
    pub const fn hipaa_status(self) -> &'static str {
        match self {
            Self::Active { .. } => "ACTIVE",
            Self::Compromised { .. } => "COMPROMISED",
            Self::Suspended { .. }
            | Self::Deactivated { .. }
            | Self::Doomed { .. }
            | Self::Destroyed { .. } => "INACTIVE",
        }
    }

    /// Appends a tag byte and the instant.
    pub fn write(&self, w: &mut Writer) {
        let (tag, time) = match *self {
            Self::Active { since } => (1, since),
            Self::Suspended { since } => (2, since),
            Self::Deactivated { since } => (3, since),
            Self::Compromised { since } => (4, since),
            Self::Doomed { due } => (5, due),
            Self::Destroyed { at } => (6, at),
        };
        w.u8(tag).i64(time.as_micros());
    }

    /// Takes what [`Self::write`] appended.
    ///
    /// # Errors
    /// [`Malformed`] for an unknown tag.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let tag = r.u8()?;
        let time = Timestamp::from_micros(r.i64()?);
        Ok(match tag {
            1 => Self::Active { since: time },
            2 => Self::Suspended { since: time },
            3 => Self::Deactivated { since: time },
            4 => Self::Compromised { since: time },
            5 => Self::Doomed { due: time },
            6 => Self::Destroyed { at: time },
            _ => return Err(Malformed::BadValue { field: "key state" }),
        })
    }
}

impl std::fmt::Display for KeyState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Doomed { due } => write!(f, "deactivated, to be destroyed at {due}"),
            other => f.write_str(other.nist_name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);
    const LATER: Timestamp = Timestamp::from_micros(2_000_000);

    fn states() -> [KeyState; 6] {
        [
            KeyState::Active { since: NOW },
            KeyState::Suspended { since: NOW },
            KeyState::Deactivated { since: NOW },
            KeyState::Compromised { since: NOW },
            KeyState::Doomed { due: LATER },
            KeyState::Destroyed { at: NOW },
        ]
    }

    #[test]
    fn every_state_meets_every_transition() {
        use Transition as T;
        let transitions = [
            T::Enable,
            T::Disable,
            T::Deactivate,
            T::MarkCompromised,
            T::ScheduleDestruction { due: LATER },
            T::CancelDestruction,
            T::Destroy,
        ];
        // One row a state, one column a transition; `.` is refused.
        let want = [".SDCX..", "A.DCX..", ".S.CX..", "....X..", ".....S.", "......."];
        for (state, want) in states().into_iter().zip(&want) {
            let found: String = transitions
                .iter()
                .map(|&t| match state.after(t, NOW) {
                    Err(refused) => {
                        assert_eq!(refused.state, state);
                        '.'
                    }
                    Ok(KeyState::Active { .. }) => 'A',
                    Ok(KeyState::Suspended { .. }) => 'S',
                    Ok(KeyState::Deactivated { .. }) => 'D',
                    Ok(KeyState::Compromised { .. }) => 'C',
                    Ok(KeyState::Doomed { .. }) => 'X',
                    Ok(KeyState::Destroyed { .. }) => 'G',
                })
                .collect();
            assert_eq!(&found, want, "{state:?}");
        }
    }

    #[test]
    fn what_a_later_state_takes_away_holds_at_once_and_what_it_gives_does_not() {
        for earlier in states() {
            for later in states() {
                let held = earlier.restricted_by(later);
                assert!(held == earlier || held == later);
                assert_eq!(held.may_protect(), earlier.may_protect() && later.may_protect());
                assert!(!held.may_open() || (earlier.may_open() && later.may_open()));
                let gone = |state| matches!(state, KeyState::Destroyed { .. });
                assert_eq!(gone(held), gone(earlier) || gone(later), "{earlier} then {later}");
            }
        }
        let doomed = KeyState::Doomed { due: LATER };
        let cancelled = KeyState::Suspended { since: LATER };
        assert_eq!(doomed.restricted_by(cancelled), doomed);
    }

    #[test]
    fn destruction_waits_for_its_time_and_cannot_be_set_in_the_past() {
        let doomed = KeyState::Doomed { due: LATER };
        assert!(doomed.after(Transition::Destroy, NOW).is_err());
        assert_eq!(doomed.after(Transition::Destroy, LATER), Ok(KeyState::Destroyed { at: LATER }));
        let active = KeyState::Active { since: NOW };
        assert!(active.after(Transition::ScheduleDestruction { due: NOW }, NOW).is_err());
    }

    #[test]
    fn a_state_reads_back_and_protects_only_while_active() {
        for state in states() {
            let mut w = Writer::new();
            state.write(&mut w);
            assert_eq!(KeyState::read(&mut Reader::new(w.as_slice())), Ok(state));
            assert_eq!(state.may_protect(), state.hipaa_status() == "ACTIVE");
        }
        assert!(KeyState::read(&mut Reader::new(&[7, 0, 0, 0, 0, 0, 0, 0, 0])).is_err());
    }
}
