//! CreateKey under an idempotency key: sent again, it makes nothing new.

use keystead_domain::{IdempotencyKey, Kind};
use keystead_service::{ErrorKind, Fault};
use keystead_store::{Backend, Scan};

use crate::{
    evidence::now,
    kit::KitForm,
    prepared::{BEFORE, Node, Prepared},
};

/// How many idempotency keys are remembered.
fn remembered(prepared: &Prepared) -> usize {
    let scan = Scan::Kind { kind: Kind::IdempotencyKey, after: None, limit: usize::MAX };
    now(prepared.folder.store.scan(scan)).unwrap().len()
}

async fn keys(node: &Node) -> usize {
    node.client.list().await.unwrap().keys.len()
}

#[test]
fn the_same_command_finds_its_key_and_another_is_refused() {
    let prepared = Prepared::new(1600, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let first = node.client.create_under(Some("order-17"), "one").await.unwrap();
        let again = node.client.create_under(Some("order-17"), "one").await.unwrap();
        assert_eq!(first, again);
        let refused = node.client.create_under(Some("order-17"), "other").await.unwrap_err();
        assert!(matches!(refused.fault, Fault::IdempotencyReused), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        let other = node.client.create_under(Some("order-1"), "one").await.unwrap();
        assert_ne!(first.key.id, other.key.id, "one key is the beginning of another");
        assert_eq!(keys(&node).await, BEFORE + 2);
        for bad in ["", "a b", &"k".repeat(129)] {
            let refused = node.client.create_under(Some(bad), "one").await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Invalid, "{bad:?}");
        }
        node.client.settled().await;
        node.kill();
        let node = prepared.start().await;
        let later = node.client.create_under(Some("order-17"), "one").await.unwrap();
        assert_eq!(first, later, "a restart forgets nothing");
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn sent_twice_at_once_it_makes_one_key() {
    let prepared = Prepared::new(1610, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let sent = (0..4).map(|_| node.client.create_under(Some("once"), "one"));
        let made = futures_util::future::join_all(sent).await;
        let first = made[0].as_ref().unwrap().key.id;
        assert!(made.iter().all(|view| view.as_ref().unwrap().key.id == first));
        assert_eq!(keys(&node).await, BEFORE + 1);
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn after_a_day_the_key_is_free_again_and_what_is_over_is_forgotten() {
    let prepared = Prepared::new(1620, KitForm::Bare);
    let day_ms = u64::try_from(IdempotencyKey::KEPT_MS).unwrap();
    prepared.world.sim.run(2 * day_ms, async {
        let node = prepared.start().await;
        let first = node.client.create_under(Some("daily"), "one").await.unwrap();
        node.client.create_under(Some("never-again"), "one").await.unwrap();
        prepared.wait_ms(day_ms).await;
        let next = node.client.create_under(Some("daily"), "one").await.unwrap();
        assert_ne!(first.key.id, next.key.id);
        prepared.wait_ms(2 * 60 * 60 * 1000).await;
        assert_eq!(remembered(&prepared), 1, "the one that is not over");
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}
