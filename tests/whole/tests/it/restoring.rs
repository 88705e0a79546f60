//! Vaults that lie to a restore: cut, forked, forged and exchanged objects.
//!
//! Invariant: a restore trusts what its kit pins and nothing else. One vault that lies costs
//! nothing while another tells the truth; where all lie, it stops and names what is wrong.

use std::collections::BTreeMap;

use keystead_archive::{Opening, Predecessor, SlotPlace, SlotTable, names, names::ObjectKind};
use keystead_crypto::{Entropy, RecipientSeed, SigningKey};
use keystead_domain::{IncarnationId, KitId};
use keystead_service::restore::{
    ChainRefused, ExpectedHead, Freshness, Loss, Reading, RestoreFailed, RestorePlan,
};
use keystead_targets::{MemoryVault, ObjectName, Vault};
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    evidence::now,
    node::{Operator, bring_back},
    prepared::{BEFORE, Prepared},
};

type Outcome = Result<(Operator, Reading), RestoreFailed>;

/// An instance with two keys more and their segments in three vaults.
fn grown(seed: u64) -> Prepared {
    let prepared = Prepared::with_real_kit(seed);
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.works().await;
        node.client.settled().await;
        node.kill();
    });
    prepared
}

fn plan(prepared: &Prepared) -> RestorePlan {
    RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() }
}

fn restore(prepared: &Prepared, plan: RestorePlan) -> Outcome {
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    let outcome = prepared.run(bring_back(&process, &prepared.operator, plan));
    process.kill();
    outcome
}

fn refusal(prepared: &Prepared) -> RestoreFailed {
    let refused = restore(prepared, plan(prepared)).unwrap_err();
    assert!(!refused.hint().is_empty());
    refused
}

/// The objects of a vault whose names stand for what `is` accepts.
fn objects(vault: &MemoryVault, is: impl Fn(&ObjectKind) -> bool) -> Vec<ObjectName> {
    let listed = now(vault.list("")).unwrap().into_iter().map(|object| object.name);
    listed.filter(|name| names::parse(name.as_str()).is_some_and(|kind| is(&kind))).collect()
}

fn segments(prepared: &Prepared) -> Vec<ObjectName> {
    let of = prepared.operator.incarnation;
    let is = |kind: &ObjectKind| match kind {
        ObjectKind::Segment { incarnation, .. } => *incarnation == of,
        _ => false,
    };
    objects(&prepared.world.vaults[0], is)
}

fn bytes(vault: &MemoryVault, name: &ObjectName) -> Vec<u8> {
    now(vault.read(name)).unwrap().unwrap()
}

fn put(vault: &MemoryVault, name: &str, bytes: &[u8]) {
    now(vault.put_new(&name.parse().unwrap(), bytes)).unwrap();
}

#[test]
fn a_chain_that_one_vault_shortens_is_taken_from_the_others() {
    let prepared = grown(1400);
    let last = segments(&prepared).pop().unwrap();
    prepared.world.vaults[0].remove(&last);
    prepared.world.vaults[1].remove(&last);
    let (_, reading) = restore(&prepared, plan(&prepared)).unwrap();
    assert_eq!((reading.keys, reading.freshness), (BEFORE + 2, Freshness::ProvenByVaults));
}

#[test]
fn a_chain_that_all_vaults_shorten_is_found_by_the_expected_head() {
    let prepared = grown(1410);
    let whole = restore(&prepared.copied(1), plan(&prepared)).unwrap().1.head;
    let last = segments(&prepared).pop().unwrap();
    prepared.world.vaults.iter().for_each(|vault| vault.remove(&last));
    let expected: ExpectedHead = whole.parse().unwrap();
    let expecting = |expect_head| RestorePlan { expect_head, ..plan(&prepared) };
    let refused = restore(&prepared, expecting(Some(expected))).unwrap_err();
    let RestoreFailed::HeadMissing { ends } = &refused else { panic!("{refused}") };
    for vault in &prepared.world.vaults {
        assert!(ends.contains(&vault.url().to_string()), "{ends}");
    }
    let (_, reading) = restore(&prepared, expecting(None)).unwrap();
    assert_eq!(reading.keys, BEFORE + 1, "without an expected head nobody can know");
}

#[test]
fn a_segment_that_is_missing_everywhere_stops_the_restore() {
    let prepared = grown(1420);
    let all = segments(&prepared);
    let middle = &all[all.len() - 2];
    prepared.world.vaults.iter().for_each(|vault| vault.remove(middle));
    let refused = refusal(&prepared);
    assert!(matches!(refused, RestoreFailed::Chain(ChainRefused::Gap { .. })), "{refused}");
}

#[test]
fn vaults_that_hold_different_segments_in_one_place_stop_the_restore_and_one_side_goes() {
    let prepared = Prepared::with_real_kit(1430);
    let clone = prepared.copied(1431);
    for side in [&prepared, &clone] {
        side.run(async {
            let node = side.start().await;
            node.works().await;
            node.client.settled().await;
            node.kill();
        });
    }
    prepared.world.vaults[2].restore(&clone.world.vaults[2].snapshot());
    let refused = refusal(&prepared);
    let RestoreFailed::Chain(ChainRefused::DivergingSegments { one, other, .. }) = &refused else {
        panic!("{refused}")
    };
    assert_ne!(one, other);
    let two = RestorePlan { vaults: prepared.world.urls()[..2].to_vec(), ..plan(&prepared) };
    assert_eq!(restore(&prepared, two).unwrap().1.keys, BEFORE + 1);
}

#[test]
fn two_restores_from_one_state_are_diverging() {
    let prepared = grown(1440);
    let other = prepared.copied(1441);
    let (first, _) = restore(&prepared, plan(&prepared)).unwrap();
    let (second, _) = restore(&other, plan(&other)).unwrap();
    assert_ne!(first.incarnation, second.incarnation);
    let name = names::opening(second.instance, second.incarnation);
    let opening = bytes(&other.world.vaults[0], &name.parse().unwrap());
    put(&prepared.world.vaults[1], &name, &opening);
    let refused = refusal(&prepared);
    assert!(
        matches!(refused, RestoreFailed::Chain(ChainRefused::DivergingOpenings { .. })),
        "{refused}"
    );
}

#[test]
fn a_later_incarnation_signed_by_another_key_is_nobodys() {
    let prepared = grown(1450);
    let entropy = Entropy::seeded(1);
    let intruder = SigningKey::from_seed(entropy.secret());
    let operator = &prepared.operator;
    let incarnation = IncarnationId::random(&entropy);
    let predecessor = Predecessor {
        incarnation: operator.incarnation,
        sequence: 1,
        segment_hash: entropy.array(),
    };
    let opening = Opening {
        instance: operator.instance,
        incarnation,
        predecessor: Some(predecessor),
        number: 2,
        at: prepared.world.sim.now(),
    };
    let forged = opening.issue(&intruder).unwrap();
    for vault in &prepared.world.vaults {
        put(vault, &names::opening(operator.instance, incarnation), &forged);
    }
    assert_eq!(restore(&prepared, plan(&prepared)).unwrap().1.keys, BEFORE + 2);
}

#[test]
fn a_base_that_another_instance_signed_is_left_for_the_true_one_or_stops_the_restore() {
    let prepared = grown(1460);
    let other = Prepared::new(1461, crate::kit::KitForm::Bare);
    let base = |of: &Operator| -> ObjectName {
        names::point(of.instance, of.incarnation, 1).parse().unwrap()
    };
    let forged = bytes(&other.world.vaults[0], &base(&other.operator));
    let name = base(&prepared.operator);
    prepared.world.vaults[0].replace(&name, &forged);
    prepared.world.vaults[1].replace(&name, &forged);
    assert_eq!(restore(&prepared.copied(1), plan(&prepared)).unwrap().1.keys, BEFORE + 2);
    prepared.world.vaults[2].replace(&name, &forged);
    let refused = refusal(&prepared);
    assert!(matches!(refused, RestoreFailed::State { .. }), "{refused}");
}

#[test]
fn an_older_base_in_the_place_of_the_new_one_is_no_base() {
    let prepared = grown(1470);
    let before = names::point(prepared.operator.instance, prepared.operator.incarnation, 1);
    let old = bytes(&prepared.world.vaults[0], &before.parse().unwrap());
    let (operator, _) = restore(&prepared, plan(&prepared)).unwrap();
    let name = names::point(operator.instance, operator.incarnation, 1).parse().unwrap();
    prepared.world.vaults[0].replace(&name, &old);
    assert_eq!(restore(&prepared.copied(1), plan(&prepared)).unwrap().1.keys, BEFORE + 2);
    prepared.world.vaults[1].replace(&name, &old);
    prepared.world.vaults[2].replace(&name, &old);
    let refused = refusal(&prepared);
    assert!(matches!(refused, RestoreFailed::State { .. }), "{refused}");
}

#[test]
fn a_slot_table_for_an_intruders_kit_is_ignored_and_no_table_at_all_is_named() {
    let prepared = grown(1480);
    let (entropy, operator) = (Entropy::seeded(2), &prepared.operator);
    let intruder = SigningKey::from_seed(entropy.secret());
    let is_slots = |kind: &ObjectKind| matches!(kind, ObjectKind::Slots { .. });
    let table = objects(&prepared.world.vaults[0], is_slots).remove(0);
    let Some(ObjectKind::Slots { epoch, number, .. }) = names::parse(table.as_str()) else {
        panic!("`{table}`")
    };
    let number = number + 1;
    let place =
        SlotPlace { instance: operator.instance, epoch, number, recipient_set_hash: [0; 32] };
    let seed = RecipientSeed::random(&entropy);
    let kits = [(KitId::random(&entropy), RecipientSeed::random(&entropy).public())];
    let forged = SlotTable::build(&entropy, &intruder, place, &seed, &kits).unwrap();
    put(&prepared.world.vaults[0], &names::slots(operator.instance, epoch, number), &forged);
    assert_eq!(restore(&prepared.copied(1), plan(&prepared)).unwrap().1.keys, BEFORE + 2);
    prepared.world.vaults.iter().for_each(|vault| vault.replace(&table, &forged));
    let refused = refusal(&prepared);
    assert!(matches!(refused, RestoreFailed::KitOpensNothing { .. }), "{refused}");
}

#[test]
fn key_copies_that_were_exchanged_are_taken_from_another_vault_or_named() {
    let prepared = grown(1490);
    let keys: BTreeMap<_, _> = prepared
        .notes
        .told()
        .keys
        .iter()
        .map(|view| (view.key.id, view.key.current().clone()))
        .collect();
    let is_key = |kind: &ObjectKind| match kind {
        ObjectKind::KeyCopy { key, .. } => keys.contains_key(key),
        _ => false,
    };
    let copies = objects(&prepared.world.vaults[0], is_key);
    let other = bytes(&prepared.world.vaults[0], &copies[1]);
    prepared.world.vaults[0].replace(&copies[0], &other);
    prepared.world.vaults[1].replace(&copies[0], &other);
    assert_eq!(restore(&prepared.copied(1), plan(&prepared)).unwrap().1.versions, BEFORE + 2);
    prepared.world.vaults[2].replace(&copies[0], &other);
    let refused = refusal(&prepared);
    assert!(matches!(refused, RestoreFailed::CopyMissing { .. }), "{refused}");
}

#[test]
fn one_vault_of_three_proves_nothing_and_says_so() {
    let prepared = grown(1500);
    let alone = RestorePlan { vaults: prepared.world.urls()[..1].to_vec(), ..plan(&prepared) };
    let refused = restore(&prepared, alone.clone()).unwrap_err();
    assert!(
        matches!(refused, RestoreFailed::TooFewVaults { read: 1, configured: 3, needed: 2 }),
        "{refused}"
    );
    prepared.world.vaults[2].away();
    let without = RestorePlan {
        loss: Loss::Accepted,
        without: prepared.world.urls()[2..].to_vec(),
        vaults: prepared.world.urls()[..2].to_vec(),
        ..RestorePlan::default()
    };
    assert_eq!(restore(&prepared, without).unwrap().1.keys, BEFORE + 2);
}

#[test]
fn what_a_later_program_wrote_is_refused_by_name_and_not_left_out() {
    let prepared = grown(1490);
    let newer = [&b"KEYSTEAD"[..], &[0, 7, 0, 2], &[0; 64]].concat();
    let (all, vault) = (segments(&prepared), &prepared.world.vaults[0]);
    // Another vault has it as it was: nothing of the later one is needed.
    vault.remove(&all[0]);
    put(vault, all[0].as_str(), &newer);
    assert!(restore(&prepared, plan(&prepared)).is_ok());
    let prepared = grown(1491);
    let all = segments(&prepared);
    let Operator { instance, incarnation, .. } = *prepared.operator;
    let next = names::segment(instance, incarnation, all.len() as u64 + 1);
    put(&prepared.world.vaults[0], &next, &newer);
    let refused = refusal(&prepared);
    assert!(refused.is_newer(), "{refused}");
    let said = refused.to_string();
    assert!(said.contains("segment") && said.contains("version 2"), "{said}");
}
