//! Vaults that are lost, unmounted, emptied, slow, or come back as they were long ago.

use keystead_archive::names::LEDGER_FOLDER;
use keystead_service::{Vaulted, status::VaultStatus};
use keystead_targets::{MemoryVault, Vault};

use crate::{
    evidence::now,
    kit::KitForm,
    prepared::{Node, Prepared},
};

async fn vault(node: &Node, number: usize) -> VaultStatus {
    node.client.status().await.unwrap().vaults[number].clone()
}

/// What a vault holds apart from its own record and from ledgers, whose checkpoints are as many as
/// each vault had the time for.
fn content(vault: &MemoryVault) -> Vec<(String, Vec<u8>)> {
    let listed = now(vault.list_apart("", &[LEDGER_FOLDER])).unwrap();
    let names = listed.into_iter().map(|object| object.name);
    names
        .filter(|name| !name.as_str().ends_with("/vault"))
        .map(|name| (name.to_string(), now(vault.read(&name)).unwrap().unwrap()))
        .collect()
}

fn lose_ledgers(vault: &MemoryVault) {
    let of_ledgers = format!("/{LEDGER_FOLDER}/");
    let listed = now(vault.list("")).unwrap().into_iter().map(|object| object.name);
    for name in listed.filter(|name| name.as_str().contains(&of_ledgers)) {
        vault.remove(&name);
    }
}

fn assert_equal_vaults(prepared: &Prepared) {
    let [one, two, three] = [0, 1, 2].map(|number| content(&prepared.world.vaults[number]));
    let names = |content: &[(String, Vec<u8>)]| -> Vec<String> {
        content.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&one), names(&two));
    assert_eq!(names(&one), names(&three));
    assert!(one == two && one == three);
}

#[test]
fn one_vault_of_three_lost_costs_no_write() {
    let prepared = Prepared::new(1100, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        prepared.world.vaults[1].away();
        for _ in 0..5 {
            let began = prepared.world.sim.now_ms();
            let view = node.client.create("with two of three").await.unwrap();
            assert_eq!(view.vaulted, Vaulted::Yes);
            assert!(prepared.world.sim.now_ms() - began < 200, "a lost vault delays nobody");
            node.client.encrypt(view.key.id, b"used at once").await.unwrap();
        }
        let lost = vault(&node, 1).await;
        assert_eq!(lost.state, "away");
        assert!(lost.missing_segments >= 5, "{lost:?}");
        prepared.wait_ms(1_000).await;
        let status = node.client.status().await.unwrap();
        assert_eq!(status.watermark, status.commit_seq);
        let way_back = &status.promises[0];
        assert_eq!(way_back.verdict, "weak");
        assert!(way_back.reason.as_ref().unwrap().contains("2 of 3 vaults are current"));
        prepared.world.vaults[1].back();
        node.client.settled().await;
        node.kill();
    });
    assert_equal_vaults(&prepared);
    prepared.verify();
}

#[test]
fn a_vault_that_hangs_delays_nobody() {
    let prepared = Prepared::new(1110, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        node.process.slow_vault(0, 10 * 60 * 1000);
        let began = prepared.world.sim.now_ms();
        for _ in 0..5 {
            let view = node.client.create("with a vault that hangs").await.unwrap();
            assert_eq!(view.vaulted, Vaulted::Yes);
        }
        assert!(prepared.world.sim.now_ms() - began < 1_000);
    });
}

#[test]
fn an_unmounted_vault_that_returns_catches_up_and_status_counts_its_deficit() {
    let prepared = Prepared::new(1120, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let before = vault(&node, 2).await.confirmed_sequence;
        prepared.world.vaults[2].away();
        node.works().await;
        node.works().await;
        let away = vault(&node, 2).await;
        assert_eq!((away.state.as_str(), away.confirmed_sequence), ("away", before));
        assert!(away.missing_segments >= 2, "{away:?}");
        assert!(away.reason.is_some());
        prepared.world.vaults[2].back();
        node.client.settled().await;
        let current = vault(&node, 2).await;
        assert_eq!((current.state.as_str(), current.missing_segments), ("current", 0));
        node.kill();
    });
    assert_equal_vaults(&prepared);
    prepared.verify();
}

#[test]
fn a_stale_vault_that_comes_back_gets_everything_it_lacks() {
    let prepared = Prepared::new(1130, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let stale = prepared.world.vaults[0].snapshot();
        node.works().await;
        node.works().await;
        node.client.settled().await;
        prepared.world.vaults[0].away();
        node.works().await;
        prepared.world.vaults[0].restore(&stale);
        prepared.world.vaults[0].back();
        node.client.settled().await;
        node.kill();
    });
    assert_equal_vaults(&prepared);
    prepared.verify();
}

#[test]
fn a_vault_that_turns_stale_unseen_is_noticed_and_counted_and_gets_everything_it_lacks() {
    let prepared = Prepared::new(1140, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let stale = prepared.world.vaults[0].snapshot();
        node.works().await;
        node.works().await;
        node.client.settled().await;
        prepared.world.vaults[0].restore(&stale);
        prepared.wait_ms(65_000).await;
        node.works().await;
        node.client.settled().await;
        node.kill();
    });
    assert_equal_vaults(&prepared);
    prepared.verify();
}

#[test]
fn an_emptied_vault_is_away_and_confirms_nothing() {
    let prepared = Prepared::new(1150, KitForm::Bare);
    let empty = MemoryVault::named("empty").unwrap().snapshot();
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        prepared.world.vaults[0].restore(&empty);
        node.works().await;
        prepared.wait_ms(31_000).await;
        let emptied = vault(&node, 0).await;
        assert_eq!(emptied.state, "away", "{emptied:?}");
        assert!(emptied.reason.as_ref().unwrap().contains("emptied"), "{emptied:?}");
        // With a second one away there are too few left, however eager the emptied one is.
        prepared.world.vaults[1].away();
        let answer = node.client.create("x").await;
        assert!(
            !matches!(&answer, Ok(view) if view.vaulted == Vaulted::Yes),
            "an emptied vault has confirmed: {answer:?}"
        );
        prepared.world.vaults[1].back();
        prepared.wait_ms(31_000).await;
        node.works().await;
        node.kill();
    });
    assert_eq!(content(&prepared.world.vaults[0]), [], "nothing is put into what is no vault");
}

#[test]
fn an_emptied_vault_is_away_from_the_start() {
    let prepared = Prepared::new(1160, KitForm::Bare);
    let empty = MemoryVault::named("empty").unwrap().snapshot();
    prepared.world.vaults[1].restore(&empty);
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        prepared.wait_ms(31_000).await;
        assert_eq!(vault(&node, 1).await.state, "away");
        node.kill();
    });
    assert_eq!(content(&prepared.world.vaults[1]), [], "it is never taken for a fresh one");
}

#[test]
fn a_key_copy_that_missed_two_vaults_in_turn_reaches_both() {
    let prepared = Prepared::new(1170, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        prepared.world.vaults[2].away();
        node.works().await;
        // The one that lacks the copy comes back while the two that hold it are away.
        prepared.world.vaults[0].away();
        prepared.world.vaults[1].away();
        prepared.wait_ms(61_000).await;
        prepared.world.vaults[2].back();
        prepared.wait_ms(61_000).await;
        prepared.world.vaults[0].back();
        prepared.world.vaults[1].back();
        node.client.settled().await;
        prepared.wait_ms(61_000).await;
        node.kill();
    });
    assert_equal_vaults(&prepared);
    prepared.verify();
}

#[test]
fn a_vault_that_shows_another_segment_in_our_place_fences_the_node() {
    let prepared = Prepared::new(1180, KitForm::Bare);
    let other = prepared.folder.copied();
    prepared.run(async {
        // While it is away from us, a clone writes into this vault alone.
        prepared.world.vaults[2].away();
        let node = prepared.start().await;
        node.works().await;
        node.client.status().await.unwrap();
        // Else it may fill the gap before the clone does.
        node.kill();
        prepared.world.vaults[2].back();
        // Else the clone would learn from its ledger there that it is one.
        lose_ledgers(&prepared.world.vaults[2]);
        // The other vaults would tell it at once.
        prepared.world.vaults[0].away();
        prepared.world.vaults[1].away();
        let clone = prepared.process_over(&other, &keystead_testkit::FaultPlans::default());
        drop(crate::node::serve(&clone).await.unwrap());
        // Its heartbeat writes.
        prepared.wait_ms(6 * 60 * 1000).await;
        clone.kill();
        prepared.world.vaults[0].back();
        prepared.world.vaults[1].back();
    });
    let answer = prepared.run(async {
        match prepared.try_start(&prepared.folder).await {
            Ok(node) => {
                prepared.wait_ms(31_000).await;
                node.process_state().await
            }
            Err(refused) => refused.to_string(),
        }
    });
    assert!(answer.contains("two nodes write") || answer.contains("rolled back"), "{answer}");
}
