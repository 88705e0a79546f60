//! Proof, not hope: what verification finds, and what it never calls proven.
//!
//! Invariant: a version is proven by its copy doing what the running key does, and by nothing else;
//! a byte that changed in one vault is found there, although another vault would have served.

use keystead_archive::{names, names::ObjectKind};
use keystead_domain::{KeySpec, KeyVersion};
use keystead_ledger::{Event, Outcome};
use keystead_service::{KeyChange, Level, Verification};
use keystead_targets::{ObjectName, Vault};

use crate::{
    evidence::{events, now},
    kit::KitForm,
    prepared::{BEFORE, Node, Prepared},
};

async fn walk(node: &Node) -> Verification {
    node.client.verify_backups(Level::Recovery).await.unwrap()
}

/// The verdict on promise 2, and why.
async fn proof(node: &Node) -> (String, String) {
    let promise = node.client.status().await.unwrap().promises.remove(1);
    (promise.verdict, promise.reason.unwrap_or_default())
}

fn copies(prepared: &Prepared, of: &KeyVersion) -> ObjectName {
    let listed = now(prepared.world.vaults[0].list("")).unwrap();
    let is = |kind: &ObjectKind| match kind {
        ObjectKind::KeyCopy { version, .. } => *version == of.id,
        _ => false,
    };
    let mut names = listed.into_iter().map(|listed| listed.name);
    names.find(|name| names::parse(name.as_str()).is_some_and(|kind| is(&kind))).unwrap()
}

/// How many events of the node say this, and whether all succeeded.
fn told(prepared: &Prepared, operation: &str) -> Vec<Outcome> {
    let of = |event: Event| match event {
        Event::Node { act } if act.operation.as_str() == operation => Some(act.outcome),
        _ => None,
    };
    events(&prepared.folder).into_iter().filter_map(of).collect()
}

#[test]
fn the_way_back_proves_every_version_of_every_spec_and_the_node_remembers_it() {
    let prepared = Prepared::new(2300, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    prepared.run(async {
        let node = prepared.start().await;
        assert!(proof(&node).await.1.contains("4 of 4 key versions are not proven"));
        node.client.rotate(key).await.unwrap();
        let doomed = node.client.create("doomed").await.unwrap().key.id;
        let doom = KeyChange::ScheduleDeletion { window_days: 7 };
        node.client.change(doomed, doom).await.unwrap();
        node.client.settled().await;
        let walked = walk(&node).await;
        assert_eq!(walked.findings, [""; 0]);
        assert_eq!((walked.versions, walked.wraps), (BEFORE as u64 + 2, 1));
        assert_eq!(walked.head, Some(node.client.status().await.unwrap().head));
        let shown = node.client.look_at(key).await;
        assert_eq!(shown.proven, [Some(walked.at); 2]);
        assert_eq!(proof(&node).await.0, "holds");
        let later = node.client.create("later").await.unwrap().key.id;
        assert_eq!(node.client.look_at(later).await.proven, [None]);
        let (verdict, why) = proof(&node).await;
        assert_eq!(verdict, "weak");
        assert!(why.contains("1 of 7 key versions are not proven"), "{why}");
        node.client.settled().await;
        node.kill();
    });
    assert_eq!(told(&prepared, "RecoveryRehearsed"), [Outcome::Succeeded]);
    assert_eq!(told(&prepared, "KeyCopiesExercised"), [Outcome::Succeeded]);
    prepared.run(async {
        let node = prepared.start().await;
        let shown = node.client.look_at(key).await;
        assert!(shown.proven.iter().all(Option::is_some), "a restart forgets no proof");
        node.kill();
    });
}

#[test]
fn a_copy_that_every_vault_lost_or_spoilt_is_named_and_the_promise_is_broken() {
    let prepared = Prepared::new(2310, KitForm::Bare);
    let keys: Vec<_> = prepared.notes.told().keys.iter().map(|view| view.key.clone()).collect();
    prepared.run(async {
        let node = prepared.start().await;
        assert_eq!(walk(&node).await.findings, [""; 0]);
        let (lost, cut) = (&keys[0], &keys[1]);
        let (first, second) = (copies(&prepared, lost.current()), copies(&prepared, cut.current()));
        prepared.world.vaults.iter().for_each(|vault| vault.remove(&second));
        prepared.world.vaults[1..].iter().for_each(|vault| vault.truncate(&first, 99));
        let walked = walk(&node).await;
        let [finding] = &walked.findings[..] else { panic!("{:?}", walked.findings) };
        assert!(finding.contains(&cut.id.to_string()), "one vault's copy is enough: {finding}");
        assert!(finding.contains(&cut.current().id.to_string()), "{finding}");
        assert_eq!(walked.versions, BEFORE as u64 - 1);
        let (verdict, why) = proof(&node).await;
        assert_eq!(verdict, "broken");
        assert!(why.contains(&cut.id.to_string()), "{why}");
        let before = node.client.look_at(cut.id).await.proven[0];
        assert!(before.is_some_and(|at| at < walked.at), "the last proof keeps its date");
        node.client.settled().await;
        node.kill();
    });
    let outcomes = told(&prepared, "KeyCopiesExercised");
    assert_eq!(outcomes.len(), 2);
    assert!(matches!(outcomes[1], Outcome::Failed { .. }), "{outcomes:?}");
}

#[test]
fn a_byte_that_changed_in_one_vault_is_found_there_at_once_or_within_seven_days() {
    let prepared = Prepared::new(2320, KitForm::Bare);
    let key = prepared.notes.told().keys[2].key.clone();
    let name = copies(&prepared, key.current());
    prepared.run(async {
        let node = prepared.start().await;
        let verify = || node.client.verify_backups(Level::Integrity);
        let sound = verify().await.unwrap();
        assert_eq!(sound.findings, [""; 0]);
        assert!(sound.objects > 0 && sound.bytes > 0);
        let mut bytes = now(prepared.world.vaults[1].read(&name)).unwrap().unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        prepared.world.vaults[1].remove(&name);
        now(prepared.world.vaults[1].put_new(&name, &bytes)).unwrap();
        let found = verify().await.unwrap();
        let [finding] = &found.findings[..] else { panic!("{:?}", found.findings) };
        let url = prepared.world.vaults[1].url().to_string();
        assert!(finding.contains(&url) && finding.contains(name.as_str()), "{finding}");
        let why = node.client.status().await.unwrap().promises[0].reason.clone().unwrap();
        assert!(why.contains(name.as_str()), "promise 1 says so: {why}");
        assert_eq!(walk(&node).await.findings, [""; 0], "the other vaults serve");
        node.client.settled().await;
        node.kill();
    });
    assert!(!told(&prepared, "VaultObjectRefused").is_empty());
    let mut days_until_found = 0;
    for day in 1..=7 {
        prepared.later(1);
        days_until_found += 1;
        let found = prepared.run(async {
            let node = prepared.start().await;
            prepared.wait_ms(700_000).await;
            let why = node.client.status().await.unwrap().verifications[0].clone();
            assert!(why.at.is_some() && !why.is_overdue, "day {day}: {why:?}");
            node.client.settled().await;
            node.kill();
            why.findings.iter().any(|finding| finding.contains(name.as_str()))
        });
        if found {
            return;
        }
    }
    panic!("not found within {days_until_found} days");
}

#[test]
fn a_replaced_object_and_a_foreign_one_are_findings() {
    let prepared = Prepared::new(2330, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.clone();
    prepared.run(async {
        let node = prepared.start().await;
        let name = copies(&prepared, key.current());
        prepared.world.vaults[0].add_version(&name, b"another");
        let stray = format!("{}/notes.txt", prepared.operator.instance);
        now(prepared.world.vaults[2].put_new(&stray.parse().unwrap(), b"mine")).unwrap();
        let found = node.client.verify_backups(Level::Integrity).await.unwrap().findings;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|finding| finding.contains("replaced or deleted")), "{found:?}");
        assert!(found.iter().any(|finding| finding.contains("notes.txt")), "{found:?}");
        node.kill();
    });
}

#[test]
fn keys_of_every_spec_are_exercised_and_a_destroyed_one_is_left_out() {
    let prepared = Prepared::new(2340, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    assert_eq!(BEFORE, KeySpec::ALL.len(), "the prepared instance has one of each");
    prepared.run(async {
        let node = prepared.start().await;
        let doom = KeyChange::ScheduleDeletion { window_days: 7 };
        node.client.change(key, doom).await.unwrap();
        node.client.settled().await;
        node.kill();
    });
    prepared.later(8);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(70_000).await;
        node.client.look_at(key).await;
        let walked = walk(&node).await;
        assert_eq!((walked.findings, walked.versions), (Vec::new(), BEFORE as u64 - 1));
        node.kill();
    });
}
