//! Changes whose answer came too late: *effective, not yet vaulted* was told, and the caller will
//! ask again.
//!
//! Invariant: a command that was answered so succeeds once when its sender repeats it, also where
//! the vaults confirmed it in between; it is not refused because of what it did itself. Bounded,
//! and forgotten with the process: whoever asks after that is told of the state.

use std::{collections::BTreeMap, sync::Mutex};

use keystead_domain::{KeyId, PrincipalId};

const MOST: usize = 1024;

/// By principal and key: the operation, and the change that it made.
type Late = BTreeMap<(PrincipalId, KeyId), (&'static str, u64)>;

/// The last such change of each principal and key.
#[derive(Debug, Default)]
pub(crate) struct LateAnswers(Mutex<Late>);

impl LateAnswers {
    /// Remembers that `operation` made the change with this number.
    pub(super) fn note(&self, who: PrincipalId, key: KeyId, operation: &'static str, seq: u64) {
        let late = &mut *self.0.lock().expect("no code panics while it holds this lock");
        if late.len() >= MOST {
            late.pop_first();
        }
        late.insert((who, key), (operation, seq));
    }

    /// Was this the change that the same operation of the same principal made?
    pub(super) fn is(
        &self,
        who: PrincipalId,
        key: KeyId,
        operation: &'static str,
        seq: u64,
    ) -> bool {
        let late = self.0.lock().expect("no code panics while it holds this lock");
        late.get(&(who, key)) == Some(&(operation, seq))
    }

    /// Forgets: it was answered.
    pub(super) fn answered(&self, who: PrincipalId, key: KeyId) {
        self.0.lock().expect("no code panics while it holds this lock").remove(&(who, key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_change_is_its_senders_alone_and_room_is_bounded() {
        let late = LateAnswers::default();
        let (who, other) = (PrincipalId::from_bytes([1; 16]), PrincipalId::from_bytes([2; 16]));
        let key = KeyId::from_bytes([3; 16]);
        late.note(who, key, "DisableKey", 7);
        assert!(late.is(who, key, "DisableKey", 7));
        assert!(!late.is(who, key, "DisableKey", 8) && !late.is(who, key, "EnableKey", 7));
        assert!(!late.is(other, key, "DisableKey", 7));
        late.answered(who, key);
        assert!(!late.is(who, key, "DisableKey", 7));
        for number in 0..2 * MOST as u128 {
            late.note(who, KeyId::from_bytes(number.to_be_bytes()), "DisableKey", 1);
        }
        assert_eq!(late.0.lock().unwrap().len(), MOST);
    }
}
