//! How a node says that it stands, and how it ends: readiness by each cause, counters, an end that
//! leaves nothing behind.

use keystead_service::{LeftBehind, NotReady, logs::read_logs};

use crate::{evidence::now, kit::KitForm, prepared::Prepared};

#[test]
fn a_node_says_why_it_is_not_ready_and_that_it_is_again() {
    let prepared = Prepared::new(1300, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let service = node.service.clone();
        node.client.settled().await;
        assert_eq!(service.not_ready(), []);
        let key = prepared.notes.told().keys[0].key.id;
        let journal = &prepared.folder.journal;
        journal.limit(journal.used_bytes());
        node.client.encrypt(key, b"x").await.unwrap_err();
        assert_eq!(service.not_ready(), [NotReady::JournalFull]);
        journal.limit(u64::MAX);
        node.client.encrypt(key, b"x").await.unwrap();
        assert_eq!(service.not_ready(), []);
        prepared.world.vaults[0].away();
        prepared.world.vaults[1].away();
        prepared.wait_ms(60_000).await;
        assert_eq!(service.not_ready(), [NotReady::VaultsAway]);
        assert!(service.not_ready()[0].lets_uses_go_on());
        node.client.encrypt(key, b"x").await.unwrap();
        prepared.wait_ms(crate::node::MAX_UNFENCED_MS).await;
        assert_eq!(service.not_ready(), [NotReady::Unseen, NotReady::VaultsAway]);
        node.client.encrypt(key, b"x").await.unwrap_err();
        prepared.world.vaults[0].back();
        prepared.world.vaults[1].back();
        prepared.wait_ms(60_000).await;
        assert_eq!(service.not_ready(), []);
        service.begin_stop();
        assert_eq!(service.not_ready(), [NotReady::Stopping]);
        node.kill();
    });
}

#[test]
fn a_full_journal_is_tried_again_although_nobody_asks() {
    let prepared = Prepared::new(1310, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let service = node.service.clone();
        node.client.settled().await;
        let key = prepared.notes.told().keys[0].key.id;
        let journal = &prepared.folder.journal;
        journal.limit(journal.used_bytes());
        node.client.encrypt(key, b"x").await.unwrap_err();
        assert_eq!(service.not_ready(), [NotReady::JournalFull]);
        prepared.wait_ms(31_000).await;
        assert_eq!(service.not_ready(), [], "else no request would ever find room");
        node.client.encrypt(key, b"x").await.unwrap_err();
        assert_eq!(service.not_ready(), [NotReady::JournalFull]);
        node.kill();
    });
}

#[test]
fn requests_are_counted_once_and_uses_by_key() {
    let prepared = Prepared::new(1320, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let service = node.service.clone();
        node.client.settled().await;
        let metrics = service.metrics();
        let before = metrics.journal_sync().count();
        let key = prepared.notes.told().keys[0].key.id;
        let counted = |operation: &str, outcome: &str| -> u64 {
            let of = metrics.requests().filter(|of| of.operation == operation);
            of.filter(|of| of.outcome == outcome).map(|of| of.count).sum()
        };
        let (ok, refused) = (counted("Encrypt", "ok"), counted("Encrypt", "not_found"));
        for _ in 0..3 {
            node.client.encrypt(key, b"x").await.unwrap();
        }
        let nothing = keystead_domain::KeyId::from_bytes([9; 16]);
        node.client.encrypt(nothing, b"x").await.unwrap_err();
        assert_eq!(counted("Encrypt", "ok"), ok + 3);
        assert_eq!(counted("Encrypt", "not_found"), refused + 1);
        assert_eq!(metrics.in_flight(), 0);
        let uses = metrics.uses_of(key);
        let encrypted = uses.iter().find(|of| of.operation == "Encrypt").unwrap();
        assert_eq!(encrypted.count, ok + 3);
        assert!(metrics.uses_of(nothing).is_empty(), "what was refused is no use");
        assert!(metrics.journal_sync().count() >= before + 4, "each waited for a sync");
        let vitals = service.vitals();
        assert_eq!(vitals.committed, vitals.vaulted);
        let (census, _) = vitals.census.expect("the job has counted");
        assert_eq!(census.keys["active"], prepared.notes.told().keys.len() as u64);
        node.kill();
    });
}

#[test]
fn a_node_that_ends_in_order_leaves_nothing_behind() {
    let prepared = Prepared::new(1330, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let service = node.service.clone();
        let key = prepared.notes.told().keys[0].key.id;
        node.client.encrypt(key, b"the last").await.unwrap();
        let began = prepared.world.sim.now_ms();
        assert_eq!(service.stop().await, LeftBehind::default());
        assert!(
            prepared.world.sim.now_ms() - began < 1_000,
            "it does not wait for the next second"
        );
        let vitals = service.vitals();
        assert_eq!(vitals.ledger_shipped, vitals.ledger_entries);
        node.kill();
    });
    let root = prepared.operator.root;
    for vault in &prepared.world.vaults[..2] {
        let read = now(read_logs(&[vault], &root, None, &mut |_, _, _| ())).unwrap();
        assert!(read.iter().all(|log| log.missing == 0), "{read:?}");
    }
}

#[test]
fn an_end_without_vaults_is_bounded_and_says_what_stays() {
    let prepared = Prepared::new(1340, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let service = node.service.clone();
        node.client.settled().await;
        (0..3).for_each(|number| prepared.world.vaults[number].away());
        let key = prepared.notes.told().keys[0].key.id;
        node.client.encrypt(key, b"stays here").await.unwrap();
        let began = prepared.world.sim.now_ms();
        let left = service.stop().await;
        assert!(left.entries >= 2 && left.requests == 0, "{left:?}");
        let took = prepared.world.sim.now_ms() - began;
        assert!((9_000..12_000).contains(&took), "{took}");
        node.kill();
        (0..3).for_each(|number| prepared.world.vaults[number].back());
    });
    prepared.verify();
}
