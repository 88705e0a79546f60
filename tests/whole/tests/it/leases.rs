//! Leases bound the handle on a data key, never the data key itself.

use std::sync::Arc;

use keystead_service::{ErrorKind, Fault, restore::RestorePlan};
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    client::{Client, Sealed},
    kit::KitForm,
    node::{bring_back, serve},
    prepared::Prepared,
};

const MINUTE_MS: i64 = 60_000;

#[test]
fn a_data_key_opens_until_its_lease_ends_and_again_under_a_new_one() {
    let prepared = Prepared::new(1500, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let (client, key) = (&node.client, prepared.notes.told().keys[0].key.id);
        let made = client.leased(key, MINUTE_MS).await.unwrap();
        let (data_key, sealed) = (made.plaintext.to_vec(), made.ciphertext.clone());
        prepared.wait_ms(59_000).await;
        assert_eq!(client.unwrap_leased(&sealed, &made.lease.token).await.unwrap(), data_key);
        prepared.wait_ms(1_000).await;
        let ended = client.unwrap_leased(&sealed, &made.lease.token).await.unwrap_err();
        assert!(matches!(ended.fault, Fault::LeaseExpired), "{ended}");
        assert_eq!(ended.kind(), ErrorKind::WrongState);
        assert!(ended.hint().unwrap().contains("new lease"));
        let again = client.lease_again(&sealed, MINUTE_MS).await.unwrap();
        assert_eq!(*again.plaintext, data_key);
        assert_eq!(client.unwrap_leased(&sealed, &again.lease.token).await.unwrap(), data_key);
        let still = client.unwrap_leased(&sealed, &made.lease.token).await.unwrap_err();
        assert!(matches!(still.fault, Fault::LeaseExpired), "an ended lease stays ended");
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_lease_is_of_one_data_key_and_nothing_else_is_one() {
    let prepared = Prepared::new(1510, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let (client, key) = (&node.client, prepared.notes.told().keys[0].key.id);
        let one = client.leased(key, MINUTE_MS).await.unwrap();
        let other = client.leased(key, MINUTE_MS).await.unwrap();
        let mut altered = one.lease.token.clone();
        *altered.last_mut().unwrap() ^= 1;
        for lease in [&other.lease.token, &altered, &one.ciphertext, &Vec::new()] {
            let refused = client.unwrap_leased(&one.ciphertext, lease).await.unwrap_err();
            assert!(matches!(refused.fault, Fault::Lease), "{refused}");
        }
        for lease_ms in [0, 999, 24 * 60 * MINUTE_MS + 1, -1] {
            let refused = client.leased(key, lease_ms).await.unwrap_err();
            let named = matches!(refused.fault, Fault::Field { field: "lease_seconds", .. });
            assert!(named, "{refused}");
        }
        node.kill();
    });
    prepared.verify();
}

#[test]
fn decrypt_is_no_way_around_a_lease_and_a_lease_none_around_decrypt() {
    let prepared = Prepared::new(1520, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let (client, key) = (&node.client, prepared.notes.told().keys[0].key.id);
        let leased = client.leased(key, MINUTE_MS).await.unwrap();
        let context = [("patient".to_owned(), "4711".to_owned())].into();
        let ciphertext = leased.ciphertext.clone();
        let sealed = Sealed { key, context, plaintext: Vec::new(), ciphertext };
        let refused = client.decrypt(&sealed).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::Ciphertext), "{refused}");
        let plain = client.data_key(key).await.unwrap();
        let refused = client.lease_again(&plain, MINUTE_MS).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::Ciphertext), "{refused}");
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_restore_ends_every_lease_and_no_data_key() {
    let prepared = Prepared::with_real_kit(1530);
    let key = prepared.notes.told().keys[0].key.id;
    let leased = prepared.run(async {
        let node = prepared.start().await;
        let leased = node.client.leased(key, 24 * 60 * MINUTE_MS).await.unwrap();
        node.client.settled().await;
        node.kill();
        leased
    });
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    prepared.run(async {
        let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
        let (operator, _) = bring_back(&process, &prepared.operator, plan).await.unwrap();
        let (service, operator) = (serve(&process).await.unwrap(), Arc::new(operator));
        let client = Client::new(&service, &operator, &prepared.world.sim, &prepared.notes);
        let refused = client.unwrap_leased(&leased.ciphertext, &leased.lease.token).await;
        assert!(matches!(refused.unwrap_err().fault, Fault::Lease));
        let again = client.lease_again(&leased.ciphertext, MINUTE_MS).await.unwrap();
        assert_eq!(*again.plaintext, *leased.plaintext);
    });
    process.kill();
}
