//! New versions of keys: on demand and by schedule.

use keystead_service::{ErrorKind, Fault, KeyChange};
use keystead_targets::MemoryVault;

use crate::{kit::KitForm, prepared::Prepared};

#[test]
fn a_rotated_key_encrypts_under_its_new_version_and_opens_what_the_old_ones_made() {
    let prepared = Prepared::new(1900, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    prepared.run(async {
        let node = prepared.start().await;
        for number in 2..=4 {
            let view = node.client.rotate(key).await.unwrap();
            assert_eq!(view.key.current().number, number);
            let ciphertext = node.client.encrypt(key, b"x").await.unwrap();
            let named = keystead_crypto::named_key(&ciphertext).unwrap();
            assert_eq!(&named.version, view.key.current().id.as_bytes());
        }
        assert_eq!(node.client.look_at(key).await.key.on_demand, [2, 3, 4]);
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
        let node = prepared.start().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
    prepared.verify_vaulted();
}

#[test]
fn a_key_rotates_on_demand_twenty_five_times() {
    let prepared = Prepared::new(1910, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    prepared.run(async {
        let node = prepared.start().await;
        for _ in 0..25 {
            node.client.rotate(key).await.unwrap();
        }
        let refused = node.client.rotate(key).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::RotationLimit { .. }), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::Limit);
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_version_needs_the_vaults_and_one_that_waits_is_not_made_twice() {
    let prepared = Prepared::new(1920, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        prepared.world.vaults.iter().for_each(MemoryVault::away);
        let refused = node.client.rotate(key).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::VaultsAway { .. }), "{refused}");
        prepared.world.vaults.iter().for_each(MemoryVault::back);
        // The copy gets there and the segment does not.
        let data = &prepared.folder.data;
        data.limit(data.used_bytes());
        for _ in 0..2 {
            let late = node.client.rotate(key).await.unwrap_err();
            assert!(matches!(late.fault, Fault::NotYetVaulted { .. }), "{late}");
        }
        let shown = node.client.describe(key).await.unwrap();
        assert_eq!(shown.key.versions.len(), 1, "nobody uses what the vaults do not hold");
        data.limit(u64::MAX);
        node.client.settled().await;
        assert_eq!(node.client.look_at(key).await.key.versions.len(), 2);
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_disabled_key_does_not_rotate_and_one_that_is_due_does_by_itself() {
    let prepared = Prepared::new(1930, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    let schedule = KeyChange::EnableRotation { period_days: 90 };
    let first = prepared.run(async {
        let node = prepared.start().await;
        node.client.change(key, schedule.clone()).await.unwrap();
        let first = node.client.change(key, schedule.clone()).await.unwrap().key.rotation.unwrap();
        let after = node.client.rotate(key).await.unwrap().key.rotation.unwrap();
        assert_eq!(after, first, "a version on demand does not move the schedule");
        node.client.change(key, KeyChange::Disable).await.unwrap();
        let refused = node.client.rotate(key).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KeyState { .. }), "{refused}");
        node.client.settled().await;
        node.kill();
        first
    });
    prepared.later(91);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(70_000).await;
        assert_eq!(node.client.describe(key).await.unwrap().key.versions.len(), 2);
        node.client.change(key, KeyChange::Enable).await.unwrap();
        prepared.wait_ms(70_000).await;
        let view = node.client.look_at(key).await;
        assert_eq!((view.key.versions.len(), view.key.on_demand.as_slice()), (3, &[2][..]));
        let next = view.key.rotation.unwrap().next;
        assert!(next.ms_since(first.next) > 90 * 24 * 60 * 60 * 1000, "{next}");
        prepared.wait_ms(70_000).await;
        assert_eq!(node.client.describe(key).await.unwrap().key.versions.len(), 3);
        node.client.encrypt(key, b"x").await.unwrap();
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}
