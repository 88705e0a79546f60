//! A restore dies or fails at each of its durable operations, and is then run again.
//!
//! Invariant: after any number of failed restores the next one into an empty folder brings back all
//! that was acknowledged; the folder of a failed one is no instance.

use std::sync::Arc;

use keystead_service::{StartFailed, restore::RestorePlan};
use keystead_testkit::{FaultPlans, Folder};

use super::matrix::{Case, cases};
use crate::{
    client::{Client, Notes},
    node::{bring_back, serve, within},
    prepared::Prepared,
};

/// Restores into a new folder; the world that goes on from there, where it was acknowledged.
fn restore(from: &Prepared, folder: &Folder, plans: &FaultPlans) -> (Option<Prepared>, Counted) {
    let process = from.process_over(folder, plans);
    let (inner, operator) = (process.clone(), from.operator.clone());
    let plan = RestorePlan { vaults: from.world.urls(), ..RestorePlan::default() };
    let restored =
        within(&process, async move { bring_back(&inner, &operator, plan).await.ok() }).flatten();
    let durable = process.durable();
    process.kill();
    let next = restored.map(|(operator, reading)| {
        assert_eq!(reading.keys, from.notes.told().keys.len());
        assert_eq!(reading.wraps, from.notes.told().wraps.len());
        let notes = from.notes.copied();
        // Requests of before are in the ledger of before.
        notes.told().requests.clear();
        Prepared {
            world: from.world.copied(7),
            folder: folder.clone(),
            operator: Arc::new(operator),
            notes,
        }
    });
    (next, durable)
}

type Counted = keystead_testkit::Durable;

fn check(prepared: &Prepared, case: Case) {
    let from = prepared.copied(600);
    let folder = Folder::new();
    let (restored, _) = restore(&from, &folder, &case.plans());
    folder.crash(case.loss());
    match restored {
        Some(restored) => restored.recover_and_verify(),
        None => is_no_damaged_instance(&from, &folder),
    }
    if restored_nothing(&from, &folder) {
        let (again, _) = restore(&from, &Folder::new(), &FaultPlans::default());
        again.expect("a restore that is run again").recover_and_verify();
    }
}

/// Did the case end without an acknowledged restore?
fn restored_nothing(from: &Prepared, folder: &Folder) -> bool {
    let process = from.process_over(folder, &FaultPlans::default());
    let inner = process.clone();
    let started = within(&process, async move { serve(&inner).await.map(drop) });
    process.kill();
    matches!(started, Some(Err(StartFailed::NoInstance)))
}

fn is_no_damaged_instance(from: &Prepared, folder: &Folder) {
    let process = from.process_over(folder, &FaultPlans::default());
    let inner = process.clone();
    let started = within(&process, async move { serve(&inner).await.map(drop) });
    process.kill();
    match started.expect("nothing goes wrong in this process") {
        // Nobody was told its credential, but it is no damaged instance.
        Ok(()) | Err(StartFailed::NoInstance) => {}
        Err(other) => panic!("an unfinished restore is answered with: {other}"),
    }
}

#[test]
fn a_restore_that_fails_anywhere_damages_nothing_and_can_be_repeated() {
    let prepared = Prepared::with_real_kit(600);
    let (whole, durable) = restore(&prepared.copied(600), &Folder::new(), &FaultPlans::default());
    whole.expect("nothing goes wrong").recover_and_verify();
    let cases = cases(&durable);
    assert!(cases.len() > 100, "{durable:?}");
    for case in cases {
        eprintln!("case {case:?}");
        check(&prepared, case);
    }
}

#[test]
fn a_node_that_still_writes_during_a_restore_is_fenced_and_loses_nothing_it_acknowledged() {
    for seed in 0..6 {
        let prepared = Prepared::with_real_kit(620 + seed);
        let old = prepared.process(&FaultPlans::default());
        let (inner, operator) = (old.clone(), prepared.operator.clone());
        let (notes, sim) = (prepared.notes.clone(), prepared.world.sim.clone());
        let writer = async move {
            let service = serve(&inner).await.unwrap();
            let client = Client::new(&service, &operator, inner.sim(), &notes);
            loop {
                match client.create("still writing").await {
                    Ok(_) => sim.pause(4_000).await,
                    Err(error) => break error,
                }
            }
        };
        let folder = Folder::new();
        let new = prepared.process_over(&folder, &FaultPlans::default());
        let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
        let (refused, restored) = prepared.run(async {
            let restore = async {
                prepared.wait_ms(5_000).await;
                bring_back(&new, &prepared.operator, plan).await.unwrap()
            };
            futures_util::future::join(writer, restore).await
        });
        assert!(matches!(refused.fault, keystead_service::Fault::Fenced { .. }), "{refused}");
        old.kill();
        new.kill();
        let kept = Notes::default();
        *kept.told() = prepared.notes.told().clone();
        kept.told().requests.clear();
        // A key that was answered *creating* was never promised to survive this machine.
        kept.told().keys.retain(|view| view.vaulted == keystead_service::Vaulted::Yes);
        assert!(restored.1.keys >= kept.told().keys.len());
        let next = Prepared {
            world: prepared.world.copied(8),
            folder,
            operator: Arc::new(restored.0),
            notes: kept,
        };
        next.recover_and_verify();
    }
}
