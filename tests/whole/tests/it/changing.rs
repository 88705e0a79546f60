//! Changes of keys: what takes away acts at its commit, what gives acts below the watermark.

use keystead_domain::{ChangeId, KeyId, KeyState};
use keystead_service::{Error, ErrorKind, Fault, KeyChange};
use keystead_targets::MemoryVault;

use crate::{
    kit::KitForm,
    prepared::{Node, Prepared},
};

/// The key that every prepared instance has.
fn first_key(prepared: &Prepared) -> KeyId {
    prepared.notes.told().keys[0].key.id
}

fn away(prepared: &Prepared) {
    prepared.world.vaults.iter().for_each(MemoryVault::away);
}

fn back(prepared: &Prepared) {
    prepared.world.vaults.iter().for_each(MemoryVault::back);
}

fn effective<T: std::fmt::Debug>(answer: Result<T, Error>) -> ChangeId {
    let refused = answer.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(refused.to_string().starts_with("effective, not yet vaulted"), "{refused}");
    let Fault::EffectiveNotVaulted { change } = refused.fault else { panic!("{refused}") };
    change
}

fn waiting<T: std::fmt::Debug>(answer: Result<T, Error>) {
    let refused = answer.unwrap_err();
    assert!(matches!(refused.fault, Fault::NotYetVaulted { .. }), "{refused}");
}

/// The key does nothing, and says why.
async fn is_out_of_use(node: &Node, key: KeyId) {
    let refused = node.client.encrypt(key, b"x").await.unwrap_err();
    assert!(matches!(refused.fault, Fault::KeyState { key: of, .. } if of == key), "{refused}");
    let sealed = node.client.notes.told().sealed[0].clone();
    let refused = node.client.decrypt(&sealed).await.unwrap_err();
    assert!(matches!(refused.fault, Fault::KeyState { .. }), "{refused}");
}

#[test]
fn a_key_is_disabled_and_enabled_and_each_is_done_once() {
    let prepared = Prepared::new(1700, KitForm::Bare);
    let key = first_key(&prepared);
    prepared.run(async {
        let node = prepared.start().await;
        for _ in 0..2 {
            let view = node.client.change(key, KeyChange::Disable).await.unwrap();
            assert!(matches!(view.key.state, KeyState::Suspended { .. }));
        }
        is_out_of_use(&node, key).await;
        let before = node.client.status().await.unwrap().commit_seq;
        for _ in 0..2 {
            let view = node.client.change(key, KeyChange::Enable).await.unwrap();
            assert!(matches!(view.key.state, KeyState::Active { .. }));
        }
        let after = node.client.status().await.unwrap().commit_seq;
        assert_eq!(after, before + 1, "what is already so is no change");
        node.client.encrypt(key, b"x").await.unwrap();
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn disabling_acts_while_no_vault_answers_and_enabling_waits_for_them() {
    let prepared = Prepared::new(1710, KitForm::Bare);
    let key = first_key(&prepared);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        away(&prepared);
        let change = effective(node.client.change(key, KeyChange::Disable).await);
        is_out_of_use(&node, key).await;
        let shown = node.client.describe(key).await.unwrap().key.state;
        assert!(matches!(shown, KeyState::Suspended { .. }), "{shown}");
        let again = effective(node.client.change(key, KeyChange::Disable).await);
        assert_eq!(again, change, "a repeated command waits for the same change");
        waiting(node.client.change(key, KeyChange::Enable).await);
        is_out_of_use(&node, key).await;
        back(&prepared);
        let view = node.client.change(key, KeyChange::Enable).await.unwrap();
        assert!(matches!(view.key.state, KeyState::Active { .. }));
        node.client.encrypt(key, b"x").await.unwrap();
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_repeated_command_succeeds_once_the_vaults_are_back() {
    let prepared = Prepared::new(1720, KitForm::Bare);
    let key = first_key(&prepared);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        away(&prepared);
        let schedule = || KeyChange::ScheduleDeletion { window_days: 7 };
        let change = effective(node.client.change(key, schedule()).await);
        is_out_of_use(&node, key).await;
        let again = effective(node.client.change(key, schedule()).await);
        assert_eq!(again, change);
        back(&prepared);
        node.client.settled().await;
        let view = node.client.change(key, schedule()).await.unwrap();
        assert!(matches!(view.key.state, KeyState::Doomed { .. }), "it was told to repeat it");
        let refused = node.client.change(key, schedule()).await.unwrap_err();
        let doomed = |state| matches!(state, KeyState::Doomed { .. });
        assert!(matches!(refused.fault, Fault::KeyState { state, .. } if doomed(state)));
        away(&prepared);
        waiting(node.client.change(key, KeyChange::CancelDeletion).await);
        waiting(node.client.change(key, KeyChange::CancelDeletion).await);
        assert!(doomed(node.client.describe(key).await.unwrap().key.state));
        back(&prepared);
        node.client.settled().await;
        let view = node.client.change(key, KeyChange::CancelDeletion).await.unwrap();
        assert!(matches!(view.key.state, KeyState::Suspended { .. }));
        let refused = node.client.change(key, KeyChange::CancelDeletion).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::NotDoomed { .. }), "{refused}");
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_restart_above_the_watermark_keeps_what_was_taken_and_gives_nothing_early() {
    let prepared = Prepared::new(1730, KitForm::Bare);
    let key = first_key(&prepared);
    let described = |text: &str| KeyChange::Describe { description: text.to_owned() };
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        // They show what they hold, so that a node may start, and take nothing more.
        prepared.world.vaults.iter().for_each(|vault| vault.limit(0));
        waiting(node.client.change(key, described("later")).await);
        node.kill();
        let node = prepared.start().await;
        node.client.encrypt(key, b"still of use").await.unwrap();
        let shown = node.client.describe(key).await.unwrap().key;
        assert_eq!(shown.description, "from before", "what gives waits for the vaults");
        effective(node.client.change(key, KeyChange::Disable).await);
        node.kill();
        let node = prepared.start().await;
        is_out_of_use(&node, key).await;
        waiting(node.client.change(key, KeyChange::Enable).await);
        node.kill();
        let node = prepared.start().await;
        is_out_of_use(&node, key).await;
        prepared.world.vaults.iter().for_each(|vault| vault.limit(u64::MAX));
        node.client.settled().await;
        let shown = node.client.describe(key).await.unwrap().key;
        assert_eq!(shown.description, "later");
        node.client.encrypt(key, b"of use again").await.unwrap();
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn what_no_key_can_be_made_of_is_refused() {
    let prepared = Prepared::new(1740, KitForm::Bare);
    let key = first_key(&prepared);
    let nobody = KeyId::from_bytes([9; 16]);
    prepared.run(async {
        let node = prepared.start().await;
        for change in [
            KeyChange::ScheduleDeletion { window_days: 6 },
            KeyChange::ScheduleDeletion { window_days: 31 },
            KeyChange::EnableRotation { period_days: 89 },
            KeyChange::EnableRotation { period_days: 2561 },
            KeyChange::Describe { description: "x".repeat(8193) },
            KeyChange::Tag { tags: [(String::new(), "x".to_owned())].into() },
        ] {
            let refused = node.client.change(key, change).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
        }
        let refused = node.client.change(nobody, KeyChange::Disable).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::NoKey { key } if key == nobody), "{refused}");
        node.client.change(key, KeyChange::Disable).await.unwrap();
        let rotation = KeyChange::EnableRotation { period_days: 90 };
        let refused = node.client.change(key, rotation).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KeyState { .. }), "{refused}");
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn tags_are_added_replaced_and_removed_up_to_fifty() {
    let prepared = Prepared::new(1750, KitForm::Bare);
    let key = first_key(&prepared);
    let tags = |range: std::ops::Range<u8>| KeyChange::Tag {
        tags: range.map(|n| (format!("name {n}"), format!("value {n}"))).collect(),
    };
    prepared.run(async {
        let node = prepared.start().await;
        assert_eq!(node.client.change(key, tags(0..50)).await.unwrap().key.tags.len(), 50);
        let refused = node.client.change(key, tags(50..51)).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::TagLimit { .. }), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::Limit);
        let names = vec!["name 7".to_owned(), "none".to_owned()];
        let view = node.client.change(key, KeyChange::Untag { names }).await.unwrap();
        assert_eq!(view.key.tags.len(), 49);
        let other = [("name 8".to_owned(), "other".to_owned())].into();
        let view = node.client.change(key, KeyChange::Tag { tags: other }).await.unwrap();
        assert!(view.key.tags.contains(&("name 8".to_owned(), "other".to_owned())));
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}
