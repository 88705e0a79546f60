//! Too few vaults answer to know that no other node took over.

use keystead_archive::names;
use keystead_service::{Fault, FenceReason, Vaulted};
use keystead_targets::{MemoryVault, ObjectName, Vault};

use crate::{
    evidence::now,
    kit::KitForm,
    node::MAX_UNFENCED_MS,
    prepared::{BEFORE, Node, Prepared},
};

fn away(prepared: &Prepared, vaults: &[usize]) {
    vaults.iter().for_each(|number| prepared.world.vaults[*number].away());
}

fn back(prepared: &Prepared) {
    prepared.world.vaults.iter().for_each(MemoryVault::back);
}

async fn is_unseen(prepared: &Prepared, node: &Node) -> bool {
    let key = prepared.notes.told().keys[0].key.id;
    match node.client.encrypt(key, b"used").await {
        Ok(_) => false,
        Err(error) => {
            let unseen = matches!(error.fault, Fault::Fenced { reason: FenceReason::Unseen });
            assert!(unseen, "{error}");
            assert_eq!(error.hint(), Some("bring the vaults back"));
            true
        }
    }
}

#[test]
fn uses_go_on_without_vaults_until_max_unfenced_and_again_when_enough_are_back() {
    let prepared = Prepared::new(1000, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        away(&prepared, &[0, 1, 2]);
        for _ in 0..9 {
            assert!(!is_unseen(&prepared, &node).await);
            prepared.wait_ms(MAX_UNFENCED_MS / 10).await;
        }
        prepared.wait_ms(MAX_UNFENCED_MS / 10 + 60_000).await;
        assert!(is_unseen(&prepared, &node).await);
        prepared.world.vaults[1].back();
        prepared.wait_ms(61_000).await;
        assert!(is_unseen(&prepared, &node).await, "one of three is not enough");
        back(&prepared);
        prepared.wait_ms(61_000).await;
        assert!(!is_unseen(&prepared, &node).await);
        node.works().await;
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_node_that_sees_too_few_vaults_at_start_answers_nothing_until_it_does() {
    let prepared = Prepared::new(1010, KitForm::Bare);
    away(&prepared, &[0, 2]);
    prepared.run(async {
        let node = prepared.start().await;
        assert!(is_unseen(&prepared, &node).await);
        let status = node.client.status().await.unwrap();
        assert!(status.state.starts_with("fenced: "), "{}", status.state);
        back(&prepared);
        prepared.wait_ms(31_000).await;
        assert!(!is_unseen(&prepared, &node).await);
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn with_two_vaults_of_three_away_no_key_is_made() {
    let prepared = Prepared::new(1020, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        away(&prepared, &[1, 2]);
        let refused = node.client.create("x").await.unwrap_err();
        assert!(
            matches!(refused.fault, Fault::VaultsAway { confirmed: 1, needed: 2 }),
            "{refused}"
        );
        assert_eq!(node.client.list().await.unwrap().keys.len(), BEFORE);
        back(&prepared);
        prepared.wait_ms(31_000).await;
        node.works().await;
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

fn key_copies(vault: &MemoryVault) -> usize {
    let listed = now(vault.list("")).unwrap_or_default();
    listed.iter().filter(|object| object.name.as_str().contains("/key/")).count()
}

/// A key whose copies are in the vaults and whose segment is not: they went away in between.
async fn half_vaulted(prepared: &Prepared, node: &Node) -> keystead_service::KeyView {
    let before = key_copies(&prepared.world.vaults[1]);
    let watch = async {
        while prepared.world.vaults.iter().any(|vault| key_copies(vault) == before) {
            prepared.wait_ms(1).await;
        }
        away(prepared, &[0, 1, 2]);
    };
    let (made, ()) = futures_util::future::join(node.client.create("half"), watch).await;
    made.unwrap()
}

#[test]
fn a_key_that_is_not_yet_vaulted_is_creating_and_becomes_usable_when_the_vaults_return() {
    let prepared = Prepared::new(1030, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let view = half_vaulted(&prepared, &node).await;
        assert_eq!(view.vaulted, Vaulted::NotYet);
        let refused = node.client.encrypt(view.key.id, b"x").await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KeyCreating { .. }), "{refused}");
        let shown = node.client.describe(view.key.id).await.unwrap();
        assert_eq!((shown.key, shown.vaulted), (view.key.clone(), Vaulted::NotYet));
        back(&prepared);
        node.client.settled().await;
        node.client.encrypt(view.key.id, b"x").await.unwrap();
        assert_eq!(node.client.describe(view.key.id).await.unwrap().vaulted, Vaulted::Yes);
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_key_that_is_not_yet_vaulted_survives_a_restart_without_vaults() {
    let prepared = Prepared::new(1040, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let view = half_vaulted(&prepared, &node).await;
        node.kill();
        let node = prepared.start().await;
        assert!(is_unseen(&prepared, &node).await);
        back(&prepared);
        node.client.settled().await;
        node.client.encrypt(view.key.id, b"x").await.unwrap();
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn what_enough_vaults_hold_is_served_from_the_first_answer_after_a_restart() {
    let prepared = Prepared::new(1045, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let view = half_vaulted(&prepared, &node).await;
        // Five minutes later an empty segment lies behind the key's own in the outbox.
        prepared.wait_ms(6 * 60 * 1000).await;
        node.kill();
        let mut pending = prepared.folder.files();
        pending.retain(|(name, _)| name.as_str().starts_with("segment-"));
        let [.., (name, of_the_key), _] = &pending[..] else { panic!("{}", pending.len()) };
        let (of, digits) = (&prepared.operator, name.as_str().trim_start_matches("segment-"));
        let name = names::segment(of.instance, of.incarnation, digits.parse().unwrap());
        let name: ObjectName = name.parse().unwrap();
        back(&prepared);
        for vault in &prepared.world.vaults[..2] {
            vault.put_new(&name, of_the_key).await.unwrap();
        }
        let node = prepared.start().await;
        let listed = node.client.list().await.unwrap().keys;
        assert!(listed.iter().any(|listed| listed.key == view.key), "{listed:?}");
        node.client.encrypt(view.key.id, b"x").await.unwrap();
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn the_head_that_status_shows_is_in_the_vaults() {
    let prepared = Prepared::new(1050, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let before = node.client.status().await.unwrap().head;
        away(&prepared, &[0, 1]);
        // An empty segment is built every five minutes; one vault of three is not enough.
        prepared.wait_ms(6 * 60 * 1000).await;
        assert_eq!(node.client.status().await.unwrap().head, before);
        back(&prepared);
        node.client.settled().await;
        prepared.wait_ms(5_000).await;
        assert_ne!(node.client.status().await.unwrap().head, before);
    });
}
