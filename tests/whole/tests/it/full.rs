//! Disks without room: clear errors, nothing lost, and it goes on when there is room again.

use keystead_service::{ErrorKind, Fault, LedgerFault, Vaulted};

use crate::{kit::KitForm, prepared::Prepared};

#[test]
fn a_full_journal_refuses_uses_clearly_and_takes_them_again() {
    let prepared = Prepared::new(1200, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let key = prepared.notes.told().keys[0].key.id;
        let journal = &prepared.folder.journal;
        journal.limit(journal.used_bytes());
        let refused = node.client.encrypt(key, b"x").await.unwrap_err();
        assert!(matches!(refused.fault, Fault::Ledger { reason: LedgerFault::Full }), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert_eq!(refused.hint(), Some("free space under the data folder"));
        journal.limit(u64::MAX);
        node.works().await;
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_journal_without_its_reserve_answers_no_key_and_loses_none() {
    let prepared = Prepared::new(1210, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let journal = &prepared.folder.journal;
        // No room for a single event, not even in the reserve.
        journal.limit(0);
        let refused = node.client.create("x").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
        journal.limit(u64::MAX);
        node.works().await;
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_full_data_folder_delays_the_vaults_and_loses_nothing() {
    let prepared = Prepared::new(1220, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let data = &prepared.folder.data;
        data.limit(data.used_bytes());
        let view = node.client.create("x").await.unwrap();
        assert_eq!(view.vaulted, Vaulted::NotYet);
        let refused = node.client.encrypt(view.key.id, b"x").await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KeyCreating { .. }), "{refused}");
        // Uses of other keys need no room in it.
        let key = prepared.notes.told().keys[0].key.id;
        node.client.encrypt(key, b"x").await.unwrap();
        data.limit(u64::MAX);
        node.client.settled().await;
        node.client.encrypt(view.key.id, b"x").await.unwrap();
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_full_database_refuses_a_key_clearly_and_takes_the_next() {
    let prepared = Prepared::new(1230, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        node.process.fill_store(true);
        let refused = node.client.create("x").await.unwrap_err();
        assert!(
            matches!(refused.fault, Fault::Store(keystead_store::StoreFailed::Full)),
            "{refused}"
        );
        assert_eq!(refused.hint(), Some("free space under the data folder"));
        let key = prepared.notes.told().keys[0].key.id;
        node.client.encrypt(key, b"x").await.unwrap();
        node.process.fill_store(false);
        node.works().await;
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_full_vault_is_named_and_costs_no_write_and_catches_up() {
    let prepared = Prepared::new(1240, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        prepared.world.vaults[0].limit(1);
        node.works().await;
        prepared.wait_ms(5_000).await;
        let full = node.client.status().await.unwrap().vaults[0].clone();
        assert_ne!(full.state, "current", "{full:?}");
        assert!(full.reason.as_ref().is_some_and(|reason| reason.contains("full")), "{full:?}");
        prepared.world.vaults[1].limit(1);
        let refused = node.client.create("x").await.unwrap_err();
        assert!(matches!(refused.fault, Fault::VaultsAway { .. }), "{refused}");
        prepared.world.vaults[0].limit(u64::MAX);
        prepared.world.vaults[1].limit(u64::MAX);
        node.client.settled().await;
        node.works().await;
        node.kill();
    });
    prepared.verify();
}
