//! Whatever happens to keys, the sums are those of a count over all of them.

use std::collections::{BTreeMap, BTreeSet};

use keystead_domain::Key;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::keyring::{Snapshot, entry::tests::key};

/// Some keys, many of them what one of four others becomes.
fn history() -> impl Strategy<Value = Vec<Key>> {
    let one = (key(), 0_u8..8).prop_map(|(mut key, which)| {
        if which < 4 {
            key.id = KeyId::from_bytes([which; 16]);
        }
        key
    });
    vec(one, 1..24)
}

fn versions<'k>(keys: impl Iterator<Item = &'k Key>) -> u64 {
    keys.map(|key| key.versions.len() as u64).sum()
}

fn is_destroyed(key: &&Key) -> bool {
    matches!(key.state, KeyState::Destroyed { .. })
}

proptest! {
    #[test]
    fn the_sums_are_those_of_a_count(history in history(), now in any::<i64>()) {
        let now = Timestamp::from_micros(now);
        let mut snapshot = Snapshot::default();
        let mut all = BTreeMap::new();
        for key in history {
            all.insert(key.id, key.clone());
            snapshot.put_key(key.clone());
            // Most changes of a key leave what is due as it was.
            snapshot.put_key(Key { description: "changed".to_owned(), ..key });
        }
        let tally = snapshot.tally();
        for (at, (_, count)) in tally.states().enumerate() {
            let counted = all.values().filter(|key| place(&key.state) == at).count();
            prop_assert_eq!(count, counted as u64);
        }
        let gone = || all.values().filter(is_destroyed);
        prop_assert_eq!(tally.destroyed(), (gone().count() as u64, versions(gone())));
        prop_assert_eq!(tally.versions(), versions(all.values()) - versions(gone()));
        let dooms = all.values().filter_map(|key| match key.state {
            KeyState::Doomed { due } => Some((due, key.id)),
            _ => None,
        });
        let dooms: BTreeSet<_> = dooms.collect();
        prop_assert_eq!(tally.next_doom(), dooms.first().map(|(due, _)| *due));
        let due = dooms.iter().filter(|(due, _)| *due <= now).map(|(_, id)| *id);
        prop_assert_eq!(tally.doomed_by(now).collect::<Vec<_>>(), due.collect::<Vec<_>>());
        let rotations = all.values().filter_map(|key| Some((key.rotation?.next, key.id)));
        let rotations: BTreeSet<_> = rotations.filter(|(next, _)| *next <= now).collect();
        let rotations: Vec<_> = rotations.into_iter().map(|(_, id)| id).collect();
        prop_assert_eq!(tally.rotating_by(now).collect::<Vec<_>>(), rotations);
    }
}
