//! Writes whose outcome nobody hears, and a ledger that stops.

use keystead_journal::{Disk, FileName};
use keystead_service::{ErrorKind, Fault, LedgerFault, status::StatusRecord};
use keystead_testkit::FaultPlans;

use crate::{
    kit::KitForm,
    node::serve,
    prepared::{BEFORE, Prepared},
};

#[test]
fn a_commit_of_unknown_outcome_is_asked_for_until_the_database_answers() {
    let prepared = Prepared::new(1300, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        node.process.deafen_store(true);
        let hear = async {
            prepared.wait_ms(4_000).await;
            node.process.deafen_store(false);
        };
        let (view, ()) = futures_util::future::join(node.client.create("x"), hear).await;
        node.client.encrypt(view.unwrap().key.id, b"x").await.unwrap();
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_commit_whose_outcome_stays_unknown_is_found_and_shipped_all_the_same() {
    let prepared = Prepared::new(1310, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        node.process.deafen_store(true);
        let refused = node.client.create("x").await.unwrap_err();
        assert!(matches!(refused.fault, Fault::Unknown { .. }), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::UnknownOutcome);
        node.process.deafen_store(false);
        prepared.wait_ms(10_000).await;
        node.client.settled().await;
        let keys = node.client.list().await.unwrap().keys;
        assert_eq!(keys.len(), BEFORE + 1, "what was committed is in force");
        for view in keys {
            node.client.use_once(&view.key, b"x").await.unwrap();
        }
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_journal_whose_sync_failed_stops_the_node_and_its_status_record_says_so() {
    let prepared = Prepared::new(1320, KitForm::Bare);
    let script = [(4, keystead_journal::Fault::NotPersisted)];
    let plans = FaultPlans {
        journal: keystead_journal::FaultPlan::script(script),
        ..FaultPlans::default()
    };
    let process = prepared.process(&plans);
    prepared.run(async {
        let service = serve(&process).await.unwrap();
        let client = prepared.client(&service);
        let key = prepared.notes.told().keys[0].key.id;
        let refused = loop {
            if let Err(refused) = client.encrypt(key, b"x").await {
                break refused;
            }
        };
        let stopped = Fault::Ledger { reason: LedgerFault::Stopped };
        assert_eq!(refused.fault.to_string(), stopped.to_string());
        prepared.wait_ms(60_000).await;
        let again = client.encrypt(key, b"x").await.unwrap_err();
        assert_eq!(again.fault.to_string(), stopped.to_string());
    });
    let record = prepared.folder.data.read(&FileName::new("status.json").unwrap()).unwrap();
    let record = StatusRecord::read(&String::from_utf8(record.unwrap()).unwrap()).unwrap();
    assert!(record.report.state.starts_with("stopped: "), "{}", record.report.state);
    process.kill();
    prepared.recover_and_verify();
}
