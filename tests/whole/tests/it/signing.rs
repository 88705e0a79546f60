//! Keys that sign or make MACs: what they refuse, and that a restore brings back the same ones.

use std::collections::BTreeMap;

use keystead_crypto::{Ed25519Key, P256Key, Secret};
use keystead_domain::{Key, KeySpec, KeyUsage};
use keystead_service::{ErrorKind, Fault, KeyChange, restore::RestorePlan};
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    client::{Client, Sealed, Signed},
    evidence::material,
    kit::KitForm,
    node::bring_back,
    prepared::Prepared,
};

/// One key of each spec.
fn keys(prepared: &Prepared) -> Vec<Key> {
    prepared.notes.told().keys.iter().map(|view| view.key.clone()).collect()
}

fn of_spec(prepared: &Prepared, spec: KeySpec) -> Key {
    keys(prepared).into_iter().find(|key| key.spec == spec).unwrap()
}

/// The public half of each key that has one.
async fn public_keys(client: &Client, keys: &[Key]) -> BTreeMap<[u8; 16], Vec<u8>> {
    let mut shown = BTreeMap::new();
    for key in keys.iter().filter(|key| key.spec.usage() == KeyUsage::SignVerify) {
        shown.insert(*key.id.as_bytes(), client.public_key(key.id).await.unwrap());
    }
    shown
}

fn public_of(spec: KeySpec, material: Secret<32>) -> Vec<u8> {
    match spec {
        KeySpec::P256 => P256Key::new(material).unwrap().public_der(),
        _ => Ed25519Key::new(material).public_der(),
    }
}

#[test]
fn a_key_does_what_it_is_for_and_nothing_else() {
    let prepared = Prepared::new(1700, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let client = &node.client;
        for key in keys(&prepared) {
            let forged = Signed { key: key.clone(), message: vec![1], by: vec![1] };
            let asked = [
                (KeyUsage::EncryptDecrypt, client.encrypt(key.id, b"x").await.err()),
                (KeyUsage::EncryptDecrypt, client.data_key(key.id).await.err()),
                (KeyUsage::EncryptDecrypt, client.leased(key.id, 1_000).await.err()),
                (KeyUsage::SignVerify, client.sign(&key, b"x").await.err()),
                (KeyUsage::GenerateVerifyMac, client.mac(&key, b"x").await.err()),
                (KeyUsage::SignVerify, client.verify_signature(&forged).await.err()),
                (KeyUsage::GenerateVerifyMac, client.verify_mac(&forged).await.err()),
            ];
            for (usage, refused) in asked {
                let fault = refused.as_ref().map(|error| &error.fault);
                let of_another_use = matches!(fault, Some(Fault::KeyUsage { .. }));
                assert_eq!(of_another_use, key.spec.usage() != usage, "{}: {refused:?}", key.spec);
            }
            let shown = client.public_key(key.id).await;
            assert_eq!(shown.is_ok(), key.spec.usage() == KeyUsage::SignVerify, "{}", key.spec);
            let rotated = client.rotate(key.id).await;
            assert_eq!(rotated.is_ok(), key.spec == KeySpec::Symmetric, "{}", key.spec);
            if let Err(refused) = rotated {
                assert!(matches!(refused.fault, Fault::NotRotated { .. }), "{refused}");
            }
            let scheduled = KeyChange::EnableRotation { period_days: 90 };
            let scheduled = client.change(key.id, scheduled).await;
            assert_eq!(scheduled.is_ok(), key.spec == KeySpec::Symmetric, "{}", key.spec);
            if let Err(refused) = shown {
                assert!(matches!(refused.fault, Fault::NoPublicKey { .. }), "{refused}");
            }
        }
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_signature_or_mac_holds_for_its_own_key_and_message_alone() {
    let prepared = Prepared::new(1710, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let signed = prepared.notes.told().signed.clone();
        assert_eq!(signed.len(), KeySpec::ALL.len() - 1);
        for one in &signed {
            node.client.verify(one).await.unwrap();
            let other = node.client.create_as(one.key.spec, "another").await.unwrap().key;
            let mut cut = one.by.clone();
            cut.pop();
            for wrong in [
                Signed { key: other, ..one.clone() },
                Signed { message: b"from after".to_vec(), ..one.clone() },
                Signed { by: cut, ..one.clone() },
                Signed { by: vec![0; one.by.len()], ..one.clone() },
            ] {
                let refused = node.client.verify(&wrong).await.unwrap_err();
                assert!(matches!(refused.fault, Fault::Signature | Fault::Mac), "{refused}");
                assert_eq!(refused.kind(), ErrorKind::Invalid);
            }
        }
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_ciphertext_that_names_a_signing_key_opens_nothing() {
    let prepared = Prepared::new(1720, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let sealed = prepared.notes.told().sealed[0].clone();
        for spec in &KeySpec::ALL[1..] {
            let key = of_spec(&prepared, *spec);
            let mut ciphertext = sealed.ciphertext.clone();
            ciphertext[3..19].copy_from_slice(key.id.as_bytes());
            ciphertext[19..27].copy_from_slice(key.current().id.as_bytes());
            let forged = Sealed { key: key.id, ciphertext, ..sealed.clone() };
            let refused = node.client.decrypt(&forged).await.unwrap_err();
            assert!(matches!(refused.fault, Fault::Ciphertext), "{refused}");
        }
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_restore_brings_back_the_same_public_keys_and_they_are_those_of_the_copies() {
    let prepared = Prepared::with_real_kit(1730);
    let all = keys(&prepared);
    let before = prepared.run(async {
        let node = prepared.start().await;
        let shown = public_keys(&node.client, &all).await;
        node.client.settled().await;
        node.kill();
        shown
    });
    for key in all.iter().filter(|key| key.spec.usage() == KeyUsage::SignVerify) {
        let copied = material(&prepared.world, &prepared.operator, key);
        assert_eq!(public_of(key.spec, copied), before[key.id.as_bytes()], "{}", key.spec);
    }
    let folder = Folder::new();
    let process = prepared.process_over(&folder, &FaultPlans::default());
    let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
    let (operator, reading) = prepared.run(bring_back(&process, &prepared.operator, plan)).unwrap();
    assert_eq!(reading.versions, all.len());
    process.kill();
    let notes = prepared.notes.copied();
    notes.told().requests.clear();
    let restored =
        Prepared { world: prepared.world.copied(1731), folder, operator: operator.into(), notes };
    let after = restored.run(async {
        let node = restored.start().await;
        node.client.everything_opens().await;
        let shown = public_keys(&node.client, &all).await;
        for key in &all {
            node.client.use_once(key, b"after the restore").await.unwrap();
        }
        node.client.everything_opens().await;
        node.client.settled().await;
        node.kill();
        shown
    });
    assert_eq!(before, after);
    restored.verify();
}
