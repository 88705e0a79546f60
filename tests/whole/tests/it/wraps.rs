//! The registry of wrapped data keys: one key for a subject, for as long as anything stands.

use std::sync::Arc;

use keystead_archive::{names, names::ObjectKind};
use keystead_domain::WrapLog;
use keystead_service::{
    DataKeySource, ErrorKind, Fault, WrapOrigin,
    restore::{RestoreFailed, RestorePlan},
};
use keystead_targets::{MemoryVault, Vault};
use keystead_testkit::{FaultPlans, Folder};
use zeroize::Zeroizing;

use crate::{
    client::Client,
    evidence::now,
    kit::KitForm,
    node::{bring_back, serve},
    prepared::Prepared,
};

fn given(byte: u8, bytes: usize) -> DataKeySource {
    DataKeySource::Given(Zeroizing::new(vec![byte; bytes]))
}

#[test]
fn a_subject_keeps_its_data_key_and_no_other_takes_its_place() {
    let prepared = Prepared::new(1400, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let client = &node.client;
        let (origin, first) = client.put_wrap("document").await.unwrap();
        assert_eq!((origin, first.len()), (WrapOrigin::Made, 32));
        assert_eq!(client.put_wrap("document").await.unwrap(), (WrapOrigin::Found, first.clone()));
        let same = DataKeySource::Given(Zeroizing::new(first.clone()));
        let found = client.put_wrap_of("document", same).await.unwrap();
        assert_eq!(found, (WrapOrigin::Found, None), "who brings a key needs none back");
        let refused = client.put_wrap_of("document", given(7, 32)).await.unwrap_err();
        assert!(matches!(&refused.fault, Fault::OtherDataKey { subject } if subject == "document"));
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        assert_eq!(client.unwrap("document").await.unwrap(), first);
        // One subject is the beginning of another.
        client.put_wrap_of("docu", given(8, 16)).await.unwrap();
        client.put_wrap_of("document/2", given(9, 1024)).await.unwrap();
        assert_eq!(client.unwrap("docu").await.unwrap(), [8; 16]);
        assert_eq!(client.unwrap("document").await.unwrap(), first);
        client.settled().await;
        client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_data_key_of_another_length_and_a_subject_that_is_not_there_are_refused() {
    let prepared = Prepared::new(1410, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        for bytes in [0, 15, 1025] {
            let refused = node.client.put_wrap_of("x", given(1, bytes)).await.unwrap_err();
            assert!(matches!(refused.fault, Fault::Field { field: "data_key", .. }), "{refused}");
            let made = DataKeySource::Generated { bytes };
            let refused = node.client.put_wrap_of("x", made).await.unwrap_err();
            assert!(matches!(refused.fault, Fault::Field { field: "bytes", .. }), "{refused}");
        }
        let refused = node.client.unwrap("x").await.unwrap_err();
        assert!(matches!(&refused.fault, Fault::Nothing { name, .. } if name == "x"), "{refused}");
        assert!(node.client.wraps(0, 0).await.is_err());
        assert!(node.client.wraps(0, 1001).await.is_err());
        node.kill();
    });
    prepared.verify();
}

async fn put_all(client: &Client, subjects: impl Iterator<Item = String>) -> Vec<WrapOrigin> {
    let put = subjects.map(|subject| async move { client.put_wrap(&subject).await.unwrap().0 });
    futures_util::future::join_all(put).await
}

#[test]
fn a_hundred_at_once_are_numbered_without_a_gap_and_share_their_commits() {
    let prepared = Prepared::new(1420, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        let before = node.client.status().await.unwrap().commit_seq;
        let made = put_all(&node.client, (0..100).map(|number| number.to_string())).await;
        assert!(made.iter().all(|origin| *origin == WrapOrigin::Made));
        let commits = node.client.status().await.unwrap().commit_seq - before;
        assert!((1..=10).contains(&commits), "{commits} commits");
        assert_eq!(node.client.wrap_statement().await.unwrap().log.count, 101);
        let first = node.client.wraps(0, 60).await.unwrap();
        assert_eq!((first.records.len(), first.next), (60, Some(60)));
        let second = node.client.wraps(60, 60).await.unwrap();
        assert_eq!((second.records.len(), second.next), (41, None));
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn of_many_that_put_one_subject_at_once_one_makes_it_and_all_get_its_key() {
    let prepared = Prepared::new(1430, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        // The client's own notes fail where two answers for a subject differ.
        let put = put_all(&node.client, (0..20).map(|_| "one".to_owned())).await;
        assert_eq!(put.iter().filter(|origin| **origin == WrapOrigin::Made).count(), 1);
        assert_eq!(node.client.wrap_statement().await.unwrap().log.count, 2);
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_data_key_that_is_not_vaulted_is_not_handed_out_and_the_same_once_it_is() {
    let prepared = Prepared::new(1440, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        prepared.world.vaults.iter().for_each(MemoryVault::away);
        let late = node.client.put_wrap("late").await.unwrap_err();
        let Fault::NotYetVaulted { change } = late.fault else { panic!("{late}") };
        for refused in [
            node.client.unwrap("late").await.map(drop).unwrap_err(),
            node.client.wrap_statement().await.map(drop).unwrap_err(),
            node.client.put_wrap("late").await.map(drop).unwrap_err(),
        ] {
            let waits =
                matches!(refused.fault, Fault::NotYetVaulted { change: of } if of == change);
            assert!(waits, "{refused}");
        }
        assert_eq!(node.client.wraps(0, 10).await.unwrap().records.len(), 1);
        prepared.world.vaults.iter().for_each(MemoryVault::back);
        node.client.settled().await;
        assert_eq!(node.client.put_wrap("late").await.unwrap().0, WrapOrigin::Found);
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_statement_holds_under_the_root_alone_and_grows_from_the_one_before() {
    let prepared = Prepared::new(1450, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let before = node.client.wrap_statement().await.unwrap();
        node.client.put_wrap("next").await.unwrap();
        let after = node.client.wrap_statement().await.unwrap();
        let (root, of) = (&prepared.operator.root, &prepared.operator);
        let said = keystead_archive::WrapStatement::verify(&after.signed, root).unwrap();
        assert_eq!((said.instance, said.incarnation), (of.instance, of.incarnation));
        assert_eq!((said.count, said.chain), (after.log.count, after.log.chain));
        let records = node.client.wraps(0, 10).await.unwrap().records;
        let grown = |upto: usize| {
            let log = WrapLog::empty(said.tenant);
            records[..upto].iter().try_fold(log, |log, record| log.followed_by(&record.facts))
        };
        assert_eq!((grown(1), grown(2)), (Some(before.log), Some(after.log)));
        let other = Prepared::new(1451, KitForm::Bare).operator.root;
        assert!(keystead_archive::WrapStatement::verify(&after.signed, &other).is_err());
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_restore_brings_back_every_data_key_under_a_new_master_key() {
    let prepared = Prepared::with_real_kit(1460);
    let before = prepared.run(async {
        let node = prepared.start().await;
        put_all(&node.client, (0..30).map(|number| format!("document {number}"))).await;
        node.client.settled().await;
        let before = node.client.wraps(0, 100).await.unwrap().records;
        node.kill();
        before
    });
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    prepared.run(async {
        let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
        let (operator, reading) = bring_back(&process, &prepared.operator, plan).await.unwrap();
        assert_eq!(reading.wraps, before.len());
        let (service, operator) = (serve(&process).await.unwrap(), Arc::new(operator));
        let client = Client::new(&service, &operator, &prepared.world.sim, &prepared.notes);
        client.everything_opens().await;
        let after = client.wraps(0, 100).await.unwrap().records;
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.facts, after.facts, "what is chained stays as it was");
            let (old, new) = (before.envelope(), after.envelope());
            assert_eq!(old.key, new.key);
            assert_ne!(old.version, new.version, "all are under the new version");
        }
        let fresh = client.put_wrap("after").await.unwrap().0;
        assert_eq!(fresh, WrapOrigin::Made);
        let added = client.wraps(before.len() as u64, 1).await.unwrap().records;
        assert_eq!(added[0].envelope().version, after[0].envelope().version);
    });
    process.kill();
}

#[test]
fn a_restore_without_the_master_keys_copy_names_it_and_writes_nothing() {
    let prepared = Prepared::with_real_kit(1470);
    let master = prepared.run(async {
        let node = prepared.start().await;
        let master = node.client.wraps(0, 1).await.unwrap().records[0].envelope().key;
        node.client.settled().await;
        node.kill();
        master
    });
    for vault in &prepared.world.vaults {
        for object in now(vault.list("")).unwrap() {
            let kind = names::parse(object.name.as_str());
            if matches!(kind, Some(ObjectKind::KeyCopy { key, .. }) if key == master) {
                vault.remove(&object.name);
            }
        }
    }
    let folder = Folder::new();
    let process = prepared.process_over(&folder, &FaultPlans::default());
    let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
    let refused = prepared.run(bring_back(&process, &prepared.operator, plan)).unwrap_err();
    assert!(matches!(refused, RestoreFailed::CopyMissing { .. }), "{refused}");
    assert!(refused.to_string().contains(&master.to_string()), "{refused}");
    process.kill();
}
