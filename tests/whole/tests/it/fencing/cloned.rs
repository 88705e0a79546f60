//! Two live nodes of one incarnation on one set of vaults.

use std::sync::Arc;

use keystead_service::{Error, Fault, FenceReason, Vaulted};

use crate::{
    client::{Client, Notes},
    evidence::verify_chain,
    kit::KitForm,
    prepared::{Node, Prepared},
};

fn diverged<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    let Err(error) = result else { return false };
    matches!(error.fault, Fault::Fenced { reason: FenceReason::Diverged { .. } })
}

/// Starts the node and its clone, the clone with notes of its own.
async fn both(prepared: &Prepared) -> (Node, Node) {
    let one = prepared.start().await;
    let mut other = prepared.try_start(&prepared.folder.copied()).await.unwrap();
    other.client.notes = Notes::default();
    (one, other)
}

#[test]
fn an_idle_clone_is_fenced_once_the_other_node_has_written() {
    let prepared = Prepared::new(700, KitForm::Bare);
    prepared.run(async {
        let (one, other) = both(&prepared).await;
        let key = prepared.notes.told().keys[0].key.id;
        other.client.encrypt(key, b"both serve").await.unwrap();
        one.works().await;
        prepared.wait_ms(31_000).await;
        assert!(diverged(other.client.encrypt(key, b"x").await));
        assert!(diverged(other.client.create("x").await));
        let status = other.client.status().await.unwrap();
        assert!(status.state.starts_with("fenced: "), "{}", status.state);
        one.works().await;
        one.client.settled().await;
        one.kill();
        other.kill();
    });
    prepared.verify();
}

async fn create_until_refused(client: &Client) -> Error {
    for number in 0..50 {
        match client.create(&format!("number {number}")).await {
            Ok(_) => {}
            Err(error) => return error,
        }
    }
    panic!("nobody fenced this node");
}

#[test]
fn of_two_clones_that_write_at_once_one_chain_holds_all_that_was_acknowledged() {
    for seed in 0..10 {
        let prepared = Prepared::new(710, KitForm::Bare).copied(seed);
        let (one, other) = prepared.run(async {
            let (one, other) = both(&prepared).await;
            let write = |node: &Node| {
                let client = node.client.clone();
                async move {
                    let mut made = Vec::new();
                    for number in 0..5 {
                        match client.create(&format!("number {number}")).await {
                            Ok(view) => made.push(view),
                            Err(error) => {
                                assert!(matches!(error.fault, Fault::Fenced { .. }), "{error}");
                                break;
                            }
                        }
                    }
                    made
                }
            };
            let made = futures_util::future::join(write(&one), write(&other)).await;
            prepared.wait_ms(31_000).await;
            let fenced =
                [diverged(one.client.create("x").await), diverged(other.client.create("x").await)];
            assert!(fenced.contains(&true), "two nodes write and neither is fenced");
            one.kill();
            other.kill();
            made
        });
        let vaulted = |made: &[keystead_service::KeyView]| {
            made.iter().any(|view| view.vaulted == Vaulted::Yes)
        };
        assert!(!(vaulted(&one) && vaulted(&other)), "seed {seed}: both were acknowledged");
        // Each vault by itself holds a chain that follows.
        for vault in &prepared.world.vaults {
            verify_chain(vault, &prepared.operator);
        }
    }
}

#[test]
fn a_clone_that_starts_behind_the_other_node_is_refused() {
    let prepared = Prepared::new(720, KitForm::Bare);
    let clone = prepared.folder.copied();
    prepared.run(async {
        let one = prepared.start().await;
        one.works().await;
        one.client.settled().await;
        let refused = prepared.try_start(&clone).await.unwrap_err();
        assert!(matches!(refused, keystead_service::StartFailed::RolledBack { .. }), "{refused}");
        assert!(refused.hint().unwrap().contains("restore"));
        one.works().await;
    });
}

#[test]
fn a_fenced_node_stays_fenced_and_refuses_everything_but_its_status() {
    let prepared = Prepared::new(730, KitForm::Bare);
    prepared.run(async {
        let (one, other) = both(&prepared).await;
        one.works().await;
        let refused = create_until_refused(&other.client).await;
        assert!(matches!(refused.fault, Fault::Fenced { .. }), "{refused}");
        prepared.wait_ms(60 * 60 * 1000).await;
        assert!(diverged(other.client.list().await));
        let sealed = prepared.notes.told().sealed[0].clone();
        assert!(diverged(other.client.decrypt(&sealed).await));
        assert!(other.client.status().await.is_ok());
        drop(Arc::new(one));
    });
}
