//! A packed key is the key, and stays small.

use keystead_crypto::Entropy;
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::keyring::Snapshot;

/// The most that a key without texts, tags and earlier versions costs in one allocation, with the
/// two counters of its `Arc`. The next class of the allocator in use holds 192.
const ENTRY_BYTES: usize = 160;

fn version() -> impl Strategy<Value = KeyVersion> {
    (any::<[u8; 8]>(), any::<u32>(), any::<i64>(), any::<[u8; 16]>(), any::<[[u8; 32]; 2]>())
        .prop_map(|(id, number, at, epoch, [copy_hash, key_check])| KeyVersion {
            id: VersionId::from_bytes(id),
            number,
            created_at: Timestamp::from_micros(at),
            epoch: EpochId::from_bytes(epoch),
            copy_hash,
            key_check,
        })
}

fn state() -> impl Strategy<Value = KeyState> {
    (0..6, any::<i64>()).prop_map(|(which, at)| {
        let at = Timestamp::from_micros(at);
        match which {
            0 => KeyState::Active { since: at },
            1 => KeyState::Suspended { since: at },
            2 => KeyState::Deactivated { since: at },
            3 => KeyState::Compromised { since: at },
            4 => KeyState::Doomed { due: at },
            _ => KeyState::Destroyed { at },
        }
    })
}

pub(in crate::keyring) fn key() -> impl Strategy<Value = Key> {
    let texts = (".{0,9}", ".{0,9}", vec((".{0,4}", ".{0,4}"), 0..3));
    let times = (any::<i64>(), option::of(any::<i64>()), option::of((90_u16..2_560, any::<i64>())));
    let ids = (any::<[u8; 16]>(), any::<[u8; 16]>(), select(KeySpec::ALL));
    (ids, texts, times, state(), vec(version(), 1..4), vec(any::<u32>(), 0..3)).prop_map(
        |((id, tenant, spec), (purpose, description, tags), times, state, versions, on_demand)| {
            let (created_at, expires_at, rotation) = times;
            Key {
                id: KeyId::from_bytes(id),
                tenant: TenantId::from_bytes(tenant),
                spec,
                purpose,
                description,
                created_at: Timestamp::from_micros(created_at),
                expires_at: expires_at.map(Timestamp::from_micros),
                state,
                versions,
                tags,
                rotation: rotation.map(|(period_days, next)| RotationSchedule {
                    period_days,
                    next: Timestamp::from_micros(next),
                }),
                on_demand,
            }
        },
    )
}

fn packed(key: Key) -> KeyEntry {
    let home = Arc::new(Home::of(&key));
    KeyEntry::new(key, home)
}

proptest! {
    #[test]
    fn a_key_comes_out_as_it_went_in(key in key()) {
        prop_assert_eq!(packed(key.clone()).to_key(), key);
    }

    #[test]
    fn the_entry_answers_as_the_key_does(key in key(), now in any::<i64>(), other in state()) {
        let (entry, now) = (packed(key.clone()), Timestamp::from_micros(now));
        prop_assert_eq!(entry.tenant(), key.tenant);
        prop_assert_eq!(entry.current(), key.current().id);
        prop_assert_eq!(entry.current_check(), key.current().key_check);
        prop_assert_eq!(entry.may_protect(now), key.may_protect(now));
        prop_assert_eq!(entry.rotation(), key.rotation);
        prop_assert_eq!(entry.version_count(), key.versions.len());
        prop_assert!(entry.versions().eq(key.versions.iter().map(|version| version.id)));
        for version in &key.versions {
            prop_assert!(entry.has(version.id));
        }
        let next = Key { state: other, ..key };
        prop_assert_eq!(entry.in_state(other).to_key(), next);
    }
}

/// A key as CreateKey makes it where nothing is asked for.
fn bare(entropy: &Entropy, tenant: TenantId, epoch: EpochId) -> Key {
    let at = Timestamp::from_micros(5);
    Key {
        id: KeyId::random(entropy),
        tenant,
        spec: KeySpec::Symmetric,
        purpose: String::new(),
        description: String::new(),
        created_at: at,
        expires_at: None,
        state: KeyState::Active { since: at },
        versions: vec![KeyVersion {
            id: VersionId::random(entropy),
            number: 1,
            created_at: at,
            epoch,
            copy_hash: entropy.array(),
            key_check: entropy.array(),
        }],
        tags: Vec::new(),
        rotation: None,
        on_demand: Vec::new(),
    }
}

#[test]
fn a_key_without_extras_is_one_small_allocation() {
    assert!(size_of::<KeyEntry>() + 2 * size_of::<usize>() <= ENTRY_BYTES);
    let entropy = Entropy::os();
    let (tenant, epoch) = (TenantId::random(&entropy), EpochId::random(&entropy));
    let mut snapshot = Snapshot::default();
    (0..20_000).for_each(|_| snapshot.put_key(bare(&entropy, tenant, epoch)));
    assert_eq!(snapshot.keys().len(), 20_000);
    let mut entries = snapshot.keys().values();
    let first = entries.next().unwrap();
    assert!(first.more.is_none());
    for entry in entries {
        assert!(entry.more.is_none() && Arc::ptr_eq(&entry.home, &first.home), "it shares a home");
    }
}
